//! What the log says, and what it never says, at its most talkative.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStderr},
    thread,
};

use support::Started;

const SECRETS: [&str; 3] = ["dummy-consumer-key-0123", "dummy-consumer-secret", "dummy-notice-key"];

struct Proxy {
    child: Child,
    log: BufReader<ChildStderr>,
    address: String,
    _folder: tempfile::TempDir,
}

impl Proxy {
    fn start(provider: &str) -> Self {
        let [key, secret, notice_key] = SECRETS;
        let settings = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 1\n[log]\nlevel = \"trace\"\n\
             [providers.reference]\nurl = \"{provider}\"\nrealm = \"solitude\"\nconsumer_key = \"{key}\"\n\
             consumer_secret = \"{secret}\"\nnotice_keys = {{ 0 = \"{notice_key}\" }}\n"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        fs::write(&path, settings).unwrap();
        let Started { child, log, address } = support::start(&path);
        Self { child, log, address, _folder: folder }
    }

    fn post(&self, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\nContent-Length: {length}\r\n"
        );
        write!(stream, "{head}Transaction-Id: tx-7\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Everything that was logged since it listens.
    fn stop(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        rest
    }
}

/// A provider that repeats each request, credentials and all, in its refusal.
fn echoing_provider() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(&stream).lines();
            let head: Vec<_> =
                lines.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            drop(lines);
            let body = head.join("\n");
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 404 No\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    format!("http://{address}")
}

#[test]
fn a_refusal_is_logged_as_a_warning_and_no_secret_is_logged_or_answered() {
    let proxy = Proxy::start(&echoing_provider());
    let answer = proxy.post("/v1/reference/get_seller", r#"{"reference_id": "s1"}"#);
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(answer.contains("[withheld]"), "the provider did not echo: {answer}");
    let log = proxy.stop();
    let warning = log.lines().find(|line| line.contains("Warning response status: 404"));
    assert!(warning.is_some_and(|line| line.contains("WARN") && line.contains("tx-7")), "{log}");
    for secret in SECRETS {
        assert!(!log.contains(secret) && !answer.contains(secret), "{secret}\n{log}\n{answer}");
    }
    assert!(!log.contains("oauth_signature="), "{log}");
}

#[test]
fn an_unreachable_provider_is_logged_as_an_error_with_its_cause() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::start(&format!("http://{free}"));
    let answer = proxy.post("/v1/reference/get_seller", r#"{"reference_id": "s1"}"#);
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    let log = proxy.stop();
    let error = log.lines().find(|line| line.contains("ERROR")).unwrap_or_default();
    assert!(error.contains("reference: no answer") && error.contains("refused"), "{log}");
}

#[test]
fn an_invalid_notice_is_a_warning_without_its_signature() {
    let proxy = Proxy::start("http://127.0.0.1:1");
    let hex = "80e33dff11b36ef456801d1cf2544352a5acf2fb5c1f8405ae6034ca980bacf6";
    let posted = format!(r#"{{"signed_notice": "ext_transaction_id=tx-1&sig=0:{hex}"}}"#);
    let answer = proxy.post("/v1/webhooks/reference", &posted);
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let log = proxy.stop();
    let warning = log.lines().find(|line| line.contains("WARN")).unwrap_or_default();
    assert!(warning.contains("invalid signature"), "{log}");
    assert!(!log.contains(hex), "{log}");
}
