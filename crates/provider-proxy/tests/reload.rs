//! Reloads of a real process: by signal and by a changed file, under load, with the audit log beside them.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    thread,
};

use rustix::process::{Pid, Signal, kill_process};
use support::Started;
use tempfile::TempDir;

struct Proxy {
    child: Child,
    /// Its log, line by line. It is read all the time: a pipe that nobody reads fills up, and then the process stands still.
    log: Receiver<String>,
    address: String,
    folder: TempDir,
}

impl Proxy {
    /// Starts it with a provider, which is a target of the door too, and more settings. The consumer key and the
    /// target's token are in one file, and are `dummy-key-0` at first.
    fn start(provider: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let settings = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 2\n[passthrough]\nenabled = true\naudit_file = {:?}\naudit_sync = false\n\
             [providers.reference]\nurl = \"{provider}\"\nrealm = \"solitude\"\n\
             consumer_key = {{ file = {:?} }}\nconsumer_secret = \"dummy-consumer-secret\"\n\
             notice_keys = {{ 0 = \"dummy-notice-key\" }}\n\
             [targets.shop]\nurl = \"{provider}\"\nprivate = true\nallow = [\"POST /*\"]\n\
             credential = {{ kind = \"bearer\", token = {{ file = {:?} }} }}\n{more}",
            path("audit.jsonl"),
            path("key"),
            path("key")
        );
        fs::write(path("settings.toml"), settings).unwrap();
        fs::write(path("key"), "dummy-key-0").unwrap();
        let Started { child, log: output, address } = support::start(&path("settings.toml"));
        let (lines, log) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        Self { child, log, address, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn wait_for(&self, text: &str) -> String {
        let line = self.log.iter().find(|line| line.contains(text));
        assert!(line.is_some(), "it ended before {text:?}");
        line.unwrap()
    }

    fn stop(mut self) -> (ExitStatus, TempDir) {
        self.signal(Signal::TERM);
        (self.child.wait().unwrap(), self.folder)
    }
}

/// Through the connector, and through the door.
const PATHS: [&str; 2] = ["/v1/reference/get_seller", "/proxy/shop/charges"];

fn ask(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let body = r#"{"reference_id": "s1"}"#;
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A provider that refuses each request with the number at the end of the consumer key that signed it.
fn provider() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || answer_all(&stream));
        }
    });
    format!("http://{address}")
}

fn answer_all(mut stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    loop {
        let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        if head.is_empty() {
            return;
        }
        let head = head.join("\n");
        let key = head.split("dummy-key-").nth(1).unwrap_or_default();
        let digits: String = key.chars().take_while(char::is_ascii_digit).collect();
        let body = format!("{{\"key\":{digits}}}");
        let length = body.len();
        let sent = write!(
            stream,
            "HTTP/1.1 404 No\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        if sent.is_err() {
            return;
        }
    }
}

fn verify(files: &[&Path]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_provider-proxy"))
        .args(["audit", "verify"])
        .args(files)
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(told).unwrap())
}

fn events(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let event = |line: &str| line.split("\"event\":\"").nth(1)?.split('"').next().map(ToOwned::to_owned);
    text.lines().filter_map(event).collect()
}

#[test]
fn no_request_fails_during_a_hundred_reloads_and_each_takes_effect_at_once() {
    let proxy = Proxy::start(&provider(), "[reload]\ninterval = 0");
    let over = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..4)
        .map(|thread| {
            let (address, over, path) = (proxy.address.clone(), Arc::clone(&over), PATHS[thread % 2]);
            thread::spawn(move || {
                let mut answers = 0;
                while !over.load(Ordering::Relaxed) {
                    let answer = ask(&address, path);
                    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("\"key\":"), "{answer}");
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    for round in 1..=100 {
        fs::write(proxy.path("key"), format!("dummy-key-{round}")).unwrap();
        proxy.signal(Signal::HUP);
        proxy.wait_for(&format!("read again, for the {round}. time"));
        for path in PATHS {
            let answer = ask(&proxy.address, path);
            assert!(answer.contains(&format!("\"key\":{round}}}")), "{round}: {path}: {answer}");
        }
    }
    over.store(true, Ordering::Relaxed);
    let answers: u32 = load.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert!(answers > 0);
    let (status, folder) = proxy.stop();
    assert!(status.success(), "{status}");
    let log = folder.path().join("audit.jsonl");
    let reloads = events(&log).into_iter().filter(|event| event == "reloaded").count();
    assert_eq!((reloads, verify(&[&log]).0), (100, 0));
}

#[test]
fn a_changed_file_is_taken_over_without_a_signal_and_a_bad_one_is_not() {
    let proxy = Proxy::start(&provider(), "[reload]\ninterval = \"20ms\"");
    fs::write(proxy.path("key"), "dummy-key-1").unwrap();
    proxy.wait_for("read again, for the 1. time");
    assert!(ask(&proxy.address, PATHS[1]).contains("\"key\":1}"));
    fs::write(proxy.path("key"), " ").unwrap();
    let line = proxy.wait_for("the settings stay as they were");
    assert!(line.ends_with("providers.reference.consumer_key: the secret is empty"), "{line}");
    assert!(ask(&proxy.address, PATHS[1]).contains("\"key\":1}"));
    fs::write(proxy.path("key"), "dummy-key-2").unwrap();
    proxy.wait_for("read again, for the 2. time");
    assert!(ask(&proxy.address, PATHS[1]).contains("\"key\":2}"));
    let (status, folder) = proxy.stop();
    assert!(status.success(), "{status}");
    let expected =
        ["started", "reloaded", "request", "reload_refused", "request", "reloaded", "request", "stopped"];
    assert_eq!(events(&folder.path().join("audit.jsonl")), expected);
}

#[test]
fn what_needs_a_restart_is_named_in_the_log() {
    let proxy = Proxy::start("http://127.0.0.1:1", "");
    let settings = fs::read_to_string(proxy.path("settings.toml")).unwrap();
    let changed = settings.replace("workers = 2", "workers = 3") + "[log]\nformat = \"json\"\n";
    fs::write(proxy.path("settings.toml"), changed).unwrap();
    proxy.signal(Signal::HUP);
    let line = proxy.wait_for("at the next start only");
    assert!(line.ends_with(": log.format, server.workers"), "{line}");
    assert!(proxy.stop().0.success());
}

#[test]
fn the_audit_log_goes_on_in_a_new_file_after_a_rotation() {
    let proxy = Proxy::start("http://127.0.0.1:1", "[reload]\ninterval = 0");
    let (old, new) = (proxy.path("audit.jsonl.1"), proxy.path("audit.jsonl"));
    fs::rename(&new, &old).unwrap();
    proxy.signal(Signal::HUP);
    proxy.wait_for("the audit log goes on in a new file");
    proxy.signal(Signal::HUP);
    proxy.wait_for("read again, for the 2. time");
    let (status, _folder) = proxy.stop();
    assert!(status.success(), "{status}");
    assert_eq!(events(&new).last().unwrap(), "stopped");
    let (code, told) = verify(&[&old, &new]);
    assert_eq!(code, 0, "{told}");
    // A line is changed.
    let text = fs::read_to_string(&new).unwrap();
    fs::write(&new, text.replacen("\"generation\":2", "\"generation\":7", 1)).unwrap();
    let (code, told) = verify(&[&old, &new]);
    assert_eq!(code, 65, "{told}");
    assert!(told.starts_with(&format!("{}: line ", new.display())), "{told}");
    assert!(told.contains(": does not follow from the line before"), "{told}");
    // A part is missing, and a file.
    assert_eq!(verify(&[&new]).0, 65);
    assert_eq!(verify(&[Path::new("/nonexistent/audit.jsonl")]).0, 70);
    assert_eq!(verify(&[]).0, 64);
}

#[test]
fn an_audit_log_that_cannot_be_written_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let start = |audit_file: &Path| {
        let settings =
            format!("[server]\nlisten = \"127.0.0.1:0\"\n[passthrough]\naudit_file = {audit_file:?}\n");
        fs::write(&path, settings).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_provider-proxy"))
            .env_clear()
            .arg("--config")
            .arg(&path)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = start(&folder.path().join("absent/audit.jsonl"));
    assert!(code == 73 && told.starts_with("passthrough.audit_file: "), "{code} {told}");
    let (code, told) = start(&path);
    assert!(code == 65 && told.contains("is no audit log"), "{code} {told}");
    let proxy = Proxy::start("http://127.0.0.1:1", "");
    let (code, told) = start(&proxy.path("audit.jsonl"));
    assert!(code == 69 && told.contains("another process writes it"), "{code} {told}");
    assert!(proxy.stop().0.success());
}
