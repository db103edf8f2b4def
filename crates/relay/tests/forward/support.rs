//! A proxy that is nothing but the relay, upstreams that say exactly what they are told, and callers that do.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::{Payload, ServerHandle},
    error::PayloadError,
    rt,
    web::{self, Data},
};
use bytes::Bytes;
use chassis::base_url::BaseUrl;
use futures_util::Stream;
use http::{HeaderMap, Method};
use relay::{Outgoing, OutgoingBody, Upgrade, Upstream, UpstreamSettings};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// How large a request may be.
pub(crate) const LIMIT: u64 = 1 << 40;

/// Settings for an upstream on this machine.
pub(crate) fn settings(address: SocketAddr) -> UpstreamSettings {
    UpstreamSettings::new(BaseUrl::parse(&format!("http://{address}")).unwrap())
}

/// A request without headers and body.
pub(crate) fn get(path: &str) -> Outgoing {
    Outgoing {
        method: Method::GET,
        path_and_query: path.to_owned(),
        headers: HeaderMap::new(),
        body: OutgoingBody::Empty,
    }
}

/// A stream as the body of a caller's request.
pub(crate) fn boxed(stream: impl Stream<Item = Result<Bytes, PayloadError>> + 'static) -> Payload {
    Payload::Stream { payload: Box::pin(stream) as Pin<Box<dyn Stream<Item = _>>> }
}

/// A proxy in front of an upstream; stopped when dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

pub(crate) fn proxy(upstream: SocketAddr) -> Proxy {
    proxy_with(upstream, |_| {})
}

pub(crate) fn proxy_with(
    upstream: SocketAddr,
    change: impl Fn(&mut UpstreamSettings) + Clone + Send + 'static,
) -> Proxy {
    start(upstream, change, None)
}

/// A proxy that speaks TLS, and with it HTTP/2.
pub(crate) fn proxy_with_tls(upstream: SocketAddr, tls: ServerConfig) -> Proxy {
    start(upstream, |_| {}, Some(tls))
}

fn start(
    upstream: SocketAddr,
    change: impl Fn(&mut UpstreamSettings) + Clone + Send + 'static,
    tls: Option<ServerConfig>,
) -> Proxy {
    let server = HttpServer::new(move || {
        let mut settings = settings(upstream);
        change(&mut settings);
        App::new()
            .app_data(Data::new(Upstream::new(settings)))
            .route("/websocket", web::to(tunnel))
            .default_service(web::to(forward))
    })
    .workers(1)
    .disable_signals()
    .tcp_nodelay(true);
    let here = "127.0.0.1:0";
    let server = match tls {
        None => server.bind(here),
        Some(tls) => server.bind_rustls_0_23(here, tls),
    };
    let server = server.unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);
    Proxy { address, handle }
}

async fn forward(request: HttpRequest, payload: web::Payload, upstream: Data<Upstream>) -> HttpResponse {
    let path = request.uri().path_and_query().unwrap().as_str().to_owned();
    let outgoing = Outgoing::from_caller(&request, payload.into_inner(), path, LIMIT);
    match upstream.send(outgoing).await {
        Ok(answer) => relay::respond(&request, answer.status, answer.headers, answer.length, answer.body),
        Err(error) => HttpResponse::BadGateway().body(format!("{error:?}")),
    }
}

async fn tunnel(request: HttpRequest, payload: web::Payload, upstream: Data<Upstream>) -> HttpResponse {
    let outgoing = Outgoing { headers: relay::from_caller(request.headers()), ..get("/websocket") };
    match upstream.upgrade(outgoing).await {
        Ok(Upgrade::Switched(switched)) => switched.respond(payload.into_inner(), |_| {}),
        Ok(Upgrade::Declined(answer)) => {
            relay::respond(&request, answer.status, answer.headers, answer.length, answer.body)
        }
        Err(error) => HttpResponse::BadGateway().body(format!("{error:?}")),
    }
}

/// An upstream of a test: what it does with each connection is up to the test.
pub(crate) struct RawUpstream {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl RawUpstream {
    /// How many connections have come in.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Does the same with each connection.
pub(crate) async fn raw_upstream<F, D>(behaviour: F) -> RawUpstream
where
    F: Fn(TcpStream) -> D + 'static,
    D: Future<Output = ()> + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    rt::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            rt::spawn(behaviour(stream));
        }
    });
    RawUpstream { address, connections }
}

/// Answers every request of every connection with the same bytes.
pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> RawUpstream {
    let answer = Arc::new(answer.into());
    raw_upstream(move |mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            while read_message(&mut stream).await.is_some() {
                stream.write_all(&answer).await.unwrap();
            }
        }
    })
    .await
}

/// Answers each request with the request itself: its head in the form in which it came, and its body, still coded.
pub(crate) async fn echoing() -> RawUpstream {
    raw_upstream(|mut stream| async move {
        while let Some(request) = read_message(&mut stream).await {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", request.len());
            stream.write_all(&[head.as_bytes(), &request].concat()).await.unwrap();
        }
    })
    .await
}

/// One whole message, head and body as they came; none at the end of the connection.
pub(crate) async fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let head = loop {
        if let Some(at) = find(&message, b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut message).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&message[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let chunked = text.contains("transfer-encoding: chunked");
    let complete = |message: &[u8]| match length {
        Some(length) => message.len() >= head + usize::min(length, usize::MAX / 2),
        None => !chunked || is_end_of_chunks(&message[head..]),
    };
    while !complete(&message) {
        if stream.read_buf(&mut message).await.ok()? == 0 {
            return None;
        }
    }
    Some(message)
}

fn is_end_of_chunks(body: &[u8]) -> bool {
    let last = body.starts_with(b"0\r\n").then_some(0).or_else(|| find(body, b"\r\n0\r\n").map(|at| at + 2));
    last.is_some_and(|at| find(&body[at..], b"\r\n\r\n").is_some())
}

pub(crate) fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// What a caller gets that says this and then reads until the connection is closed.
pub(crate) async fn say(address: SocketAddr, request: impl AsRef<[u8]>) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    // A reset is an end, too.
    drop(stream.read_to_end(&mut answer).await);
    answer
}

/// The same as text.
pub(crate) async fn say_text(address: SocketAddr, request: impl AsRef<[u8]>) -> String {
    String::from_utf8(say(address, request).await).unwrap()
}
