//! A request on its way out: its head and its body, only as fast as the upstream takes them.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::error::PayloadError;
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use futures_util::Stream as _;
use tokio::io::AsyncWrite as _;

use crate::{OutgoingBody, RelayError, connection::Socket};

/// What is left of a request.
pub(crate) struct Sending {
    body: OutgoingBody,
    /// How much of the body was taken, in bytes.
    taken: u64,
    /// Whether the body is sent in chunks, its length being unknown.
    chunked: bool,
    /// The head, or the size of a chunk.
    front: BytesMut,
    data: Bytes,
    /// What goes behind the data.
    back: &'static [u8],
    /// Whether the body has come to its end.
    ended: bool,
    /// Whether the head has waited a turn for the body.
    lingered: bool,
    begun: bool,
    done: bool,
}

/// Why a request is not sent to its end.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The caller's body is larger than allowed.
    TooLarge { limit: u64 },
    /// The caller's body broke off.
    Body(PayloadError),
    /// The connection did.
    Io(io::Error),
}

impl Sending {
    /// A head, and the body behind it.
    pub(crate) const fn new(head: BytesMut, body: OutgoingBody) -> Self {
        let chunked = matches!(body, OutgoingBody::Stream { length: None, .. });
        Self {
            body,
            taken: 0,
            chunked,
            front: head,
            data: Bytes::new(),
            back: b"",
            ended: false,
            lingered: false,
            begun: false,
            done: false,
        }
    }

    /// Whether a byte was written: until then nobody can have seen any of it.
    pub(crate) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether all of it was written.
    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    /// Goes on until all of it is written.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        socket: &mut Socket,
    ) -> Poll<Result<(), SendError>> {
        loop {
            let waits = !self.ended && self.data.is_empty() && self.fill(context)?.is_pending();
            if waits && !self.begun && !self.lingered {
                // actix-web asks its handler before it hands on what has arrived behind the head: one turn later there
                // mostly is a first piece of the body, and both go out in one write.
                self.lingered = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.is_written() && (self.ended || waits) {
                // With TLS there may be something left in between.
                ready!(Pin::new(&mut *socket).poll_flush(context)).map_err(SendError::Io)?;
                self.done = !waits;
                return if waits { Poll::Pending } else { Poll::Ready(Ok(())) };
            }
            match ready!(self.poll_write(context, socket)) {
                Ok(0) => return Poll::Ready(Err(SendError::Io(io::ErrorKind::WriteZero.into()))),
                Ok(written) => self.wrote(written),
                Err(error) => return Poll::Ready(Err(SendError::Io(error))),
            }
        }
    }

    fn poll_write(&self, context: &mut Context<'_>, socket: &mut Socket) -> Poll<io::Result<usize>> {
        let socket = Pin::new(socket);
        if self.data.is_empty() && self.back.is_empty() {
            // Cheaper for the system.
            return socket.poll_write(context, &self.front);
        }
        let slices = [IoSlice::new(&self.front), IoSlice::new(&self.data), IoSlice::new(self.back)];
        socket.poll_write_vectored(context, &slices)
    }

    /// Takes the next piece of the body. Ready when there is one, or none any more.
    fn fill(&mut self, context: &mut Context<'_>) -> Result<Poll<()>, SendError> {
        if !self.back.is_empty() {
            return Ok(Poll::Ready(()));
        }
        match self.poll_body(context)? {
            Poll::Pending => return Ok(Poll::Pending),
            Poll::Ready(None) => {
                self.ended = true;
                if self.chunked {
                    self.front.put_slice(b"0\r\n\r\n");
                }
            }
            Poll::Ready(Some(bytes)) => {
                if self.chunked {
                    self.front.put_slice(format!("{:X}\r\n", bytes.len()).as_bytes());
                    self.back = b"\r\n";
                }
                self.data = bytes;
            }
        }
        Ok(Poll::Ready(()))
    }

    fn poll_body(&mut self, context: &mut Context<'_>) -> Result<Poll<Option<Bytes>>, SendError> {
        let (payload, length, limit) = match &mut self.body {
            OutgoingBody::Empty => return Ok(Poll::Ready(None)),
            OutgoingBody::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                return Ok(Poll::Ready((!bytes.is_empty()).then_some(bytes)));
            }
            OutgoingBody::Stream { payload, length, limit } => (payload, *length, *limit),
        };
        loop {
            if length == Some(self.taken) {
                return Ok(Poll::Ready(None));
            }
            let Poll::Ready(next) = Pin::new(&mut *payload).poll_next(context) else {
                return Ok(Poll::Pending);
            };
            let Some(bytes) = next.transpose().map_err(SendError::Body)? else {
                return match length {
                    None => Ok(Poll::Ready(None)),
                    Some(_) => Err(SendError::Body(PayloadError::Incomplete(None))),
                };
            };
            if bytes.is_empty() {
                // An empty chunk would end a chunked body.
                continue;
            }
            self.taken = self.taken.saturating_add(bytes.len() as u64);
            if self.taken > length.unwrap_or(limit) {
                return Err(SendError::TooLarge { limit });
            }
            return Ok(Poll::Ready(Some(bytes)));
        }
    }

    fn is_written(&self) -> bool {
        self.front.is_empty() && self.data.is_empty() && self.back.is_empty()
    }

    fn wrote(&mut self, written: usize) {
        self.begun = true;
        let of_front = written.min(self.front.len());
        self.front.advance(of_front);
        let of_data = (written - of_front).min(self.data.len());
        self.data.advance(of_data);
        self.back = self.back.get(written - of_front - of_data..).unwrap_or_default();
    }
}

impl SendError {
    /// Why there is no answer then. `begun` says whether a byte of the request was written.
    pub(crate) fn into_relay_error(self, begun: bool) -> RelayError {
        match self {
            Self::TooLarge { limit } => RelayError::RequestTooLarge { limit, sent: begun },
            Self::Body(error) => RelayError::RequestBody(Box::new(Broken(error.to_string()))),
            Self::Io(error) if begun => RelayError::Protocol(Box::new(error)),
            Self::Io(error) => RelayError::Connect(Box::new(error)),
        }
    }
}

/// actix-web's error is not `Send`; what it says is.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Broken(String);
