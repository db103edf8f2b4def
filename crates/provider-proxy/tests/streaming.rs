//! A gibibyte up and a gibibyte down through the whole door of a process, in memory that does not grow with them.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command},
    thread::{self, JoinHandle},
};

use serde_json::Value;
use support::Started;

const GIBIBYTE: usize = 1 << 30;
const PIECE: usize = 1 << 16;
const MAY_GROW: usize = 16_000_000;
const TOKEN: &str = "dummy-token-that-is-looked-for";

struct Proxy {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Proxy {
    fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let settings = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 1\n[passthrough]\nenabled = true\naudit_file = {:?}\n\
             [targets.shop]\nurl = \"http://{target}\"\nprivate = true\nallow = [\"POST /*\"]\ntimeout = \"30m\"\n\
             max_request_body = {GIBIBYTE}\nmax_response_body = {GIBIBYTE}\n\
             credential = {{ kind = \"bearer\", token = \"{TOKEN}\" }}\n",
            audit_file(folder.path())
        );
        fs::write(&path, settings).unwrap();
        let Started { child, mut log, address } = support::start(&path);
        // Read to its end, so that the process does not wait for somebody to read.
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
        Self { child, address, folder }
    }

    /// The largest that the process has been in memory, in bytes.
    fn peak(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    /// Sends a text of this length and takes the answer, which is as long; gives the answer's status.
    fn exchange(&self, caller: &mut BufReader<TcpStream>, length: usize) -> String {
        let head =
            format!("POST /proxy/shop/echo HTTP/1.1\r\nHost: proxy\r\nContent-Length: {length}\r\n\r\n");
        caller.get_ref().write_all(head.as_bytes()).unwrap();
        send(caller.get_ref(), length);
        let head = read_head(caller);
        let status = head[0].split(' ').nth(1).unwrap().to_owned();
        if status == "200" {
            assert!(head.contains(&format!("content-length: {length}")), "{head:?}");
            receive(caller, length);
        }
        status
    }

    /// Ends it as a supervisor does, and gives the lines of its audit log.
    fn audit(mut self) -> Vec<Value> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        self.child.wait().unwrap();
        let text = fs::read_to_string(audit_file(self.folder.path())).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn audit_file(folder: &Path) -> std::path::PathBuf {
    folder.join("audit.jsonl")
}

fn read_head(reader: &mut impl BufRead) -> Vec<String> {
    let lines = reader.lines().map(|line| line.unwrap().to_ascii_lowercase());
    lines.take_while(|line| !line.is_empty()).collect()
}

/// A text without a secret.
fn text() -> Vec<u8> {
    b"No secret is in this line of sixty-four characters, none at all\n".repeat(PIECE / 64)
}

fn send(mut stream: &TcpStream, length: usize) {
    let text = text();
    for _ in 0..length / PIECE {
        stream.write_all(&text).unwrap();
    }
}

fn receive(reader: &mut impl Read, length: usize) {
    let (expected, mut piece) = (text(), vec![0; PIECE]);
    for _ in 0..length / PIECE {
        reader.read_exact(&mut piece).unwrap();
        assert!(piece == expected, "the bytes differ");
    }
}

/// Takes a body of each of these lengths in turn and answers with as long a text; last it gives the credential away.
fn target(lengths: Vec<usize>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = thread::spawn(move || {
        let stream = listener.accept().unwrap().0;
        let mut reader = BufReader::new(&stream);
        let last = lengths.len() - 1;
        for (turn, length) in lengths.into_iter().enumerate() {
            let head = read_head(&mut reader);
            assert!(head.contains(&format!("authorization: bearer {TOKEN}")), "{head:?}");
            receive(&mut reader, length);
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n");
            (&stream).write_all(head.as_bytes()).unwrap();
            if turn == last {
                let mut text = text();
                text.splice(PIECE / 2..PIECE / 2 + TOKEN.len(), TOKEN.bytes());
                (&stream).write_all(&text).unwrap();
            } else {
                send(&stream, length);
            }
        }
    });
    (address, served)
}

#[test]
fn a_gibibyte_each_way_through_the_whole_door_takes_less_than_16_mb() {
    let (address, served) = target(vec![PIECE, GIBIBYTE, PIECE]);
    let proxy = Proxy::start(&address);
    let mut caller = BufReader::new(TcpStream::connect(&proxy.address).unwrap());
    // The first makes the connections, and fills the buffers of either side.
    assert_eq!(proxy.exchange(&mut caller, PIECE), "200");
    let before = proxy.peak();
    assert_eq!(proxy.exchange(&mut caller, GIBIBYTE), "200");
    let grown = proxy.peak() - before;
    println!("grown by {grown} bytes from {before}");
    assert!(grown < MAY_GROW, "{grown} bytes");
    // The text was looked through on its way, and each request has its line.
    assert_eq!(proxy.exchange(&mut caller, PIECE), "502");
    served.join().unwrap();
    let audit = proxy.audit();
    let requests: Vec<_> = audit.iter().filter(|line| line["event"] == "request").collect();
    let bytes = |line: &Value| (line["bytes_in"].as_u64().unwrap(), line["bytes_out"].as_u64().unwrap());
    assert_eq!(bytes(requests[1]), (GIBIBYTE as u64, GIBIBYTE as u64));
    assert_eq!((&requests[1]["credential"], &requests[2]["kind"]), (&"bearer".into(), &"leak".into()));
}
