//! What an upstream says is what the caller hears, and the other way round.

use crate::support::{answering, echoing, proxy, raw_upstream, read_message, say, say_text};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[actix_web::test]
async fn the_status_and_the_headers_of_an_answer_come_through_with_repeated_ones_in_order() {
    let upstream = answering(
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nSet-Cookie: a=1\r\nX-Other: x\r\n\
         Set-Cookie: b=2\r\nWarning: 199 - \"caf\u{e9}\"\r\nContent-Length: 4\r\n\r\nbusy",
    )
    .await;
    let proxy = proxy(upstream.address);
    let answer = say_text(proxy.address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{answer}");
    for line in ["retry-after: 17", "x-other: x", "content-length: 4", "warning: 199 - \"caf\u{e9}\""] {
        assert!(answer.contains(&format!("\r\n{line}\r\n")), "{line} in {answer}");
    }
    let cookies: Vec<_> = answer.lines().filter(|line| line.starts_with("set-cookie")).collect();
    assert_eq!(cookies, ["set-cookie: a=1", "set-cookie: b=2"]);
    assert!(answer.ends_with("\r\n\r\nbusy"), "{answer}");
}

#[actix_web::test]
async fn a_status_that_nobody_has_heard_of_comes_through() {
    for status in [299, 418, 499, 599, 999] {
        let upstream = answering(format!("HTTP/1.1 {status} Odd\r\nContent-Length: 0\r\n\r\n")).await;
        let proxy = proxy(upstream.address);
        let answer = say_text(proxy.address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[actix_web::test]
async fn a_reason_phrase_does_not_come_through() {
    let upstream = answering("HTTP/1.1 404 Nobody of that name\r\nContent-Length: 0\r\n\r\n").await;
    let proxy = proxy(upstream.address);
    let answer = say_text(proxy.address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
}

#[actix_web::test]
async fn a_request_comes_through_with_its_query_its_repeated_headers_and_the_host_of_the_url() {
    let upstream = echoing().await;
    let proxy = proxy(upstream.address);
    let request = "GET /a%2Fb/c?k=1&k=2&e=%20&empty HTTP/1.1\r\nHost: evil.test\r\nAccept: a\r\nX-Other: x\r\n\
                   Accept: b\r\nX-Forwarded-For: 1.2.3.4\r\nX-Solitude-Service: admin\r\nConnection: close, X-Gone\r\n\
                   X-Gone: 1\r\nKeep-Alive: 5\r\nProxy-Authorization: secret\r\nTE: gzip\r\nUpgrade: h2c\r\n\
                   X_Forwarded_Host: evil.test\r\n\r\n";
    let answer = say_text(proxy.address, request).await;
    let (_, told) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = told.trim_end().lines().collect();
    assert_eq!(lines.remove(0), "GET /a%2Fb/c?k=1&k=2&e=%20&empty HTTP/1.1");
    lines.sort_by_key(|line| line.split(':').next().unwrap().to_owned());
    assert_eq!(lines, ["accept: a", "accept: b", &format!("host: {}", upstream.address), "x-other: x"]);
}

#[actix_web::test]
async fn every_method_may_have_a_body_with_a_length_or_in_chunks() {
    let upstream = echoing().await;
    let proxy = proxy(upstream.address);
    for method in ["GET", "DELETE", "POST", "PUT", "PATCH", "OPTIONS", "PURGE"] {
        let head = format!("{method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        let sized = say_text(proxy.address, format!("{head}Content-Length: 5\r\n\r\n12345")).await;
        assert!(sized.contains("\r\ncontent-length: 5\r\n"), "{sized}");
        assert!(sized.ends_with("\r\n\r\n12345"), "{sized}");
        let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let chunked = say_text(proxy.address, format!("{head}{chunked}")).await;
        assert!(chunked.contains("\r\ntransfer-encoding: chunked\r\n"), "{chunked}");
        let told = chunked.split("\r\n\r\n").nth(2).unwrap();
        assert!(["5\r\nabcde\r\n0", "3\r\nabc\r\n2\r\nde\r\n0"].contains(&told), "{chunked}");
    }
}

#[actix_web::test]
async fn a_post_without_a_body_says_so() {
    let upstream = echoing().await;
    let proxy = proxy(upstream.address);
    let request = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let answer = say_text(proxy.address, request).await;
    let (_, told) = answer.split_once("\r\n\r\n").unwrap();
    assert!(told.contains("\r\ncontent-length: 0\r\n"), "{told}");
}

#[actix_web::test]
async fn the_answer_to_head_says_the_length_without_the_body_and_invents_none() {
    let head = "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let upstream = answering("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n").await;
    let answer = say_text(proxy(upstream.address).address, head).await;
    assert!(answer.contains("\r\ncontent-length: 1234\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    for without in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] {
        let upstream = answering(without).await;
        let answer = say_text(proxy(upstream.address).address, head).await;
        assert!(!answer.contains("content-length") && !answer.contains("transfer-encoding"), "{answer}");
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[actix_web::test]
async fn answers_without_a_body_leave_the_connection_in_order() {
    for (status, expected) in
        [("204 No Content", None), ("304 Not Modified\r\nContent-Length: 77", Some("content-length: 77"))]
    {
        let upstream = answering(format!("HTTP/1.1 {status}\r\nETag: \"e\"\r\n\r\n")).await;
        let proxy = proxy(upstream.address);
        let both =
            "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answers = say_text(proxy.address, both).await;
        let parts: Vec<_> = answers.split_terminator("\r\n\r\n").collect();
        assert_eq!(parts.len(), 2, "{answers}");
        for part in parts {
            assert!(part.starts_with(&format!("HTTP/1.1 {}", &status[..3])), "{part}");
            assert_eq!(part.lines().find(|line| line.starts_with("content-length")), expected);
            assert!(part.contains("etag: \"e\"") && !part.contains("transfer-encoding"), "{part}");
        }
        assert_eq!(upstream.connections(), 1);
    }
}

#[actix_web::test]
async fn informational_answers_stay_here() {
    let upstream = answering(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let answer =
        say_text(proxy(upstream.address).address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && !answer.contains("link"), "{answer}");
}

#[actix_web::test]
async fn a_caller_that_waits_for_100_is_told_to_go_on_and_the_upstream_is_not_asked() {
    let upstream = echoing().await;
    let proxy = proxy(upstream.address);
    let mut caller = TcpStream::connect(proxy.address).await.unwrap();
    let head =
        "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    caller.write_all(head.as_bytes()).await.unwrap();
    let mut told = [0; 25];
    caller.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    caller.write_all(b"body").await.unwrap();
    let mut answer = String::new();
    caller.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\r\n\r\nbody") && !answer.contains("expect"), "{answer}");
}

#[actix_web::test]
async fn what_belongs_to_the_connection_of_an_answer_stays_there() {
    let upstream = answering(
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let answer =
        say_text(proxy(upstream.address).address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await;
    assert!(answer.contains("\r\nx-end: 1\r\n"), "{answer}");
    for gone in ["x-hop", "keep-alive", "proxy-auth", "upgrade"] {
        assert!(!answer.contains(gone), "{gone} in {answer}");
    }
}

const WITH_TRAILERS: &str = "HTTP/1.1 200 OK\r\nTrailer: X-Sum, Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n\
                             3\r\nabc\r\n0\r\nX-Sum: 900150983cd24fb0\r\nX-Sum: again\r\nContent-Length: 9\r\n\
                             Connection: x\r\n\r\n";

#[actix_web::test]
async fn trailers_come_through_without_those_that_cannot_come_last() {
    let upstream = answering(WITH_TRAILERS).await;
    let proxy = proxy(upstream.address);
    for te in ["", "TE: trailers\r\nConnection: TE\r\n"] {
        // Twice on one connection: what we frame ourselves must leave it in order.
        let request = format!("GET / HTTP/1.1\r\nHost: x\r\n{te}\r\n");
        let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answers = say_text(proxy.address, format!("{request}{last}")).await;
        let bodies: Vec<_> = answers.split("\r\n\r\n").collect();
        assert_eq!(bodies.len(), 5, "{answers}");
        for body in [bodies[1], bodies[3]] {
            assert_eq!(body, "3\r\nabc\r\n0\r\nx-sum: 900150983cd24fb0\r\nx-sum: again");
        }
        assert!(bodies[0].contains("trailer: X-Sum, Content-Length"), "{answers}");
        assert_eq!(bodies[0].matches("transfer-encoding: chunked").count(), 1, "{answers}");
    }
}

#[actix_web::test]
async fn trailers_that_were_not_announced_come_through_to_a_caller_that_wants_them() {
    let upstream = answering(WITH_TRAILERS.replace("Trailer: X-Sum, Content-Length\r\n", "")).await;
    let proxy = proxy(upstream.address);
    let with = "GET / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n";
    let without = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(say_text(proxy.address, with).await.contains("\r\n0\r\nx-sum: 900150983cd24fb0\r\n"));
    assert!(say_text(proxy.address, without).await.ends_with("\r\n0\r\n\r\n"));
}

#[actix_web::test]
async fn the_wish_for_trailers_is_passed_on() {
    let upstream = echoing().await;
    let proxy = proxy(upstream.address);
    let request = "GET / HTTP/1.1\r\nHost: x\r\nTE: gzip, trailers;q=1\r\nConnection: TE, close\r\n\r\n";
    let answer = say_text(proxy.address, request).await;
    assert!(answer.contains("\r\nte: trailers\r\n") && answer.contains("\r\nconnection: te\r\n"), "{answer}");
}

/// actix-web reads them and throws them away (`h1::chunked`), as RFC 9110, 6.5.1 allows.
#[actix_web::test]
async fn the_trailers_of_a_request_are_neither_announced_nor_sent() {
    let upstream = echoing().await;
    let proxy = proxy(upstream.address);
    let request = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTrailer: X-Sum\r\n\
                   Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n";
    let answer = say_text(proxy.address, request).await;
    let (_, told) = answer.split_once("\r\n\r\n").unwrap();
    assert!(told.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), "{told}");
    assert!(!told.to_lowercase().contains("x-sum") && !told.contains("trailer"), "{told}");
}

#[actix_web::test]
async fn an_http_1_0_caller_gets_no_chunks() {
    let upstream = answering(WITH_TRAILERS).await;
    let answer =
        say_text(proxy(upstream.address).address, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\nabc"), "{answer}");
    assert!(!answer.contains("chunked") && !answer.contains("trailer"), "{answer}");
}

#[actix_web::test]
async fn an_early_answer_comes_through_while_the_body_is_still_coming() {
    let upstream = raw_upstream(|mut stream| async move {
        let mut head = [0; 8];
        stream.read_exact(&mut head).await.unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig").await.unwrap();
        // Until the relay closes the connection.
        drop(stream.read_to_end(&mut Vec::new()).await);
    })
    .await;
    let proxy = proxy(upstream.address);
    let mut caller = TcpStream::connect(proxy.address).await.unwrap();
    caller
        .write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nonly this")
        .await
        .unwrap();
    let answer = read_message(&mut caller).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.ends_with("big"), "{answer}");
}

#[actix_web::test]
async fn an_answer_that_ends_with_its_connection_comes_through_in_chunks() {
    let upstream = raw_upstream(|mut stream| async move {
        read_message(&mut stream).await.unwrap();
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nall of \x00\xff it").await.unwrap();
    })
    .await;
    let answer =
        say(proxy(upstream.address).address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(
        answer.ends_with(b"\r\nall of \x00\xff it\r\n0\r\n\r\n"),
        "{:?}",
        String::from_utf8_lossy(&answer)
    );
}
