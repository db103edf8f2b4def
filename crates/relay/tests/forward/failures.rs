//! Each way in which an exchange can fail: what the caller sees, and whether the upstream may have acted.

mod callers;

use std::{future::pending, net::SocketAddr, rc::Rc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, future::LocalBoxFuture};
use relay::{Frame, Incoming, Outgoing, RelayError, Resolve, ResolveError, Upstream};
use tokio::io::AsyncWriteExt as _;

use crate::support::{answering, echoing, get, proxy, raw_upstream, read_message, say_text, settings};

/// Short enough for a test, long enough for a busy machine.
const SHORT: Duration = Duration::from_millis(200);

fn upstream(address: SocketAddr) -> Upstream {
    Upstream::new(settings(address))
}

/// The body as far as it comes, and how it ends.
async fn body(mut answer: Incoming) -> (Vec<u8>, Result<(), RelayError>) {
    let mut received = Vec::new();
    while let Some(frame) = answer.body.next().await {
        match frame {
            Ok(Frame::Data(data)) => received.extend_from_slice(&data),
            Ok(Frame::Trailers(_)) => {}
            Err(error) => return (received, Err(error)),
        }
    }
    (received, Ok(()))
}

async fn failure(upstream: &Upstream, outgoing: Outgoing) -> RelayError {
    upstream.send(outgoing).await.err().expect("an error")
}

#[actix_web::test]
async fn a_refused_connection_sent_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = failure(&upstream(address), get("/")).await;
    assert!(matches!(error, RelayError::Connect(_)), "{error:?}");
    assert!(!error.was_sent());
}

struct Fixed(fn() -> Result<Vec<SocketAddr>, ResolveError>);

impl Resolve for Fixed {
    fn resolve<'a>(
        &'a self,
        _: &'a str,
        _: u16,
    ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>> {
        async { (self.0)() }.boxed_local()
    }
}

#[actix_web::test]
async fn an_address_that_is_refused_is_not_dialled_and_a_name_without_one_is_told_apart() {
    let target = echoing().await;
    let refusing = |resolver| {
        let mut settings = settings(target.address);
        settings.resolver = Rc::new(Fixed(resolver));
        Upstream::new(settings)
    };
    let error =
        failure(&refusing(|| Err(ResolveError::Refused { reason: "private".into() })), get("/")).await;
    assert!(matches!(&error, RelayError::Egress { reason } if reason == "private"), "{error:?}");
    assert!(!error.was_sent());
    for resolver in [|| Err(ResolveError::NotFound), || Ok(Vec::new())] {
        let error = failure(&refusing(resolver), get("/")).await;
        assert!(matches!(error, RelayError::Resolve(ResolveError::NotFound)), "{error:?}");
        assert!(!error.was_sent());
    }
    assert_eq!(target.connections(), 0);
}

#[actix_web::test]
async fn a_resolver_that_does_not_answer_is_a_timeout_that_sent_nothing() {
    struct Silent;
    impl Resolve for Silent {
        fn resolve<'a>(
            &'a self,
            _: &'a str,
            _: u16,
        ) -> LocalBoxFuture<'a, Result<Vec<SocketAddr>, ResolveError>> {
            pending().boxed_local()
        }
    }
    let mut settings = settings(([127, 0, 0, 1], 1).into());
    settings.resolver = Rc::new(Silent);
    settings.connect_timeout = SHORT;
    let error = failure(&Upstream::new(settings), get("/")).await;
    assert!(matches!(error, RelayError::ConnectTimeout { after: SHORT }), "{error:?}");
    assert!(!error.was_sent());
}

#[actix_web::test]
async fn a_path_that_is_none_sends_nothing() {
    let target = echoing().await;
    let upstream = upstream(target.address);
    for path in ["", "x", "http://evil.test/", "*", "/a b", "/a\r\nX: y", "/a#b", "/\u{0}", "?a"] {
        let error = failure(&upstream, get(path)).await;
        assert!(matches!(error, RelayError::Unsendable { .. }), "{path:?}: {error:?}");
        assert!(!error.was_sent());
    }
    assert_eq!(target.connections(), 0);
}

#[actix_web::test]
async fn a_connection_that_closes_instead_of_answering_may_have_been_heard_and_nothing_is_tried_twice() {
    let target = raw_upstream(|mut stream| async move {
        read_message(&mut stream).await.unwrap();
    })
    .await;
    let error = failure(&upstream(target.address), get("/")).await;
    assert!(matches!(error, RelayError::Protocol(_)), "{error:?}");
    assert!(error.was_sent());
    assert_eq!(target.connections(), 1);
}

#[actix_web::test]
async fn what_is_not_http_is_a_protocol_error() {
    for answer in
        ["SSH-2.0\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"]
    {
        let error = failure(&upstream(answering(answer).await.address), get("/")).await;
        assert!(matches!(error, RelayError::Protocol(_)), "{error:?}");
        assert!(error.was_sent());
    }
}

#[actix_web::test]
async fn an_answer_that_is_cut_short_is_an_error_of_its_body() {
    for (head, part) in [("Content-Length: 10", "half"), ("Transfer-Encoding: chunked", "4\r\nhalf\r\n")] {
        let target = raw_upstream(move |mut stream| async move {
            read_message(&mut stream).await.unwrap();
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{part}").as_bytes()).await.unwrap();
        })
        .await;
        let (received, end) = body(upstream(target.address).send(get("/")).await.unwrap()).await;
        assert_eq!(received, b"half");
        assert!(matches!(end, Err(RelayError::Truncated(_))), "{end:?}");

        // And for a caller over HTTP it never looks complete.
        for te in ["", "TE: trailers\r\n"] {
            let request = format!("GET / HTTP/1.1\r\nHost: x\r\n{te}\r\n");
            let answer = say_text(proxy(target.address).address, request).await;
            let (head, received) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
            assert!(!received.contains("0\r\n\r\n"), "{answer}");
            assert!(!head.contains("content-length: 4"), "{answer}");
        }
    }
}

#[actix_web::test]
async fn chunks_that_are_none_are_a_protocol_error_of_the_body() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    let (_, end) = body(upstream(answering(answer).await.address).send(get("/")).await.unwrap()).await;
    assert!(matches!(end, Err(RelayError::Protocol(_))), "{end:?}");
}

#[actix_web::test]
async fn silence_is_a_timeout_before_the_head_and_within_the_body() {
    let mut settings = settings(answering("").await.address);
    settings.idle_timeout = SHORT;
    let error = failure(&Upstream::new(settings.clone()), get("/")).await;
    assert!(matches!(error, RelayError::Timeout { idle: SHORT, .. }), "{error:?}");
    assert!(error.was_sent());

    let half = answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    settings.url = crate::support::settings(half.address).url;
    let (received, end) = body(Upstream::new(settings).send(get("/")).await.unwrap()).await;
    assert_eq!(received, b"half");
    assert!(matches!(end, Err(RelayError::Timeout { .. })), "{end:?}");
}

#[actix_web::test]
async fn an_answer_that_drips_on_and_on_is_a_timeout_of_the_whole() {
    let target = raw_upstream(|mut stream| async move {
        read_message(&mut stream).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            actix_web::rt::time::sleep(SHORT / 10).await;
        }
    })
    .await;
    let mut settings = settings(target.address);
    settings.idle_timeout = SHORT * 20;
    settings.total_timeout = SHORT;
    let (received, end) = body(Upstream::new(settings).send(get("/")).await.unwrap()).await;
    assert!(!received.is_empty());
    assert!(matches!(end, Err(RelayError::Timeout { total: SHORT, .. })), "{end:?}");
}
