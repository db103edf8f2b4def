//! The body of an answer, as it comes.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    io,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use futures_util::Stream;
use tokio::task::JoinHandle;

use crate::{
    Frame, RelayError,
    decoder::{Decoder, Piece},
    hygiene,
    pool::Pool,
    sending::{SendError, Sending},
    upstream::Limits,
    wire::Wire,
};

/// How much is read at once, in bytes.
const ROOM: usize = 64 * 1024;

/// The body of an answer. It is read from the upstream only as fast as it is polled; dropped before its end, it closes
/// the connection.
pub struct IncomingBody(State);

enum State {
    /// It came with its head.
    Whole(Bytes),
    Coming(Coming),
    Over,
}

/// Where a connection goes after the answer.
pub(crate) struct Afterwards {
    pub(crate) pool: Weak<Pool>,
    /// Whether both sides want to go on.
    pub(crate) keep: bool,
    pub(crate) limits: Limits,
}

impl IncomingBody {
    /// What follows a head, while the rest of the request goes on.
    pub(crate) fn new(
        mut wire: Box<Wire>,
        mut decoder: Decoder,
        sending: Sending,
        afterwards: Afterwards,
    ) -> Self {
        let length = decoder.length().and_then(|length| usize::try_from(length).ok());
        if sending.is_done() && length.is_some_and(|length| length <= wire.input.len()) {
            let whole = match decoder.take(&mut wire.input) {
                Ok(Piece::Data(bytes)) => bytes,
                _ => Bytes::new(),
            };
            afterwards.keep(wire);
            return Self(State::Whole(whole));
        }
        let shared = Rc::new(Shared {
            sent: Cell::new(sending.is_done()),
            wire: RefCell::new(Some(wire)),
            reader: Cell::new(None),
            failure: Cell::new(None),
        });
        let driver = actix_web::rt::spawn(drive(Rc::clone(&shared), sending, afterwards.limits));
        Self(State::Coming(Coming { shared, driver, decoder, afterwards }))
    }
}

impl Afterwards {
    /// The answer is complete, and so is the request.
    fn keep(&self, wire: Box<Wire>) {
        // What follows an answer that nobody has asked for is not the next answer.
        if self.keep
            && wire.input.is_empty()
            && let Some(pool) = self.pool.upgrade()
        {
            wire.watch.rest();
            pool.keep(wire);
        }
    }
}

/// A connection that is read by one task, and written and watched by another.
struct Shared {
    /// None once it is given up or passed on.
    wire: RefCell<Option<Box<Wire>>>,
    /// Who waits for more.
    reader: Cell<Option<Waker>>,
    /// Why it was given up.
    failure: Cell<Option<RelayError>>,
    /// Whether the request is complete.
    sent: Cell<bool>,
}

impl Shared {
    fn give_up(&self, wire: &mut Option<Box<Wire>>, failure: RelayError) {
        *wire = None;
        self.failure.set(Some(failure));
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// Sends what is left of the request, and gives up what takes too long, whether or not the body is read.
async fn drive(shared: Rc<Shared>, mut sending: Sending, limits: Limits) {
    let mut broken = false;
    poll_fn(|context| {
        let mut slot = shared.wire.borrow_mut();
        let Some(wire) = slot.as_mut() else { return Poll::Ready(()) };
        if !sending.is_done() && !broken {
            match sending.poll(context, &mut wire.socket) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => shared.sent.set(true),
                // It has answered already, and need not take the rest.
                Poll::Ready(Err(SendError::Io(_))) => broken = true,
                Poll::Ready(Err(error)) => {
                    let failure = RelayError::Truncated(Box::new(error.into_relay_error(true)));
                    shared.give_up(&mut slot, failure);
                    return Poll::Ready(());
                }
            }
        }
        ready!(wire.poll_expired(context));
        shared.give_up(&mut slot, limits.timeout());
        Poll::Ready(())
    })
    .await;
}

/// A body of which there may be more.
struct Coming {
    shared: Rc<Shared>,
    driver: JoinHandle<()>,
    decoder: Decoder,
    afterwards: Afterwards,
}

impl Coming {
    /// The next piece; none at the end. The flag says that nothing follows.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(Option<Result<Frame, RelayError>>, bool)> {
        let mut slot = self.shared.wire.borrow_mut();
        let Some(wire) = slot.as_mut() else {
            return Poll::Ready((self.shared.failure.take().map(Err), true));
        };
        loop {
            match self.decoder.take(&mut wire.input) {
                Err(error) => return Poll::Ready((Some(Err(RelayError::Protocol(Box::new(error)))), true)),
                Ok(Piece::End) => return Poll::Ready((None, true)),
                Ok(Piece::Data(bytes)) => {
                    return Poll::Ready((Some(Ok(Frame::Data(bytes))), self.decoder.is_over()));
                }
                Ok(Piece::Trailers(mut trailers)) => {
                    hygiene::keep_in_trailers(&mut trailers);
                    return Poll::Ready((Some(Ok(Frame::Trailers(trailers))), true));
                }
                Ok(Piece::More) => {}
            }
            let Poll::Ready(read) = wire.poll_fill(context, ROOM) else {
                self.shared.reader.set(Some(context.waker().clone()));
                return Poll::Pending;
            };
            let failure = match read {
                Ok(1..) => continue,
                Ok(0) if self.decoder.ends_with_connection() => return Poll::Ready((None, true)),
                Ok(0) => io::ErrorKind::UnexpectedEof.into(),
                Err(error) => error,
            };
            return Poll::Ready((Some(Err(RelayError::Truncated(Box::new(failure)))), true));
        }
    }

    /// The body is complete.
    fn finish(&self) {
        let wire = self.shared.wire.borrow_mut().take();
        if let Some(wire) = wire.filter(|_| self.shared.sent.get() && self.decoder.is_over()) {
            self.afterwards.keep(wire);
        }
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.driver.abort();
        drop(self.shared.wire.borrow_mut().take());
    }
}

impl Stream for IncomingBody {
    type Item = Result<Frame, RelayError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (next, over) = match &mut self.0 {
            State::Over => (None, true),
            State::Whole(bytes) if bytes.is_empty() => (None, true),
            State::Whole(bytes) => (Some(Ok(Frame::Data(std::mem::take(bytes)))), true),
            State::Coming(coming) => {
                let (next, over) = ready!(coming.poll(context));
                if over {
                    coming.finish();
                }
                (next, over)
            }
        };
        if over {
            self.0 = State::Over;
        }
        Poll::Ready(next)
    }
}
