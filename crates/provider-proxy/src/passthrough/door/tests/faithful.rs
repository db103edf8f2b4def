//! What a caller gets of a target's answer: all of it, unchanged.

use std::io::Read as _;

use flate2::read::GzDecoder;

use super::*;

#[actix_web::test]
async fn status_headers_and_body_come_through_unchanged() {
    let binary: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    for status in [
        "200 OK",
        "201 Created",
        "202 Accepted",
        "206 Partial Content",
        "400 Bad Request",
        "402 Payment Required",
        "404 Not Found",
        "422 Unprocessable",
        "429 Too Many",
        "500 Oops",
        "503 Busy",
        "299 Odd",
        "599 Odd",
    ] {
        let mut answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: 70000\r\nContent-Type: application/octet-stream\r\nSet-Cookie: a=1\r\n\
             set-cookie: b=2\r\nRetry-After: 7\r\nLocation: /x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: s\r\n\
             X-Proxy-Error: connect\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nETag: \"a\"\r\n\r\n"
        )
        .into_bytes();
        answer.extend_from_slice(&binary);
        let target = Upstream::answering(answer).await;
        let proxy = Proxy::shop(&target, "");
        let answer = proxy.get("/proxy/shop/a").await;
        assert_eq!(answer.status.to_string(), status[..3]);
        assert!(answer.is_from_target(), "a target cannot pretend to be the proxy: {}", answer.head);
        for (name, expected) in [
            ("content-length", vec!["70000"]),
            ("content-type", vec!["application/octet-stream"]),
            ("set-cookie", vec!["a=1", "b=2"]),
            ("retry-after", vec!["7"]),
            ("location", vec!["/x"]),
            ("date", vec!["Sun, 06 Nov 1994 08:49:37 GMT"]),
            ("server", vec!["s"]),
            ("etag", vec!["\"a\""]),
            ("x-hop", vec![]),
            ("keep-alive", vec![]),
            ("transfer-encoding", vec![]),
        ] {
            assert_eq!(answer.header(name), expected, "{status} {name}");
        }
        assert!(answer.raw_body == binary, "{status}");
        proxy.stop().await;
    }
}

#[actix_web::test]
async fn text_that_comes_in_chunks_comes_through_whole() {
    let long = "0123456789abcdef".repeat(10_000);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n{:x}\r\n{long}\r\n0\r\n\r\n",
        long.len()
    );
    let target = Upstream::answering(answer).await;
    let proxy = Proxy::shop(&target, "credential = { kind = 'bearer', token = '0123456789-dummy' }");
    let answer = proxy.get("/proxy/shop/a").await;
    assert_eq!(answer.header("content-length"), [""; 0]);
    assert_eq!(answer.body(), format!("abc{long}").into_bytes());
    proxy.stop().await;
}

#[actix_web::test]
async fn trailers_come_through_to_a_caller_that_takes_them() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
                  3\r\nabc\r\n0\r\nX-Sum: 7\r\nX-Proxy-Error: x\r\n\r\n";
    let target = Upstream::answering(answer).await;
    let proxy = Proxy::shop(&target, "");
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let sent = "GET /proxy/shop/a HTTP/1.1\r\nHost: p\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n";
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await.unwrap();
    let raw = String::from_utf8(raw).unwrap();
    assert!(raw.ends_with("\r\n0\r\nx-sum: 7\r\n\r\n"), "{raw}");
    assert_eq!(target.only().header("te"), ["trailers"]);
    proxy.stop().await;
}

#[actix_web::test]
async fn head_says_how_long_the_body_were_and_304_is_data() {
    let target = Upstream::with(|received| match received.line().split(' ').next() {
        Some("HEAD") => {
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99999999999\r\n\r\n".to_vec()
        }
        _ => b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n".to_vec(),
    })
    .await;
    let proxy = Proxy::shop(&target, "");
    let answer = proxy.ask("HEAD", "/proxy/shop/a", &[]).await;
    assert_eq!((answer.status, answer.header("content-length")), (200, vec!["99999999999"]));
    assert!(answer.raw_body.is_empty());
    let answer = proxy.ask("GET", "/proxy/shop/a", &["If-None-Match: \"a\""]).await;
    assert_eq!((answer.status, answer.header("etag")), (304, vec!["\"a\""]));
    assert!(answer.is_from_target() && answer.raw_body.is_empty());
    proxy.stop().await;
}

#[actix_web::test]
async fn events_are_passed_on_one_by_one() {
    let target = Upstream::answering(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n",
    )
    .await;
    let proxy = Proxy::shop(&target, "");
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(head("GET", "/proxy/shop/a", &[]).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The stream has not ended, and will not.
    while find(&answer, b"data: 1\n").is_none() {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn a_text_that_pauses_is_held_back_for_a_moment_only() {
    let target = Upstream::answering(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n",
    )
    .await;
    let proxy = Proxy::shop(&target, "");
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(head("GET", "/proxy/shop/a", &[]).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while find(&answer, b"begin").is_none() {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn text_is_compressed_for_a_caller_that_takes_it() {
    let text = "a text that repeats itself, ".repeat(400);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"a\"\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    let target = Upstream::answering(answer).await;
    let proxy = Proxy::shop(&target, "compress = true");
    let answer = proxy.ask("GET", "/proxy/shop/a", &["Accept-Encoding: br, gzip"]).await;
    assert_eq!(answer.header("content-encoding"), ["gzip"]);
    assert_eq!((answer.header("etag"), answer.header("vary")), (vec!["W/\"a\""], vec!["accept-encoding"]));
    assert!(answer.header("content-length").is_empty());
    let (compressed, mut shown) = (answer.body(), String::new());
    assert!(compressed.len() < text.len() / 10, "{}", compressed.len());
    GzDecoder::new(&*compressed).read_to_string(&mut shown).unwrap();
    assert_eq!(shown, text);
    assert_eq!(target.only().header("accept-encoding"), ["identity"]);

    let answer = proxy.get("/proxy/shop/a").await;
    assert_eq!((answer.header("content-encoding"), answer.body()), (vec![], text.into_bytes()));
    assert_eq!((answer.header("etag"), answer.header("vary")), (vec!["\"a\""], vec!["accept-encoding"]));
    proxy.stop().await;
}

#[actix_web::test]
async fn without_compress_what_the_caller_takes_is_the_targets_business() {
    let target =
        Upstream::answering("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nxyz").await;
    let proxy = Proxy::shop(&target, "");
    let answer = proxy.ask("GET", "/proxy/shop/a", &["Accept-Encoding: br"]).await;
    assert_eq!((answer.header("content-encoding"), answer.body()), (vec!["br"], b"xyz".to_vec()));
    assert_eq!(target.only().header("accept-encoding"), ["br"]);
    proxy.stop().await;
}
