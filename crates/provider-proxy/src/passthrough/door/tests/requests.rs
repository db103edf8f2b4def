//! What a target gets of a caller's request, and what it does not.

use super::*;

#[actix_web::test]
async fn the_path_and_the_query_go_out_byte_for_byte() {
    for (base, asked, expected) in [
        ("", "/proxy/shop", "/"),
        ("", "/proxy/shop/", "/"),
        ("", "/proxy/shop?a=b", "/?a=b"),
        (
            "",
            "/proxy/shop/a%2Fb/%41/~x/@y:1;p=2?b=2&a=1&b=3&c&d=%2f%2E&e[]={f}|",
            "/a%2Fb/%41/~x/@y:1;p=2?b=2&a=1&b=3&c&d=%2f%2E&e[]={f}|",
        ),
        ("", "/proxy/shop/a?", "/a?"),
        ("", "/proxy/shop/a/", "/a/"),
        ("", "/proxy/shop/a?next=http://x/../y//z", "/a?next=http://x/../y//z"),
        ("/base/v1", "/proxy/shop", "/base/v1"),
        ("/base/v1", "/proxy/shop?a=b", "/base/v1?a=b"),
        ("/base/v1", "/proxy/shop/", "/base/v1/"),
        ("/base/v1/", "/proxy/shop/x", "/base/v1/x"),
    ] {
        let target = Upstream::answering(ok("")).await;
        let proxy = Proxy::start(&shop(&format!("{}{base}", target.url()), ""));
        assert_eq!(proxy.get(asked).await.status, 200, "{asked}");
        assert_eq!(target.only().line(), format!("GET {expected} HTTP/1.1"), "{asked}");
        proxy.stop().await;
    }
}

#[actix_web::test]
async fn what_a_caller_says_of_host_way_and_method_changes_nothing() {
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "");
    let answer = proxy
        .send(
            "GET /proxy/shop/a HTTP/1.1\r\nHost: evil.test\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\
             X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: https\r\n\
             Forwarded: for=1.2.3.4\r\nX-Solitude-Service: db\r\nUpgrade: websocket\r\nX-Real-IP: 1.2.3.4\r\n\
             X-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\nX-HTTP-Method-Override: DELETE\r\nVia: 1.1 x\r\n\
             Authorization: Bearer caller\r\nProxy-Authorization: Basic x\r\nKeep-Alive: 5\r\nTE: gzip\r\n\
             X-Kept: 1\r\nx-kept: 2\r\n\r\n",
        )
        .await;
    assert_eq!(answer.status, 200);
    let received = target.only();
    let mut names: Vec<_> =
        received.head.lines().skip(1).filter_map(|line| line.split(": ").next()).collect();
    names.retain(|name| !name.is_empty());
    names.sort_by_key(|name| name.to_lowercase());
    assert_eq!(names, ["host", "x-kept", "x-kept"], "{}", received.head);
    assert_eq!(received.header("host"), [target.address.to_string()]);
    assert_eq!(received.header("x-kept"), ["1", "2"]);
    proxy.stop().await;
}

#[actix_web::test]
async fn every_method_and_every_kind_of_body_passes() {
    let binary: Vec<u8> = (0..=255).cycle().take(5000).collect();
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET", "PROPFIND"] {
        let target = Upstream::answering(ok("")).await;
        let proxy = Proxy::shop(&target, "");
        let mut sent = head(method, "/proxy/shop/a", &["Content-Length: 5000"]).into_bytes();
        sent.extend_from_slice(&binary);
        assert_eq!(proxy.send(sent).await.status, 200, "{method}");
        let received = target.only();
        assert_eq!(received.line(), format!("{method} /a HTTP/1.1"));
        assert_eq!(received.header("content-length"), ["5000"]);
        assert!(received.body == binary, "{method}");
        proxy.stop().await;
    }
}

#[actix_web::test]
async fn a_body_in_chunks_stays_one() {
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "");
    let sent =
        head("POST", "/proxy/shop/a", &["Transfer-Encoding: chunked"]) + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(proxy.send(sent).await.status, 200);
    let received = target.only();
    assert_eq!(received.header("transfer-encoding"), ["chunked"]);
    let whole = Answered { status: 0, head: received.head.clone(), raw_body: received.body };
    assert_eq!(whole.body(), b"abcde");
    proxy.stop().await;
}

#[actix_web::test]
async fn a_body_that_grows_too_large_on_the_way_is_a_413() {
    let target = Upstream::answering(ok("")).await;
    let proxy = Proxy::shop(&target, "max_request_body = 4");
    let sent =
        head("POST", "/proxy/shop/a", &["Transfer-Encoding: chunked"]) + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(proxy.send(sent).await.own(), (413, "request_too_large".into()));
    assert!(target.received().is_empty(), "the target got a whole request");
    proxy.stop().await;
}

#[actix_web::test]
async fn header_rules_and_rewrite_change_what_the_target_gets() {
    let target =
        Upstream::answering("HTTP/1.1 200 OK\r\nX-Old: 1\r\nX-Gone: 1\r\nContent-Length: 0\r\n\r\n").await;
    let keys = "rewrite = '/shops/7/{tail}'\n\
                request_headers = { set = { x-key = 'k', cache-control = 'no-store' }, remove = ['x-secret'] }\n\
                response_headers = { set = { x-old = 'new' }, remove = ['x-gone'] }";
    let proxy = Proxy::shop(&target, keys);
    let answer =
        proxy.ask("GET", "/proxy/shop/a?b", &["X-Secret: 1", "X-Key: mine", "X-Key: mine too"]).await;
    let received = target.only();
    assert_eq!(received.line(), "GET /shops/7/a?b HTTP/1.1");
    assert_eq!(received.header("x-key"), ["k"]);
    assert_eq!(received.header("cache-control"), ["no-store"]);
    assert!(received.header("x-secret").is_empty());
    assert_eq!((answer.header("x-old"), answer.header("x-gone")), (vec!["new"], vec![]));
    proxy.stop().await;
}

#[actix_web::test]
async fn a_credential_takes_the_place_of_what_the_caller_sent() {
    let target = Upstream::answering(ok("")).await;
    let keys = "credential = { kind = 'bearer', token = 'dummy-token-12345' }";
    let proxy = Proxy::shop(&target, keys);
    let answer = proxy.ask("GET", "/proxy/shop/a?access_token=mine", &["Authorization: Bearer mine"]).await;
    assert_eq!(answer.status, 200);
    let received = target.only();
    assert_eq!(received.header("authorization"), ["Bearer dummy-token-12345"]);
    assert!(!received.head.contains("mine"), "{}", received.head);
    proxy.stop().await;
}

#[actix_web::test]
async fn a_websocket_is_tunnelled_where_the_target_allows_it_and_dropped_elsewhere() {
    let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     X-Proxy-Error: connect\r\nX-Kept: 1\r\n\r\nhello";
    let upgrade = "GET /proxy/shop/ws HTTP/1.1\r\nHost: proxy\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let target = Upstream::answering(switching).await;
    let proxy = Proxy::shop(
        &target,
        "websocket = true\ncredential = { kind = 'bearer', token = 'dummy-token-12345' }",
    );
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while find(&answer, b"hello").is_none() {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{}", answer.escape_ascii());
    }
    let answer = Answered::parse(answer);
    assert_eq!((answer.status, answer.header("x-kept")), (101, vec!["1"]));
    assert!(answer.is_from_target());
    let received = target.only();
    assert_eq!(received.header("upgrade"), ["websocket"]);
    assert_eq!(received.header("authorization"), ["Bearer dummy-token-12345"]);
    drop(stream);
    proxy.stop().await;

    let target = Upstream::answering(ok("plain")).await;
    let proxy = Proxy::shop(&target, "");
    let answer = proxy.send(upgrade.replace("Connection: Upgrade", "Connection: Upgrade, close")).await;
    assert_eq!(answer.status, 200);
    assert!(target.only().header("upgrade").is_empty());
    proxy.stop().await;
}
