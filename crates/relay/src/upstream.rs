//! One upstream, as one worker thread talks to it.

use std::{cell::Cell, net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use chassis::base_url::BaseUrl;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header, uri::PathAndQuery};
use hyper::body::{Body as _, Incoming as HyperBody};
use rustls::ClientConfig;
use tokio::time::Instant;

use crate::{
    Incoming, IncomingBody, Outgoing, OutgoingBody, RelayError, Resolve, SystemResolver,
    body::{SendBody, no_answer},
    connection::later,
    dial::dial,
    hygiene,
    pool::{Lease, Pool},
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
        let mut request = self.inner.request(outgoing)?;
        let head = *request.method() == Method::HEAD;
        loop {
            let (mut lease, now, fresh) = match self.inner.pool.take(start) {
                Some(lease) => (lease, start, false),
                None => {
                    // Boxed, like whatever is rare and large: a future is as large as the largest part of it, and is moved.
                    let dialled = Box::pin(dial(&self.inner.settings, end, address)).await?;
                    (self.inner.pool.lease(dialled), Instant::now(), true)
                }
            };
            let Some((sender, watch, dialled)) = lease.parts() else { continue };
            address.set(Some(dialled));
            watch.begin(now, end);
            let mut failure = match sender.try_send_request(request).await {
                Ok(response) => return self.inner.incoming(response, lease, head),
                Err(failure) => failure,
            };
            match failure.take_message() {
                // hyper gives a message back only if it has not begun to write it.
                Some(unsent) if !fresh => request = unsent,
                Some(_) => return Err(RelayError::Connect(Box::new(failure.into_error()))),
                None if lease.has_expired() => return Err(self.inner.limits().timeout()),
                None => return Err(no_answer(failure.into_error())),
            }
        }
    }
}

impl Inner {
    pub(crate) const fn limits(&self) -> Limits {
        Limits { idle: self.settings.idle_timeout, total: self.settings.total_timeout }
    }

    /// The request as hyper writes it.
    pub(crate) fn request(&self, outgoing: Outgoing) -> Result<Request<SendBody>, RelayError> {
        let Outgoing { method, path_and_query, mut headers, body } = outgoing;
        if let OutgoingBody::Stream { length: Some(length), limit, .. } = body
            && length > limit
        {
            return Err(RelayError::RequestTooLarge { limit, sent: false });
        }
        let says_empty = match body {
            OutgoingBody::Empty => matches!(method, Method::POST | Method::PUT | Method::PATCH),
            OutgoingBody::Full(ref bytes) => bytes.is_empty(),
            OutgoingBody::Stream { length, .. } => length == Some(0),
        };
        let body = SendBody::new(body);
        let uri = self.uri(path_and_query)?;
        hygiene::keep_end_to_end_of_request(&mut headers);
        if let Some(host) = &self.host {
            headers.insert(header::HOST, host.clone());
        }
        if says_empty {
            // hyper says nothing of a body that has ended before it began (RFC 9110, 8.6 wants it said).
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        if body.is_chunked() {
            // Said here because hyper sends no body of unknown length with GET otherwise.
            headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn uri(&self, path_and_query: String) -> Result<Uri, RelayError> {
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
        Ok(Uri::from(parsed))
    }

    pub(crate) fn incoming(
        &self,
        response: Response<HyperBody>,
        mut lease: Lease,
        head: bool,
    ) -> Result<Incoming, RelayError> {
        let (parts, body) = response.into_parts();
        let (status, mut headers) = (parts.status, parts.headers);
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(RelayError::Protocol("it switched protocols unasked".into()));
        }
        let length = if head || status == StatusCode::NOT_MODIFIED {
            declared_length(&headers)
        } else {
            body.size_hint().exact()
        };
        headers.remove(header::CONTENT_LENGTH);
        hygiene::keep_end_to_end(&mut headers);
        let Some((_, _, address)) = lease.parts() else {
            return Err(RelayError::Protocol("the connection is gone".into()));
        };
        let body = IncomingBody::new(body, lease, self.limits());
        Ok(Incoming { status, headers, length, body, address })
    }
}

/// What `Content-Length` says of a body that is left out.
fn declared_length(headers: &http::HeaderMap) -> Option<u64> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
