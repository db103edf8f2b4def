//! Webhooks out, over real sockets: what an endpoint gets, and what comes of what it says.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    sync::mpsc::{Receiver, channel},
    thread,
};

use wire::delivery::{DELIVER_PATH, Delivered};

use super::*;
use crate::reload::Reloader;

/// The published vector of the reference libraries: <https://www.standardwebhooks.com>.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PREVIOUS: &str = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

/// The endpoint: answers each request with the next of these, on a connection of its own, and tells what it got: the head's
/// lines and the body. What is not the last answer says that it closes its connection, or the next request might be sent on it.
fn endpoint(answers: Vec<&'static str>) -> (String, Receiver<(Vec<String>, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, got) = channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim_end().is_empty() {
                    break;
                }
                head.push(line.trim_end().to_owned());
            }
            let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let mut body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            sender.send((head, String::from_utf8(body).unwrap())).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, got)
}

fn settings(url: &str, more: &str) -> String {
    format!(
        "{UNCONFIGURED}\n[webhooks.shop]\nurl = \"{url}\"\nprivate = true\ntimeout = \"2s\"\n\
         secret = {{ current = \"{SECRET}\", previous = \"{PREVIOUS}\" }}\n{more}"
    )
}

fn message() -> Value {
    json!({
        "endpoint": "shop", "id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "timestamp": 1_614_265_330,
        "body": "{\"test\": 2432232314}",
    })
}

async fn delivered(proxy: &Running) -> Delivered {
    let (status, answer) = proxy.post(DELIVER_PATH, &message()).await;
    assert_eq!(status, 200, "{answer}");
    match serde_json::from_value(answer).unwrap() {
        Reply::Result(delivered) => delivered,
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn an_endpoint_gets_the_message_with_a_signature_of_each_secret() {
    let (url, got) = endpoint(vec!["HTTP/1.1 204 No Content\r\n\r\n"]);
    let proxy = Running::start(&settings(&url, ""));
    assert_eq!(delivered(&proxy).await, Delivered { status: 204 });
    let (head, body) = got.recv().unwrap();
    assert_eq!((head[0].as_str(), body.as_str()), ("POST /hook HTTP/1.1", "{\"test\": 2432232314}"));
    let value = |name: &str| head.iter().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap();
    assert_eq!(value("webhook-timestamp"), "1614265330");
    assert_eq!(value("webhook-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
    assert_eq!(value("content-type"), "application/json");
    let signatures: Vec<_> = value("webhook-signature").split(' ').collect();
    assert_eq!(signatures[0], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_eq!(signatures.len(), 2);
    proxy.stop().await;
}

#[actix_web::test]
async fn a_new_secret_signs_after_a_reload_and_the_old_one_is_withheld_still() {
    let folder = tempfile::tempdir().unwrap();
    let (file, secret) = (folder.path().join("settings.toml"), folder.path().join("secret"));
    let taken = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, got) = endpoint(vec![taken, taken]);
    let text = format!(
        "{UNCONFIGURED}\n[webhooks.shop]\nurl = \"{url}\"\nprivate = true\nsecret = {{ file = {secret:?} }}\n"
    );
    std::fs::write(&file, text).unwrap();
    std::fs::write(&secret, SECRET).unwrap();
    let settings = Settings::load(Some(&file), Environment::default()).unwrap();
    let proxy = Running::run(Application::build(settings).unwrap());
    delivered(&proxy).await;
    std::fs::write(&secret, PREVIOUS).unwrap();
    assert_eq!(Reloader::new(proxy.services.clone()).reload().unwrap(), 1);
    delivered(&proxy).await;
    let signatures: Vec<_> = got
        .iter()
        .take(2)
        .filter_map(|(head, _)| {
            head.iter().find_map(|line| line.strip_prefix("webhook-signature: v1,")).map(str::to_owned)
        })
        .collect();
    assert_eq!(signatures[0], "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert!(signatures[1] != signatures[0] && !signatures[1].contains(' '));
    let scanner = &proxy.services.current.load().scanner;
    for secret in [SECRET, PREVIOUS] {
        let value = http::HeaderValue::from_static(secret);
        let headers = http::HeaderMap::from_iter([(http::header::SERVER, value)]);
        assert!(scanner.header_leaks(&headers), "a target that knows it cannot tell it");
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn what_an_endpoint_says_is_told_as_a_status_and_a_redirect_is_not_followed() {
    let (elsewhere, followed) = endpoint(vec!["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]);
    let redirect = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let (url, _got) = endpoint(vec![
        redirect.leak(),
        "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        // The body is longer than anybody would read, and never comes.
        "HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n",
    ]);
    let proxy = Running::start(&settings(&url, ""));
    for status in [307, 410, 200] {
        assert_eq!(delivered(&proxy).await, Delivered { status });
    }
    assert!(followed.try_recv().is_err());
    proxy.stop().await;
}

#[actix_web::test]
async fn what_is_not_delivered_is_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let held = format!("http://{}/", silent.local_addr().unwrap());
    let (broken, _got) = endpoint(vec!["nonsense\r\n\r\n"]);
    for (url, kind) in
        [(refused, ErrorKind::Connect), (held, ErrorKind::Timeout), (broken, ErrorKind::Protocol)]
    {
        let proxy = Running::start(&settings(&url, "").replace("\"2s\"", "\"300ms\""));
        let (status, failure) = proxy.failure(DELIVER_PATH, &message()).await;
        assert_eq!((status, failure.kind, failure.target.as_str()), (500, kind, "webhooks"));
        assert!(!failure.message.contains("127.0.0.1"), "{}", failure.message);
        proxy.stop().await;
    }
}

#[actix_web::test]
async fn only_a_message_to_an_endpoint_of_the_settings_is_taken() {
    let proxy = Running::start(&settings("http://127.0.0.1:1/", ""));
    for (field, value, status, kind) in [
        ("endpoint", json!("elsewhere"), 501, ErrorKind::NotConfigured),
        ("endpoint", json!("http://127.0.0.1:1/"), 501, ErrorKind::NotConfigured),
        ("id", json!("a.b"), 422, ErrorKind::InvalidRequest),
        ("id", json!(""), 422, ErrorKind::InvalidRequest),
        ("id", json!("a\r\nb"), 422, ErrorKind::InvalidRequest),
        ("url", json!("http://127.0.0.1:1/"), 422, ErrorKind::InvalidRequest),
        ("timestamp", json!("now"), 422, ErrorKind::InvalidRequest),
    ] {
        let mut asked = message();
        asked[field] = value;
        let (got, failure) = proxy.failure(DELIVER_PATH, &asked).await;
        assert_eq!((got, failure.kind), (status, kind), "{asked}");
    }
    proxy.stop().await;
}

#[actix_web::test]
async fn a_delivery_is_written_down_and_counted_and_one_that_is_not_allowed_too() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first.log"), folder.path().join("second.log"));
    let more = |audit| format!("[passthrough]\naudit_file = {audit:?}\n");
    let (url, _got) = endpoint(vec!["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]);
    let proxy = Running::start(&settings(&url, &more(&first)));
    delivered(&proxy).await;
    proxy.audit.flush().unwrap();
    let metrics = proxy.metrics();
    assert!(metrics.contains("target=\"webhooks.shop\""), "{metrics}");
    proxy.stop().await;
    let forbidden =
        format!("{}[policy]\noperations = [\"reference/*\", \"webhooks/reference\"]\n", more(&second));
    let proxy = Running::start(&settings(&url, &forbidden));
    let (status, failure) = proxy.failure(DELIVER_PATH, &message()).await;
    assert_eq!((status, failure.kind), (403, ErrorKind::Policy));
    proxy.audit.flush().unwrap();
    proxy.stop().await;
    let text = [first, second].map(|audit| std::fs::read_to_string(audit).unwrap()).concat();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = lines.iter().find(|line| line["target"] == "webhooks.shop").unwrap();
    assert_eq!((&line["status"], &line["credential"]), (&json!(200), &json!("standard_webhooks")), "{line}");
    assert!(line["path"].as_str().unwrap().contains("msg_p5jXN8AQM9LWM0D4loKWxJek"), "{line}");
    let refused = lines.iter().find(|line| line["event"] == "policy_refused").unwrap();
    assert_eq!(refused["operation"], "webhooks/deliver");
    assert!(!text.contains("MfKQ9r8G") && !text.contains("g0hM9SsE"), "{text}");
}
