//! One line of the audit log for each request, allowed or refused, once it is over.

use std::{fs, path::Path, time::Duration};

use super::*;

/// A proxy with one target and an audit log in this folder.
fn audited(folder: &Path, url: &str, keys: &str) -> Proxy {
    let settings = shop(url, keys);
    Proxy::start(&format!("passthrough.audit_file = '{}'\n{settings}", folder.join("audit").display()))
}

impl Proxy {
    /// The lines about requests, once there are so many.
    async fn lines(&self, folder: &Path, expected: usize) -> Vec<Value> {
        loop {
            self.services.audit.flush().unwrap();
            let text = fs::read_to_string(folder.join("audit")).unwrap();
            let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let lines: Vec<_> = lines.filter(|line| line["event"] == "request").collect();
            if lines.len() >= expected {
                assert_eq!(lines.len(), expected, "{lines:?}");
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[actix_web::test]
async fn a_request_that_is_answered_has_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let target = Upstream::answering("HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nnope!").await;
    let keys = "credential = { kind = 'bearer', token = 'dummy-token-12345', version = 'v7' }";
    let proxy = audited(folder.path(), &target.url(), keys);
    let sent =
        head("POST", "/proxy/shop/a%2Fb?email=x@y.test&c", &["Content-Length: 3", "X-Request-Id: r-1"]);
    assert_eq!(proxy.send(sent + "abc").await.status, 404);
    let line = &proxy.lines(folder.path(), 1).await[0];
    for (key, expected) in [
        ("caller", "anonymousUser".into()),
        ("authorities", serde_json::json!(["ROLE_ANONYMOUS"])),
        ("target", "shop".into()),
        ("method", "POST".into()),
        ("path", "/a%2Fb?email=…&c=…".into()),
        ("credential", "bearer".into()),
        ("credential_version", "v7".into()),
        ("address", target.address.to_string().into()),
        ("status", 404.into()),
        ("kind", Value::Null),
        ("bytes_in", 3.into()),
        ("bytes_out", 5.into()),
        ("request_id", "r-1".into()),
    ] {
        assert_eq!(line[key], expected, "{key} in {line}");
    }
    assert!(line["milliseconds"].is_u64() && line["time"].is_string());
    proxy.stop().await;
}

#[actix_web::test]
async fn a_request_that_is_refused_or_fails_has_its_line() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let proxy = audited(folder.path(), &format!("http://{free}"), "");
    let cases = [
        ("/proxy/nobody/x", "unknown_target", 404, Value::Null),
        ("/proxy/shop/../x", "path", 400, Value::Null),
        ("/proxy/shop/x", "connect", 500, free.to_string().into()),
    ];
    for (path, _, status, _) in &cases {
        assert_eq!(proxy.get(path).await.status, *status, "{path}");
    }
    let lines = proxy.lines(folder.path(), cases.len()).await;
    for (line, (path, kind, status, address)) in lines.iter().zip(cases) {
        assert_eq!((&line["kind"], &line["status"]), (&kind.into(), &status.into()), "{path}");
        assert_eq!(line["address"], address, "{path}");
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn the_address_that_was_dialled_is_in_the_line_of_an_exchange_that_fails_later() {
    let folder = tempfile::tempdir().unwrap();
    let target = Upstream::answering("no HTTP at all\r\n\r\n").await;
    let proxy = audited(folder.path(), &target.url(), "websocket = true");
    let upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    for headers in [&[][..], &upgrade] {
        let request = head("GET", "/proxy/shop/a", headers).replace("Connection: close\r\n", "");
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        assert!(stream.read(&mut [0; 100]).await.unwrap() > 0);
    }
    for line in proxy.lines(folder.path(), 2).await {
        assert_eq!(
            (&line["kind"], &line["address"]),
            (&"protocol".into(), &target.address.to_string().into())
        );
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn a_leak_is_an_event_beside_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let target = Upstream::answering(ok("it was dummy-token-12345")).await;
    let keys = "credential = { kind = 'bearer', token = 'dummy-token-12345' }";
    let proxy = audited(folder.path(), &target.url(), keys);
    assert_eq!(proxy.ask("GET", "/proxy/shop/x", &["X-Request-Id: r-1"]).await.own().1, "leak");
    let line = &proxy.lines(folder.path(), 1).await[0];
    assert_eq!((&line["kind"], &line["status"]), (&"leak".into(), &502.into()));
    let text = fs::read_to_string(folder.path().join("audit")).unwrap();
    let event = text.lines().find(|line| line.contains("\"leak\"") && line.contains("\"place\"")).unwrap();
    assert!(event.contains("\"shop\"") && event.contains("\"r-1\"") && event.contains("\"body\""), "{event}");
    assert!(!text.contains("12345"), "{text}");
    proxy.stop().await;
}

#[actix_web::test]
async fn a_caller_that_goes_away_has_its_line_too() {
    let folder = tempfile::tempdir().unwrap();
    let target = Upstream::answering("").await;
    let proxy = audited(folder.path(), &target.url(), "");
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(head("GET", "/proxy/shop/a", &[]).as_bytes()).await.unwrap();
    target.arrival().await;
    // A caller that merely has nothing more to say still wants its answer.
    stream.set_zero_linger().unwrap();
    drop(stream);
    let line = &proxy.lines(folder.path(), 1).await[0];
    assert_eq!((&line["status"], &line["kind"]), (&499.into(), &Value::Null));
    assert_eq!(line["address"], target.address.to_string());
    proxy.stop().await;
}

#[actix_web::test]
async fn a_caller_that_goes_away_in_the_middle_of_the_answer_has_its_line_too() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n{}", "x".repeat(1_000_000));
    let target = Upstream::answering(long).await;
    let proxy = audited(folder.path(), &target.url(), "");
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(head("GET", "/proxy/shop/a", &[]).as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 1000]).await.unwrap();
    drop(stream);
    let line = &proxy.lines(folder.path(), 1).await[0];
    assert_eq!((&line["status"], &line["kind"]), (&200.into(), &Value::Null));
    assert!(line["bytes_out"].as_u64().unwrap() < 50_000_000, "{line}");
    proxy.stop().await;
}

#[actix_web::test]
async fn the_metrics_count_what_went_through_by_target() {
    let target = Upstream::answering(ok("12345")).await;
    let proxy = Proxy::shop(&target, "");
    proxy.get("/proxy/shop/a").await;
    proxy.get("/proxy/shop/../a").await;
    proxy.get("/proxy/nobody/a").await;
    let text = proxy.services.metrics.render(&proxy.services.bulkheads).unwrap();
    let text = String::from_utf8(text).unwrap();
    for line in [
        "provider_proxy_requests_total{method=\"GET\",status=\"2xx\",target=\"shop\"} 1",
        "provider_proxy_requests_total{method=\"GET\",status=\"4xx\",target=\"shop\"} 1",
        "provider_proxy_errors_total{kind=\"path\",target=\"shop\"} 1",
        "provider_proxy_errors_total{kind=\"unknown_target\",target=\"\"} 1",
        "provider_proxy_body_bytes_total{direction=\"out\",target=\"shop\"} 5",
        "provider_proxy_requests_in_flight{target=\"shop\"} 0",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("nobody"));
    proxy.stop().await;
}

#[actix_web::test]
async fn a_line_is_written_for_a_tunnel_when_it_closes() {
    let folder = tempfile::tempdir().unwrap();
    let target = Upstream::answering(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
    )
    .await;
    let proxy = audited(folder.path(), &target.url(), "websocket = true");
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let upgrade = "GET /proxy/shop/ws HTTP/1.1\r\nHost: proxy\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while find(&answer, b"hello").is_none() {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    drop(stream);
    let line = &proxy.lines(folder.path(), 1).await[0];
    assert_eq!((&line["status"], &line["bytes_out"]), (&101.into(), &5.into()), "{line}");
    proxy.stop().await;
}
