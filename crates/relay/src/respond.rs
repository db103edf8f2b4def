//! An upstream's answer as actix-web's response.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodySize, MessageBody},
    http::{
        Method, StatusCode as ActixStatus, Version,
        header::{self as actix_header, HeaderMap as ActixHeaderMap},
    },
};
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, StatusCode, header};

use crate::{Frame, RelayError, hygiene};

/// The response to a caller. With a `length` it is declared and enforced, otherwise the body is sent in chunks, with the
/// answer's trailers if the caller takes them or the answer announces them. An error of the stream closes the caller's
/// connection, so that half a body never looks complete.
pub fn respond(
    request: &HttpRequest,
    status: StatusCode,
    headers: HeaderMap,
    length: Option<u64>,
    stream: impl Stream<Item = Result<Frame, RelayError>> + Unpin + 'static,
) -> HttpResponse {
    let shape = Shape::of(request, status, &headers, length);
    let status = ActixStatus::from_u16(status.as_u16()).unwrap_or(ActixStatus::BAD_GATEWAY);
    let body = Reply { stream, size: shape.size(), chunks: shape.is_own_chunks().then(Chunks::default) };
    let mut response = HttpResponse::new(status).set_body(body);
    copy(headers, response.headers_mut());
    if !shape.is_own_chunks() {
        response.headers_mut().remove(actix_header::TRAILER);
    }
    let head = response.head_mut();
    match shape {
        Shape::OwnChunks => {
            head.no_chunking(true);
            let chunked = actix_header::HeaderValue::from_static("chunked");
            head.headers_mut().insert(actix_header::TRANSFER_ENCODING, chunked);
        }
        Shape::UntilClose => {
            head.no_chunking(true);
            head.set_connection_type(actix_web::http::ConnectionType::Close);
        }
        Shape::NotModified(Some(length)) => {
            head.headers_mut().insert(actix_header::CONTENT_LENGTH, length.into());
        }
        Shape::NotModified(None) | Shape::Nothing | Shape::Sized(_) | Shape::Stream => {}
    }
    response.map_into_boxed_body()
}

/// How a response is framed (RFC 9112, 6.3).
#[derive(Clone, Copy)]
enum Shape {
    /// There is no body, and nothing says how long it were.
    Nothing,
    /// There is no body, but its length may be said.
    NotModified(Option<u64>),
    /// `Content-Length`; the answer to HEAD says it without the body.
    Sized(u64),
    /// actix-web frames it: chunks in HTTP/1.1, a stream in HTTP/2.
    Stream,
    /// We do: actix-web has no trailers, and none of its own chunks after a request to switch protocols.
    OwnChunks,
    /// The end of the connection ends the body: HTTP/1.0 has no chunks.
    UntilClose,
}

impl Shape {
    fn of(request: &HttpRequest, status: StatusCode, headers: &HeaderMap, length: Option<u64>) -> Self {
        let must_frame = || {
            headers.contains_key(header::TRAILER)
                || hygiene::accepts_trailers(request.headers())
                || hygiene::wants_websocket(request.headers())
        };
        match length {
            _ if status == StatusCode::NO_CONTENT => Self::Nothing,
            length if status == StatusCode::NOT_MODIFIED => Self::NotModified(length),
            Some(length) => Self::Sized(length),
            None if *request.method() == Method::HEAD => Self::Nothing,
            None if request.version() < Version::HTTP_11 => Self::UntilClose,
            None if request.version() == Version::HTTP_11 && must_frame() => Self::OwnChunks,
            None => Self::Stream,
        }
    }

    const fn size(self) -> BodySize {
        match self {
            Self::Nothing | Self::NotModified(_) => BodySize::None,
            Self::Sized(length) => BodySize::Sized(length),
            Self::Stream | Self::OwnChunks | Self::UntilClose => BodySize::Stream,
        }
    }

    const fn is_own_chunks(self) -> bool {
        matches!(self, Self::OwnChunks)
    }
}

/// Moves headers into actix-web's types, repeated ones in their order.
pub(crate) fn copy(from: HeaderMap, to: &mut ActixHeaderMap) {
    let mut current = None;
    for (name, value) in from {
        if let Some(name) = name {
            current = actix_header::HeaderName::from_bytes(name.as_str().as_bytes()).ok();
        }
        // http 0.2 and http 1 take the same names and values.
        if let (Some(name), Ok(value)) = (&current, actix_header::HeaderValue::from_bytes(value.as_bytes())) {
            to.append(name.clone(), value);
        }
    }
}

/// A response's body.
struct Reply<S> {
    stream: S,
    size: BodySize,
    chunks: Option<Chunks>,
}

impl<S> MessageBody for Reply<S>
where
    S: Stream<Item = Result<Frame, RelayError>> + Unpin,
{
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = &mut *self;
        loop {
            if let Some(chunks) = &mut this.chunks {
                if let Some(bytes) = chunks.pending.pop_front() {
                    return Poll::Ready(Some(Ok(bytes)));
                }
                if chunks.ended {
                    return Poll::Ready(None);
                }
            }
            let frame = ready!(Pin::new(&mut this.stream).poll_next(context)).transpose()?;
            match (frame, &mut this.chunks) {
                // Nothing is no end.
                (Some(Frame::Data(data)), _) if data.is_empty() => {}
                (Some(Frame::Data(data)), Some(chunks)) => chunks.data(data),
                (Some(Frame::Data(data)), None) => return Poll::Ready(Some(Ok(data))),
                (Some(Frame::Trailers(trailers)), Some(chunks)) => chunks.end(&trailers),
                (Some(Frame::Trailers(_)), None) => {}
                (None, Some(chunks)) => chunks.end(&HeaderMap::new()),
                (None, None) => return Poll::Ready(None),
            }
        }
    }
}

/// The chunked coding (RFC 9112, 7.1), in pieces so that no data is copied.
#[derive(Default)]
struct Chunks {
    pending: VecDeque<Bytes>,
    ended: bool,
}

impl Chunks {
    fn data(&mut self, data: Bytes) {
        self.pending.push_back(Bytes::from(format!("{:X}\r\n", data.len())));
        self.pending.push_back(data);
        self.pending.push_back(Bytes::from_static(b"\r\n"));
    }

    fn end(&mut self, trailers: &HeaderMap) {
        let mut last = b"0\r\n".to_vec();
        for (name, value) in trailers {
            last.extend_from_slice(name.as_str().as_bytes());
            last.extend_from_slice(b": ");
            last.extend_from_slice(value.as_bytes());
            last.extend_from_slice(b"\r\n");
        }
        last.extend_from_slice(b"\r\n");
        self.pending.push_back(Bytes::from(last));
        self.ended = true;
    }
}
