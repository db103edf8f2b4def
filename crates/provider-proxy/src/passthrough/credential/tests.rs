//! What the settings make of credentials, what requests get by the simple kinds, and what nobody gets to see.

mod reading;

use std::{rc::Rc, time::Duration};

use chassis::{
    environment::Environment,
    settings::{Reader, SettingsError},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use relay::OutgoingBody;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;

/// All that a request meets on its way, with a clock that stands still.
pub(super) struct Surroundings {
    pub(super) target: BaseUrl,
    pub(super) caller: Caller,
    pub(super) now: SystemTime,
    pub(super) scanner: Scanner,
}

impl Surroundings {
    pub(super) fn at(target: &str, seconds: u64) -> Self {
        let claims = json!({ "sub": "shop-1", "tenant": "t 1", "level": 3, "list": ["a"] });
        let Value::Object(claims) = claims else { panic!("no object") };
        let caller = Caller {
            name: "shop-1".into(),
            authorities: vec!["ROLE_WRITE".to_owned(), "ROLE_READ".to_owned()].into(),
            claims: Rc::new(claims),
            entry: None,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Self { target: BaseUrl::parse(target).unwrap(), caller, now, scanner: Scanner::new([]) }
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context {
            target: &self.target,
            caller: &self.caller,
            now: self.now,
            scanner: &self.scanner,
            token_endpoint: None,
            asked_for_token: &|_| {},
        }
    }
}

/// Reads one credential; an error names the keys at fault and what is wrong.
pub(super) fn try_read(settings: &str) -> Result<Credential, String> {
    let environment = Environment::from_pairs([("SECRET", "dummy-from-environment")]);
    let reader = Reader::new(settings.parse().unwrap(), environment);
    let credential = Credential::read(&reader.root());
    match reader.finish() {
        Ok(()) => Ok(credential.unwrap()),
        Err(SettingsError::Faults(faults)) => Err(faults.to_string()),
        Err(other) => panic!("{other}"),
    }
}

pub(super) fn read(settings: &str) -> Credential {
    try_read(settings).unwrap()
}

pub(super) fn request(method: &str, path: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Outgoing {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let body = if body.is_empty() { OutgoingBody::Empty } else { OutgoingBody::Full(body.to_vec().into()) };
    Outgoing {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        path_and_query: path.to_owned(),
        headers: map,
        body,
    }
}

/// Strips and applies, as the door does.
pub(super) async fn sent(
    credential: &Credential,
    surroundings: &Surroundings,
    mut request: Outgoing,
) -> Result<Outgoing, CredentialError> {
    credential.strip(&mut request);
    credential.apply(&mut request, &surroundings.context()).await?;
    Ok(request)
}

pub(super) fn body_of(request: &Outgoing) -> &str {
    std::str::from_utf8(body::bytes(request).unwrap()).unwrap()
}

/// One of each kind, with secrets that begin with `dummy`.
pub(super) const EXAMPLES: [&str; 10] = [
    "kind = 'none'",
    "kind = 'bearer'\ntoken = 'dummy-token-1'",
    "kind = 'basic'\nusername = 'user'\npassword = 'dummy-password'",
    "kind = 'header'\nname = 'X-Api-Key'\nvalue = 'dummy-value-1'",
    "kind = 'query'\nname = 'api.key'\nvalue = 'dummy-value-1'",
    "kind = 'oauth1'\nconsumer_key = 'key'\nconsumer_secret = 'dummy-consumer-secret'",
    "kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nheader_name = 'X-Token'",
    "kind = 'aws_sigv4'\naccess_key_id = 'AKID'\nsecret_access_key = 'dummy-secret-key'\nregion = 'r'\nservice = 's3'",
    "kind = 'hmac_body'\nsecret = 'dummy-hmac-secret'\nheader = 'X-Signature'\ntimestamp_header = 'X-Time'",
    "kind = 'oauth2_client_credentials'\ntoken_url = 'https://id.test/token'\nclient_id = 'id'\nclient_secret = 'dummy-client-secret'",
];

async fn header_of(settings: &str, name: &str) -> HeaderValue {
    let surroundings = Surroundings::at("https://target.test", 0);
    let request = sent(&read(settings), &surroundings, request("GET", "/", &[], b"")).await.unwrap();
    request.headers.get(name).unwrap().clone()
}

/// RFC 6750, section 2.1.
#[actix_web::test]
async fn the_published_bearer_token_is_sent() {
    let value = header_of("kind = 'bearer'\ntoken = 'mF_9.B5f-4.1JqM'", "authorization").await;
    assert_eq!(value, "Bearer mF_9.B5f-4.1JqM");
    assert!(value.is_sensitive());
}

/// RFC 7617, sections 2 and 2.1.
#[actix_web::test]
async fn the_published_users_and_passwords_are_sent() {
    let first = "kind = 'basic'\nusername = 'Aladdin'\npassword = 'open sesame'";
    assert_eq!(header_of(first, "authorization").await, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let second = "kind = 'basic'\nusername = 'test'\npassword = '123\u{a3}'";
    assert_eq!(header_of(second, "authorization").await, "Basic dGVzdDoxMjPCow==");
    // Stripe's way: the key is the user.
    let third = "kind = 'basic'\nusername = 'dummy_sk'";
    assert_eq!(header_of(third, "authorization").await, "Basic ZHVtbXlfc2s6");
}

#[actix_web::test]
async fn a_header_replaces_the_callers_and_a_parameter_follows_the_others_unchanged() {
    assert_eq!(header_of(EXAMPLES[3], "x-api-key").await, "dummy-value-1");
    let surroundings = Surroundings::at("https://target.test", 0);
    let query = read("kind = 'query'\nname = 'a key'\nvalue = 'dummy+1/2'");
    for (before, after) in [
        ("/p", "/p?a%20key=dummy%2B1%2F2"),
        ("/p?", "/p?a%20key=dummy%2B1%2F2"),
        ("/p?b=1&b=2&&%zz;=+", "/p?b=1&b=2&&%zz;=+&a%20key=dummy%2B1%2F2"),
        ("/p?a+key=x&b&A%20Key=y", "/p?b&a%20key=dummy%2B1%2F2"),
    ] {
        let sent = sent(&query, &surroundings, request("GET", before, &[], b"")).await.unwrap();
        assert_eq!(sent.path_and_query, after);
    }
}

#[actix_web::test]
async fn none_adds_nothing_and_still_removes_the_callers_own() {
    let surroundings = Surroundings::at("https://target.test", 0);
    let headers = [("authorization", "Bearer callers"), ("accept", "x")];
    let sent =
        sent(&read("kind = 'none'"), &surroundings, request("GET", "/?access_token=1", &headers, b"")).await;
    let sent = sent.unwrap();
    assert_eq!((sent.headers.len(), sent.path_and_query.as_str()), (1, "/"));
}

#[actix_web::test]
async fn a_form_is_freed_of_what_takes_the_place_of_the_credential() {
    let surroundings = Surroundings::at("https://target.test", 0);
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    for settings in [EXAMPLES[1], EXAMPLES[5], EXAMPLES[7], EXAMPLES[8]] {
        let body = b"a=1&access%5Ftoken=x&oauth_token=y&b=%2B;oauth%5fnonce=1&&c";
        let sent = sent(&read(settings), &surroundings, request("POST", "/", &form, body)).await.unwrap();
        assert_eq!(body_of(&sent), "a=1&b=%2B&&c", "{settings}");
    }
    let json = [("content-type", "application/json")];
    let sent = sent(&read(EXAMPLES[1]), &surroundings, request("POST", "/", &json, b"access_token=x"))
        .await
        .unwrap();
    assert_eq!(body_of(&sent), "access_token=x");
}

#[actix_web::test]
async fn a_form_that_cannot_be_read_is_not_sent() {
    let surroundings = Surroundings::at("https://target.test", 0);
    let form = [("content-type", "application/x-www-form-urlencoded"), ("content-encoding", "gzip")];
    let refused = sent(&read(EXAMPLES[1]), &surroundings, request("POST", "/", &form, b"zip")).await;
    assert_eq!(refused.err().unwrap().kind(), wire::passthrough::Kind::InvalidRequest);
}

#[actix_web::test]
async fn a_body_larger_than_allowed_is_not_taken_in() {
    let surroundings = Surroundings::at("https://target.test", 0);
    for (length, limit) in [(Some(5), 4), (None, 4), (Some(3), 4)] {
        let (_, mut payload) = actix_http_payload(b"12345");
        let mut request = request("POST", "/", &[], b"");
        request.body = OutgoingBody::Stream {
            payload: std::mem::replace(&mut payload, actix_web::dev::Payload::None),
            length,
            limit,
        };
        let refused = sent(&read(EXAMPLES[8]), &surroundings, request).await.err().unwrap();
        assert!(matches!(refused, CredentialError::BodyTooLarge { limit: 4 }), "{refused}");
    }
}

fn actix_http_payload(bytes: &'static [u8]) -> (actix_web::HttpRequest, actix_web::dev::Payload) {
    actix_web::test::TestRequest::post().set_payload(bytes).to_http_parts()
}

#[actix_web::test]
async fn a_streamed_body_is_signed_as_it_is_sent() {
    let surroundings = Surroundings::at("https://target.test", 1_700_000_000);
    let (_, payload) = actix_http_payload(b"{}");
    let mut request = request("POST", "/", &[], b"");
    request.body = OutgoingBody::Stream { payload, length: None, limit: 10 };
    let sent = sent(&read(EXAMPLES[8]), &surroundings, request).await.unwrap();
    assert_eq!(body_of(&sent), "{}");
    assert!(sent.headers.contains_key("x-signature"));
}
