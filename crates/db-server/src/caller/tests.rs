use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{http::header::AUTHORIZATION, test::TestRequest};
use chrono::TimeDelta;
use oauth1::{Credentials, SignatureMethod, VerifyError, sign};

use super::{authenticator::Signed, rejection::Rejection, *};
use crate::{
    cache::{Cache, Sealed},
    crypt::EncryptionKeys,
    database::{ConnectParameters, Database, SslMode},
    domain::{Clock, pin::PinRules, user::Users},
    limit::Limit,
    pin::PinHasher,
    settings::{AuthSettings, Client, DoorSettings},
};

const SECRET: &str = "dummy-secret-dummy";
const URL: &str = "http://localhost:2602/generic/seller/?uuid=a";
const NOW: u64 = 1_700_000_000;

fn authenticator() -> Authenticator {
    authenticator_with(|_| {})
}

/// Postgres is out of reach: clients of the settings do not need it.
fn authenticator_with(change: impl FnOnce(&mut AuthSettings)) -> Authenticator {
    let client = Client { secret: SECRET.into(), roles: vec![Role::Read] };
    let clients = BTreeMap::from([("webpay".to_owned(), client)]);
    let mut settings = AuthSettings { require_oauth: true, public_url: None, private: true, clients };
    change(&mut settings);
    let database = Database::new(nowhere());
    let keys = EncryptionKeys::parse(&[EncryptionKeys::generate()]).unwrap();
    let cache = database.sealed(Cache::new(None), keys.clone());
    let people = people(database.clone(), cache.clone());
    Authenticator::new(settings, database, keys, cache, Limit::new(None, Cache::new(None)), people)
}

/// Nobody has a password, and there are no tokens.
fn people(database: Database, cache: Sealed) -> People {
    let hasher = PinHasher::new("dummy-pepper-of-tests".into(), 64, 1).unwrap();
    let rules = PinRules { max_failures: 5, window: TimeDelta::seconds(300) };
    let users = Users::new(database, cache, hasher, rules, Clock::system(), BTreeSet::new());
    People::new(Arc::new(users), None, Clock::system(), None, DoorSettings::default())
}

fn nowhere() -> ConnectParameters {
    ConnectParameters {
        host: "/nonexistent".into(),
        port: 5432,
        database: "x".into(),
        user: "x".into(),
        password: None,
        ssl_mode: SslMode::Disable,
        ssl_root_certificate: None,
        connect_timeout: Duration::from_secs(2),
        statement_timeout: Duration::from_secs(1),
        pool_size: 1,
        pool_wait: Duration::from_millis(50),
        application_name: "test".into(),
    }
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

/// Who has signed, or why that is not known.
fn known(result: Result<Identity, Refusal>) -> Result<String, Rejection> {
    match result {
        Ok(identity) => Ok(identity.key.unwrap().to_string()),
        Err(Refusal::Unknown(rejection)) => Err(rejection),
        Err(refusal) => panic!("{refusal}"),
    }
}

async fn check(authenticator: &Authenticator, authorization: &str) -> Result<String, Rejection> {
    let signed = Signed { method: "GET", url: URL, authorization };
    known(authenticator.signed(&signed, NOW).await)
}

#[actix_web::test]
async fn a_client_that_signs_is_known() {
    assert_eq!(check(&authenticator(), &header("webpay", SECRET, "n", NOW)).await, Ok("webpay".into()));
}

#[actix_web::test]
async fn a_wrong_secret_or_key_is_refused() {
    let authenticator = authenticator();
    let wrong = header("webpay", "another-dummy-secret", "n", NOW);
    assert_eq!(check(&authenticator, &wrong).await, Err(Rejection::Invalid(VerifyError::Signature)));
    assert_eq!(check(&authenticator, &header("nobody", SECRET, "n", NOW)).await, Err(Rejection::UnknownKey));
    let guess = header("nobody", "no client has this secret", "n", NOW);
    assert_eq!(check(&authenticator, &guess).await, Err(Rejection::UnknownKey));
}

#[actix_web::test]
async fn a_signature_is_for_one_method_and_one_url() {
    let authenticator = authenticator();
    let authorization = &header("webpay", SECRET, "n", NOW);
    for (method, url) in [("POST", URL), ("GET", "http://localhost:2602/generic/seller/?uuid=b")] {
        let signed = Signed { method, url, authorization };
        let error = known(authenticator.signed(&signed, NOW).await).unwrap_err();
        assert_eq!(error, Rejection::Invalid(VerifyError::Signature));
    }
}

#[actix_web::test]
async fn a_timestamp_may_be_300_seconds_off_and_no_more() {
    let authenticator = authenticator();
    for (nonce, timestamp) in [("a", NOW - 300), ("b", NOW + 300)] {
        assert!(check(&authenticator, &header("webpay", SECRET, nonce, timestamp)).await.is_ok());
    }
    for timestamp in [NOW - 301, NOW + 301] {
        let error = check(&authenticator, &header("webpay", SECRET, "c", timestamp)).await;
        assert_eq!(error, Err(Rejection::Invalid(VerifyError::Stale)));
    }
}

#[actix_web::test]
async fn a_nonce_is_used_once_by_a_client_at_a_time() {
    let authenticator = authenticator();
    let first = header("webpay", SECRET, "n", NOW);
    assert!(check(&authenticator, &first).await.is_ok());
    assert_eq!(check(&authenticator, &first).await, Err(Rejection::Replayed));
    assert!(check(&authenticator, &header("webpay", SECRET, "n", NOW + 1)).await.is_ok());
    assert!(check(&authenticator, &header("webpay", SECRET, "m", NOW)).await.is_ok());
}

#[actix_web::test]
async fn a_request_that_was_refused_uses_no_nonce() {
    let authenticator = authenticator();
    assert!(check(&authenticator, &header("webpay", "another-dummy-secret", "n", NOW)).await.is_err());
    assert!(check(&authenticator, &header("webpay", SECRET, "n", NOW)).await.is_ok());
}

#[actix_web::test]
async fn a_nonce_that_is_too_long_is_refused() {
    let long = header("webpay", SECRET, &"n".repeat(256), NOW);
    assert_eq!(check(&authenticator(), &long).await, Err(Rejection::LongNonce));
}

#[actix_web::test]
async fn without_exactly_one_header_nobody_is_known() {
    let authenticator = authenticator();
    let none = TestRequest::get().uri("/").to_http_request();
    assert_eq!(known(authenticator.authenticate(&none).await), Err(Rejection::Absent));
    let twice =
        TestRequest::get().append_header((AUTHORIZATION, "OAuth a")).append_header((AUTHORIZATION, "b"));
    let twice = twice.to_http_request();
    assert_eq!(known(authenticator.authenticate(&twice).await), Err(Rejection::Ambiguous));
    let basic = TestRequest::get().append_header((AUTHORIZATION, "Basic eDp5")).to_http_request();
    assert_eq!(known(authenticator.authenticate(&basic).await), Err(Rejection::Invalid(VerifyError::Scheme)));
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
    assert_eq!(authenticator().url(&request()), "http://pay.internal:2602/generic/seller/?uuid=a");
    let terminated = authenticator_with(|settings| {
        settings.public_url = chassis::base_url::BaseUrl::parse("https://pay.example.com/api/").ok();
    });
    assert_eq!(terminated.url(&request()), "https://pay.example.com/api/generic/seller/?uuid=a");
}

#[actix_web::test]
async fn without_oauth_everyone_is_anonymous_and_may_do_everything() {
    let open = authenticator_with(|settings| settings.require_oauth = false);
    let identity = open.authenticate(&TestRequest::get().to_http_request()).await.unwrap();
    assert_eq!((identity.key, identity.roles.as_ref()), (None, &Role::ALL[..]));
    let caller = Caller::<Read> { key: None, role: PhantomData };
    assert_eq!((caller.key(), caller.actor().as_str()), (None, "anonymous"));
}

#[test]
fn of_parallel_replays_exactly_one_gets_through() {
    let authenticator = authenticator();
    let header = header("webpay", SECRET, "n", NOW);
    let attempt = || {
        let accepted = actix_web::rt::System::new().block_on(check(&authenticator, &header)).is_ok();
        usize::from(accepted)
    };
    let accepted: usize = std::thread::scope(|scope| {
        let attempts: Vec<_> = (0..16).map(|_| scope.spawn(attempt)).collect();
        attempts.into_iter().map(|attempt| attempt.join().unwrap()).sum()
    });
    assert_eq!(accepted, 1);
}

#[actix_web::test]
async fn a_bearer_key_that_cannot_be_one_is_refused_without_asking_the_database() {
    let authenticator = authenticator();
    for (key, rejection) in [
        ("", Rejection::MalformedBearer),
        ("webpay", Rejection::MalformedBearer),
        // A client of the settings signs, and its secret is no bearer key.
        ("webpay.dummy-secret-dummy", Rejection::UnknownKey),
        ("nobody.x", Rejection::UnknownKey),
    ] {
        assert_eq!(known(authenticator.bearer(key).await), Err(rejection), "{key}");
    }
    let long = format!("{}.x", "n".repeat(600));
    assert_eq!(known(authenticator.bearer(&long).await), Err(Rejection::MalformedBearer));
}

#[actix_web::test]
async fn a_bearer_key_that_others_can_read_is_refused() {
    let readable = authenticator_with(|settings| settings.private = false);
    let refused = known(readable.bearer("webpay-0123456789ab.x").await);
    assert_eq!(refused, Err(Rejection::ReadableBearer));
}

#[actix_web::test]
async fn a_client_that_only_the_database_may_know_is_not_refused_while_that_is_out_of_reach() {
    let authorization = header("webpay-0123456789ab", SECRET, "n", NOW);
    let signed = Signed { method: "GET", url: URL, authorization: &authorization };
    let refused = authenticator().signed(&signed, NOW).await;
    assert!(matches!(refused, Err(Refusal::Store(_))), "{refused:?}");
}

async fn call<R: Needs>(authenticator: Authenticator, header: Option<String>) -> Result<Caller<R>, ApiError> {
    let mut request =
        TestRequest::get().uri("/generic/seller/?uuid=a").insert_header(("host", "localhost:2602"));
    if let Some(header) = header {
        request = request.insert_header((AUTHORIZATION, header));
    }
    let request = request.to_http_request();
    let identified = authenticator.authenticate(&request).await;
    request.extensions_mut().insert(Identified(identified));
    admit(&request)
}

#[actix_web::test]
async fn a_route_needs_its_role_and_none_implies_another() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = || Some(header("webpay", SECRET, "n", now));
    assert_eq!(call::<Read>(authenticator(), header()).await.unwrap().key(), Some("webpay"));
    assert!(matches!(call::<Write>(authenticator(), header()).await, Err(ApiError::Forbidden)));
    assert!(matches!(call::<Read>(authenticator(), None).await, Err(ApiError::Unauthenticated)));
    let admin = || {
        authenticator_with(|settings| {
            settings
                .clients
                .insert("webpay".into(), Client { secret: SECRET.into(), roles: vec![Role::Admin] });
        })
    };
    assert!(call::<Admin>(admin(), header()).await.is_ok());
    assert!(matches!(call::<Read>(admin(), header()).await, Err(ApiError::Forbidden)));
    assert!(matches!(call::<Refund>(admin(), header()).await, Err(ApiError::Forbidden)));
}

#[test]
fn when_nobody_has_asked_who_is_calling_nobody_is_let_in() {
    let request = TestRequest::get().to_http_request();
    assert!(matches!(admit::<Read>(&request), Err(ApiError::Unauthenticated)));
}
