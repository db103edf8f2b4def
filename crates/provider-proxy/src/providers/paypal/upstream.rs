//! A stand-in for PayPal on a real socket: gives access tokens, records what arrives, and answers as a test says.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
};

use chassis::{base_url::BaseUrl, client::ClientSettings};

use super::{Paypal, PaypalSettings};
pub(super) use crate::providers::arrived::Arrived;
use crate::providers::{arrived::read, posted::WallClock};

pub(super) const CLIENT_ID: &str = "dummy-client-id-0123456789";
pub(super) const CLIENT_SECRET: &str = "dummy-client-secret/&=";
pub(super) const WEBHOOK_ID: &str = "WH-DUMMY";

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
