//! Signed requests as bytes, made ahead so that signing takes no time of what is measured.

use std::time::{SystemTime, UNIX_EPOCH};

use oauth1::{Credentials, SignatureMethod, sign};
use uuid::Uuid;

use super::{BenchError, payments, rows};

/// What is asked of db-server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Work {
    /// `GET` of one transaction by its id, each one of so many at random.
    Get {
        /// How many there are.
        rows: u64,
    },
    /// `POST` of one transaction.
    Post,
    /// `POST` of one payment, which is taken at once.
    Payment,
}

impl Work {
    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::Get { .. } => "GET",
            Self::Post | Self::Payment => "POST",
        }
    }

    /// The status of success.
    pub(super) const fn expected(self) -> u16 {
        match self {
            Self::Get { .. } => 200,
            Self::Post | Self::Payment => 201,
        }
    }
}

/// Makes requests, no two with the same nonce.
pub(super) struct Maker {
    base: String,
    host: String,
    credentials: Credentials,
    /// Sets this maker's nonces and ids apart from those of every other.
    prefix: String,
    made: u64,
    random: u64,
}

impl Maker {
    pub(super) fn new(base: &str, credentials: Credentials) -> Self {
        let host = base.trim_start_matches("http://").to_owned();
        let prefix = Uuid::new_v4().simple().to_string();
        Self { base: base.to_owned(), host, credentials, prefix, made: 0, random: 0x9e37_79b9_7f4a_7c15 }
    }

    /// The bytes of one request.
    ///
    /// # Errors
    /// [`BenchError::Sign`].
    pub(super) fn make(&mut self, work: Work) -> Result<Vec<u8>, BenchError> {
        self.made += 1;
        let (path, body) = match work {
            Work::Get { rows } => {
                (format!("/generic/transaction/{}/", 1 + self.next() % rows), String::new())
            }
            Work::Post => {
                let uuid = format!("bench:{}:{}", self.prefix, self.made);
                ("/generic/transaction/".to_owned(), rows::body(&uuid))
            }
            Work::Payment => ("/payments/".to_owned(), payments::body()),
        };
        let authorization = self.authorization(work.method(), &path)?;
        let mut request = format!("{} {path} HTTP/1.1\r\nHost: {}\r\n", work.method(), self.host);
        request.push_str(&format!("Authorization: {authorization}\r\n"));
        if work == Work::Payment {
            request.push_str(&format!("Idempotency-Key: {}-{}\r\n", self.prefix, self.made));
        }
        if !body.is_empty() {
            let length = body.len();
            request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(&body);
        Ok(request.into_bytes())
    }

    fn authorization(&self, method: &str, path: &str) -> Result<String, BenchError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let (url, nonce) = (format!("{}{path}", self.base), format!("{}{}", self.prefix, self.made));
        Ok(sign(&self.credentials, method, &url, &nonce, now, SignatureMethod::HmacSha1, &[])?)
    }

    /// Xorshift (Marsaglia 2003): enough to spread reads over a table.
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}
