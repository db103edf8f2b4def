//! What a caller can do wrong: stop sending, not read, go away, send too much, too little or too fast.

use std::cell::Cell;

use bytes::Bytes;
use futures_util::stream;
use http::Method;
use relay::OutgoingBody;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::*;
use crate::support::boxed;

/// A body that comes in these pieces and then neither ends nor goes on.
fn unfinished(pieces: Vec<&'static [u8]>, length: Option<u64>, limit: u64) -> OutgoingBody {
    let pieces = stream::iter(pieces).map(|piece| Ok(Bytes::from_static(piece)));
    OutgoingBody::Stream { payload: boxed(pieces.chain(stream::pending())), length, limit }
}

fn post(body: OutgoingBody) -> Outgoing {
    Outgoing { method: Method::POST, body, ..get("/") }
}

#[actix_web::test]
async fn a_caller_that_stops_sending_is_a_timeout() {
    let target = raw_upstream(|mut stream| async move {
        drop(stream.read_to_end(&mut Vec::new()).await);
    })
    .await;
    let mut settings = settings(target.address);
    settings.idle_timeout = SHORT;
    let error = failure(&Upstream::new(settings), post(unfinished(vec![b"abc"], None, 10))).await;
    assert!(matches!(error, RelayError::Timeout { .. }), "{error:?}");
}

#[actix_web::test]
async fn a_caller_that_does_not_read_holds_no_connection_to_the_upstream() {
    let (closed, mut is_closed) = mpsc::unbounded_channel();
    let target = raw_upstream(move |mut stream| {
        let closed = closed.clone();
        async move {
            read_message(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await.unwrap();
            let piece = vec![b'x'; 1 << 16];
            let mut written = 0_usize;
            while stream.write_all(&piece).await.is_ok() {
                written += piece.len();
            }
            closed.send(written).unwrap();
        }
    })
    .await;
    let proxy = crate::support::proxy_with(target.address, |settings| settings.idle_timeout = SHORT);
    let mut caller = TcpStream::connect(proxy.address).await.unwrap();
    caller.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let written = is_closed.recv().await.unwrap();
    // What the system's socket buffers hold, and a little more.
    assert!(written < 64 << 20, "{written}");
    // When it reads at last, the answer breaks off.
    let mut received = Vec::new();
    drop(caller.read_to_end(&mut received).await);
    assert!(received.len() < 64 << 20);
}

#[actix_web::test]
async fn a_caller_that_goes_away_takes_the_connection_to_the_upstream_with_it() {
    let (closed, mut is_closed) = mpsc::unbounded_channel();
    let target = raw_upstream(move |mut stream| {
        let closed = closed.clone();
        async move {
            read_message(&mut stream).await.unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
                .await
                .unwrap();
            while stream.write_all(b"1\r\na\r\n").await.is_ok() {
                actix_web::rt::task::yield_now().await;
            }
            closed.send(()).unwrap();
        }
    })
    .await;
    let proxy = proxy(target.address);
    let mut caller = TcpStream::connect(proxy.address).await.unwrap();
    caller.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(caller.read(&mut [0; 16]).await.unwrap() > 0);
    drop(caller);
    is_closed.recv().await.unwrap();
}

#[actix_web::test]
async fn a_body_that_is_declared_too_large_sends_nothing_and_one_that_becomes_so_is_cut_off() {
    let (told, mut heard) = mpsc::unbounded_channel();
    let target = raw_upstream(move |mut stream| {
        let told = told.clone();
        async move { told.send(read_message(&mut stream).await).unwrap() }
    })
    .await;
    let upstream = upstream(target.address);
    let error = failure(&upstream, post(unfinished(vec![b"abcdef"], Some(6), 5))).await;
    assert!(matches!(error, RelayError::RequestTooLarge { limit: 5, sent: false }), "{error:?}");
    assert_eq!((error.was_sent(), target.connections()), (false, 0));

    let error = failure(&upstream, post(unfinished(vec![b"abc", b"def"], None, 5))).await;
    assert!(matches!(error, RelayError::RequestTooLarge { limit: 5, sent: true }), "{error:?}");
    assert!(error.was_sent());
    assert_eq!(heard.recv().await.unwrap(), None);
}

#[actix_web::test]
async fn a_body_that_breaks_off_never_looks_complete_to_the_upstream() {
    let (told, mut heard) = mpsc::unbounded_channel();
    let target = raw_upstream(move |mut stream| {
        let told = told.clone();
        async move { told.send(read_message(&mut stream).await).unwrap() }
    })
    .await;
    let proxy = proxy(target.address);
    for framing in ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let mut caller = TcpStream::connect(proxy.address).await.unwrap();
        caller.write_all(format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}").as_bytes()).await.unwrap();
        caller.shutdown().await.unwrap();
        assert_eq!(heard.recv().await.unwrap(), None, "{framing}");
    }
}

#[actix_web::test]
async fn a_caller_that_sends_faster_than_the_upstream_reads_has_to_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = crate::support::proxy_with(listener.local_addr().unwrap(), |settings| {
        settings.idle_timeout = SHORT;
    });
    let mut caller = TcpStream::connect(proxy.address).await.unwrap();
    caller.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n").await.unwrap();
    // The upstream accepts and reads nothing: there is an answer only because the relay gives up.
    let (_held, _) = listener.accept().await.unwrap();
    let (mut from_proxy, mut to_proxy) = caller.split();
    let written = Cell::new(0_usize);
    let piece = vec![b'x'; 1 << 16];
    let endlessly = async {
        while to_proxy.write_all(&piece).await.is_ok() {
            written.set(written.get() + piece.len());
        }
    };
    let mut answer = [0; 12];
    tokio::select! {
        biased;
        read = from_proxy.read_exact(&mut answer) => drop(read.unwrap()),
        () = endlessly => panic!("closed without an answer"),
    }
    assert_eq!(&answer, b"HTTP/1.1 502");
    assert!((1..64 << 20).contains(&written.get()), "{}", written.get());
}
