//! The provider of the measurement: answers from memory, demands the credential, and costs as little as it can.
//!
//! `/small` is 1 KiB, `/large` 100 KiB, `/hang` no answer at all; anything else takes a body and answers in two bytes.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
};

use clap::Args;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime,
    task::LocalSet,
};

/// Bytes of the two bodies that are read.
const SMALL: usize = 1024;
const LARGE: usize = 100 * 1024;

/// The upstream as a process of its own, so that it can be given a processor.
#[derive(Args, Clone, Debug)]
pub struct UpstreamOrder {
    /// Where the address is written once it listens.
    #[arg(long)]
    address_file: std::path::PathBuf,
    /// The value of the header `Authorization` without which the answer is 401.
    #[arg(long)]
    authorization: String,
}

/// Serves until it is killed.
///
/// # Errors
/// When it cannot listen.
pub fn serve(order: &UpstreamOrder) -> io::Result<()> {
    let address_file = order.address_file.clone();
    // Renamed, so that whoever waits for it never reads half of it.
    let unfinished = address_file.with_extension("unfinished");
    listen(&order.authorization, move |address| {
        std::fs::write(&unfinished, address.to_string())?;
        std::fs::rename(&unfinished, &address_file)
    })
}

fn listen(authorization: &str, bound: impl FnOnce(SocketAddr) -> io::Result<()>) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let answers = Rc::new(Answers::new(authorization));
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        bound(listener.local_addr()?)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            // A client that goes away ends its connection and nothing else.
            tokio::task::spawn_local(
                Connection { stream, read: Vec::with_capacity(64 * 1024) }.work(answers.clone()),
            );
        }
    })
}

/// All that is ever answered, head and body in one piece.
struct Answers {
    small: Vec<u8>,
    large: Vec<u8>,
    accepted: Vec<u8>,
    unauthorized: Vec<u8>,
    /// The line that a request must have, in lower case but for the value.
    credential: Vec<u8>,
}

impl Answers {
    fn new(authorization: &str) -> Self {
        let text = |length: usize| "solitude ".bytes().cycle().take(length).collect::<Vec<u8>>();
        Self {
            small: answer("200 OK", &text(SMALL)),
            large: answer("200 OK", &text(LARGE)),
            accepted: answer("200 OK", b"ok"),
            unauthorized: answer("401 Unauthorized", b"no credential"),
            credential: format!("authorization: {authorization}").into_bytes(),
        }
    }

    /// The answer to a request with this head; none to one that is to hang.
    fn to(&self, head: &[u8]) -> Option<&[u8]> {
        let path = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        if !lines.any(|line| self.is_credential(line)) {
            return Some(&self.unauthorized);
        }
        match path {
            b"/small" => Some(&self.small),
            b"/large" => Some(&self.large),
            b"/hang" => None,
            _ => Some(&self.accepted),
        }
    }

    fn is_credential(&self, line: &[u8]) -> bool {
        const NAME: usize = "authorization".len();
        line.len() == self.credential.len()
            && line[..NAME].eq_ignore_ascii_case(&self.credential[..NAME])
            && line[NAME..] == self.credential[NAME..]
    }
}

fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// One connection of a proxy, one request after the other.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    async fn work(mut self, answers: Rc<Answers>) -> io::Result<()> {
        while let Some(head) = self.head().await? {
            let length = body_length(&self.read[..head]);
            let answer = answers.to(&self.read[..head]);
            while self.read.len() < head + length {
                if self.stream.read_buf(&mut self.read).await? == 0 {
                    return Ok(());
                }
            }
            self.read.drain(..head + length);
            match answer {
                Some(answer) => self.stream.write_all(answer).await?,
                None => std::future::pending().await,
            }
        }
        Ok(())
    }

    /// The length of the next head with its empty line, once it is all there; none at the end.
    async fn head(&mut self) -> io::Result<Option<usize>> {
        loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                return Ok(Some(end + 4));
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// What `Content-Length` says. Neither proxy sends chunks when the client has said how long its body is.
fn body_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length:";
    let lines = head.split(|byte| *byte == b'\n');
    let mut named =
        lines.filter(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)));
    let digits = named.next().map_or(&b""[..], |line| line[NAME.len()..].trim_ascii());
    digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit.wrapping_sub(b'0') % 10))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        sync::mpsc,
        thread,
    };

    use super::*;

    fn start(authorization: &str) -> SocketAddr {
        let (bound, address) = mpsc::channel();
        let authorization = authorization.to_owned();
        let bound = move |address| bound.send(address).map_err(io::Error::other);
        thread::spawn(move || listen(&authorization, bound));
        address.recv().unwrap()
    }

    fn ask(stream: &mut std::net::TcpStream, request: &str, answer: usize) -> String {
        stream.write_all(request.as_bytes()).unwrap();
        let mut read = vec![0; answer];
        stream.read_exact(&mut read).unwrap();
        String::from_utf8(read).unwrap()
    }

    #[test]
    fn it_answers_with_the_credential_only_and_reads_whole_bodies() {
        let mut stream = std::net::TcpStream::connect(start("Bearer right")).unwrap();
        let small = answer("200 OK", &[b'x'; SMALL]).len();
        let text = ask(&mut stream, "GET /small HTTP/1.1\r\nAuthorization: Bearer right\r\n\r\n", small);
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        let refused = answer("401 Unauthorized", b"no credential").len();
        let text = ask(&mut stream, "GET /small HTTP/1.1\r\nAuthorization: Bearer wrong\r\n\r\n", refused);
        assert!(text.ends_with("no credential"), "{text}");
        let post = "POST / HTTP/1.1\r\nauthorization: Bearer right\r\ncontent-length: 9\r\n\r\nGET / HTT";
        let accepted = answer("200 OK", b"ok").len();
        assert!(ask(&mut stream, post, accepted).ends_with("ok"));
        assert!(ask(&mut stream, post, accepted).ends_with("ok"));
    }
}
