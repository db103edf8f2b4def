//! One upstream, as one worker thread talks to it.

use std::{cell::Cell, net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use chassis::base_url::BaseUrl;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::PathAndQuery};
use rustls::ClientConfig;
use tokio::time::Instant;

use crate::{
    Incoming, IncomingBody, Outgoing, OutgoingBody, RelayError, Resolve, SystemResolver,
    body::Afterwards,
    connection::later,
    decoder::Decoder,
    dial::dial,
    head::{self, Head},
    hygiene,
    pool::Pool,
    sending::Sending,
    wire::{NoHead, Wire},
};

/// Where an upstream is, and how long it may take.
#[derive(Clone)]
pub struct UpstreamSettings {
    /// Its URL; the path goes before that of every request.
    pub url: BaseUrl,
    /// How long a connection may take, name look-up and TLS handshake included.
    pub connect_timeout: Duration,
    /// How long no byte may move in either direction, waiting for the answer's head included. A caller that does not
    /// read stops the bytes as well.
    pub idle_timeout: Duration,
    /// How long the whole exchange may take, from the call to the answer's last byte.
    pub total_timeout: Duration,
    /// How many connections are kept for later requests.
    pub max_idle_connections: usize,
    /// How long a connection is kept without a request. Shorter than an upstream's own limit, so that it is not
    /// closed just when it is used.
    pub max_idle_time: Duration,
    /// Whom it must be when the URL is `https`, and what it is shown (`chassis::tls::client_config`).
    pub tls: Option<Arc<ClientConfig>>,
    /// Which addresses it has.
    pub resolver: Rc<dyn Resolve>,
}

impl UpstreamSettings {
    /// The default limits, the system's resolver, and no TLS.
    #[must_use]
    pub fn new(url: BaseUrl) -> Self {
        Self {
            url,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(60),
            max_idle_connections: 64,
            max_idle_time: Duration::from_secs(4),
            tls: None,
            resolver: Rc::new(SystemResolver),
        }
    }
}

/// One upstream and the connections to it that are kept. It belongs to one worker thread; a clone shares them.
#[derive(Clone)]
pub struct Upstream {
    pub(crate) inner: Rc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) settings: UpstreamSettings,
    /// What `Host` says; none when the URL's host is no header's value, which the URL's parser prevents.
    host: Option<HeaderValue>,
    pool: Rc<Pool>,
}

/// The limits that an exchange is told to have reached.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    idle: Duration,
    total: Duration,
}

impl Limits {
    pub(crate) const fn timeout(self) -> RelayError {
        RelayError::Timeout { idle: self.idle, total: self.total }
    }
}

impl Upstream {
    /// Makes one; nothing is dialled yet.
    #[must_use]
    pub fn new(settings: UpstreamSettings) -> Self {
        let host = HeaderValue::from_str(settings.url.authority()).ok();
        let pool = Pool::new(settings.max_idle_connections);
        Self { inner: Rc::new(Inner { settings, host, pool }) }
    }

    /// Sends a request, and waits for the head of the answer. A redirect is an answer like any other.
    ///
    /// A kept connection that turns out to be closed before a byte of the request was written is replaced by another;
    /// nothing else is tried twice.
    ///
    /// # Errors
    /// [`RelayError`]; [`RelayError::was_sent`] says whether the upstream may have acted.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Incoming, RelayError> {
        self.send_noting(outgoing, &Cell::new(None)).await
    }

    /// The same; the address that is dialled is in `address` as soon as that is known, whatever becomes of the exchange.
    ///
    /// # Errors
    /// As with [`Upstream::send`].
    pub async fn send_noting(
        &self,
        outgoing: Outgoing,
        address: &Cell<Option<SocketAddr>>,
    ) -> Result<Incoming, RelayError> {
        let start = Instant::now();
        let end = later(start, self.inner.settings.total_timeout);
        let to_head = outgoing.method == Method::HEAD;
        let mut sending = self.inner.sending(outgoing)?;
        loop {
            let (mut wire, now, fresh) = match self.inner.pool.take(start) {
                Some(wire) => (wire, start, false),
                None => {
                    // Boxed, like whatever is rare and large: a future is as large as the largest part of it, and is moved.
                    let dialled = Box::pin(dial(&self.inner.settings, end, address)).await?;
                    (dialled, Instant::now(), true)
                }
            };
            address.set(Some(wire.address));
            wire.watch.begin(now, end);
            match wire.exchange(&mut sending, self.inner.limits()).await {
                Ok(head) => return self.inner.incoming(head, wire, sending, to_head),
                Err(NoHead::Unsent(_)) if !fresh => {}
                Err(NoHead::Unsent(error) | NoHead::Failed(error)) => return Err(error),
            }
        }
    }
}

impl Inner {
    pub(crate) const fn limits(&self) -> Limits {
        Limits { idle: self.settings.idle_timeout, total: self.settings.total_timeout }
    }

    /// The request, ready to be written.
    pub(crate) fn sending(&self, outgoing: Outgoing) -> Result<Sending, RelayError> {
        let Outgoing { method, path_and_query, mut headers, body } = outgoing;
        hygiene::keep_end_to_end_of_request(&mut headers);
        self.sending_with(&method, path_and_query, headers, body)
    }

    /// The same, with headers of the connection.
    pub(crate) fn sending_with(
        &self,
        method: &Method,
        path_and_query: String,
        mut headers: HeaderMap,
        body: OutgoingBody,
    ) -> Result<Sending, RelayError> {
        let length = match body {
            OutgoingBody::Stream { length: Some(length), limit, .. } if length > limit => {
                return Err(RelayError::RequestTooLarge { limit, sent: false });
            }
            OutgoingBody::Stream { length, .. } => length,
            OutgoingBody::Full(ref bytes) => Some(bytes.len() as u64),
            // RFC 9110, 8.6 wants it said where a body is usual.
            OutgoingBody::Empty => matches!(*method, Method::POST | Method::PUT | Method::PATCH).then_some(0),
        };
        let path_and_query = self.path_and_query(path_and_query)?;
        if let Some(host) = &self.host {
            headers.insert(header::HOST, host.clone());
        }
        match (length, &body) {
            (Some(length), _) => drop(headers.insert(header::CONTENT_LENGTH, length.into())),
            (None, OutgoingBody::Stream { .. }) => {
                headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
            (None, _) => {}
        }
        Ok(Sending::new(head::write(method, path_and_query.as_str(), &headers), body))
    }

    fn path_and_query(&self, path_and_query: String) -> Result<PathAndQuery, RelayError> {
        let prefix = self.settings.url.path();
        // Without a path of its own a request is for the base URL itself, with or without a query.
        let is_base = !prefix.is_empty() && (path_and_query.is_empty() || path_and_query.starts_with('?'));
        if !is_base && !path_and_query.starts_with('/') {
            return Err(RelayError::Unsendable { reason: "the path does not begin with a slash" });
        }
        let whole = if prefix.is_empty() { path_and_query } else { [prefix, &path_and_query].concat() };
        let length = whole.len();
        let reason = "the path or the query holds what neither can";
        let parsed = PathAndQuery::from_maybe_shared(Bytes::from(whole))
            .map_err(|_| RelayError::Unsendable { reason })?;
        // A fragment is cut off by the parser; it would be a different request.
        if parsed.as_str().len() != length {
            return Err(RelayError::Unsendable { reason });
        }
        Ok(parsed)
    }

    pub(crate) fn incoming(
        &self,
        answer: Head,
        wire: Box<Wire>,
        sending: Sending,
        to_head: bool,
    ) -> Result<Incoming, RelayError> {
        if answer.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(RelayError::Protocol("it switched protocols unasked".into()));
        }
        let decoder = Decoder::of(&answer, to_head).map_err(|error| RelayError::Protocol(Box::new(error)))?;
        let keep = answer.is_1_1 && !hygiene::closes(&answer.headers);
        let Head { status, mut headers, declared, .. } = answer;
        let length = if to_head || status == StatusCode::NOT_MODIFIED {
            // Of the body that is left out.
            declared.length().filter(|_| !hygiene::has(&headers, &header::TRANSFER_ENCODING))
        } else {
            decoder.length()
        };
        hygiene::keep_end_to_end(&mut headers);
        let address = wire.address;
        let afterwards = Afterwards { pool: Rc::downgrade(&self.pool), keep, limits: self.limits() };
        let body = IncomingBody::new(wire, decoder, sending, afterwards);
        Ok(Incoming { status, headers, length, body, address })
    }
}
