//! A connection on which HTTP/1.1 is spoken: one request and its answer at a time.

use std::{
    future::{Future as _, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use http::StatusCode;
use tokio::{
    io::AsyncReadExt as _,
    time::{Sleep, sleep_until},
};

use crate::{
    RelayError,
    connection::{Socket, Transport, Watch},
    head::{self, Head},
    sending::{SendError, Sending},
    upstream::Limits,
};

/// How much is read at once while a head is awaited, in bytes: all of a small answer.
const ROOM_FOR_HEAD: usize = 8 * 1024;

/// A connection, and what was read from it and is not yet used.
pub(crate) struct Wire {
    pub(crate) socket: Socket,
    pub(crate) input: BytesMut,
    pub(crate) address: SocketAddr,
    pub(crate) watch: Rc<Watch>,
    timer: Pin<Box<Sleep>>,
}

/// Why there is no head of an answer.
pub(crate) enum NoHead {
    /// Not a byte of the request was written.
    Unsent(RelayError),
    Failed(RelayError),
}

impl Wire {
    /// Boxed, since it goes from hand to hand with each exchange.
    pub(crate) fn new(transport: Transport, address: SocketAddr, watch: Rc<Watch>) -> Box<Self> {
        let timer = Box::pin(sleep_until(watch.due()));
        let socket = Socket::new(transport, Rc::clone(&watch));
        Box::new(Self { socket, input: BytesMut::with_capacity(ROOM_FOR_HEAD), address, watch, timer })
    }

    /// Whether the other side has neither closed nor said anything, as it should between exchanges.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.input.is_empty() && self.socket.is_silent()
    }

    /// Reads at most so many bytes more; none at the end of the connection.
    pub(crate) fn poll_fill(&mut self, context: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        self.input.reserve(room);
        pin!(self.socket.read_buf(&mut self.input)).poll(context)
    }

    /// Ready when the exchange has taken too long.
    pub(crate) fn poll_expired(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.watch.poll_expired(self.timer.as_mut(), context)
    }

    /// Sends a request, and waits for the head of the final answer, or of one that switches protocols. What is not sent
    /// by then is left in `sending`.
    pub(crate) async fn exchange(&mut self, sending: &mut Sending, limits: Limits) -> Result<Head, NoHead> {
        let mut broken = None;
        poll_fn(|context| {
            if !sending.is_done()
                && broken.is_none()
                && let Poll::Ready(Err(error)) = sending.poll(context, &mut self.socket)
            {
                match error {
                    // The other side may have answered before it closed.
                    SendError::Io(error) if sending.has_begun() => broken = Some(error),
                    error => {
                        return Poll::Ready(Err(failed(
                            error.into_relay_error(sending.has_begun()),
                            sending,
                        )));
                    }
                }
            }
            if let Poll::Ready(head) = self.poll_head(context) {
                return Poll::Ready(head.map_err(|error| {
                    let error = broken.take().map_or(error, |error| RelayError::Protocol(Box::new(error)));
                    failed(error, sending)
                }));
            }
            ready!(self.poll_expired(context));
            Poll::Ready(Err(NoHead::Failed(limits.timeout())))
        })
        .await
    }

    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Result<Head, RelayError>> {
        loop {
            if !self.input.is_empty() {
                match head::take(&mut self.input).map_err(|error| RelayError::Protocol(Box::new(error)))? {
                    Some(head) if is_interim(head.status) => continue,
                    Some(head) => return Poll::Ready(Ok(head)),
                    None => {}
                }
            }
            match ready!(self.poll_fill(context, ROOM_FOR_HEAD)) {
                Ok(0) => return Poll::Ready(Err(RelayError::Protocol("it closed without an answer".into()))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(RelayError::Protocol(Box::new(error)))),
            }
        }
    }
}

fn failed(error: RelayError, sending: &Sending) -> NoHead {
    if sending.has_begun() { NoHead::Failed(error) } else { NoHead::Unsent(error) }
}

/// Interim answers stay here; one that switches protocols is final (RFC 9110, 15.2).
fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}
