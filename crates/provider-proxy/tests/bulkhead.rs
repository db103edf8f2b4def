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
/// How many requests are sent to the good one, with and without the other's hanging.
const REQUESTS: usize = 1000;

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

/// Answers every request at once.
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

/// Sends requests on one connection, one after another, and gives the 99th percentile of their times.
fn p99(address: &str) -> Duration {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut times: Vec<Duration> = (0..REQUESTS)
        .map(|_| {
            let started = Instant::now();
            send(&mut stream, "good");
            let mut answer = Vec::new();
            while !answer.ends_with(b"good") {
                let mut bytes = [0; 1024];
                let read = stream.read(&mut bytes).unwrap();
                assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
                answer.extend_from_slice(&bytes[..read]);
            }
            assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
            started.elapsed()
        })
        .collect();
    times.sort();
    times[REQUESTS * 99 / 100]
}

#[test]
fn a_target_that_hangs_leaves_the_other_ones_requests_as_fast_as_they_were() {
    let (good, (hanging, arrivals)) = (good_target(), hanging_target());
    let proxy = start(&good, &hanging);
    p99(&proxy.address);
    let alone = p99(&proxy.address);
    let mut waiting: Vec<_> = (0..PLACES)
        .map(|_| {
            let mut stream = TcpStream::connect(&proxy.address).unwrap();
            send(&mut stream, "hanging");
            stream
        })
        .collect();
    let held: Vec<_> = (0..PLACES).map(|_| arrivals.recv().unwrap()).collect();
    // All of its places are taken, and one more does not wait for one.
    let mut refused = TcpStream::connect(&proxy.address).unwrap();
    send(&mut refused, "hanging");
    let mut answer = String::new();
    BufReader::new(&refused).read_line(&mut answer).unwrap();
    assert_eq!(answer.trim_end(), "HTTP/1.1 503 Service Unavailable");
    let beside = p99(&proxy.address);
    println!("p99 alone {alone:?}, beside a hanging target {beside:?}");
    // The hanging ones hang until the end: no request to the good one has waited for them. The margin is for a machine
    // that does something else; what waited for the hanging target would take seconds.
    for stream in &mut waiting {
        stream.set_nonblocking(true).unwrap();
        let error = stream.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
    assert!(beside <= alone * 2 + Duration::from_millis(100), "{beside:?} beside, {alone:?} alone");
    drop(held);
}
