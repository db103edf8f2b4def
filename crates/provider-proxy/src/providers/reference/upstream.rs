//! A stand-in for the provider on a real socket: records what arrives and answers as a test says.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use chassis::{base_url::BaseUrl, client::ClientSettings};

use super::{Reference, ReferenceSettings};
pub(in crate::providers) use crate::providers::arrived::Arrived;
use crate::{
    credentials::{NoticeKeys, OAuthConsumer},
    providers::arrived::read,
};

pub(in crate::providers) const KEY: &str = "dummy-consumer-key-0123456789";
pub(in crate::providers) const SECRET: &str = "dummy-consumer-secret/&=";
pub(in crate::providers) const NOTICE_KEY: &str = "dummy-notice-0";

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
