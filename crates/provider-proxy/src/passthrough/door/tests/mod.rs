//! The door, over real sockets, between a caller that writes raw bytes and a target that keeps them.

mod audit;
mod credentials;
mod errors;
mod faithful;
mod pinned;
mod refusals;
mod requests;
mod tokens;
mod upstream;

use std::{net::SocketAddr, rc::Rc};

use actix_web::{dev::ServerHandle, rt, web::Data};
use chassis::{
    environment::Environment,
    server::{Bound, bind},
};
use relay::{Resolve, SystemResolver};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use self::upstream::{Upstream, find, values};
use super::*;
use crate::Settings;

/// A proxy with this door alone.
struct Proxy {
    address: SocketAddr,
    handle: ServerHandle,
    services: Services,
}

impl Proxy {
    fn start(settings: &str) -> Self {
        Self::start_with(settings, || Rc::new(SystemResolver))
    }

    fn start_with(settings: &str, resolver: impl Fn() -> Rc<dyn Resolve> + Clone + Send + 'static) -> Self {
        let settings = format!("{settings}\n[server]\nlisten = '127.0.0.1:0'\nworkers = 1\n");
        let settings = Settings::read(settings.parse().unwrap(), Environment::default());
        let settings = settings.unwrap_or_else(|error| panic!("{error}"));
        let server = settings.server.clone();
        let services = Services::start(settings).unwrap();
        let shared = services.clone();
        let bound: Bound = bind(&server, move |config| {
            config.app_data(Data::new(Door::with_resolver(shared.clone(), resolver())));
            routes(config);
        })
        .unwrap();
        let (address, handle) = (bound.address(), bound.handle());
        rt::spawn(bound.run());
        Self { address, handle, services }
    }

    /// A proxy with one target, `shop`, that allows everything, with further keys.
    fn shop(upstream: &Upstream, keys: &str) -> Self {
        Self::start(&shop(&upstream.url(), keys))
    }

    /// Sends these bytes, and reads until the proxy has nothing more to say.
    async fn send(&self, bytes: impl AsRef<[u8]>) -> Answered {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        // An answer that is broken off may end in a reset.
        while stream.read_buf(&mut answer).await.unwrap_or(0) > 0 {}
        Answered::parse(answer)
    }

    /// Sends a request without a body.
    async fn ask(&self, method: &str, target: &str, headers: &[&str]) -> Answered {
        self.send(head(method, target, headers)).await
    }

    async fn get(&self, target: &str) -> Answered {
        self.ask("GET", target, &[]).await
    }

    async fn stop(self) {
        self.handle.stop(false).await;
    }
}

fn shop(url: &str, keys: &str) -> String {
    format!(
        "passthrough.enabled = true\n[targets.shop]\nurl = '{url}'\nprivate = true\nallow = ['* /**']\n{keys}\n"
    )
}

fn head(method: &str, target: &str, headers: &[&str]) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n{headers}\r\n")
}

/// What a caller gets.
#[derive(Debug)]
struct Answered {
    status: u16,
    head: String,
    /// As it came over the wire.
    raw_body: Vec<u8>,
}

impl Answered {
    fn parse(bytes: Vec<u8>) -> Self {
        let end = find(&bytes, b"\r\n\r\n").unwrap_or_else(|| panic!("no answer: {}", bytes.escape_ascii()));
        let head = String::from_utf8_lossy(&bytes[..end + 2]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        Self { status, head, raw_body: bytes[end + 4..].to_vec() }
    }

    fn header(&self, name: &str) -> Vec<&str> {
        values(&self.head, name)
    }

    /// Without the chunks that it came in, if it came in chunks.
    fn body(&self) -> Vec<u8> {
        if self.header("transfer-encoding").is_empty() {
            return self.raw_body.clone();
        }
        let (mut body, mut rest) = (Vec::new(), &self.raw_body[..]);
        while let Some(end) = find(rest, b"\r\n") {
            let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            body.extend_from_slice(&rest[end + 2..][..length]);
            rest = &rest[(end + 2 + length + 2).min(rest.len())..];
        }
        body
    }

    /// The kind of the proxy's own answer, which its header and its body agree on.
    fn own(&self) -> (u16, String) {
        let kind = self.header("x-proxy-error");
        assert_eq!(kind.len(), 1, "not the proxy's own answer: {self:?}");
        let body: Value = serde_json::from_slice(&self.body()).unwrap();
        assert_eq!(body["error"]["kind"], kind[0], "{body}");
        assert!(body["error"]["target"].is_string() && body["error"]["message"].is_string(), "{body}");
        (self.status, kind[0].to_owned())
    }

    fn is_from_target(&self) -> bool {
        self.header("x-proxy-error").is_empty()
    }
}

/// An answer with a declared length.
fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
