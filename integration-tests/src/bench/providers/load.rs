//! The load: so many operations a second, each begun when its time comes, over connections that are kept.

use std::{
    cell::RefCell,
    collections::VecDeque,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime,
    task::LocalSet,
    time::MissedTickBehavior,
};
use wire::{
    Currency, Money,
    payment::{AttemptId, Authorize, Provider, Source, operations, payment_path},
};

use super::{BenchError, provider::Visits};

/// One authorize, without the provider's part in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Operation {
    /// From the first byte sent to provider-proxy until the provider had the whole request.
    pub(super) before: Duration,
    /// From the provider's answer until the caller had the whole answer.
    pub(super) after: Duration,
    /// What the provider took.
    pub(super) provider: Duration,
}

/// Whom to ask, and as whom.
pub(super) struct Target<'a> {
    pub(super) address: SocketAddr,
    pub(super) token: &'a str,
    pub(super) visits: &'a Visits,
}

/// Idle connections, and the operations that have ended.
struct Shared {
    address: SocketAddr,
    head: String,
    visits: Visits,
    /// The one that has waited longest is used next, so that none waits until provider-proxy closes it.
    idle: RefCell<VecDeque<TcpStream>>,
    ended: RefCell<Vec<Result<Operation, BenchError>>>,
}

/// Begins `rate` operations a second for this long.
///
/// # Errors
/// [`BenchError`]; one answer that is not a success is enough.
pub(super) fn run(target: &Target<'_>, rate: u32, length: Duration) -> Result<Vec<Operation>, BenchError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(BenchError::system("the load generator"))?;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: proxy\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n",
        payment_path::<operations::Authorize>(Provider::Stripe),
        target.token
    );
    let shared = Rc::new(Shared {
        address: target.address,
        head,
        visits: target.visits.clone(),
        idle: RefCell::default(),
        ended: RefCell::default(),
    });
    let count = u64::from(rate) * length.as_secs();
    LocalSet::new().block_on(&runtime, async {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut begun = Vec::new();
        for _ in 0..count {
            ticks.tick().await;
            begun.push(tokio::task::spawn_local(operation(Rc::clone(&shared))));
        }
        for operation in begun {
            operation.await.map_err(|_| BenchError::Generator)?;
        }
        shared.ended.take().into_iter().collect()
    })
}

async fn operation(shared: Rc<Shared>) {
    let ended = authorize(&shared).await;
    shared.ended.borrow_mut().push(ended);
}

async fn authorize(shared: &Shared) -> Result<Operation, BenchError> {
    let attempt = AttemptId::new();
    let request = request(&shared.head, attempt)?;
    let idle = shared.idle.borrow_mut().pop_front();
    let mut stream = match idle {
        Some(stream) => stream,
        None => connect(shared.address).await?,
    };
    let sent = Instant::now();
    stream.write_all(request.as_bytes()).await.map_err(BenchError::system("sending"))?;
    let answer = receive(&mut stream).await?;
    let received = Instant::now();
    shared.idle.borrow_mut().push_back(stream);
    let visit = shared.visits.take(attempt).ok_or_else(|| BenchError::Malformed(answer.clone()))?;
    if !answer.starts_with("HTTP/1.1 200") || !answer.contains(r#""outcome":"succeeded""#) {
        return Err(BenchError::Malformed(answer));
    }
    Ok(Operation {
        before: visit.arrived - sent,
        after: received - visit.answered,
        provider: visit.answered - visit.arrived,
    })
}

fn request(head: &str, attempt: AttemptId) -> Result<String, BenchError> {
    let currency = Currency::parse("EUR").map_err(|error| BenchError::Settings(error.to_string()))?;
    let body = Authorize {
        attempt,
        amount: Money { minor_units: 1999, currency },
        source: Source::Nonce { nonce: "pm_card_visa".into() },
        capture: true,
        description: Some("A year of the magazine".to_owned()),
        return_url: None,
        metadata: Default::default(),
    };
    let body = serde_json::to_string(&body).map_err(|error| BenchError::Settings(error.to_string()))?;
    Ok(format!("{head}content-length: {}\r\n\r\n{body}", body.len()))
}

async fn connect(address: SocketAddr) -> Result<TcpStream, BenchError> {
    let stream = TcpStream::connect(address).await.map_err(BenchError::system("connecting"))?;
    stream.set_nodelay(true).map_err(BenchError::system("connecting"))?;
    Ok(stream)
}

/// Reads one whole answer.
async fn receive(stream: &mut TcpStream) -> Result<String, BenchError> {
    let mut read = Vec::with_capacity(4096);
    loop {
        if stream.read_buf(&mut read).await.map_err(BenchError::system("receiving"))? == 0 {
            return Err(BenchError::Malformed(String::from_utf8_lossy(&read).into_owned()));
        }
        if let Some((_, length)) = crate::bench::load::head(&read)
            && read.len() >= length
        {
            return Ok(String::from_utf8_lossy(&read).into_owned());
        }
    }
}
