//! A stand-in for PayPal on a real socket: gives access tokens, records what arrives, and answers as a test says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use chassis::{base_url::BaseUrl, client::ClientSettings};

use super::{Paypal, PaypalSettings};
use crate::providers::posted::WallClock;

pub(super) const CLIENT_ID: &str = "dummy-client-id-0123456789";
pub(super) const CLIENT_SECRET: &str = "dummy-client-secret/&=";
pub(super) const WEBHOOK_ID: &str = "WH-DUMMY";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Arrived {
    /// The only header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is sent twice");
        value
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The method and the path.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Upstream {
    /// Writes what `answer` gives, byte for byte, and closes; with `None` it says nothing and waits.
    pub(super) fn start(answer: impl Fn(&Arrived) -> Option<Vec<u8>> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let arrived = Arc::<Mutex<Vec<Arrived>>>::default();
        let record = Arc::clone(&arrived);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&stream);
                record.lock().unwrap().push(request.clone());
                match answer(&request) {
                    Some(bytes) => drop(stream.write_all(&bytes)),
                    None => drop(stream.read_to_end(&mut Vec::new())),
                }
            }
        });
        Self { address, arrived }
    }

    /// Gives tokens, and answers everything else in this way.
    pub(super) fn of(answer: impl Fn(&Arrived) -> Option<Vec<u8>> + Send + 'static) -> Self {
        Self::start(
            move |arrived| {
                if is_token(arrived) { Some(token("dummy-token-0", 32_400)) } else { answer(arrived) }
            },
        )
    }

    /// Gives tokens, and answers everything else with one status and body.
    pub(super) fn answering(status: u16, body: &str) -> Self {
        let bytes = response(status, "application/json", body);
        Self::of(move |_| Some(bytes.clone()))
    }

    /// Gives tokens, and answers each further request with the next of these.
    pub(super) fn in_turn(answers: &[(u16, &str)]) -> Self {
        let answers: Vec<_> =
            answers.iter().map(|(status, body)| response(*status, "application/json", body)).collect();
        let left = Mutex::new(answers.into_iter());
        Self::of(move |_| left.lock().unwrap().next())
    }

    /// Everything that arrived besides requests for tokens.
    pub(super) fn arrived(&self) -> Vec<Arrived> {
        self.all().into_iter().filter(|arrived| !is_token(arrived)).collect()
    }

    /// How many tokens were asked for.
    pub(super) fn tokens(&self) -> usize {
        self.all().iter().filter(|arrived| is_token(arrived)).count()
    }

    fn all(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    pub(super) fn settings(&self) -> PaypalSettings {
        settings(&format!("http://{}", self.address))
    }

    pub(super) fn connector(&self) -> Paypal {
        Paypal::new(&self.settings()).unwrap()
    }

    pub(super) fn connector_at(&self, clock: WallClock) -> Paypal {
        Paypal::with_clock(&self.settings(), clock).unwrap()
    }
}

fn is_token(arrived: &Arrived) -> bool {
    arrived.target == "/v1/oauth2/token"
}

pub(super) fn token(token: &str, expires_in: u64) -> Vec<u8> {
    let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{expires_in}}}"#);
    response(200, "application/json", &body)
}

pub(super) fn response(status: u16, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

pub(super) fn settings(url: &str) -> PaypalSettings {
    let url = BaseUrl::parse(url).unwrap();
    PaypalSettings {
        client_id: CLIENT_ID.into(),
        client_secret: CLIENT_SECRET.into(),
        webhook_ids: vec!["WH-OLD".into(), WEBHOOK_ID.into()],
        certificate_host: url.authority().to_owned(),
        client: ClientSettings { max_response_body: 64 * 1024, ..ClientSettings::default() },
        shared: Arc::default(),
        url,
    }
}

fn read(stream: &TcpStream) -> Arrived {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.trim_end().split(' ').map(ToOwned::to_owned);
    let method = words.next().unwrap_or_default();
    let mut request =
        Arrived { method, target: words.next().unwrap_or_default(), headers: Vec::new(), body: Vec::new() };
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
