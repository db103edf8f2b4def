//! A target that gives back what it gets, and what it knows, in every way that it can think of.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use data_encoding::{BASE64, HEXLOWER};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub(crate) struct Echo {
    address: SocketAddr,
    got: Arc<Mutex<String>>,
}

impl Echo {
    pub(crate) fn start(secrets: &[String]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::<Mutex<String>>::default();
        let (kept, secrets) = (Arc::clone(&got), secrets.join("\n"));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, secrets) = (Arc::clone(&kept), secrets.clone());
                thread::spawn(move || serve(stream.unwrap(), &kept, &secrets));
            }
        });
        Self { address, got }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether a request held this text.
    pub(crate) fn got(&self, text: &str) -> bool {
        self.got.lock().unwrap().contains(text)
    }
}

fn serve(stream: TcpStream, kept: &Mutex<String>, secrets: &str) {
    let mut reader = BufReader::new(&stream);
    let mut request = String::new();
    let mut length = 0;
    loop {
        let start = request.len();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let line = request[start..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    request.push_str(&String::from_utf8_lossy(&body));
    kept.lock().unwrap().push_str(&request);
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let path = path.split('?').next().unwrap_or_default();
    let mut out = &stream;
    let answer = answer(path, &request, secrets);
    for piece in answer.as_bytes().chunks(if path == "/chunks" { 7 } else { 65_536 }) {
        let _ = out.write_all(piece);
    }
    if path == "/hang" || path == "/late" {
        // Until the proxy gives up.
        let _ = out.read(&mut [0; 1]);
    }
}

fn answer(path: &str, request: &str, secrets: &str) -> String {
    let flat = request.replace(['\r', '\n'], " ");
    let text = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let each = |form: &dyn Fn(&str) -> String| secrets.lines().map(form).collect::<Vec<_>>().join(" ");
    match path {
        "/head" => {
            format!("HTTP/1.1 200 OK\r\nX-Echo: {flat}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        "/body" => text(request),
        "/json" => text(&serde_json::json!({ "got": request }).to_string()),
        "/chunks" => {
            let chunks: String = flat
                .chars()
                .collect::<Vec<_>>()
                .chunks(3)
                .map(|part| part.iter().collect::<String>())
                .map(|part| format!("{:x}\r\n{part}\r\n", part.len()))
                .collect();
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunks}0\r\n\r\n"
            )
        }
        "/reason" => format!("HTTP/1.1 404 {flat}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        "/trailer" => format!(
            "HTTP/1.1 200 OK\r\nTrailer: X-Echo\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
             1\r\nx\r\n0\r\nX-Echo: {flat}\r\n\r\n"
        ),
        "/redirect" => {
            format!(
                "HTTP/1.1 302 Go\r\nLocation: http://x/?{flat}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
        "/cut" => {
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 999999\r\nConnection: close\r\n\r\n{request}"
            )
        }
        "/hang" => String::new(),
        "/late" => {
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 999999\r\n\r\n{request}")
        }
        "/garbage" => format!("{flat}\r\n\r\n"),
        "/raw" => text(&each(&ToOwned::to_owned)),
        "/base64" => text(&each(&|secret| BASE64.encode(secret.as_bytes()))),
        "/hex" => text(&each(&|secret| HEXLOWER.encode(secret.as_bytes()))),
        "/percent" => text(&each(&|secret| utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string())),
        _ => {
            let status = path.strip_prefix("/status/").unwrap_or("200");
            format!(
                "HTTP/1.1 {status} Echo\r\nX-Echo: {flat}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
    }
}
