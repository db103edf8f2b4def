//! Bodies on the upstream leg: the request's as hyper sends it, the answer's as it comes.

use std::{
    error::Error as StdError,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;
use http_body::{Body, Frame as HttpFrame, SizeHint};
use hyper::body::Incoming as HyperBody;
use thiserror::Error;

use crate::{Frame, OutgoingBody, RelayError, hygiene, pool::Lease, upstream::Limits};

/// A request's body as hyper takes it: only as fast as the upstream does.
pub(crate) struct SendBody {
    body: OutgoingBody,
    /// What was sent, in bytes.
    sent: u64,
}

/// Why a request's body did not come to its end.
#[derive(Debug, Error)]
pub(crate) enum SendBodyError {
    #[error("larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error(transparent)]
    Broken(#[from] PayloadError),
}

impl SendBody {
    pub(crate) const fn new(body: OutgoingBody) -> Self {
        Self { body, sent: 0 }
    }

    /// Whether its length is unknown, so that chunks are sent.
    pub(crate) const fn is_chunked(&self) -> bool {
        matches!(self.body, OutgoingBody::Stream { length: None, .. })
    }

    fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, SendBodyError>>> {
        let (payload, length, limit) = match &mut self.body {
            OutgoingBody::Empty => return Poll::Ready(None),
            OutgoingBody::Full(bytes) if bytes.is_empty() => return Poll::Ready(None),
            OutgoingBody::Full(bytes) => return Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            OutgoingBody::Stream { payload, length, limit } => (payload, *length, *limit),
        };
        loop {
            let Some(bytes) = ready!(Pin::new(&mut *payload).poll_next(context)).transpose()? else {
                let complete = length.is_none_or(|length| length == self.sent);
                let broken = SendBodyError::Broken(PayloadError::Incomplete(None));
                return Poll::Ready(if complete { None } else { Some(Err(broken)) });
            };
            if bytes.is_empty() {
                // An empty chunk would end a chunked body.
                continue;
            }
            self.sent = self.sent.saturating_add(bytes.len() as u64);
            if self.sent > length.unwrap_or(limit) {
                return Poll::Ready(Some(Err(SendBodyError::TooLarge { limit })));
            }
            return Poll::Ready(Some(Ok(bytes)));
        }
    }
}

impl Body for SendBody {
    type Data = Bytes;
    type Error = SendBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, SendBodyError>>> {
        self.poll_data(context).map(|data| data.map(|data| data.map(HttpFrame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            OutgoingBody::Empty => true,
            OutgoingBody::Full(bytes) => bytes.is_empty(),
            OutgoingBody::Stream { length, .. } => *length == Some(self.sent),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            OutgoingBody::Empty => SizeHint::with_exact(0),
            OutgoingBody::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            OutgoingBody::Stream { length: Some(length), .. } => {
                SizeHint::with_exact(length.saturating_sub(self.sent))
            }
            OutgoingBody::Stream { length: None, .. } => SizeHint::new(),
        }
    }
}

/// The body of an answer. It is read from the upstream only as fast as it is polled; dropped before its end, it closes
/// the connection.
pub struct IncomingBody {
    inner: HyperBody,
    /// Until the body has come to its end.
    lease: Option<Lease>,
    limits: Limits,
}

impl IncomingBody {
    pub(crate) fn new(inner: HyperBody, lease: Lease, limits: Limits) -> Self {
        let mut body = Self { inner, lease: Some(lease), limits };
        body.release_at_end();
        body
    }

    fn release_at_end(&mut self) {
        if self.inner.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    fn failure(&mut self, error: hyper::Error) -> RelayError {
        let expired = self.lease.take().is_some_and(|lease| lease.has_expired());
        if expired { self.limits.timeout() } else { broken_answer(error) }
    }
}

impl Stream for IncomingBody {
    type Item = Result<Frame, RelayError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let frame = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                None => {
                    self.release();
                    return Poll::Ready(None);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(self.failure(error)))),
                Some(Ok(frame)) => frame,
            };
            self.release_at_end();
            match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Poll::Ready(Some(Ok(Frame::Data(data)))),
                Err(frame) => {
                    if let Ok(mut trailers) = frame.into_trailers() {
                        hygiene::keep_in_trailers(&mut trailers);
                        return Poll::Ready(Some(Ok(Frame::Trailers(trailers))));
                    }
                }
            }
        }
    }
}

/// Why there was no head of an answer to a request that may have been sent.
pub(crate) fn no_answer(error: hyper::Error) -> RelayError {
    match find::<SendBodyError>(&error) {
        Some(SendBodyError::TooLarge { limit }) => RelayError::RequestTooLarge { limit: *limit, sent: true },
        Some(SendBodyError::Broken(_)) => RelayError::RequestBody(Box::new(error)),
        None => RelayError::Protocol(Box::new(error)),
    }
}

fn broken_answer(error: hyper::Error) -> RelayError {
    // hyper calls chunks that are none invalid; everything else is a connection that ended.
    let kind = find::<io::Error>(&error).map(io::Error::kind);
    match kind {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            RelayError::Protocol(Box::new(error))
        }
        _ => RelayError::Truncated(Box::new(error)),
    }
}

fn find<E: StdError + 'static>(error: &hyper::Error) -> Option<&E> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        source = error.source();
    }
    None
}
