//! A target that gives back what it gets, and what it knows, in every way that it can think of.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use data_encoding::{BASE64, HEXLOWER};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub(crate) struct Echo {
    url: String,
    got: Arc<Mutex<String>>,
}

/// What is the same for all connections.
struct Knowledge {
    secrets: Vec<String>,
    access_token: String,
    got: Arc<Mutex<String>>,
}

impl Echo {
    /// One that is a token endpoint, too.
    pub(crate) fn start(secrets: &[String], access_token: &str) -> Self {
        Self::listen("http", secrets, access_token, serve)
    }

    /// One that speaks TLS.
    pub(crate) fn start_with_tls(secrets: &[String], config: Arc<ServerConfig>) -> Self {
        Self::listen("https", secrets, "", move |stream, knowledge| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            serve(StreamOwned::new(connection, stream), knowledge);
        })
    }

    fn listen(
        scheme: &str,
        secrets: &[String],
        access_token: &str,
        serve: impl Fn(TcpStream, &Knowledge) + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let got = Arc::<Mutex<String>>::default();
        let (secrets, access_token) = (secrets.to_vec(), access_token.to_owned());
        let knowledge = Arc::new(Knowledge { secrets, access_token, got: Arc::clone(&got) });
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (serve, knowledge) = (serve.clone(), Arc::clone(&knowledge));
                thread::spawn(move || serve(stream.unwrap(), &knowledge));
            }
        });
        Self { url, got }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Whether a request held this text.
    pub(crate) fn got(&self, text: &str) -> bool {
        self.got.lock().unwrap().contains(text)
    }

    /// The signatures of the JWTs that came, each once.
    pub(crate) fn signatures(&self) -> BTreeSet<String> {
        let got = self.got.lock().unwrap();
        let tokens = got.lines().filter_map(|line| line.split("Bearer eyJ").nth(1));
        tokens.filter_map(|token| token.trim().split('.').nth(2)).map(String::from).collect()
    }
}

fn serve(stream: impl Read + Write, knowledge: &Knowledge) {
    let mut reader = BufReader::new(stream);
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
    knowledge.got.lock().unwrap().push_str(&format!("{request}\n"));
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let path = path.split('?').next().unwrap_or_default();
    let answer = match path {
        "/token" => token(&knowledge.access_token),
        _ => given_away(path, &knowledge.secrets).unwrap_or_else(|| answer(path, &request)),
    };
    let out = reader.get_mut();
    for piece in answer.as_bytes().chunks(if path == "/chunks" { 7 } else { 65_536 }) {
        let _ = out.write_all(piece);
    }
    if path == "/hang" || path == "/late" {
        // Until the proxy gives up.
        let _ = out.read(&mut [0; 1]);
    }
}

/// What a token endpoint says (RFC 6749, 5.1).
fn token(access_token: &str) -> String {
    let body = serde_json::json!({ "access_token": access_token, "token_type": "bearer" }).to_string();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// One secret in one form.
fn given_away(path: &str, secrets: &[String]) -> Option<String> {
    let (form, number) = path.strip_prefix('/')?.split_once('/')?;
    let secret = secrets.get(number.parse::<usize>().ok()?)?;
    Some(text(&match form {
        "raw" => secret.clone(),
        "base64" => BASE64.encode(secret.as_bytes()),
        "hex" => HEXLOWER.encode(secret.as_bytes()),
        "percent" => utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        _ => return None,
    }))
}

fn text(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn answer(path: &str, request: &str) -> String {
    let flat = request.replace(['\r', '\n'], " ");
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
        _ => {
            let status = path.strip_prefix("/status/").unwrap_or("200");
            format!(
                "HTTP/1.1 {status} Echo\r\nX-Echo: {flat}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
    }
}
