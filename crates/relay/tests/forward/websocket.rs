//! WebSocket connections are tunnelled: after the handshake, bytes are bytes.

use std::{cell::RefCell, net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use actix_web::body::MessageBody;
use bytes::Bytes;
use chassis::{base_url::BaseUrl, tls::client_config};
use futures_util::stream;
use relay::{RelayError, Transferred, Upgrade, Upstream};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    support::{RawUpstream, answering, boxed, get, proxy, proxy_with, raw_upstream, read_message, settings},
    tls::{Authority, presents},
};

const ASK: &str = "GET /websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const AGREE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Agrees, greets in the same packet, and echoes.
async fn echoing_upstream() -> RawUpstream {
    raw_upstream(echo).await
}

/// The same with TLS.
async fn echoing_upstream_with_tls(config: ServerConfig) -> RawUpstream {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    raw_upstream(move |stream| {
        let accepted = acceptor.accept(stream);
        async { echo(accepted.await.unwrap()).await }
    })
    .await
}

async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let request = head(&mut stream).await;
    assert!(request.contains("\r\nupgrade: websocket\r\n"), "{request}");
    assert!(request.contains("\r\nconnection: Upgrade\r\n"), "{request}");
    assert!(request.contains("\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), "{request}");
    stream.write_all(format!("{AGREE}hello").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let (mut from, mut to) = tokio::io::split(stream);
    drop(tokio::io::copy(&mut from, &mut to).await);
    drop(to.shutdown().await);
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[actix_web::test]
async fn bytes_go_both_ways_once_the_upstream_has_agreed() {
    let upstream = echoing_upstream().await;
    let proxy = proxy(upstream.address);
    check_tunnel(proxy.address).await;
}

#[actix_web::test]
async fn bytes_go_both_ways_to_an_upstream_with_tls() {
    let authority = Authority::new();
    let server = presents(authority.identity("127.0.0.1"), None);
    let upstream = echoing_upstream_with_tls(server).await;
    let address = upstream.address;
    let client = Arc::new(client_config(Some(&authority.ca()), None).unwrap());
    let proxy = proxy_with(address, move |settings| {
        settings.url = BaseUrl::parse(&format!("https://{address}")).unwrap();
        settings.tls = Some(Arc::clone(&client));
    });
    check_tunnel(proxy.address).await;
    assert_eq!(upstream.connections(), 1);
}

#[actix_web::test]
async fn an_upstream_whose_certificate_is_not_believed_gets_no_tunnel() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let acceptor = TlsAcceptor::from(Arc::new(presents(stranger.identity("127.0.0.1"), None)));
    let upstream = raw_upstream(move |stream| {
        let accepted = acceptor.accept(stream);
        async { assert!(accepted.await.is_err(), "it was believed") }
    })
    .await;
    let mut settings = settings(upstream.address);
    settings.url = BaseUrl::parse(&format!("https://{}", upstream.address)).unwrap();
    settings.tls = Some(Arc::new(client_config(Some(&authority.ca()), None).unwrap()));
    let error = Upstream::new(settings).upgrade(get("/")).await.err().unwrap();
    assert!(matches!(error, RelayError::Tls(_)) && !error.was_sent(), "{error:?}");
}

/// Switches to WebSocket, is greeted, has its bytes echoed, and closes.
async fn check_tunnel(proxy: SocketAddr) {
    let mut caller = TcpStream::connect(proxy).await.unwrap();
    caller.write_all(ASK.as_bytes()).await.unwrap();
    let answer = head(&mut caller).await.to_lowercase();
    assert!(answer.starts_with("http/1.1 101 switching protocols\r\n"), "{answer}");
    for line in
        ["upgrade: websocket", "connection: upgrade", "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="]
    {
        assert_eq!(answer.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line} in {answer}");
    }
    assert!(!answer.contains("transfer-encoding") && !answer.contains("content-length"), "{answer}");
    let mut greeting = [0; 5];
    caller.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"hello");
    for size in [1_usize, 100, 300_000] {
        let sent: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let (mut from, mut to) = caller.split();
        let mut received = vec![0; size];
        let (written, read) = tokio::join!(to.write_all(&sent), from.read_exact(&mut received));
        written.unwrap();
        read.unwrap();
        assert!(received == sent, "{size} bytes differ");
    }
}

#[actix_web::test]
async fn an_upstream_that_declines_is_heard() {
    for body in ["Content-Length: 2\r\n\r\nno", "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"] {
        let upstream = answering(format!("HTTP/1.1 403 Forbidden\r\nX-Why: because\r\n{body}")).await;
        let proxy = proxy(upstream.address);
        let mut caller = TcpStream::connect(proxy.address).await.unwrap();
        caller.write_all(ASK.as_bytes()).await.unwrap();
        let answer = String::from_utf8(read_message(&mut caller).await.unwrap()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
        assert!(answer.contains("\r\nx-why: because\r\n"), "{answer}");
        let (_, received) = answer.split_once("\r\n\r\n").unwrap();
        assert!(["no", "2\r\nno\r\n0\r\n\r\n"].contains(&received), "{answer}");
    }
}

#[actix_web::test]
async fn the_tunnel_closes_with_the_upstream_and_with_the_caller() {
    let upstream = raw_upstream(|mut stream| async move {
        read_message(&mut stream).await.unwrap();
        stream.write_all(format!("{AGREE}bye").as_bytes()).await.unwrap();
    })
    .await;
    let first = proxy(upstream.address);
    let mut caller = TcpStream::connect(first.address).await.unwrap();
    caller.write_all(ASK.as_bytes()).await.unwrap();
    head(&mut caller).await;
    let mut rest = Vec::new();
    caller.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"bye");

    let (closed, is_closed) = oneshot::channel();
    let closed = Rc::new(RefCell::new(Some(closed)));
    let upstream = raw_upstream(move |mut stream| {
        let closed = closed.borrow_mut().take().unwrap();
        async move {
            read_message(&mut stream).await.unwrap();
            stream.write_all(AGREE.as_bytes()).await.unwrap();
            drop(stream.read_to_end(&mut Vec::new()).await);
            closed.send(()).unwrap();
        }
    })
    .await;
    let proxy = proxy(upstream.address);
    let mut caller = TcpStream::connect(proxy.address).await.unwrap();
    caller.write_all(ASK.as_bytes()).await.unwrap();
    head(&mut caller).await;
    drop(caller);
    is_closed.await.unwrap();
}

#[actix_web::test]
async fn a_tunnel_in_which_nothing_moves_closes() {
    let upstream = echoing_upstream().await;
    let proxy = proxy_with(upstream.address, |settings| settings.idle_timeout = Duration::from_millis(200));
    let mut caller = TcpStream::connect(proxy.address).await.unwrap();
    caller.write_all(ASK.as_bytes()).await.unwrap();
    head(&mut caller).await;
    let mut rest = Vec::new();
    caller.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"hello");
}

#[actix_web::test]
async fn the_end_of_a_tunnel_is_told_with_its_bytes() {
    let upstream = raw_upstream(|mut stream| async move {
        read_message(&mut stream).await.unwrap();
        stream.write_all(format!("{AGREE}hello").as_bytes()).await.unwrap();
        stream.read_exact(&mut [0; 3]).await.unwrap();
        stream.write_all(b"!!").await.unwrap();
    })
    .await;
    let upgrade = Upstream::new(settings(upstream.address)).upgrade(get("/")).await.unwrap();
    let Upgrade::Switched(switched) = upgrade else { panic!("declined") };
    let piece = stream::iter([Ok(Bytes::from_static(b"abc"))]);
    let payload = boxed(piece);
    let (told, heard) = oneshot::channel();
    let response = switched.respond(payload, |transferred| told.send(transferred).unwrap());
    let mut body = Box::pin(response.into_body());
    let mut received = Vec::new();
    while let Some(bytes) = std::future::poll_fn(|context| body.as_mut().poll_next(context)).await {
        received.extend_from_slice(&bytes.unwrap());
    }
    assert_eq!(received, b"hello!!");
    assert_eq!(heard.await.unwrap(), Transferred { up: 3, down: 7 });
}
