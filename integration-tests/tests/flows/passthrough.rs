//! The pass-through of a whole pair: a caller with a signed identity, provider-proxy's door, and a local target.

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::Method,
    web::{self, Bytes},
};
use chrono::Utc;
use integration_tests::{client::Client, in_process::PairOptions, settings::identity_key};
use jws::SigningKey;
use serde_json::{Value, json};

/// A target that says what it got.
fn target() -> (String, ServerHandle) {
    async fn tell(request: HttpRequest, body: Bytes) -> HttpResponse {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        HttpResponse::Ok().insert_header(("x-custom-header", "lorem ipsum")).json(json!({
            "method": request.method().as_str(),
            "uri": request.uri().to_string(),
            "authorized": header("authorization") == Some("Bearer dummy-token-12345"),
            "forwarded": header("x-forwarded-host"),
            "length": body.len(),
        }))
    }
    let server = HttpServer::new(|| App::new().default_service(web::to(tell)))
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
    let url = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (url, handle)
}

/// What db-server signs for a client.
fn token(name: &str, authorities: &[&str]) -> String {
    let key = std::fs::read_to_string(identity_key()).unwrap();
    let key = SigningKey::from_pem(&key.into(), None).unwrap();
    let now = Utc::now().timestamp();
    let claims = json!({
        "sub": name, "authorities": authorities, "iss": "db-server", "aud": "provider-proxy",
        "iat": now, "exp": now + 60, "jti": "1",
    });
    format!("Bearer {}", jws::sign(&key, &claims, None).unwrap())
}

const TARGET: &str = "[passthrough]\nenabled = true\n[targets.shop]\nurl = 'URL'\nprivate = true\n\
    credential = { kind = 'bearer', token = 'dummy-token-12345' }\nrequire = ['ROLE_WRITE']\n\
    allow = ['GET /transactions', 'POST /transactions']\nrewrite = '/shops/{claims.sub}/{tail}'\n";

#[actix_web::test]
async fn a_caller_reaches_its_own_part_of_a_target_and_no_other() {
    let (url, handle) = target();
    let pair = PairOptions::default().proxy_settings(&TARGET.replace("URL", &url)).spawn().await;
    let client = Client::unsigned(pair.provider_proxy.url());
    let ask = async |method: Method, path: &str, token: &str| {
        let request = client.request(method, path).header("x-forwarded-host", "evil.test");
        let request = if token.is_empty() { request } else { request.header("authorization", token) };
        request.raw(b"\x00\xff", "application/octet-stream").answer().await
    };

    let shop = token("BBY001", &["ROLE_WRITE"]);
    let answer = ask(Method::POST, "/proxy/shop/transactions?page=2&page=3", &shop).await;
    assert_eq!((answer.status, answer.header("x-custom-header")), (200, Some("lorem ipsum")), "{answer:?}");
    assert_eq!(
        answer.json(),
        json!({
            "method": "POST", "uri": "/shops/BBY001/transactions?page=2&page=3", "authorized": true,
            "forwarded": Value::Null, "length": 2,
        })
    );

    for (method, path, token, status, kind) in [
        (Method::DELETE, "/proxy/shop/transactions", &shop, 403, "not_allowed"),
        (Method::GET, "/proxy/shop/transactions/../../X", &shop, 400, "path"),
        (Method::GET, "/proxy/shop/%2e%2e/transactions", &shop, 400, "path"),
        (Method::GET, "/proxy/other/transactions", &shop, 404, "unknown_target"),
        (Method::GET, "/proxy/shop/transactions", &String::new(), 401, "identity"),
        (Method::GET, "/proxy/shop/transactions", &"Bearer x.y.z".to_owned(), 401, "identity"),
        (Method::GET, "/proxy/shop/transactions", &token("BBY001", &["ROLE_READ"]), 403, "caller"),
        (Method::GET, "/proxy/shop/transactions", &token("../other", &["ROLE_WRITE"]), 403, "caller"),
    ] {
        let answer = ask(method, path, token).await;
        assert_eq!(
            (answer.status, answer.header("x-proxy-error")),
            (status, Some(kind)),
            "{path}: {answer:?}"
        );
        assert_eq!(answer.json()["error"]["kind"], kind);
    }
    handle.stop(false).await;
}

#[actix_web::test]
async fn a_pair_without_targets_has_a_closed_door() {
    let pair = PairOptions::default().spawn().await;
    let client = Client::unsigned(pair.provider_proxy.url());
    for path in ["/proxy", "/proxy/shop/a"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.text()), (501, "The proxy is disabled.".to_owned()), "{path}");
    }
}
