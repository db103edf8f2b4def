//! A stand-in for the provider on a real socket: records what arrives and answers as a test says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use chassis::{base_url::BaseUrl, client::ClientSettings};

use super::{Reference, ReferenceSettings};
use crate::credentials::{NoticeKeys, OAuthConsumer};

pub(in crate::providers) const KEY: &str = "dummy-consumer-key-0123456789";
pub(in crate::providers) const SECRET: &str = "dummy-consumer-secret/&=";
pub(in crate::providers) const NOTICE_KEY: &str = "dummy-notice-0";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(in crate::providers) struct Arrived {
    pub(in crate::providers) method: String,
    pub(in crate::providers) target: String,
    pub(in crate::providers) headers: Vec<(String, String)>,
    pub(in crate::providers) body: Vec<u8>,
}

impl Arrived {
    /// The only header of this name.
    pub(in crate::providers) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is sent twice");
        value
    }
}

pub(in crate::providers) struct Upstream {
    pub(in crate::providers) address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    /// Hears of each connection that the client has closed.
    closed: mpsc::Receiver<()>,
}

impl Upstream {
    /// Writes what `answer` gives, byte for byte, and closes; with `None` it waits until the client goes away.
    pub(in crate::providers) fn start(answer: impl Fn(&Arrived) -> Option<Vec<u8>> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let arrived = Arc::<Mutex<Vec<Arrived>>>::default();
        let (closing, closed) = mpsc::channel();
        let record = Arc::clone(&arrived);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // What is no HTTP, a TLS greeting for one, is answered like a request.
                let request = read(&stream);
                record.lock().unwrap().push(request.clone());
                match answer(&request) {
                    Some(bytes) => drop(stream.write_all(&bytes)),
                    None => {
                        let _ = stream.read_to_end(&mut Vec::new());
                        let _ = closing.send(());
                    }
                }
            }
        });
        Self { address, arrived, closed }
    }

    /// Answers every request with one status and body.
    pub(in crate::providers) fn answering(status: u16, body: &str) -> Self {
        let bytes = response(status, "", body);
        Self::start(move |_| Some(bytes.clone()))
    }

    pub(in crate::providers) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    pub(in crate::providers) fn wait_until_closed(&self) {
        self.closed.recv_timeout(Duration::from_secs(10)).unwrap();
    }

    pub(in crate::providers) fn connector(&self) -> Reference {
        Reference::new(&settings(&format!("http://{}", self.address))).unwrap()
    }
}

pub(in crate::providers) fn response(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Settings with limits that a test can wait for.
pub(in crate::providers) fn settings(url: &str) -> ReferenceSettings {
    let mut notice_keys = NoticeKeys::default();
    notice_keys.insert(0, NOTICE_KEY.into());
    ReferenceSettings {
        url: BaseUrl::parse(url).unwrap(),
        consumer: OAuthConsumer { realm: "solitude".into(), key: KEY.into(), secret: SECRET.into() },
        client: ClientSettings { max_response_body: 64 * 1024, ..ClientSettings::default() },
        notice_keys,
        checkout: None,
    }
}

fn read(stream: &TcpStream) -> Arrived {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).unwrap();
    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
    let mut words = text.split(' ').map(ToOwned::to_owned);
    let method = words.next().unwrap_or_default();
    let mut request =
        Arrived { method, target: words.next().unwrap_or_default(), headers: Vec::new(), body: Vec::new() };
    if !text.ends_with("HTTP/1.1") {
        return request;
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        request.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).unwrap();
    request
}
