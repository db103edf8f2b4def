use std::collections::BTreeMap;

use actix_web::test::TestRequest;
use oauth1::{Credentials, SignatureMethod, sign};

use super::*;

const SECRET: &str = "dummy-secret-dummy";
const URL: &str = "http://localhost:2602/generic/seller/?uuid=a";
const NOW: u64 = 1_700_000_000;

fn authenticator() -> Authenticator {
    let client = Client { secret: SECRET.into(), roles: vec![Role::Read] };
    let clients = BTreeMap::from([("webpay".to_owned(), client)]);
    Authenticator::new(AuthSettings { require_oauth: true, public_url: None, clients })
}

/// A header for a GET of `URL`.
fn header(key: &str, secret: &str, nonce: &str, timestamp: u64) -> String {
    let credentials = Credentials {
        consumer_key: key.into(),
        consumer_secret: secret.into(),
        realm: Some("solitude".into()),
    };
    sign(&credentials, "GET", URL, nonce, timestamp, SignatureMethod::HmacSha1, &[]).unwrap()
}

fn check(authenticator: &Authenticator, authorization: &str) -> Result<String, Rejection> {
    let signed = Signed { method: "GET", url: URL, authorization };
    authenticator.client(&signed, NOW).map(|(key, _)| key.to_owned())
}

#[test]
fn a_client_that_signs_is_known() {
    assert_eq!(check(&authenticator(), &header("webpay", SECRET, "n", NOW)), Ok("webpay".into()));
}

#[test]
fn a_wrong_secret_or_key_is_refused() {
    let authenticator = authenticator();
    let wrong = header("webpay", "another-dummy-secret", "n", NOW);
    assert_eq!(check(&authenticator, &wrong), Err(Rejection::Invalid(VerifyError::Signature)));
    assert_eq!(check(&authenticator, &header("nobody", SECRET, "n", NOW)), Err(Rejection::UnknownKey));
    let guess = header("nobody", "no client has this secret", "n", NOW);
    assert_eq!(check(&authenticator, &guess), Err(Rejection::UnknownKey));
}

#[test]
fn a_signature_is_for_one_method_and_one_url() {
    let authenticator = authenticator();
    let authorization = &header("webpay", SECRET, "n", NOW);
    for (method, url) in [("POST", URL), ("GET", "http://localhost:2602/generic/seller/?uuid=b")] {
        let signed = Signed { method, url, authorization };
        let error = authenticator.client(&signed, NOW).unwrap_err();
        assert_eq!(error, Rejection::Invalid(VerifyError::Signature));
    }
}

#[test]
fn a_timestamp_may_be_300_seconds_off_and_no_more() {
    let authenticator = authenticator();
    for (nonce, timestamp) in [("a", NOW - 300), ("b", NOW + 300)] {
        assert!(check(&authenticator, &header("webpay", SECRET, nonce, timestamp)).is_ok());
    }
    for timestamp in [NOW - 301, NOW + 301] {
        let error = check(&authenticator, &header("webpay", SECRET, "c", timestamp));
        assert_eq!(error, Err(Rejection::Invalid(VerifyError::Stale)));
    }
}

#[test]
fn a_nonce_is_used_once_by_a_client_at_a_time() {
    let authenticator = authenticator();
    let first = header("webpay", SECRET, "n", NOW);
    assert!(check(&authenticator, &first).is_ok());
    assert_eq!(check(&authenticator, &first), Err(Rejection::Replayed));
    assert!(check(&authenticator, &header("webpay", SECRET, "n", NOW + 1)).is_ok());
    assert!(check(&authenticator, &header("webpay", SECRET, "m", NOW)).is_ok());
}

#[test]
fn a_request_that_was_refused_uses_no_nonce() {
    let authenticator = authenticator();
    assert!(check(&authenticator, &header("webpay", "another-dummy-secret", "n", NOW)).is_err());
    assert!(check(&authenticator, &header("webpay", SECRET, "n", NOW)).is_ok());
    assert!(check(&authenticator, &header("webpay", SECRET, "old", NOW - 301)).is_err());
    assert_eq!(authenticator.nonces.count(), 1);
}

#[test]
fn a_nonce_that_is_too_long_is_refused() {
    let long = header("webpay", SECRET, &"n".repeat(256), NOW);
    assert_eq!(check(&authenticator(), &long), Err(Rejection::LongNonce));
}

#[test]
fn without_exactly_one_header_nobody_is_known() {
    let authenticator = authenticator();
    let none = TestRequest::get().uri("/").to_http_request();
    assert_eq!(authenticator.authenticate(&none), Err(Rejection::Absent));
    let twice =
        TestRequest::get().append_header((AUTHORIZATION, "OAuth a")).append_header((AUTHORIZATION, "b"));
    assert_eq!(authenticator.authenticate(&twice.to_http_request()), Err(Rejection::Ambiguous));
    let basic = TestRequest::get().append_header((AUTHORIZATION, "Basic eDp5")).to_http_request();
    assert_eq!(authenticator.authenticate(&basic), Err(Rejection::Invalid(VerifyError::Scheme)));
}

#[test]
fn the_signed_url_is_the_hosts_or_the_public_one_and_never_a_forwarded_one() {
    let request = || {
        TestRequest::get()
            .uri("/generic/seller/?uuid=a")
            .insert_header(("host", "pay.internal:2602"))
            .insert_header(("x-forwarded-host", "evil.example.com"))
            .insert_header(("forwarded", "host=evil.example.com;proto=https"))
            .to_http_request()
    };
    let mut authenticator = authenticator();
    assert_eq!(authenticator.url(&request()), "http://pay.internal:2602/generic/seller/?uuid=a");
    authenticator.settings.public_url =
        chassis::base_url::BaseUrl::parse("https://pay.example.com/api/").ok();
    assert_eq!(authenticator.url(&request()), "https://pay.example.com/api/generic/seller/?uuid=a");
}

#[test]
fn without_oauth_everyone_is_anonymous_and_may_do_everything() {
    let mut authenticator = authenticator();
    authenticator.settings.require_oauth = false;
    let (key, roles) = authenticator.authenticate(&TestRequest::get().to_http_request()).unwrap();
    assert_eq!((key, roles), (None, &Role::ALL[..]));
    let caller = Caller::<Read> { key: None, role: PhantomData };
    assert_eq!((caller.key(), caller.actor().as_str()), (None, "anonymous"));
}

#[test]
fn of_parallel_replays_exactly_one_gets_through() {
    let authenticator = authenticator();
    let header = header("webpay", SECRET, "n", NOW);
    let accepted: usize = std::thread::scope(|scope| {
        let attempts: Vec<_> =
            (0..16).map(|_| scope.spawn(|| usize::from(check(&authenticator, &header).is_ok()))).collect();
        attempts.into_iter().map(|attempt| attempt.join().unwrap()).sum()
    });
    assert_eq!(accepted, 1);
}

fn call<R: Needs>(authenticator: Authenticator, header: Option<String>) -> Result<Caller<R>, ApiError> {
    let mut request =
        TestRequest::get().uri("/generic/seller/?uuid=a").insert_header(("host", "localhost:2602"));
    if let Some(header) = header {
        request = request.insert_header((AUTHORIZATION, header));
    }
    identify(&request.app_data(Data::new(authenticator)).to_http_request())
}

#[test]
fn a_route_needs_its_role() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = || Some(header("webpay", SECRET, "n", now));
    assert_eq!(call::<Read>(authenticator(), header()).unwrap().key(), Some("webpay"));
    assert!(matches!(call::<Write>(authenticator(), header()), Err(ApiError::Forbidden)));
    assert!(matches!(call::<Read>(authenticator(), None), Err(ApiError::Unauthenticated)));
}

#[test]
fn without_an_authenticator_nobody_is_let_in() {
    let request = TestRequest::get().to_http_request();
    assert!(matches!(identify::<Read>(&request), Err(ApiError::Unauthenticated)));
}
