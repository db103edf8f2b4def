//! A Stripe that authorizes whatever it is asked for, costs as little as it can, and keeps when it was asked and when
//! it answered.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Instant,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime,
    task::LocalSet,
};
use wire::payment::AttemptId;

use super::BenchError;

/// When a request was there as a whole, and when its answer was about to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) arrived: Instant,
    pub(super) answered: Instant,
}

/// What it keeps, by attempt.
#[derive(Clone, Default)]
pub(super) struct Visits(Arc<Mutex<HashMap<AttemptId, Visit>>>);

impl Visits {
    /// Takes what is kept of an attempt.
    pub(super) fn take(&self, attempt: AttemptId) -> Option<Visit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&attempt)
    }

    fn keep(&self, attempt: AttemptId, visit: Visit) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(attempt, visit);
    }
}

/// Serves in a thread of its own until the process ends.
///
/// # Errors
/// When it cannot listen.
pub(super) fn start(secret_key: String) -> Result<(SocketAddr, Visits), BenchError> {
    let visits = Visits::default();
    let (bound, address) = mpsc::channel();
    let kept = visits.clone();
    thread::spawn(move || {
        let failed = bound.clone();
        if let Err(error) = listen(&secret_key, &kept, move |address| bound.send(Ok(address))) {
            let _ = failed.send(Err(error));
        }
    });
    let address = address.recv().map_err(|_| BenchError::Generator)?;
    Ok((address.map_err(BenchError::system("the provider"))?, visits))
}

fn listen<E>(
    secret_key: &str,
    visits: &Visits,
    bound: impl FnOnce(SocketAddr) -> Result<(), E>,
) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let _ = bound(listener.local_addr()?);
        let credential = format!("authorization: bearer {}", secret_key.to_ascii_lowercase());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (visits, credential) = (visits.clone(), credential.clone());
            tokio::task::spawn_local(async move {
                let mut connection = Connection { stream, read: Vec::with_capacity(16 * 1024) };
                // A client that goes away ends its connection and nothing else.
                while let Ok(true) = connection.answer(&visits, &credential).await {}
            });
        }
    })
}

/// One connection of provider-proxy, one request after the other.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    /// Answers one request; false when the client has gone.
    async fn answer(&mut self, visits: &Visits, credential: &str) -> io::Result<bool> {
        let Some(head) = self.head().await? else { return Ok(false) };
        // Names of headers, and the dummy key, in lower case; an attempt is in lower case anyway.
        let lines = String::from_utf8_lossy(&self.read[..head]).to_ascii_lowercase();
        let value = |name: &str| lines.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length: usize = value("content-length:").and_then(|text| text.parse().ok()).unwrap_or_default();
        while self.read.len() < head + length {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Ok(false);
            }
        }
        let arrived = Instant::now();
        let body = String::from_utf8_lossy(&self.read[head..head + length]).into_owned();
        let attempt = value("idempotency-key:").and_then(|text| text.parse::<AttemptId>().ok());
        let answer = match attempt {
            Some(attempt) if lines.lines().any(|line| line == credential) => intent(&body, attempt),
            _ => response("401 Unauthorized", r#"{"error": {"type": "invalid_request_error"}}"#),
        };
        self.read.drain(..head + length);
        if let Some(attempt) = attempt {
            visits.keep(attempt, Visit { arrived, answered: Instant::now() });
        }
        self.stream.write_all(answer.as_bytes()).await?;
        Ok(true)
    }

    /// The length of the next head with its empty line, once it is all there; none at the end.
    async fn head(&mut self) -> io::Result<Option<usize>> {
        loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                return Ok(Some(end + 4));
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// A payment intent that has succeeded, for what the form asks.
fn intent(form: &str, attempt: AttemptId) -> String {
    let field = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let amount = field("amount").unwrap_or("0");
    let currency = field("currency").unwrap_or("eur");
    response(
        "200 OK",
        &format!(
            r#"{{"id": "pi_bench", "object": "payment_intent", "amount": {amount}, "amount_capturable": 0, "amount_received": {amount}, "capture_method": "automatic", "client_secret": "pi_bench_secret_dummy", "created": 1700000000, "currency": "{currency}", "customer": null, "description": null, "last_payment_error": null, "latest_charge": null, "livemode": false, "metadata": {{"attempt": "{attempt}"}}, "next_action": null, "payment_method": null, "status": "succeeded"}}"#
        ),
    )
}

fn response(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nrequest-id: req_bench\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
