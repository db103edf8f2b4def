//! An endpoint of webhooks: takes what is posted to it, or not, as it is told, and checks who has signed.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

/// Longer than anything may take that does come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What signs at present, and what signed before: `whsec_` goes before either.
pub const SECRETS: [&str; 2] = ["AgICAgICAgICAgICAgICAgICAgICAgIC", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"];

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Message {
    /// The header `webhook-id`.
    pub id: String,
    /// The header `webhook-timestamp`.
    pub timestamp: i64,
    /// The header `webhook-signature`.
    pub signature: String,
    /// The body.
    pub body: String,
}

/// How the next message is answered.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// Not at all, while the endpoint lives.
    Silence,
}

/// An endpoint.
pub struct Endpoint {
    /// Where it is.
    pub url: String,
    messages: UnboundedReceiver<Message>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Endpoint {
    /// Listens; every message is taken unless something else is said.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, messages) = unbounded_channel();
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let told = Arc::clone(&answers);
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(message) = read(&mut stream) else { continue };
                let answer = told.lock().unwrap().pop_front().unwrap_or(Answer::Status(200));
                match answer {
                    Answer::Status(status) => {
                        let head =
                            format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                        let _ = stream.write_all(head.as_bytes());
                    }
                    Answer::Silence => held.push(stream),
                }
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self { url, messages, answers }
    }

    /// The settings of provider-proxy that name it `shop`.
    pub fn settings(&self) -> String {
        let [current, previous] = SECRETS.map(|secret| format!("whsec_{secret}"));
        format!(
            "[webhooks.shop]\nurl = {:?}\nprivate = true\n\
             secret = {{ current = {current:?}, previous = {previous:?} }}\n",
            self.url
        )
    }

    /// Answers the next messages so.
    pub fn answers(&self, answers: &[Answer]) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// The next message.
    pub async fn next(&mut self) -> Message {
        let message = timeout(PATIENCE, self.messages.recv()).await;
        message.expect("no message came").expect("the endpoint has ended")
    }

    /// The ids of the events that the next messages tell of.
    pub async fn events(&mut self, count: usize) -> Vec<i64> {
        let mut events = Vec::new();
        for _ in 0..count {
            events.push(self.next().await.event());
        }
        events
    }

    /// That nothing has come that has not been looked at.
    pub fn has_nothing_more(&mut self) -> bool {
        self.messages.try_recv().is_err()
    }
}

impl Message {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The id of the event that it tells of.
    pub fn event(&self) -> i64 {
        self.json()["id"].as_i64().unwrap()
    }

    /// Whether this secret has signed it: <https://www.standardwebhooks.com>, "Signature scheme".
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64.decode(secret.as_bytes()).unwrap()).unwrap();
        mac.update(format!("{}.{}.{}", self.id, self.timestamp, self.body).as_bytes());
        let expected = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
        self.signature.split(' ').any(|signature| signature == expected)
    }
}

fn read(stream: &mut TcpStream) -> Option<Message> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim_end().is_empty() {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let value = |name: &str| {
        let mut values = head.iter().filter_map(|line| line.split_once(": ")).filter(|(key, _)| *key == name);
        values.next().map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let mut body = vec![0; value("content-length").parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    Some(Message {
        id: value("webhook-id"),
        timestamp: value("webhook-timestamp").parse().unwrap(),
        signature: value("webhook-signature"),
        body: String::from_utf8(body).unwrap(),
    })
}
