//! The load generator: so many keep-alive connections on one thread, each with one request at a time.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    net::SocketAddr,
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use tokio::{net::TcpStream, runtime, task::LocalSet};

use super::{
    BenchError,
    meter::{Meter, Usage},
    requests::{Maker, Work},
};

/// What the clients of one measurement saw.
pub(super) struct Load {
    /// Answers a second.
    pub(super) rate: f64,
    /// Half of the answers took no longer.
    pub(super) median: Duration,
    /// Ninety-nine of a hundred took no longer.
    pub(super) ninety_ninth: Duration,
    /// What one request cost, in processor time.
    pub(super) cost: Usage,
}

/// Whom to load, with what.
pub(super) struct Target {
    /// db-server's.
    pub(super) address: SocketAddr,
    /// How many connections.
    pub(super) connections: u32,
    /// Whose processor time is counted.
    pub(super) meter: Meter,
    /// How many requests are begun each second over all connections; none for as many as they can.
    pub(super) pace: Option<f64>,
}

/// What all connections share.
struct Shared {
    /// How long after one request of a connection its next one begins, if that is said.
    interval: Option<Duration>,
    work: Work,
    maker: RefCell<Maker>,
    ahead: RefCell<VecDeque<Vec<u8>>>,
    /// Microseconds of each answer.
    latencies: RefCell<Vec<u32>>,
}

/// Loads db-server for this long to warm up, then for that long to measure.
///
/// # Errors
/// [`BenchError`]; one answer that is not the expected one is enough.
pub(super) fn run(
    target: Target,
    maker: Maker,
    work: Work,
    warm_up: Duration,
    measured: Duration,
) -> Result<Load, BenchError> {
    let generate = move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(BenchError::system("the load generator"))?;
        let interval = target.pace.map(|pace| Duration::from_secs_f64(f64::from(target.connections) / pace));
        let shared = Rc::new(Shared {
            interval,
            work,
            maker: RefCell::new(maker),
            ahead: RefCell::default(),
            latencies: RefCell::default(),
        });
        let first = period(&runtime, &target, &shared, warm_up)?;
        // Half as many again as the warm-up says; should they run out, the rest is signed as it is sent.
        let wanted = first.rate * measured.as_secs_f64() * 1.5;
        shared.sign_ahead(wanted as usize)?;
        period(&runtime, &target, &shared, measured)
    };
    thread::spawn(generate).join().unwrap_or(Err(BenchError::Generator))
}

fn period(
    runtime: &runtime::Runtime,
    target: &Target,
    shared: &Rc<Shared>,
    length: Duration,
) -> Result<Load, BenchError> {
    shared.latencies.borrow_mut().clear();
    LocalSet::new().block_on(runtime, async {
        let mut opened = Vec::new();
        for _ in 0..target.connections {
            opened.push(Connection::open(target.address).await?);
        }
        let before = target.meter.read()?;
        let (start, end) = (Instant::now(), Instant::now() + length);
        let clients: Vec<_> = opened
            .into_iter()
            .enumerate()
            .map(|(index, connection)| {
                let first = start + shared.offset(index, target.connections);
                tokio::task::spawn_local(connection.work(Rc::clone(shared), first, end))
            })
            .collect();
        for client in clients {
            client.await.map_err(|_| BenchError::Generator)??;
        }
        let elapsed = start.elapsed();
        let used = target.meter.read()?.since(&before);
        Ok(summary(&mut shared.latencies.borrow_mut(), elapsed, &used))
    })
}

fn summary(latencies: &mut [u32], elapsed: Duration, used: &Usage) -> Load {
    latencies.sort_unstable();
    let part = |part: usize| {
        let index = (latencies.len() * part / 100).min(latencies.len().saturating_sub(1));
        Duration::from_micros(latencies.get(index).copied().unwrap_or_default().into())
    };
    let rate = latencies.len() as f64 / elapsed.as_secs_f64();
    Load { rate, median: part(50), ninety_ninth: part(99), cost: used.each(latencies.len()) }
}

impl Shared {
    /// How long after the start this connection begins. Paced connections are spread over the interval, for all at once,
    /// again and again, would be a load that comes in bursts.
    fn offset(&self, index: usize, connections: u32) -> Duration {
        let part = index as f64 / f64::from(connections.max(1));
        self.interval.map(|interval| interval.mul_f64(part)).unwrap_or_default()
    }

    fn sign_ahead(&self, count: usize) -> Result<(), BenchError> {
        let mut maker = self.maker.borrow_mut();
        let mut ahead = self.ahead.borrow_mut();
        while ahead.len() < count {
            ahead.push_back(maker.make(self.work)?);
        }
        Ok(())
    }

    fn next(&self) -> Result<Vec<u8>, BenchError> {
        match self.ahead.borrow_mut().pop_front() {
            Some(request) => Ok(request),
            None => self.maker.borrow_mut().make(self.work),
        }
    }
}

/// One client.
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    filled: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await.map_err(BenchError::system("connecting"))?;
        stream.set_nodelay(true).map_err(BenchError::system("connecting"))?;
        Ok(Self { stream, answer: vec![0; 16 * 1024], filled: 0 })
    }

    async fn work(mut self, shared: Rc<Shared>, first: Instant, end: Instant) -> Result<(), BenchError> {
        let mut due = first;
        while Instant::now() < end {
            let request = shared.next()?;
            // With a pace, the time counts from when the request was due: one that waits behind a slow one is late.
            let sent = match shared.interval {
                Some(interval) => {
                    tokio::time::sleep_until(due.into()).await;
                    let next = due + interval;
                    std::mem::replace(&mut due, next)
                }
                None => Instant::now(),
            };
            self.send(&request).await.map_err(BenchError::system("sending"))?;
            self.receive(shared.work).await?;
            let took = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
            shared.latencies.borrow_mut().push(took);
        }
        Ok(())
    }

    async fn send(&self, mut request: &[u8]) -> io::Result<()> {
        while !request.is_empty() {
            match self.stream.try_write(request) {
                Ok(sent) => request = &request[sent..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.stream.writable().await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads one whole answer, and nothing behind it, for the server has nothing else to say.
    async fn receive(&mut self, work: Work) -> Result<(), BenchError> {
        self.filled = 0;
        loop {
            self.stream.readable().await.map_err(BenchError::system("receiving"))?;
            match self.stream.try_read(&mut self.answer[self.filled..]) {
                Ok(0) => return Err(BenchError::Malformed(self.text())),
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(BenchError::system("receiving")(error)),
            }
            if let Some((status, length)) = head(&self.answer[..self.filled])
                && self.filled >= length
            {
                return self.check(work, status);
            }
        }
    }

    fn check(&self, work: Work, status: u16) -> Result<(), BenchError> {
        if status == work.expected() {
            return Ok(());
        }
        let (method, expected) = (work.method(), work.expected());
        Err(BenchError::Answer { method, status, expected, answer: self.text() })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer[..self.filled]).into_owned()
    }
}

/// The status and the length of the whole answer, once its head is complete.
pub(super) fn head(answer: &[u8]) -> Option<(u16, usize)> {
    const LENGTH: &[u8] = b"content-length: ";
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let number = |digits: &[u8]| {
        let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0_usize, |number, digit| number * 10 + usize::from(digit - b'0'))
    };
    let status = number(answer.get(9..12)?);
    let body = answer[..end].split(|byte| *byte == b'\n').find_map(|line| {
        let named = line.get(..LENGTH.len())?.eq_ignore_ascii_case(LENGTH);
        named.then(|| number(&line[LENGTH.len()..]))
    });
    Some((u16::try_from(status).ok()?, end + 4 + body.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_announced_length() {
        let answer = b"HTTP/1.1 201 Created\r\nx-a: 1\r\nContent-Length: 12\r\n\r\n{\"a\": \"bc\"}";
        assert_eq!(head(answer), Some((201, answer.len() + 1)));
        assert_eq!(head(&answer[..30]), None);
        assert_eq!(head(b"HTTP/1.1 304 Not Modified\r\n\r\n"), Some((304, 29)));
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_latencies() {
        let mut latencies: Vec<u32> = (1..=200).rev().collect();
        let load = summary(&mut latencies, Duration::from_secs(2), &Usage::default());
        assert_eq!(load.rate, 100.0);
        assert_eq!(load.median, Duration::from_micros(101));
        assert_eq!(load.ninety_ninth, Duration::from_micros(199));
        assert_eq!(summary(&mut [], Duration::from_secs(1), &Usage::default()).median, Duration::ZERO);
    }
}
