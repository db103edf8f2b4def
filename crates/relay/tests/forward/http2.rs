//! Callers that speak HTTP/2, which actix-web offers with TLS.

use std::{net::SocketAddr, sync::Arc};

use actix_web::http::{Method, Version};
use bytes::Bytes;
use chassis::tls;
use h2::client;
use rustls::pki_types::ServerName;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use tokio_rustls::TlsConnector;

use crate::{
    support::{answering, echoing, proxy_with_tls, raw_upstream, read_message},
    tls::{Authority, presents},
};

/// What a caller gets that sends this: the head, then the body as far as it comes, and how it ends.
async fn call(
    upstream: SocketAddr,
    method: Method,
    body: Option<&'static str>,
) -> (http02::response::Parts, Vec<u8>, Option<h2::Error>) {
    let authority = Authority::new();
    let presented = presents(authority.identity("localhost"), None);
    let proxy = proxy_with_tls(upstream, presented);
    let mut trusted = tls::client_config(Some(&authority.ca()), None).unwrap();
    trusted.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(trusted)).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (client, connection) = client::handshake(stream).await.unwrap();
    actix_web::rt::spawn(connection);
    let request = http02::Request::builder()
        .method(method)
        .uri("https://localhost/path?query")
        .version(Version::HTTP_2)
        .header("x-forwarded-for", "1.2.3.4")
        .header("te", "trailers")
        .body(())
        .unwrap();
    let (answer, mut stream) = client.ready().await.unwrap().send_request(request, body.is_none()).unwrap();
    if let Some(body) = body {
        stream.send_data(Bytes::from_static(body.as_bytes()), true).unwrap();
    }
    let (head, mut body) = answer.await.unwrap().into_parts();
    let mut received = Vec::new();
    while let Some(data) = body.data().await {
        match data {
            Ok(data) => received.extend_from_slice(&data),
            Err(error) => return (head, received, Some(error)),
        }
    }
    (head, received, None)
}

#[actix_web::test]
async fn a_request_comes_through_with_its_body_and_without_one_where_there_is_none() {
    let upstream = echoing().await;
    for (method, body) in [(Method::GET, None), (Method::DELETE, Some("abc")), (Method::POST, Some("abc"))] {
        let (head, told, end) = call(upstream.address, method.clone(), body).await;
        assert!(head.status == 200 && end.is_none(), "{end:?}");
        let told = String::from_utf8(told).unwrap();
        assert!(told.starts_with(&format!("{method} /path?query HTTP/1.1\r\n")), "{told}");
        assert!(told.contains(&format!("\r\nhost: {}\r\n", upstream.address)), "{told}");
        assert!(!told.contains("x-forwarded-for"), "{told}");
        let chunks = body.map_or("\r\n\r\n", |_| "\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        assert!(told.ends_with(chunks), "{told}");
        assert_eq!(told.contains("transfer-encoding"), body.is_some(), "{told}");
    }
}

#[actix_web::test]
async fn an_answer_in_chunks_is_not_framed_twice() {
    let upstream = answering(
        "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    )
    .await;
    let (head, received, end) = call(upstream.address, Method::GET, None).await;
    assert!(received == b"abc" && end.is_none(), "{end:?}");
    assert!(!head.headers.contains_key("trailer") && !head.headers.contains_key("transfer-encoding"));
}

#[actix_web::test]
async fn an_answer_that_is_cut_short_never_looks_complete() {
    for head in ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let upstream = raw_upstream(move |mut stream| async move {
            read_message(&mut stream).await.unwrap();
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).await.unwrap();
        })
        .await;
        let (_, _, end) = call(upstream.address, Method::GET, None).await;
        assert!(end.is_some(), "{head}");
    }
}
