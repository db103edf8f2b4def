//! db-server's own door: `ANY /proxy/`, and `/services/proxy/`, which switches it.

mod callers;
mod switching;

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

async fn come(running: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    let client = Client::unsigned(running.url());
    let request = client.request(Method::GET, path);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).answer().await
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
