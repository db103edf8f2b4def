//! Connections are used again, and replaced only where nothing can have been sent.

use std::{cell::RefCell, net::SocketAddr, rc::Rc, time::Duration};

use actix_web::error::PayloadError;
use bytes::Bytes;
use chassis::base_url::BaseUrl;
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{LocalBoxFuture, join_all},
    stream,
};
use http::Method;
use relay::{Frame, Incoming, Outgoing, OutgoingBody, Resolve, ResolveError, Upstream};
use tokio::{io::AsyncWriteExt as _, sync::Notify};

use crate::support::{answering, boxed, echoing, get, raw_upstream, read_message, settings};

async fn text(mut answer: Incoming) -> String {
    let mut received = Vec::new();
    while let Some(frame) = answer.body.next().await {
        if let Frame::Data(data) = frame.unwrap() {
            received.extend_from_slice(&data);
        }
    }
    String::from_utf8(received).unwrap()
}

#[actix_web::test]
async fn a_connection_is_used_again_after_every_kind_of_complete_answer() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ] {
        let target = answering(answer).await;
        let upstream = Upstream::new(settings(target.address));
        for _ in 0..5 {
            let sent = Outgoing {
                method: Method::POST,
                body: OutgoingBody::Full(Bytes::from_static(b"body")),
                ..get("/")
            };
            let received = text(upstream.send(sent).await.unwrap()).await;
            assert!(received == "ok" || received.is_empty(), "{received}");
        }
        assert_eq!(target.connections(), 1, "{answer}");
    }
}

#[actix_web::test]
async fn a_connection_is_not_used_again_when_the_upstream_closes_it_or_the_answer_is_not_read() {
    let closing = answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").await;
    let upstream = Upstream::new(settings(closing.address));
    for _ in 0..3 {
        assert_eq!(text(upstream.send(get("/")).await.unwrap()).await, "ok");
    }
    assert_eq!(closing.connections(), 3);

    // Only half of it has come, so that it is not known where the next answer would begin.
    let unread = answering("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok").await;
    let upstream = Upstream::new(settings(unread.address));
    for _ in 0..3 {
        drop(upstream.send(get("/")).await.unwrap());
    }
    assert_eq!(unread.connections(), 3);
}

/// A body that tells when it is asked for.
fn watched(log: &Rc<RefCell<u32>>) -> OutgoingBody {
    let log = Rc::clone(log);
    let piece = stream::once(async move {
        *log.borrow_mut() += 1;
        Ok::<_, PayloadError>(Bytes::from_static(b"body"))
    });
    OutgoingBody::Stream { payload: boxed(piece), length: Some(4), limit: 9 }
}

#[actix_web::test]
async fn a_kept_connection_that_has_closed_is_replaced_before_a_byte_of_the_request_is_taken() {
    let closed = Rc::new(Notify::new());
    let told = Rc::clone(&closed);
    // One answer for each connection, and then it closes.
    let target = raw_upstream(move |mut stream| {
        let told = Rc::clone(&told);
        async move {
            read_message(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            drop(stream);
            told.notify_one();
        }
    })
    .await;
    let upstream = Upstream::new(settings(target.address));
    let asked = Rc::new(RefCell::new(0));
    for round in 1..=20 {
        let sent = Outgoing { method: Method::POST, body: watched(&asked), ..get("/") };
        assert_eq!(text(upstream.send(sent).await.unwrap()).await, "ok");
        assert_eq!((*asked.borrow(), target.connections()), (round, round as usize));
        closed.notified().await;
    }
}

#[actix_web::test]
async fn no_more_connections_are_kept_than_allowed_and_none_for_longer() {
    let target = echoing().await;
    let mut settings = settings(target.address);
    settings.max_idle_connections = 2;
    let upstream = Upstream::new(settings.clone());
    let at_once = || async {
        let answers = join_all((0..5).map(|_| upstream.send(get("/")))).await;
        for answer in answers {
            text(answer.unwrap()).await;
        }
    };
    at_once().await;
    assert_eq!(target.connections(), 5);
    at_once().await;
    assert_eq!(target.connections(), 5 + 3);

    settings.max_idle_time = Duration::ZERO;
    let upstream = Upstream::new(settings);
    for _ in 0..3 {
        text(upstream.send(get("/")).await.unwrap()).await;
    }
    assert_eq!(target.connections(), 8 + 3);
}

/// Leads to another place each time it is asked, as a rebinding name server does.
struct Rebinding(RefCell<Vec<SocketAddr>>);

impl Resolve for Rebinding {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        _: u16,
    ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>> {
        assert_eq!(host, "provider.test");
        let next = self.0.borrow_mut().pop().ok_or(ResolveError::NotFound);
        async { Ok(vec![next?]) }.boxed_local()
    }
}

#[actix_web::test]
async fn the_address_that_was_resolved_is_the_one_that_is_dialled_and_told() {
    let (first, second) = (echoing().await, echoing().await);
    let mut settings = settings(first.address);
    settings.url = BaseUrl::parse("http://provider.test/base/").unwrap();
    settings.resolver = Rc::new(Rebinding(RefCell::new(vec![second.address, first.address])));
    let upstream = Upstream::new(settings);
    // The second of these goes by the kept connection, to the same address and without another look-up.
    for _ in 0..2 {
        let answer = upstream.send(get("/path?query")).await.unwrap();
        assert_eq!(answer.address, first.address);
        let told = text(answer).await;
        assert!(told.starts_with("GET /base/path?query HTTP/1.1\r\n"), "{told}");
        assert!(told.contains("\r\nhost: provider.test\r\n"), "{told}");
    }
    assert_eq!((first.connections(), second.connections()), (1, 0));
}

#[actix_web::test]
async fn the_next_address_is_tried_when_one_refuses() {
    struct Two(SocketAddr);
    impl Resolve for Two {
        fn resolve<'a>(
            &'a self,
            _: &'a str,
            _: u16,
        ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>> {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let closed = listener.local_addr().unwrap();
            async move { Ok(vec![closed, self.0]) }.boxed_local()
        }
    }
    let target = echoing().await;
    let mut settings = settings(target.address);
    settings.resolver = Rc::new(Two(target.address));
    assert_eq!(Upstream::new(settings).send(get("/")).await.unwrap().address, target.address);
}
