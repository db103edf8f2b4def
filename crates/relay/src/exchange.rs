//! What goes to an upstream, and what comes back.

use std::{
    future::ready,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use actix_web::{
    HttpRequest,
    dev::Payload,
    http::{Version, header as actix_header},
};
use bytes::Bytes;
use futures_util::{Stream as _, StreamExt as _, stream, stream::LocalBoxStream};
use http::{HeaderMap, Method, StatusCode};

use crate::{IncomingBody, hygiene};

/// A request to an upstream.
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// The path, which begins with a slash, and the query; the path of the upstream's base URL goes before it. Where
    /// that is not empty this one may be, for the base URL itself.
    pub path_and_query: String,
    /// The headers. `Host` and those that frame the message or belong to one connection are set when it is sent,
    /// whatever is here.
    pub headers: HeaderMap,
    /// The body.
    pub body: OutgoingBody,
}

/// The body of a request.
pub enum OutgoingBody {
    /// None.
    Empty,
    /// All of it.
    Full(Bytes),
    /// What a caller is still sending.
    Stream {
        /// The caller's body.
        payload: Payload,
        /// Its length when the caller declared one, in bytes; chunks are sent otherwise.
        length: Option<u64>,
        /// The largest that is allowed, in bytes.
        limit: u64,
    },
}

impl Outgoing {
    /// The request of a caller, as it may go on: the headers without those that a caller must not set, the body as it
    /// comes in, at most `limit` bytes of it.
    #[must_use]
    pub fn from_caller(request: &HttpRequest, payload: Payload, path_and_query: String, limit: u64) -> Self {
        let headers = hygiene::from_caller(request.headers());
        Self::with_headers(headers, request, payload, path_and_query, limit)
    }

    /// The same without `Authorization`, which was meant for whoever passes the request on.
    #[must_use]
    pub fn from_caller_without_authorization(
        request: &HttpRequest,
        payload: Payload,
        path_and_query: String,
        limit: u64,
    ) -> Self {
        let headers = hygiene::from_caller_without_authorization(request.headers());
        Self::with_headers(headers, request, payload, path_and_query, limit)
    }

    fn with_headers(
        headers: HeaderMap,
        request: &HttpRequest,
        payload: Payload,
        path_and_query: String,
        limit: u64,
    ) -> Self {
        let body = OutgoingBody::from_caller(request, payload, limit);
        Self { method: method(request.method()), path_and_query, headers, body }
    }
}

impl OutgoingBody {
    /// The body of a caller's request; none where there is none.
    #[must_use]
    pub fn from_caller(request: &HttpRequest, payload: Payload, limit: u64) -> Self {
        // What follows a request to switch protocols belongs to the other protocol.
        if hygiene::wants_websocket(request.headers()) {
            return Self::Empty;
        }
        if request.headers().contains_key(actix_header::TRANSFER_ENCODING) {
            return Self::Stream { payload, length: None, limit };
        }
        let length = request.headers().get(actix_header::CONTENT_LENGTH);
        match length.and_then(|value| value.to_str().ok()?.trim().parse().ok()) {
            // HTTP/2 needs neither; actix-web offers it to callers with TLS.
            None if request.version() == Version::HTTP_2 => Self::unless_ended(payload, limit),
            None => Self::Empty,
            Some(0) => Self::Full(Bytes::new()),
            Some(length) => Self::Stream { payload, length: Some(length), limit },
        }
    }

    /// A body of unknown length, unless it has ended before it began: GET should not be sent with an empty one.
    fn unless_ended(mut payload: Payload, limit: u64) -> Self {
        // Whoever polls it next waits for it.
        match Pin::new(&mut payload).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(None) => Self::Empty,
            Poll::Ready(Some(first)) => {
                let all: LocalBoxStream<'static, _> = Box::pin(stream::once(ready(first)).chain(payload));
                Self::Stream { payload: all.into(), length: None, limit }
            }
            Poll::Pending => Self::Stream { payload, length: None, limit },
        }
    }
}

/// The answer of an upstream: its head, and its body as it comes.
pub struct Incoming {
    /// The status; never an informational one.
    pub status: StatusCode,
    /// The headers that are meant for the caller. `Content-Length` is in `length`.
    pub headers: HeaderMap,
    /// The length that the upstream declared, in bytes: of the body or, in answer to HEAD and with 304, of the body that is left out.
    pub length: Option<u64>,
    /// The body.
    pub body: IncomingBody,
    /// The address that was dialled.
    pub address: SocketAddr,
}

/// A piece of an answer's body.
#[derive(Debug)]
pub enum Frame {
    /// Bytes.
    Data(Bytes),
    /// The fields after the body (RFC 9110, 6.5); at most once, and last.
    Trailers(HeaderMap),
}

/// A method in the types of the upstream leg.
#[must_use]
pub fn method(method: &actix_web::http::Method) -> Method {
    // Both sides take the same tokens.
    Method::from_bytes(method.as_str().as_bytes()).unwrap_or_default()
}
