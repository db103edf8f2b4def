//! The program: its address file, signals, exit codes, and what it does not say.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use provider_sandbox::{Sandbox, StartError};
use rustix::process::{Pid, Signal, kill_process};

use crate::callback;
use crate::consumer::{Consumer, KEY, REALM, SECRET, settings};

const NOTICE_KEY: &str = "0:dummy-notice-sentinel";
const SECRETS: [&str; 3] = [KEY, SECRET, "sentinel"];

fn command(listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provider-sandbox"));
    command
        .args(["--listen", listen, "--reference-key", KEY, "--reference-realm", REALM])
        .args(["--reference-secret", SECRET])
        .args(["--stripe-secret-key", "sk_test_sentinel", "--stripe-webhook-secret", "whsec_sentinel"])
        .args(["--paypal-client-id", "dummy-client", "--paypal-client-secret", "dummy-paypal-sentinel"])
        .args(["--paypal-webhook-id", "dummy-webhook", "--braintree-merchant-id", "dummy-merchant"])
        .args(["--braintree-public-key", "dummy-public", "--braintree-private-key", "dummy-bt-sentinel"])
        .env("RUST_LOG", "trace")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Reads the log until the program listens; gives what it has said and the rest of its log.
fn until_listening(child: &mut Child) -> (String, impl Read + use<>) {
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("listening on http://") {
        assert_ne!(log.read_line(&mut said).unwrap(), 0, "it ended: {said}");
    }
    (said, log)
}

#[test]
fn it_writes_its_address_and_stops_on_either_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("address");
        let mut command = command("127.0.0.1:0");
        command.args(["--notice-key", NOTICE_KEY]).arg("--address-file").arg(&file);
        let mut child = command.spawn().unwrap();
        let (mut said, mut rest) = until_listening(&mut child);
        let address = std::fs::read_to_string(&file).unwrap();
        assert!(said.contains(&format!("listening on http://{}", address.trim_end())), "{said}");
        let status = ask_status(address.trim_end());
        assert!(status.starts_with("HTTP/1.1 200 "), "{status}");
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), 1, "nothing is left beside the address");
        kill_process(Pid::from_child(&child), signal).unwrap();
        rest.read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
        assert!(SECRETS.iter().all(|secret| !said.contains(secret)), "{said}");
    }
}

fn ask_status(address: &str) -> String {
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    let request = format!("GET /_sandbox/status/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    std::io::Write::write_all(&mut socket, request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[actix_web::test]
async fn its_log_names_each_request_and_holds_no_secret_token_or_signature() {
    let mut child = command("127.0.0.1:0").args(["--notice-key", NOTICE_KEY]).spawn().unwrap();
    let (mut said, mut rest) = until_listening(&mut child);
    let address = said.lines().last().unwrap().rsplit("http://").next().unwrap().parse().unwrap();
    let consumer = Consumer::of(address);
    consumer.stock().await;
    let started = consumer.start_purchase(&callback::start(200).0).await;
    let token = started["token"].as_str().unwrap();
    let path = format!("/reference/transactions/{token}/pay");
    let (_, paid) = consumer.control("POST", &path, Some(serde_json::json!({"outcome": "success"}))).await;
    let signature = paid["notice"]["signed_notice"].as_str().unwrap().rsplit(':').next().unwrap();
    assert_eq!(consumer.send("GET", "/sellers", None, None).await.0, 401);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    rest.read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    assert!(said.contains("POST /transactions -> 201") && said.contains("GET /sellers -> 401"), "{said}");
    let mut hidden = SECRETS.to_vec();
    hidden.extend([token, signature, "oauth_"]);
    assert!(hidden.iter().all(|secret| !said.contains(secret)), "{said}");
}

#[test]
fn bad_arguments_end_it_with_64_and_show_no_secret() {
    for keys in [
        vec![],
        vec!["--notice-key", "dummy-notice-sentinel"],
        vec!["--notice-key", "x:dummy-notice-sentinel"],
        vec!["--notice-key", "0: "],
        vec!["--notice-key", "0:dummy-notice-sentinel", "--notice-key", "0:dummy-notice-sentinel"],
        vec!["--notice-key", "0:dummy-notice-sentinel", "--listen", "nowhere"],
    ] {
        let output = command("127.0.0.1:0").args(&keys).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{keys:?}: {said}");
        assert!(!said.is_empty());
        assert!(SECRETS.iter().all(|secret| !said.contains(secret)), "{said}");
    }
}

#[test]
fn an_address_in_use_ends_it_with_69() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command(&address).args(["--notice-key", NOTICE_KEY]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains(&address), "{said}");
}

#[actix_web::test]
async fn a_blank_secret_starts_nothing() {
    let good = settings();
    let mut cases = vec![good; 13];
    cases[0].reference.consumer_key = String::new();
    cases[1].reference.consumer_secret = " ".into();
    cases[2].reference.realm = String::new();
    cases[3].notice_keys.clear();
    cases[4].notice_keys.insert(7, "".into());
    cases[5].stripe.secret_key = "".into();
    cases[6].stripe.webhook_secret = " ".into();
    cases[7].paypal.client_id = String::new();
    cases[8].paypal.client_secret = "".into();
    cases[9].paypal.webhook_id = " ".into();
    cases[10].braintree.merchant_id = String::new();
    cases[11].braintree.public_key = String::new();
    cases[12].braintree.private_key = "".into();
    for settings in cases {
        assert!(matches!(Sandbox::start(settings), Err(StartError::Blank(_))));
    }
}

#[actix_web::test]
async fn a_stopped_sandbox_has_ended_its_run_and_freed_its_port() {
    let sandbox = Sandbox::start(settings()).unwrap();
    let (address, handle) = (sandbox.address(), sandbox.handle());
    let ((), ended) = tokio::join!(handle.stop(true), sandbox.run());
    ended.unwrap();
    Sandbox::start(provider_sandbox::SandboxSettings { listen: address, ..settings() }).unwrap().stop().await;
    std::net::TcpListener::bind(address).unwrap();
}
