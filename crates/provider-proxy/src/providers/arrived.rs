//! What arrives at the stand-ins for providers, for tests.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpStream,
};

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

/// Reads a request, if it is one: a TLS greeting has no more than its first line.
pub(super) fn read(stream: &TcpStream) -> Arrived {
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
