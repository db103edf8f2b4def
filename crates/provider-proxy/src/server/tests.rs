//! The routes, as db-server sees them.

mod deliveries;
mod operations;

use std::{
    net::TcpListener,
    time::{SystemTime, UNIX_EPOCH},
};

use actix_web::{
    body::to_bytes,
    dev::ServerHandle,
    http::{
        Method,
        header::{AUTHORIZATION, HeaderMap},
    },
};
use bytes::Bytes;
use chassis::{
    client::{ClientSettings, HttpClient, Outgoing},
    environment::Environment,
};
use serde_json::json;
use wire::{ErrorKind, ProxyFailure, operation_path, reference};

use super::*;
use crate::services::Services;

/// A proxy whose provider is out of reach.
const SETTINGS: &str = r#"
[server]
listen = "127.0.0.1:0"
workers = 1
max_request_body = 1000
[providers.reference]
url = "http://127.0.0.1:1"
realm = "solitude"
consumer_key = "dummy-key"
consumer_secret = "dummy-secret"
[providers.reference.notice_keys]
0 = "dummy-notice-0"
"#;

const UNCONFIGURED: &str = "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 1";

/// The same, for callers with a token of the key `ed25519.pem`.
fn guarded() -> String {
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/../jws/src/fixtures/ed25519_public.pem");
    format!("{SETTINGS}[identity]\npublic_keys = [{key:?}]\n")
}

/// A token that ends this many seconds from now.
fn token(pem: &str, audience: &str, life: i64) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let begin = now.min(now + life) - 1;
    let claims = json!({
        "sub": "shop", "authorities": [], "iss": "db-server", "aud": audience, "iat": begin, "exp": now + life,
        "jti": "1",
    });
    jws::sign(&jws::SigningKey::from_pem(&pem.into(), None).unwrap(), &claims, None).unwrap()
}

const ED25519: &str = include_str!("../../../jws/src/fixtures/ed25519.pem");
const RSA: &str = include_str!("../../../jws/src/fixtures/rsa.pem");

struct Running {
    url: String,
    handle: ServerHandle,
    client: HttpClient,
    audit: crate::audit::AuditLog,
    services: Services,
}

impl Running {
    fn start(settings: &str) -> Self {
        Self::run(Application::build(read(settings)).unwrap())
    }

    fn run(application: Application) -> Self {
        let (url, handle) = (application.url(), application.handle());
        let services = application.services().clone();
        let audit = services.audit.clone();
        actix_web::rt::spawn(application.run());
        Self { url, handle, client: HttpClient::new(&ClientSettings::default()).unwrap(), audit, services }
    }

    async fn send(&self, method: Method, path: &str, body: &[u8]) -> (u16, HeaderMap, Value) {
        self.send_with(method, path, body, None).await
    }

    async fn send_with(
        &self,
        method: Method,
        path: &str,
        body: &[u8],
        token: Option<&str>,
    ) -> (u16, HeaderMap, Value) {
        let bearer = |token: &str| (AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        let outgoing = Outgoing {
            method,
            url: format!("{}{path}", self.url),
            headers: token.map(bearer).into_iter().collect(),
            body: Bytes::copy_from_slice(body),
        };
        let incoming = self.client.send(outgoing).await.unwrap();
        (incoming.status.as_u16(), incoming.headers, serde_json::from_slice(&incoming.body).unwrap())
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, _, answer) = self.send(Method::POST, path, body.to_string().as_bytes()).await;
        (status, answer)
    }

    async fn failure(&self, path: &str, body: &Value) -> (u16, ProxyFailure) {
        let (status, answer) = self.post(path, body).await;
        match serde_json::from_value(answer).unwrap() {
            Reply::<Value>::Error(failure) => (status, failure),
            other => panic!("{other:?}"),
        }
    }

    fn metrics(&self) -> String {
        let Services { metrics, bulkheads, .. } = &self.services;
        String::from_utf8(metrics.render(bulkheads).unwrap()).unwrap()
    }

    async fn stop(self) {
        self.handle.stop(true).await;
    }
}

fn read(settings: &str) -> Settings {
    Settings::read(settings.parse().unwrap(), Environment::default()).unwrap()
}

#[actix_web::test]
async fn the_status_says_that_no_database_and_no_cache_are_here() {
    let proxy = Running::start(UNCONFIGURED);
    for path in ["/services/status/", "/services/status"] {
        let (status, _, body) = proxy.send(Method::GET, path, b"").await;
        assert_eq!(status, 200);
        assert_eq!(body, json!({"cache": false, "db": false, "proxies": false, "settings": true}));
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn a_request_needs_a_good_token_and_is_told_whether_it_has_expired() {
    let proxy = Running::start(&guarded());
    let (good, expired) = (token(ED25519, "provider-proxy", 30), token(ED25519, "provider-proxy", -30));
    let (elsewhere, stranger) = (token(ED25519, "other", 30), token(RSA, "provider-proxy", 30));
    let tampered = good.replacen('.', ".e", 1);
    for (given, message, challenge) in [
        (None, "A token is required.", "Bearer"),
        (Some(&expired), "The token has expired.", "The token has expired."),
        (Some(&elsewhere), "The token is not valid.", "The token is not valid."),
        (Some(&stranger), "The token is not valid.", "The token is not valid."),
        (Some(&tampered), "The token is not valid.", "The token is not valid."),
    ] {
        for path in ["/v1/reference/get_seller", "/v1/nobody/anything", reference::NOTICE_PATH] {
            // A body that is too large or no JSON is not even looked at.
            let body = "x".repeat(2000);
            let token = given.map(String::as_str);
            let (status, headers, body) = proxy.send_with(Method::POST, path, body.as_bytes(), token).await;
            assert_eq!(status, 401, "{path}");
            assert_eq!(
                body,
                json!({"error": {
                    "kind": "identity", "target": "provider-proxy", "message": message,
                }})
            );
            assert!(headers.get("www-authenticate").unwrap().to_str().unwrap().contains(challenge));
        }
    }
    let body = json!({"reference_id": "s1"}).to_string();
    let path = operation_path::<reference::GetSeller>();
    let (status, _, answer) = proxy.send_with(Method::POST, &path, body.as_bytes(), Some(&good)).await;
    assert_eq!((status, &answer["error"]["kind"]), (500, &json!("connect")));
    proxy.stop().await;
}

#[actix_web::test]
async fn the_status_is_told_without_a_token() {
    let proxy = Running::start(&guarded());
    assert_eq!(proxy.send(Method::GET, "/services/status/", b"").await.0, 200);
    proxy.stop().await;
}

#[actix_web::test]
async fn an_unreachable_provider_is_a_500_that_says_why() {
    let proxy = Running::start(SETTINGS);
    let body = json!({"reference_id": "s1"});
    let (status, failure) = proxy.failure(&operation_path::<reference::GetSeller>(), &body).await;
    assert_eq!((status, failure.kind, failure.target.as_str()), (500, ErrorKind::Connect, "reference"));
    proxy.stop().await;
}

#[actix_web::test]
async fn what_cannot_be_performed_is_told_apart() {
    let proxy = Running::start(SETTINGS);
    let long = json!({"name": "x".repeat(2000)});
    for (path, body, status, kind, target) in [
        ("/v1/reference/drain_account", json!({}), 404, ErrorKind::UnknownOperation, "reference"),
        ("/v1/nobody/create_seller", json!({}), 404, ErrorKind::UnknownOperation, "provider-proxy"),
        ("/v1/webhooks/nobody", json!({}), 404, ErrorKind::UnknownOperation, "provider-proxy"),
        ("/v1/reference/get_seller", json!({"id": 1}), 422, ErrorKind::InvalidRequest, "reference"),
        ("/v1/reference/create_seller", long, 422, ErrorKind::InvalidRequest, "reference"),
        ("/v1/webhooks/reference", json!("x"), 422, ErrorKind::InvalidRequest, "reference"),
    ] {
        let (got, failure) = proxy.failure(path, &body).await;
        assert_eq!((got, failure.kind, failure.target.as_str()), (status, kind, target), "{path}");
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn a_provider_without_settings_is_not_configured() {
    let proxy = Running::start(UNCONFIGURED);
    for path in ["/v1/reference/create_seller", reference::NOTICE_PATH] {
        let (status, failure) = proxy.failure(path, &json!({})).await;
        assert_eq!((status, failure.kind), (501, ErrorKind::NotConfigured));
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn a_notice_is_believed_only_with_its_signature() {
    let proxy = Running::start(SETTINGS);
    let signed =
        "ext_transaction_id=tx-1&sig=0:80e33dff11b36ef456801d1cf2544352a5acf2fb5c1f8405ae6034ca980bacf6";
    let (status, answer) = proxy.post(reference::NOTICE_PATH, &json!({"signed_notice": signed})).await;
    assert_eq!((status, answer), (200, json!({"result": {"ext_transaction_id": "tx-1"}})));
    let forged = json!({"signed_notice": signed.replace("tx-1", "tx-2")});
    let (status, failure) = proxy.failure(reference::NOTICE_PATH, &forged).await;
    assert_eq!((status, failure.kind), (403, ErrorKind::InvalidSignature));
    proxy.stop().await;
}

#[actix_web::test]
async fn another_method_or_path_is_refused() {
    let proxy = Running::start(SETTINGS);
    for (method, path, status) in [
        (Method::GET, "/v1/reference/create_seller", 405),
        (Method::POST, "/services/status/", 405),
        (Method::POST, "/v1/reference", 404),
        (Method::POST, "/v1/reference/create_seller/x", 404),
        (Method::POST, "/sellers", 404),
    ] {
        let (got, headers, _) = proxy.send(method, path, b"{}").await;
        assert_eq!(got, status, "{path}");
        assert!(headers.contains_key("x-request-id"));
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn an_address_that_is_taken_and_a_file_that_is_missing_have_their_exit_codes() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("[server]\nlisten = \"{}\"", taken.local_addr().unwrap());
    let error = Application::build(read(&listen)).err().unwrap();
    assert_eq!(error.exit(), Exit::Unavailable);
    let missing = SETTINGS.replace("realm =", "ca = \"/nonexistent/ca.pem\"\nrealm =");
    let error = Application::build(read(&missing)).err().unwrap();
    assert_eq!(error.exit(), Exit::Settings);
    assert!(error.to_string().contains("/nonexistent/ca.pem"), "{error}");
}

#[actix_web::test]
async fn a_certificate_that_is_no_good_any_more_is_told_in_the_words_of_each_door() {
    let body = async |response: HttpResponse| -> Value {
        serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap()
    };
    let message = "The client certificate is not valid any more.";
    let response = not_let_in("/v1/reference/get_seller", CallerError::Distrusted);
    assert_eq!((response.status().as_u16(), response.headers().contains_key("x-proxy-error")), (401, false));
    let expected = json!({"error": {"kind": "identity", "target": "provider-proxy", "message": message}});
    assert_eq!(body(response).await, expected);
    let response = not_let_in("/proxy/shop/v1/charges", CallerError::Distrusted);
    assert_eq!(response.headers().get("x-proxy-error").unwrap(), "identity");
    let expected = json!({"error": {"kind": "identity", "target": "shop", "message": message}});
    assert_eq!(body(response).await, expected);
}

#[test]
fn a_chain_of_causes_is_one_line_without_repetitions() {
    #[derive(Debug, Error)]
    #[error("outer: {0}")]
    struct Repeating(#[source] io::Error);
    assert_eq!(chain(&Repeating(io::Error::other("inner"))), "outer: inner");
    let source = Box::new(io::Error::other("the cause"));
    let error = ProxyError::Unsendable { target: "reference", source };
    assert_eq!(chain(&error), "reference: the request could not be made: the cause");
}
