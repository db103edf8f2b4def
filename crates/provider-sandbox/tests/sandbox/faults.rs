//! Each fault, seen from the wire, and the counts.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use actix_web::rt;
use serde_json::{Value, json};

use crate::consumer::{Consumer, authorization, seller};

/// Everything that the server writes until it closes the connection, and how the reading ended.
struct Wire {
    bytes: Vec<u8>,
    ended: std::io::Result<()>,
}

impl Wire {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }
}

/// Sends a signed request over a bare socket. Without a close by the server it would read until its timeout and say so.
async fn exchange(consumer: &Consumer, method: &str, path: &str, body: &str) -> Wire {
    let address = consumer.address;
    let authorization = authorization(method, &consumer.url(path));
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    rt::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        let ended = socket.read_to_end(&mut bytes).map(drop);
        Wire { bytes, ended }
    })
    .await
    .unwrap()
}

async fn create_seller(consumer: &Consumer) -> Wire {
    exchange(consumer, "POST", "/sellers", &seller("s1").to_string()).await
}

async fn exists(consumer: &Consumer) -> bool {
    consumer.get("/sellers/s1").await.0 == 200
}

#[actix_web::test]
async fn drop_before_closes_the_connection_without_a_byte_and_does_nothing() {
    let consumer = Consumer::start();
    consumer.ask_for(json!([{"fault": "drop_before"}])).await;
    let wire = create_seller(&consumer).await;
    wire.ended.unwrap();
    assert_eq!(wire.bytes, b"");
    assert!(!exists(&consumer).await);
    assert_eq!(consumer.arrivals("POST /sellers").await, 1);
}

#[actix_web::test]
async fn drop_after_keeps_the_work_and_closes_the_connection_without_a_byte() {
    let consumer = Consumer::start();
    consumer.ask_for(json!([{"method": "POST", "path": "/sellers", "fault": "drop_after"}])).await;
    let wire = create_seller(&consumer).await;
    wire.ended.unwrap();
    assert_eq!(wire.bytes, b"");
    assert!(exists(&consumer).await);
}

#[actix_web::test]
async fn drop_after_hides_a_refusal_too() {
    let consumer = Consumer::start();
    consumer.ask_for(json!([{"fault": "drop_after", "times": 2}])).await;
    let wire = exchange(&consumer, "GET", "/sellers/nobody", "").await;
    assert_eq!(wire.bytes, b"");
    let wire = exchange(&consumer, "GET", "/no/such/path", "").await;
    assert_eq!(wire.bytes, b"");
}

#[actix_web::test]
async fn a_drop_on_a_connection_in_use_leaves_what_was_answered_before() {
    let consumer = Consumer::start();
    consumer.ask_for(json!([{"method": "PUT", "fault": "drop_after"}])).await;
    let address = consumer.address;
    let get = authorization("GET", &consumer.url("/sellers"));
    let put = authorization("PUT", &consumer.url("/sellers"));
    let (first, second) = rt::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        let head = |method: &str, authorization: &str| {
            format!("{method} /sellers HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\n\r\n")
        };
        socket.write_all(head("GET", &get).as_bytes()).unwrap();
        let mut first = Vec::new();
        while !first.ends_with(b"\r\n\r\n[]") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            first.extend(byte);
        }
        socket.write_all(head("PUT", &put).as_bytes()).unwrap();
        let mut second = Vec::new();
        socket.read_to_end(&mut second).unwrap();
        (first, second)
    })
    .await
    .unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200 "));
    assert_eq!(second, b"");
}

#[actix_web::test]
async fn truncate_announces_the_whole_answer_and_sends_half_of_it() {
    let consumer = Consumer::start();
    consumer.ask_for(json!([{"fault": "truncate"}])).await;
    let wire = create_seller(&consumer).await;
    assert!(exists(&consumer).await);
    let (head, body) = wire.text().split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
    let announced = head.to_lowercase();
    let announced = announced.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
    let announced: usize = announced.parse().unwrap();
    assert_eq!(body.len(), announced / 2);
    assert!(body.starts_with('{') && serde_json::from_str::<Value>(body).is_err(), "{body}");
    wire.ended.unwrap();
}

#[actix_web::test]
async fn even_an_answer_without_a_body_is_truncated() {
    let consumer = Consumer::start();
    consumer.ask_for(json!([{"fault": "truncate"}])).await;
    let wire = exchange(&consumer, "GET", "/sellers", "").await;
    let (head, body) = wire.text().split_once("\r\n\r\n").unwrap();
    assert!(head.to_lowercase().contains("content-length: 2"), "{head}");
    assert_eq!(body, "[");
}

#[actix_web::test]
async fn a_delay_holds_the_answer_back() {
    let consumer = Consumer::start();
    for after in [false, true] {
        consumer.ask_for(json!([{"fault": {"delay_ms": 300, "after": after}}])).await;
        let begin = Instant::now();
        assert_eq!(consumer.get("/sellers").await.0, 200);
        assert!(begin.elapsed() >= Duration::from_millis(300));
    }
}

#[actix_web::test]
async fn a_late_answer_has_done_its_work_at_once() {
    let consumer = Consumer::start();
    consumer.ask_for(json!([{"method": "POST", "fault": {"delay_ms": 60_000, "after": true}}])).await;
    let late = consumer.post("/sellers", seller("s1"));
    let seen = async {
        // The request is on its way; the seller is there long before the answer is.
        while !exists(&consumer).await {
            rt::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = late => panic!("it was answered at once"),
        () = seen => {}
    }
}

#[actix_web::test]
async fn a_status_a_body_or_a_redirect_is_answered_and_nothing_is_done() {
    let consumer = Consumer::start();
    consumer
        .ask_for(json!([
            {"fault": {"status": 503, "headers": {"Retry-After": "7"}}},
            {"fault": {"body": "<html>sorry</html>", "headers": {"Content-Type": "text/html"}}},
            {"fault": {"redirect": "http://127.0.0.1:1/elsewhere"}},
        ]))
        .await;
    let wire = next_answer(&consumer).await;
    assert!(wire.starts_with("http/1.1 503 ") && wire.contains("\r\nretry-after: 7\r\n"), "{wire}");
    assert!(wire.contains("\"code\":\"injectedfault\""), "{wire}");
    let wire = next_answer(&consumer).await;
    assert!(wire.starts_with("http/1.1 200 ") && wire.ends_with("\r\n\r\n<html>sorry</html>"), "{wire}");
    assert!(wire.contains("\r\ncontent-type: text/html\r\n"), "{wire}");
    let wire = next_answer(&consumer).await;
    assert!(wire.starts_with("http/1.1 302 "), "{wire}");
    assert!(wire.contains("\r\nlocation: http://127.0.0.1:1/elsewhere\r\n"), "{wire}");
    assert!(!exists(&consumer).await);
}

/// Creates the seller over a connection that the server closes after its answer; the answer in lower case.
async fn next_answer(consumer: &Consumer) -> String {
    let address = consumer.address;
    let request = format!(
        "POST /sellers HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    rt::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        text.to_lowercase()
    })
    .await
    .unwrap()
}

#[actix_web::test]
async fn a_fault_is_used_up_and_meets_only_what_fits() {
    let consumer = Consumer::start();
    consumer.ask_for(json!([{"method": "GET", "path": "/sel", "times": 2, "fault": {"status": 500}}])).await;
    assert_eq!(consumer.get("/products").await.0, 200);
    assert_eq!(consumer.post("/sellers", seller("s1")).await.0, 201);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(consumer.get("/sellers").await.0.as_u16());
    }
    assert_eq!(statuses, [500, 500, 200]);
    assert_eq!(consumer.control("GET", "/faults", None).await.1, json!({"remaining": 0}));
}

#[actix_web::test]
async fn the_faults_left_can_be_counted_and_taken_back() {
    let consumer = Consumer::start();
    consumer.ask_for(json!([{"fault": "drop_before", "times": 3}, {"fault": "truncate"}])).await;
    assert_eq!(consumer.control("GET", "/faults", None).await.1, json!({"remaining": 4}));
    assert_eq!(consumer.control("DELETE", "/faults", None).await.0, 204);
    assert_eq!(consumer.get("/sellers").await.0, 200);
}

#[actix_web::test]
async fn a_fault_that_is_not_understood_is_refused_with_a_reason() {
    let consumer = Consumer::start();
    let (status, answer) = consumer.control("POST", "/faults", Some(json!([{"fault": "explode"}]))).await;
    assert_eq!(status, 400);
    assert!(answer["detail"].as_str().unwrap().contains("drop_before"), "{answer}");
    assert_eq!(consumer.control("GET", "/nothing", None).await.0, 404);
}

#[actix_web::test]
async fn requests_are_counted_by_method_and_path_and_the_sandboxs_own_are_not() {
    let consumer = Consumer::start();
    assert_eq!(consumer.control("GET", "/status/", None).await.0, 200);
    consumer.post("/sellers", seller("s1")).await;
    consumer.get("/sellers").await;
    consumer.get("/sellers").await;
    consumer.send("GET", "/sellers?unsigned=1", None, None).await;
    let (_, count) = consumer.control("GET", "/requests", None).await;
    assert_eq!(count, json!({"total": 4, "counts": {"GET /sellers": 3, "POST /sellers": 1}}));
    assert_eq!(consumer.control("DELETE", "/requests", None).await.0, 204);
    assert_eq!(consumer.control("GET", "/requests", None).await.1, json!({"total": 0, "counts": {}}));
}
