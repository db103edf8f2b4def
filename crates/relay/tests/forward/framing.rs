//! No message is read as two, or as another one.

use crate::support::{answering, echoing, proxy, raw_upstream, read_message, say_text};
use tokio::io::AsyncWriteExt as _;

#[actix_web::test]
async fn a_request_whose_length_is_in_doubt_is_refused_without_a_connection_to_the_upstream() {
    let upstream = echoing().await;
    let proxy = proxy(upstream.address);
    let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    for framing in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 6",
        "Content-Length: +5",
        "Content-Length: 5 6",
        "Content-Length: -1",
        "Content-Length: 0x5",
        "Content-Length: 18446744073709551616",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
        " Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\n folded: x",
        "X: a\rTransfer-Encoding: chunked",
        "Host: y",
    ] {
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n{smuggled}");
        let answer = say_text(proxy.address, request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{framing}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{framing}: {answer}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[actix_web::test]
async fn chunks_that_are_none_never_look_like_a_whole_request() {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let upstream = raw_upstream(move |mut stream| {
        let told = told.clone();
        async move {
            told.send(read_message(&mut stream).await).unwrap();
        }
    })
    .await;
    let proxy = proxy(upstream.address);
    for chunks in
        ["zz\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "ffffffffffffffffff\r\n", "-3\r\nabc\r\n"]
    {
        let request =
            format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n{chunks}");
        let answer = say_text(proxy.address, request).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{chunks}: {answer}");
        assert_eq!(heard.recv().await.unwrap(), None, "{chunks}");
    }
}

#[actix_web::test]
async fn what_follows_a_request_to_switch_protocols_is_no_request() {
    let upstream = echoing().await;
    let proxy = proxy(upstream.address);
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\n\
                   abcGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = say_text(proxy.address, request).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    let (_, told) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!told.contains("smuggled") && !told.contains("upgrade"), "{told}");
}

#[actix_web::test]
async fn an_answer_in_chunks_with_a_length_as_well_is_passed_on_in_chunks_alone() {
    let upstream = answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    )
    .await;
    let answer =
        say_text(proxy(upstream.address).address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await;
    assert!(answer.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), "{answer}");
    assert!(!answer.contains("content-length"), "{answer}");
}

#[actix_web::test]
async fn an_answer_whose_length_is_in_doubt_is_an_error() {
    for head in ["Content-Length: 1\r\nContent-Length: 2", "Content-Length: 1, 2", "Content-Length: x"] {
        let upstream = answering(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nab")).await;
        let answer = say_text(
            proxy(upstream.address).address,
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("Protocol"), "{head}: {answer}");
    }
}

#[actix_web::test]
async fn bytes_after_an_answer_are_not_the_next_answer() {
    let upstream = raw_upstream(|mut stream| async move {
        while let Some(request) = read_message(&mut stream).await {
            let path = if request.starts_with(b"GET /1 ") { "1" } else { "2" };
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{path}");
            let poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
            stream.write_all(format!("{answer}{poison}").as_bytes()).await.unwrap();
        }
    })
    .await;
    let proxy = proxy(upstream.address);
    for path in ["1", "2", "1"] {
        let request = format!("GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = say_text(proxy.address, request).await;
        assert!(answer.ends_with(&format!("\r\n\r\n{path}")), "{answer}");
    }
}
