//! What a caller is told when there is no answer of a target, or none that may be passed on.

use super::*;

const TOKEN: &str = "credential = { kind = 'bearer', token = 'dummy-token-12345' }";

#[actix_web::test]
async fn a_target_that_cannot_be_reached_is_a_500() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::start(&shop(&format!("http://{free}"), ""));
    let answer = proxy.get("/proxy/shop/a").await;
    assert_eq!(answer.own(), (500, "connect".into()));
    let text = String::from_utf8(answer.body()).unwrap();
    assert!(!text.contains("127.0.0.1") && !text.contains(&free.port().to_string()), "{text}");
    proxy.stop().await;
}

#[actix_web::test]
async fn redirects_are_never_followed_and_lead_nobody_on() {
    let other = Upstream::answering(ok("")).await;
    for status in [300, 301, 302, 303, 305, 307, 308, 399] {
        let answer = format!(
            "HTTP/1.1 {status} Go\r\nLocation: {}/x\r\nRefresh: 0\r\nContent-Length: 0\r\n\r\n",
            other.url()
        );
        let target = Upstream::answering(answer).await;
        let proxy = Proxy::shop(&target, "");
        let answer = proxy.get("/proxy/shop/a").await;
        assert_eq!(answer.own(), (502, "redirect".into()), "{status}");
        assert!(answer.header("location").is_empty());
        assert!(!String::from_utf8_lossy(&answer.raw_body).contains(&other.url()));
        proxy.stop().await;
    }
    assert_eq!(other.connections(), 0);
    // Without a place to go to as well.
    let target = Upstream::answering("HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n").await;
    let proxy = Proxy::shop(&target, "");
    assert_eq!(proxy.get("/proxy/shop/a").await.own(), (502, "redirect".into()));
    proxy.stop().await;
}

#[actix_web::test]
async fn what_is_no_http_or_no_whole_answer_is_a_502() {
    for answer in [
        "nonsense Connection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nhalf",
    ] {
        let target = Upstream::answering(answer).await;
        let proxy = Proxy::shop(&target, "");
        assert_eq!(proxy.get("/proxy/shop/a").await.own(), (502, "protocol".into()), "{answer}");
        proxy.stop().await;
    }
}

#[actix_web::test]
async fn a_target_that_does_not_answer_is_a_504() {
    for keys in ["idle_timeout = '50ms'", "timeout = '50ms'"] {
        let target = Upstream::answering("").await;
        let proxy = Proxy::shop(&target, keys);
        assert_eq!(proxy.get("/proxy/shop/a").await.own(), (504, "timeout".into()), "{keys}");
        proxy.stop().await;
    }
}

#[actix_web::test]
async fn an_answer_that_is_declared_too_large_is_a_502() {
    let target = Upstream::answering(ok("12345678901")).await;
    let proxy = Proxy::shop(&target, "max_response_body = 10");
    assert_eq!(proxy.get("/proxy/shop/a").await.own(), (502, "response_too_large".into()));
    let target = Upstream::answering(ok("1234567890")).await;
    let fits = Proxy::shop(&target, "max_response_body = 10");
    assert_eq!(fits.get("/proxy/shop/a").await.status, 200);
    proxy.stop().await;
    fits.stop().await;
}

#[actix_web::test]
async fn an_answer_that_grows_too_large_is_broken_off() {
    for (kind, begun) in [("text/plain", false), ("application/octet-stream", true)] {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n6\r\n678901\r\n0\r\n\r\n"
        );
        let target = Upstream::answering(answer).await;
        let proxy = Proxy::shop(&target, "max_response_body = 10");
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(head("GET", "/proxy/shop/a", &[]).as_bytes()).await.unwrap();
        let mut raw = Vec::new();
        while stream.read_buf(&mut raw).await.unwrap_or(0) > 0 {}
        if begun {
            assert!(!raw.ends_with(b"0\r\n\r\n"), "half a body looks complete: {}", raw.escape_ascii());
        } else {
            assert_eq!(Answered::parse(raw).own(), (502, "response_too_large".into()));
        }
        proxy.stop().await;
    }
}

#[actix_web::test]
async fn an_answer_that_holds_the_credential_is_withheld() {
    let encoded = "ZHVtbXktdG9rZW4tMTIzNDU=";
    for answer in [
        "HTTP/1.1 200 OK\r\nX-Echo: Bearer dummy-token-12345\r\nContent-Length: 0\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nX-Echo: {encoded}\r\nContent-Length: 0\r\n\r\n"),
        "HTTP/1.1 404 No\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n{\"got\":\"dummy-token-12345\"".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nxxxdummy\r\n7\r\n-token-\r\n5\r\n12345\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: X-Echo\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Echo: dummy-token-12345\r\n\r\n".to_owned(),
    ] {
        let target = Upstream::answering(answer.clone()).await;
        let proxy = Proxy::shop(&target, TOKEN);
        let got = proxy.get("/proxy/shop/a").await;
        assert_eq!(got.own(), (502, "leak".into()), "{answer}");
        assert!(!format!("{got:?}").contains("12345"), "{got:?}");
        proxy.stop().await;
    }
}

#[actix_web::test]
async fn a_credential_far_into_a_body_breaks_the_answer_off() {
    let long = "x".repeat(200_000);
    let body = format!("{long}dummy-token-12345{long}");
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let target = Upstream::answering(answer).await;
    let proxy = Proxy::shop(&target, TOKEN);
    let got = proxy.get("/proxy/shop/a").await;
    assert_eq!(got.status, 200);
    assert!(got.raw_body.len() <= 200_000, "{}", got.raw_body.len());
    assert!(find(&got.raw_body, b"dummy").is_none());
    proxy.stop().await;
}

#[actix_web::test]
async fn a_refusal_reaches_a_caller_that_is_still_sending() {
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "max_request_body = 10");
    for path in ["/proxy/shop/a", "/proxy/nobody/a", "/proxy/shop/../a"] {
        let stream = TcpStream::connect(proxy.address).await.unwrap();
        let (mut reads, mut writes) = stream.into_split();
        let sending = rt::spawn(async move {
            let sent = head("POST", path, &["Content-Length: 100000000"]);
            let mut sent = writes.write_all(sent.as_bytes()).await;
            while sent.is_ok() {
                sent = writes.write_all(&[0; 10_000]).await;
            }
        });
        let mut answer = Vec::new();
        while find(&answer, b"\r\n\r\n").is_none() {
            assert_ne!(reads.read_buf(&mut answer).await.unwrap(), 0, "{path}");
        }
        assert!(!Answered::parse(answer).header("x-proxy-error").is_empty(), "{path}");
        drop(reads);
        sending.abort();
    }
    assert_eq!(target.connections(), 0);
    proxy.stop().await;
}

#[actix_web::test]
async fn a_target_that_fails_is_left_alone() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy =
        Proxy::start(&shop(&format!("http://{free}"), "breaker = { failures = 2, open_for = '60s' }"));
    for kind in ["connect", "connect", "circuit_open"] {
        let answer = proxy.get("/proxy/shop/a").await;
        assert_eq!(answer.own().1, kind);
        assert_eq!(answer.header("retry-after").len(), usize::from(kind == "circuit_open"));
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn a_hanging_target_takes_no_more_than_its_own_places() {
    let hanging = Upstream::answering("").await;
    let target = Upstream::answering(ok("")).await;
    let settings = format!(
        "{}max_concurrent = 1\n[targets.other]\nurl = '{}'\nprivate = true\nallow = ['* /**']\n",
        shop(&hanging.url(), ""),
        target.url()
    );
    let proxy = Proxy::start(&settings);
    let mut first = TcpStream::connect(proxy.address).await.unwrap();
    first.write_all(head("GET", "/proxy/shop/a", &[]).as_bytes()).await.unwrap();
    hanging.arrival().await;
    let answer = proxy.get("/proxy/shop/a").await;
    assert_eq!(answer.own(), (503, "busy".into()));
    assert_eq!(answer.header("retry-after"), ["1"]);
    assert_eq!(proxy.get("/proxy/other/a").await.status, 200);
    drop(first);
    proxy.stop().await;
}
