//! A gibibyte up and a gibibyte down, in memory that does not grow with them. A binary of its own: it measures its process.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{fs, net::SocketAddr};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, rt,
    web::{self, Data},
};
use chassis::base_url::BaseUrl;
use relay::{Outgoing, Upstream, UpstreamSettings};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const GIBIBYTE: usize = 1 << 30;
const PIECE: usize = 1 << 16;

/// The largest that the process has been in memory, in bytes.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

async fn forward(request: HttpRequest, payload: web::Payload, upstream: Data<Upstream>) -> HttpResponse {
    let outgoing = Outgoing::from_caller(&request, payload.into_inner(), "/".into(), u64::MAX);
    let answer = upstream.send(outgoing).await.unwrap();
    relay::respond(&request, answer.status, answer.headers, answer.length, answer.body)
}

fn proxy(upstream: SocketAddr) -> SocketAddr {
    let server = HttpServer::new(move || {
        let url = BaseUrl::parse(&format!("http://{upstream}")).unwrap();
        App::new()
            .app_data(Data::new(Upstream::new(UpstreamSettings::new(url))))
            .default_service(web::to(forward))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let address = server.addrs()[0];
    rt::spawn(server.run());
    address
}

async fn read_head(stream: &mut TcpStream) {
    let mut end = [0; 4];
    while &end != b"\r\n\r\n" {
        end.rotate_left(1);
        end[3] = stream.read_u8().await.unwrap();
    }
}

async fn send(stream: &mut TcpStream, length: usize) {
    let piece = vec![b'x'; PIECE];
    for _ in 0..length / PIECE {
        stream.write_all(&piece).await.unwrap();
    }
}

async fn receive(stream: &mut TcpStream, length: usize) {
    let expected = vec![b'x'; PIECE];
    let mut piece = vec![0; PIECE];
    let mut left = length;
    while left > 0 {
        let read = stream.read(&mut piece[..PIECE.min(left)]).await.unwrap();
        assert!(read > 0, "{left} bytes are missing");
        assert!(piece[..read] == expected[..read], "the bytes differ");
        left -= read;
    }
}

/// Takes a body of `length`, then gives one.
async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    rt::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for length in [PIECE, GIBIBYTE] {
            read_head(&mut stream).await;
            receive(&mut stream, length).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            send(&mut stream, length).await;
        }
    });
    address
}

#[actix_web::test]
async fn a_gibibyte_goes_up_and_another_comes_down_in_less_than_16_mb() {
    let mut caller = TcpStream::connect(proxy(upstream().await)).await.unwrap();
    let mut before = 0;
    // The first round makes the connections and fills the buffers of either side.
    for length in [PIECE, GIBIBYTE] {
        before = peak();
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        caller.write_all(head.as_bytes()).await.unwrap();
        send(&mut caller, length).await;
        read_head(&mut caller).await;
        receive(&mut caller, length).await;
    }
    let grown = peak() - before;
    assert!(grown < 16_000_000, "{grown} bytes");
}
