//! What the settings make of credentials, what requests get by the simple kinds, and what nobody gets to see.

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

#[test]
fn every_kind_has_its_name() {
    for settings in EXAMPLES {
        let credential = read(settings);
        assert!(settings.contains(&format!("kind = '{}'", credential.name())), "{settings}");
        assert!(KINDS.contains(&credential.name()));
    }
}

#[test]
fn no_debug_shows_a_secret_and_every_secret_is_told_to_the_scanner() {
    for settings in &EXAMPLES[1..] {
        let credential = read(settings);
        let shown = format!("{credential:?}");
        assert!(!shown.contains("dummy"), "{shown}");
        assert!(shown.contains(credential.name()), "{shown}");
        let secrets = credential.secrets();
        assert!(secrets.iter().any(|secret| secret.expose_secret().contains("dummy")), "{settings}");
    }
}

#[test]
fn a_previous_secret_is_not_sent_and_must_not_come_out_either() {
    let credential = read(
        "kind = 'bearer'\nversion = '2026-11'\ntoken = { current = { env = 'SECRET' }, previous = 'dummy-old' }",
    );
    let secrets: Vec<_> =
        credential.secrets().iter().map(|secret| secret.expose_secret().to_owned()).collect();
    assert_eq!(secrets, ["dummy-from-environment", "dummy-old"]);
    assert_eq!(&**credential.version(), "2026-11");
    let mut request = request("GET", "/", &[], b"");
    let Kind::Bearer(bearer) = &credential.kind else { panic!("{credential:?}") };
    bearer.apply(&mut request).unwrap();
    assert_eq!(request.headers["authorization"], "Bearer dummy-from-environment");
}

#[test]
fn the_files_of_both_secrets_are_watched() {
    let folder = tempfile::tempdir().unwrap();
    let [current, previous] = ["current", "previous"].map(|name| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("dummy-{name}\n")).unwrap();
        path
    });
    let [first, second] = [&current, &previous].map(|path| path.display());
    let settings = format!(
        "kind = 'bearer'\ntoken = {{ current = {{ file = '{first}' }}, previous = {{ file = '{second}' }} }}"
    );
    let reader = Reader::new(settings.parse().unwrap(), Environment::default());
    let credential = Credential::read(&reader.root()).unwrap();
    assert!(reader.files().keys().eq([&current, &previous]));
    let secrets: Vec<_> =
        credential.secrets().iter().map(|secret| secret.expose_secret().to_owned()).collect();
    assert_eq!(secrets, ["dummy-current", "dummy-previous"]);
}

#[test]
fn without_a_version_the_time_of_loading_tells_credentials_apart() {
    let version = read(EXAMPLES[1]).version().to_owned();
    assert!(version.starts_with("loaded-20") && version.ends_with('Z'), "{version}");
}

#[test]
fn faulty_settings_are_refused_by_their_keys_and_without_their_values() {
    for (settings, key) in [
        ("", "kind: missing"),
        ("kind = 'dummy'", "kind: expected one of none, bearer"),
        ("kind = 'bearer'", "token: missing"),
        ("kind = 'bearer'\ntoken = \"dummy\\nX: y\"", "token: holds a character"),
        (
            "kind = 'bearer'\ntoken = { current = 'dummy', next = 'dummy' }",
            "token: expected current and previous",
        ),
        ("kind = 'bearer'\ntoken = { current = ' ' }", "token: current: the secret is empty"),
        ("kind = 'bearer'\ntoken = 'dummy'\npassword = 'dummy'", "password: unknown key"),
        ("kind = 'bearer'\ntoken = 'dummy'\nversion = 'a b'", "version: expected"),
        ("kind = 'basic'\nusername = 'a:b'", "username: holds a colon"),
        ("kind = 'basic'\nusername = 'a'\npassword = \"dummy\\u0007\"", "password: holds a control"),
        ("kind = 'header'\nvalue = 'dummy'", "name: missing"),
        ("kind = 'header'\nname = 'a b'\nvalue = 'dummy'", "name: expected a header's name"),
        ("kind = 'header'\nname = 'Host'\nvalue = 'dummy'", "name: this header is set by HTTP"),
        ("kind = 'query'\nname = ' '\nvalue = 'dummy'", "name: expected"),
        ("kind = 'oauth1'\nconsumer_key = 'k'\nconsumer_secret = 's'\ntoken = 't'", "token: goes together"),
        (
            "kind = 'oauth1'\nconsumer_key = 'k'\nconsumer_secret = 's'\nmethod = 'PLAINTEXT'",
            "method: expected",
        ),
        ("kind = 'oauth1'\nconsumer_key = 'k'\nconsumer_secret = 's'\nrealm = 'ö'", "realm: expected"),
        ("kind = 'jwt'\nkey = 'dummy-too-short'", "key: expected a secret of at least 32 bytes"),
        (
            "kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nalgorithm = 'RS256'",
            "key: expected a key in PEM",
        ),
        (
            "kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nalgorithm = 'none'",
            "algorithm: expected",
        ),
        ("kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nlifetime = '2d'", "lifetime: expected"),
        (
            "kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nclaims = { exp = 1 }",
            "claims.exp: is set",
        ),
        (
            "kind = 'jwt'\nkey = 'dummy-shared-secret-of-enough-length'\nclaims = { a = '{x}' }",
            "claims.a: in braces",
        ),
        (
            "kind = 'aws_sigv4'\naccess_key_id = 'a b'\nsecret_access_key = 's'\nregion = 'r'\nservice = 's'",
            "access_key_id: expected",
        ),
        ("kind = 'hmac_body'\nsecret = 's'\nheader = 'h'\nalgorithm = 'MD5'", "algorithm: expected"),
        ("kind = 'hmac_body'\nsecret = 's'\nheader = 'h'\nencoding = 'x'", "encoding: expected"),
        ("kind = 'soap_login'\nusername = 'u'\npassword = 'p'\nnamespaces = []", "namespaces: expected"),
        (
            "kind = 'oauth2_client_credentials'\ntoken_url = 'http://t'\nclient_id = 'a'\nclient_secret = 's'\nstyle = 'x'",
            "style: expected",
        ),
        (
            "kind = 'client_certificate'\ncertificate = '/c'\nkey = '/nonexistent/key'",
            "key: /nonexistent/key: ",
        ),
    ] {
        let report = try_read(settings).unwrap_err();
        assert!(report.starts_with(key) && report.lines().count() == 1, "{settings}\n{report}");
        assert!(!report.contains("dummy"), "{report}");
    }
}

#[test]
fn a_certificate_is_for_tls_alone_and_its_key_is_known_to_the_scanner() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    std::fs::write(&key, "-----BEGIN PRIVATE KEY-----\ndummydummydummydummy\n-----END PRIVATE KEY-----\n")
        .unwrap();
    let credential =
        read(&format!("kind = 'client_certificate'\ncertificate = '/c.pem'\nkey = '{}'", key.display()));
    assert_eq!(credential.client_identity().unwrap().key, key);
    assert_eq!(credential.name(), "client_certificate");
    assert!(Scanner::new(credential.secrets()).header_leaks(&HeaderMap::from_iter([(
        HeaderName::from_static("x"),
        HeaderValue::from_static("dummydummydummydummy"),
    )])));
    assert!(!format!("{credential:?}").contains("dummy"));
}
