//! db-server's own door: `ANY /proxy/`, and `/services/proxy/`, which switches it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::Method,
    rt,
    web::{self, Bytes},
};
use integration_tests::{
    client::{Answer, Client},
    in_process::{Dummies, Server},
};
use serde_json::{Value, json};

use super::{
    login::{token, whoami},
    users::{PASSWORD, People},
};

/// A target that tells what it was sent.
struct Target {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Target {
    fn start() -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let server = HttpServer::new(move || {
            let counted = Arc::clone(&counted);
            let limit = web::PayloadConfig::new(1 << 20);
            App::new().app_data(limit).default_service(web::to(move |request: HttpRequest, body: Bytes| {
                counted.fetch_add(1, Ordering::SeqCst);
                answer(request, body)
            }))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        rt::spawn(server.run());
        Self { url, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn answer(request: HttpRequest, body: Bytes) -> HttpResponse {
    match request.path() {
        "/bytes" => HttpResponse::Ok()
            .append_header(("X-Custom-Header", "lorem ipsum"))
            .append_header(("Set-Cookie", "a=1"))
            .append_header(("Set-Cookie", "b=2"))
            .body(body),
        "/teapot" => HttpResponse::ImATeapot().insert_header(("Retry-After", "7")).body("short and stout"),
        "/elsewhere" => {
            HttpResponse::Found().insert_header(("Location", "https://elsewhere.example.test/")).finish()
        }
        _ => {
            let headers: serde_json::Map<_, _> = request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
                .collect();
            let target = request.uri().to_string();
            HttpResponse::Ok()
                .json(json!({"method": request.method().as_str(), "target": target, "headers": headers}))
        }
    }
}

/// People with a door that may lead anywhere on this machine.
fn people(more: &str) -> People {
    People::new(&format!("[door]\nallowed = ['loopback']\n{more}"))
}

fn admin(running: &Server) -> Client {
    let dummies = Dummies::default();
    Client::signed(running.url(), &dummies.client_key, &dummies.client_secret)
}

async fn switch(running: &Server, url: Value) -> Answer {
    admin(running).put("/services/proxy/", &json!({ "url": url })).await
}

/// A door that leads to a target.
async fn open(more: &str) -> (People, Server, Target) {
    let people = people(more);
    let running = people.serve();
    let target = Target::start();
    let answer = switch(&running, json!(target.url)).await;
    assert_eq!((answer.status, &answer.json()["url"]), (200, &json!(target.url)), "{answer:?}");
    (people, running, target)
}

/// What the target is told when somebody comes with these headers.
async fn told(running: &Server, headers: &[(&str, &str)]) -> Value {
    let answer = come(running, "/proxy/whoami?mode=jwt", headers).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn come(running: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    let client = Client::unsigned(running.url());
    let request = client.request(Method::GET, path);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).answer().await
}

/// The token that a target was given.
fn given(told: &Value) -> String {
    told["headers"]["authorization"].as_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

fn claims(told: &Value) -> Value {
    let payload = given(told).split('.').nth(1).unwrap().to_owned();
    let payload = data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn whose(told: &Value) -> (Value, Value) {
    let claims = claims(told);
    (claims["sub"].clone(), claims["authorities"].clone())
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", data_encoding::BASE64.encode(format!("{name}:{password}").as_bytes()))
}

#[actix_web::test]
async fn the_door_is_disabled_until_somebody_switches_it() {
    for people in [People::new(""), people("")] {
        let running = people.serve();
        for (method, path) in [
            (Method::GET, "/proxy"),
            (Method::GET, "/proxy/"),
            (Method::DELETE, "/proxy/a/b?c=d"),
            (Method::POST, "/proxy/x"),
        ] {
            let client = Client::unsigned(running.url());
            let answer = client.request(method, path).answer().await;
            assert_eq!((answer.status, answer.text().as_str()), (501, "The proxy is disabled."), "{path}");
        }
        assert_eq!(come(&running, "/proxyx", &[]).await.status, 404);
        let shown = admin(&running).get("/services/proxy/").await;
        assert_eq!((shown.status, shown.json()), (200, json!({"url": null})));
    }
}

#[actix_web::test]
async fn an_administrator_switches_the_door_for_every_instance_and_over_a_restart() {
    let (people, running, target) = open("").await;
    assert_eq!(come(&running, "/proxy/x", &[]).await.status, 200);
    let other = people.serve();
    assert_eq!(come(&other, "/proxy/x", &[]).await.status, 200, "another instance, or this one restarted");
    assert_eq!(admin(&other).get("/services/proxy").await.json(), json!({"url": target.url}));
    assert_eq!(switch(&running, json!(null)).await.json(), json!({"url": null}));
    assert_eq!(come(&running, "/proxy/x", &[]).await.status, 501);
}

#[actix_web::test]
async fn only_an_administrator_switches_it_and_only_to_what_the_operator_allows() {
    let (people, running, target) = open("").await;
    people.add("Alice", &["read", "write"]);
    let token = token(&running, "Alice", PASSWORD).await;
    for method in [Method::GET, Method::PUT] {
        let answer = super::api_clients::bearer(running.url(), method, "/services/proxy/", &token).await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    assert_eq!(come(&running, "/services/proxy/", &[]).await.status, 401);
    for wrong in [
        json!("https://evil.example.test"),
        json!("ftp://127.0.0.1"),
        json!("http://user:dummy@127.0.0.1"),
        json!("http://127.0.0.1.evil.example.test"),
        json!("not a url"),
        json!(5),
    ] {
        let answer = switch(&running, wrong.clone()).await;
        assert!(answer.status == 400 && answer.json()["url"].is_array(), "{wrong}: {answer:?}");
    }
    let missing = admin(&running).put("/services/proxy/", &json!({})).await;
    assert!(missing.status == 400 && missing.json()["url"].is_array(), "{missing:?}");
    assert_eq!(admin(&running).get("/services/proxy/").await.json(), json!({"url": target.url}));
}

#[actix_web::test]
async fn what_the_list_no_longer_has_is_not_led_to() {
    let (people, running, _) = open("").await;
    drop(running);
    let mut table = people.table.clone();
    table["door"]["allowed"] = vec!["https://shop.example.test"].into();
    let running = integration_tests::in_process::start_db_server(table);
    assert_eq!(come(&running, "/proxy/x", &[]).await.status, 501);
}

#[actix_web::test]
async fn who_shows_nothing_is_nobody_and_the_target_is_told_how_the_request_came() {
    let (_people, running, target) = open("").await;
    let forged = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-host", "evil.example.test"),
        ("x-forwarded-proto", "gopher"),
        ("forwarded", "host=evil.example.test"),
        ("x-solitude-service", "reference"),
        ("x-kept", "2"),
    ];
    let told = told(&running, &forged).await;
    assert_eq!(whose(&told), (json!("anonymousUser"), json!(["ROLE_ANONYMOUS"])));
    let claims = claims(&told);
    assert_eq!(claims["aud"], json!(target.url));
    assert!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap() <= 60);
    let host = running.url().strip_prefix("http://").unwrap();
    let headers = &told["headers"];
    assert_eq!((&headers["x-forwarded-proto"], &headers["x-forwarded-host"]), (&json!("http"), &json!(host)));
    assert_eq!(headers["host"], json!(target.url.strip_prefix("http://").unwrap()));
    assert_eq!(headers["x-kept"], "2");
    for dropped in ["x-forwarded-for", "forwarded", "x-solitude-service"] {
        assert_eq!(headers[dropped], Value::Null, "{dropped}");
    }
}

#[actix_web::test]
async fn behind_a_terminator_the_target_is_told_the_public_url() {
    let target = Target::start();
    let public = format!("url = '{}'\n[auth]\npublic_url = 'https://pay.example.test:8443/api'", target.url);
    let people = people(&public);
    let running = people.serve();
    let told = told(&running, &[]).await;
    assert_eq!(told["headers"]["x-forwarded-proto"], "https");
    assert_eq!(told["headers"]["x-forwarded-host"], "pay.example.test:8443");
}

#[actix_web::test]
async fn every_proof_of_ours_says_on_whose_behalf_the_request_goes_on() {
    let (people, running, _) = open("").await;
    people.add("Alice", &["user", "wonderland"]);
    let alice = (json!("Alice"), json!(["ROLE_USER", "ROLE_WONDERLAND"]));
    let password = basic("Alice", PASSWORD);
    for _ in 0..2 {
        // The second time without a slow hash.
        assert_eq!(whose(&told(&running, &[("authorization", &password)]).await), alice);
    }
    let token = format!("Bearer {}", token(&running, "Alice", PASSWORD).await);
    assert_eq!(whose(&told(&running, &[("authorization", &token)]).await), alice);
    let signed = admin(&running).get("/proxy/whoami?mode=jwt").await.json();
    let roles = json!(["ROLE_READ", "ROLE_WRITE", "ROLE_REFUND", "ROLE_ADMIN"]);
    assert_eq!(whose(&signed), (json!("dummy-client"), roles));
}

#[actix_web::test]
async fn a_proof_of_ours_that_is_wrong_is_401_and_goes_nowhere() {
    let (people, running, target) = open("").await;
    people.add("Alice", &["user"]);
    people.add("Bob", &["user"]);
    let good = token(&running, "Alice", PASSWORD).await;
    let forged = format!("Bearer {}.{}", good.rsplit_once('.').unwrap().0, "A".repeat(43));
    people.command(&["disable", "Bob"], "", 0);
    for wrong in [
        basic("Alice", "dummy-wrong").as_str(),
        &basic("Bob", PASSWORD),
        &forged,
        "Bearer batch-0123456789ab.dummy-secret",
        "OAuth oauth_consumer_key=\"nobody\"",
        "OAuth",
    ] {
        // Without anything behind the scheme it is nothing of ours.
        let wanted = if wrong == "OAuth" { 200 } else { 401 };
        let before = target.requests();
        let answer = come(&running, "/proxy/x", &[("authorization", wrong)]).await;
        assert_eq!(answer.status, wanted, "{wrong}: {answer:?}");
        assert_eq!(target.requests() - before, usize::from(wanted == 200), "{wrong}");
    }
    let answer =
        come(&running, "/proxy/x", &[("authorization", "Bearer x"), ("authorization", "Bearer y")]).await;
    assert_eq!(answer.status, 401, "two headers: {answer:?}");
}

#[actix_web::test]
async fn the_key_of_another_service_is_dropped_and_its_bearer_is_nobody() {
    let (_people, running, _) = open("").await;
    let other = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJvdGhlciJ9.c2lnbmF0dXJl";
    let braintree = basic("integration_public_key", "integration_private_key");
    for foreign in
        ["Bearer sk_test_x", "Bearer a.b", other, &braintree, "Basic eDp5", "AWS4-HMAC-SHA256 x", "x"]
    {
        let told = told(&running, &[("authorization", foreign)]).await;
        assert_eq!(whose(&told), (json!("anonymousUser"), json!(["ROLE_ANONYMOUS"])), "{foreign}");
        assert_ne!(told["headers"]["authorization"], json!(foreign));
    }
}

#[actix_web::test]
async fn bytes_queries_headers_and_statuses_come_through_unchanged() {
    let (_people, running, _) = open("").await;
    let client = Client::unsigned(running.url());
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let answer = client.request(Method::POST, "/proxy/bytes").raw(&bytes, "application/x-any").answer().await;
    assert_eq!((answer.status, answer.body.len()), (200, bytes.len()));
    assert!(answer.body == bytes, "the bytes have changed");
    assert_eq!(answer.header("content-length"), Some("300000"));
    assert_eq!(answer.header("x-custom-header"), Some("lorem ipsum"));
    assert_eq!(answer.headers.get_all("set-cookie").count(), 2);
    let answer = client.request(Method::DELETE, "/proxy/teapot").raw(b"why", "text/plain").answer().await;
    assert_eq!((answer.status, answer.text().as_str()), (418, "short and stout"));
    assert_eq!((answer.header("retry-after"), answer.header("x-proxy-error")), (Some("7"), None));
    let answer = client.get("/proxy/elsewhere").await;
    assert_eq!((answer.status, answer.header("location")), (302, Some("https://elsewhere.example.test/")));
    for (asked, wanted) in [
        ("/proxy", "/"),
        ("/proxy/", "/"),
        ("/proxy?a=b", "/?a=b"),
        ("/proxy/a%2Fb/c%20d/?x=1&x=2&y=%26%3D+", "/a%2Fb/c%20d/?x=1&x=2&y=%26%3D+"),
        ("/proxy/proxy/x", "/proxy/x"),
    ] {
        assert_eq!(client.get(asked).await.json()["target"], json!(wanted));
    }
}

#[actix_web::test]
async fn a_path_that_could_lead_elsewhere_is_400_and_goes_nowhere() {
    let (_people, running, target) = open("").await;
    for path in [
        "/proxy//evil.example.test/",
        "/proxy/a//b",
        "/proxy/../x",
        "/proxy/a/%2e%2e/b",
        "/proxy/a%5cb",
        "/proxy/a%00b",
        "/proxy/%252e%252e/x",
    ] {
        let answer = come(&running, path, &[]).await;
        assert_eq!((answer.status, answer.json()["detail"].is_string()), (400, true), "{path}: {answer:?}");
    }
    assert_eq!(target.requests(), 0);
}

#[actix_web::test]
async fn a_target_that_is_not_there_is_502_and_says_that_it_is_the_doors_own_answer() {
    let people = people("url = 'http://127.0.0.1:1'");
    let running = people.serve();
    let answer = come(&running, "/proxy/x", &[]).await;
    assert_eq!((answer.status, answer.header("x-proxy-error")), (502, Some("connect")), "{answer:?}");
    let error = &answer.json()["proxy_error"];
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("connect"), &json!("not_sent")));
    // A trailing slash of the setting makes no difference, and what is set may be switched to again.
    assert_eq!(switch(&running, json!(null)).await.status, 200);
    assert_eq!(come(&running, "/proxy/x", &[]).await.status, 501);
    assert_eq!(switch(&running, json!("http://127.0.0.1:1/")).await.status, 200);
}

#[actix_web::test]
async fn a_request_that_is_too_large_is_413() {
    let (_people, running, target) = open("max_request_body = 1000").await;
    let client = Client::unsigned(running.url());
    let answer = client.request(Method::POST, "/proxy/bytes").raw(&[7; 1000], "x/y").answer().await;
    assert_eq!((answer.status, answer.body.len()), (200, 1000));
    let answer = client.request(Method::POST, "/proxy/bytes").raw(&[7; 1001], "x/y").answer().await;
    assert_eq!((answer.status, answer.header("x-proxy-error")), (413, Some("invalid_request")), "{answer:?}");
    assert_eq!(target.requests(), 1);
}

#[actix_web::test]
async fn a_target_may_ask_who_its_caller_is_and_nothing_else() {
    let (people, running, target) = open("").await;
    people.add("Alice", &["user", "admin", "read"]);
    let password = basic("Alice", PASSWORD);
    let alices = given(&told(&running, &[("authorization", &password)]).await);
    let answer = whoami(&running, &alices).await;
    let alice = json!({"name": "Alice", "roles": ["ROLE_USER", "ROLE_ADMIN", "ROLE_READ"]});
    assert_eq!((answer.status, answer.json()), (200, alice));
    for path in ["/services/request/", "/services/proxy/", "/generic/seller/"] {
        let answer = super::api_clients::bearer(running.url(), Method::GET, path, &alices).await;
        assert_eq!((answer.status, &answer.json()["detail"]), (401, &json!("Invalid token")), "{path}");
    }
    let nobodys = given(&told(&running, &[]).await);
    assert_eq!(whoami(&running, &nobodys).await.status, 403);
    let forged = format!("{}.{}", alices.rsplit_once('.').unwrap().0, "A".repeat(86));
    assert_eq!(whoami(&running, &forged).await.status, 401);
    // Brought back to the door it is somebody else's token, and its bearer nobody.
    let back = told(&running, &[("authorization", &format!("Bearer {alices}"))]).await;
    assert_eq!(whose(&back).0, json!("anonymousUser"));
    assert!(target.requests() >= 3);
}

#[actix_web::test]
async fn what_goes_to_provider_proxy_carries_a_token_for_provider_proxy() {
    let target = Target::start();
    let people = people(&format!("url = '{0}/proxy'\n[proxy]\nurl = '{0}'", target.url));
    let running = people.serve();
    let told = told(&running, &[]).await;
    assert_eq!(
        (&claims(&told)["aud"], &told["target"]),
        (&json!("provider-proxy"), &json!("/proxy/whoami?mode=jwt"))
    );
}
