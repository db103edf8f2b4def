//! A response body that breaks the connection, which is the only way for a handler to close the socket.
//!
//! When a body fails, actix-http gives up the connection and drops its socket. It flushes what it has buffered only
//! when the body has nothing ready: so a body that fails at once takes the buffered head with it and nothing is ever
//! written, and one that first says "not ready" lets head and first part go out. The tests read the raw socket.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

/// Announces `announced` bytes, sends some of them or none, and fails.
#[derive(Debug)]
pub(crate) struct BrokenBody {
    announced: u64,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Send(Bytes),
    Flush,
    Fail,
}

impl BrokenBody {
    /// Not a byte of the response is written.
    pub(crate) fn silent() -> Self {
        Self { announced: 1, step: Step::Fail }
    }

    /// The head and half of the body are written.
    pub(crate) fn halved(mut body: Bytes) -> Self {
        // A body of one byte or none has no half; the promise is then longer than the body.
        let announced = body.len().max(2) as u64;
        body.truncate(body.len() / 2);
        Self { announced, step: Step::Send(body) }
    }
}

impl MessageBody for BrokenBody {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.announced)
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match std::mem::replace(&mut self.step, Step::Fail) {
            Step::Send(part) => {
                self.step = Step::Flush;
                Poll::Ready(Some(Ok(part)))
            }
            Step::Flush => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Step::Fail => Poll::Ready(Some(Err(io::Error::other("a fault that was asked for")))),
        }
    }
}
