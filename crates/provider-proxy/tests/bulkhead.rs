//! One target that hangs takes nothing from another: neither a place, nor a worker, nor time.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Child,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use support::Started;

/// How many requests the hanging target may have.
const PLACES: usize = 8;
/// How many callers the good one has at a time.
const CALLERS: usize = 20;
/// How many requests each of them sends, with and without the other's hanging.
const REQUESTS: usize = 50;
/// How long the good one takes. It is most of what a request takes, so that twice as much is a bound that a machine
/// which does something else keeps, and that a request which has to wait for something does not.
const TAKES: Duration = Duration::from_millis(50);

struct Proxy {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(good: &str, hanging: &str) -> Proxy {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 1\n[passthrough]\nenabled = true\n\
         [targets.good]\nurl = \"http://{good}\"\nprivate = true\nallow = [\"GET /*\"]\n\
         [targets.hanging]\nurl = \"http://{hanging}\"\nprivate = true\nallow = [\"GET /*\"]\n\
         max_concurrent = {PLACES}\n"
    );
    fs::write(&path, settings).unwrap();
    let Started { child, mut log, address } = support::start(&path);
    // Read to its end, so that the process does not wait for somebody to read.
    thread::spawn(move || io::copy(&mut log, &mut io::sink()));
    Proxy { child, address, _folder: folder }
}

/// Answers every request after the time that it takes.
fn good_target() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || {
                stream.set_nodelay(true).unwrap();
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                for _ in lines.filter(String::is_empty) {
                    thread::sleep(TAKES);
                    let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
                }
            });
        }
    });
    address
}

/// Takes requests, says so, and never answers.
fn hanging_target() -> (String, mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (arrived, arrivals) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let mut head = BufReader::new(&stream).lines().map_while(Result::ok);
            assert!(head.any(|line| line.is_empty()));
            arrived.send(stream).unwrap();
        }
    });
    (address, arrivals)
}

fn send(stream: &mut TcpStream, target: &str) {
    write!(stream, "GET /proxy/{target}/x HTTP/1.1\r\nHost: proxy\r\n\r\n").unwrap();
}

/// A caller of the good target.
struct Caller {
    stream: TcpStream,
    times: Vec<Duration>,
}

impl Caller {
    fn of(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(&proxy.address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, times: Vec::with_capacity(REQUESTS) }
    }

    /// Sends a request, and notes how long the answer takes.
    fn ask(&mut self) {
        let started = Instant::now();
        send(&mut self.stream, "good");
        let mut answer = Vec::new();
        while !answer.ends_with(b"good") {
            let mut bytes = [0; 1024];
            let read = self.stream.read(&mut bytes).unwrap();
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&bytes[..read]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        self.times.push(started.elapsed());
    }
}

/// The 99th percentiles of the times of two proxies. Each caller asks them in turns, so that whatever else the machine
/// does befalls both.
fn p99_of_both(alone: &Proxy, beside: &Proxy) -> [Duration; 2] {
    let ask = || {
        let mut callers = [Caller::of(alone), Caller::of(beside)];
        callers.iter_mut().for_each(Caller::ask);
        // The first request makes the connections.
        callers.iter_mut().for_each(|caller| caller.times.clear());
        for _ in 0..REQUESTS / 2 {
            callers.iter_mut().for_each(Caller::ask);
            callers.iter_mut().rev().for_each(Caller::ask);
        }
        callers.map(|caller| caller.times)
    };
    let mut times = thread::scope(|scope| {
        let asking: Vec<_> = (0..CALLERS).map(|_| scope.spawn(ask)).collect();
        asking
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .fold([vec![], vec![]], |[a, b], [c, d]| [[a, c].concat(), [b, d].concat()])
    });
    times.each_mut().map(|times| {
        times.sort();
        times[times.len() * 99 / 100]
    })
}

/// Takes all places of the hanging target. The requests hang as long as both ends are kept.
fn hang(proxy: &Proxy, arrivals: &mpsc::Receiver<TcpStream>) -> (Vec<TcpStream>, Vec<TcpStream>) {
    let ask = |_| {
        let mut stream = TcpStream::connect(&proxy.address).unwrap();
        send(&mut stream, "hanging");
        stream
    };
    let waiting = (0..PLACES).map(ask).collect();
    let held = (0..PLACES).map(|_| arrivals.recv().unwrap()).collect();
    // One more does not wait for a place.
    let mut refused = ask(PLACES);
    let mut answer = String::new();
    BufReader::new(&mut refused).read_line(&mut answer).unwrap();
    assert_eq!(answer.trim_end(), "HTTP/1.1 503 Service Unavailable");
    (waiting, held)
}

#[test]
fn beside_a_target_that_hangs_the_others_p99_is_at_most_twice_what_it_is_alone() {
    let (good, (hanging, arrivals)) = (good_target(), hanging_target());
    let [alone, beside] = [start(&good, &hanging), start(&good, &hanging)];
    let (mut waiting, held) = hang(&beside, &arrivals);
    let [p99_alone, p99_beside] = p99_of_both(&alone, &beside);
    println!("p99 alone {p99_alone:?}, beside a hanging target {p99_beside:?}");
    // They have hung all the time.
    for stream in &mut waiting {
        stream.set_nonblocking(true).unwrap();
        let error = stream.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
    assert!(p99_beside <= p99_alone * 2, "{p99_beside:?} beside, {p99_alone:?} alone");
    drop(held);
}
