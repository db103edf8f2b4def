//! A target that keeps every byte that it gets, and answers what it is told to.

use std::{cell::RefCell, net::SocketAddr, rc::Rc};

use actix_web::rt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Received {
    pub(super) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// The values of a header, in order.
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        values(&self.head, name)
    }
}

pub(super) fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    fields.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

type Answer = Rc<dyn Fn(&Received) -> Vec<u8>>;

/// Listens until the test's runtime ends.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    kept: Rc<Kept>,
    connections: Rc<RefCell<usize>>,
}

#[derive(Default)]
struct Kept {
    received: RefCell<Vec<Received>>,
    arrived: Notify,
}

impl Upstream {
    /// Answers every request with these bytes.
    pub(super) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::with(move |_| answer.clone()).await
    }

    /// Answers every request with what is made of it. An answer with `Connection: close` is the last one.
    pub(super) async fn with(answer: impl Fn(&Received) -> Vec<u8> + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (kept, connections) = (Rc::<Kept>::default(), Rc::new(RefCell::new(0)));
        let (shared, counted, answer) =
            (Rc::clone(&kept), Rc::clone(&connections), Rc::new(answer) as Answer);
        rt::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *counted.borrow_mut() += 1;
                rt::spawn(serve(stream, Rc::clone(&shared), Rc::clone(&answer)));
            }
        });
        Self { address, kept, connections }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn connections(&self) -> usize {
        *self.connections.borrow()
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.kept.received.borrow().clone()
    }

    /// Waits until a request has come that nobody has waited for yet.
    pub(super) async fn arrival(&self) {
        self.kept.arrived.notified().await;
    }

    /// The only request that came.
    pub(super) fn only(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received[0].clone()
    }
}

async fn serve(mut stream: TcpStream, kept: Rc<Kept>, answer: Answer) {
    let mut bytes = Vec::new();
    while let Some(received) = receive(&mut stream, &mut bytes).await {
        let answer = answer(&received);
        kept.received.borrow_mut().push(received);
        kept.arrived.notify_one();
        if stream.write_all(&answer).await.is_err()
            || answer.windows(17).any(|part| part == b"Connection: close")
        {
            return;
        }
    }
}

/// The next request; what follows it stays in `bytes`.
async fn receive(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Received> {
    let end = read_until(stream, bytes, |bytes| find(bytes, b"\r\n\r\n")).await?;
    let head = String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
    let length =
        values(&head, "content-length").first().and_then(|value| value.parse().ok()).unwrap_or(0_usize);
    let body_end = if values(&head, "transfer-encoding").is_empty() {
        read_until(stream, bytes, |bytes| (bytes.len() >= length).then_some(length)).await?
    } else {
        let trailers_end = |bytes: &[u8]| {
            let last = find(bytes, b"0\r\n")?;
            find(&bytes[last..], b"\r\n\r\n").map(|end| last + end + 4)
        };
        read_until(stream, bytes, trailers_end).await?
    };
    let body = bytes.drain(..body_end).collect();
    Some(Received { head, body })
}

async fn read_until(
    stream: &mut TcpStream,
    bytes: &mut Vec<u8>,
    end: impl Fn(&[u8]) -> Option<usize>,
) -> Option<usize> {
    loop {
        if let Some(end) = end(bytes) {
            return Some(end);
        }
        if stream.read_buf(bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

pub(super) fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
