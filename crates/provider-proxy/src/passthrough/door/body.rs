//! The body of an answer on its way to the caller: counted, looked through for secrets, compressed.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{Stream, StreamExt};
use relay::{Frame, IncomingBody, RelayError};

use wire::passthrough::ERROR_HEADER;

use super::{DoorError, passage::Passage};
use crate::passthrough::{
    compress::Gzip,
    scan::{Scanner, StreamScan, Verdict},
};

/// How much of a text is looked through before its head is passed on, in bytes: what leaks here is a clean 502, what
/// leaks later breaks the answer off.
const LOOKED_AHEAD: u64 = 64 * 1024;

/// How long such a look may hold the head back when the target pauses.
const LONGEST_LOOK: Duration = Duration::from_millis(100);

/// A target's body, of which nothing passes that is too much or holds a secret.
pub(super) struct Checked {
    body: IncomingBody,
    scan: StreamScan,
    /// Whether it is a text, which is looked through; trailers are in any case.
    scanned: bool,
    received: u64,
    /// What the target has declared, if it has; the relay gives no more and no less.
    length: Option<u64>,
    limit: u64,
    next: Option<Frame>,
    ended: bool,
}

impl Checked {
    pub(super) fn new(
        body: IncomingBody,
        length: Option<u64>,
        limit: u64,
        scanner: &Arc<Scanner>,
        scanned: bool,
    ) -> Self {
        Self { body, scan: scanner.stream(), scanned, received: 0, length, limit, next: None, ended: false }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, DoorError>>> {
        loop {
            if let Some(frame) = self.next.take() {
                return Poll::Ready(Some(Ok(frame)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let passed = match ready!(self.body.poll_next_unpin(context)) {
                Some(Ok(Frame::Data(bytes))) => self.data(bytes),
                Some(Ok(Frame::Trailers(trailers))) => self.trailers(trailers),
                Some(Err(error)) => Err(DoorError::Relay(error)),
                None => Ok(self.end()),
            };
            match passed {
                Ok(None) => {}
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Err(error) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn data(&mut self, bytes: bytes::Bytes) -> Result<Option<Frame>, DoorError> {
        self.received = self.received.saturating_add(bytes.len() as u64);
        if self.received > self.limit {
            return Err(DoorError::ResponseTooLarge { limit: self.limit });
        }
        if !self.scanned {
            return Ok(Some(Frame::Data(bytes)));
        }
        let is_last = self.length == Some(self.received);
        let verdict = if is_last { self.scan.feed_last(bytes) } else { self.scan.feed(bytes) };
        let Verdict::Clean(released) = verdict else {
            return Err(DoorError::Leak { place: "body" });
        };
        if released.held.is_empty() {
            return Ok(Some(released.fresh).filter(|fresh| !fresh.is_empty()).map(Frame::Data));
        }
        if !released.fresh.is_empty() {
            self.next = Some(Frame::Data(released.fresh));
        }
        Ok(Some(Frame::Data(released.held)))
    }

    fn trailers(&mut self, mut trailers: http::HeaderMap) -> Result<Option<Frame>, DoorError> {
        if self.scan.header_leaks(&trailers) {
            return Err(DoorError::Leak { place: "trailer" });
        }
        trailers.remove(ERROR_HEADER);
        let held = self.end();
        self.next = Some(Frame::Trailers(trailers));
        Ok(held)
    }

    /// What was held back was no secret.
    fn end(&mut self) -> Option<Frame> {
        self.ended = true;
        let held = self.scan.finish();
        (!held.is_empty()).then_some(Frame::Data(held))
    }

    async fn gather(&mut self, seen: &mut Seen) -> Result<(), DoorError> {
        while self.received < LOOKED_AHEAD {
            match poll_fn(|context| self.poll(context)).await {
                None => break,
                Some(frame) => seen.push(frame?),
            }
        }
        Ok(())
    }
}

/// What was looked through already, in its order: mostly one piece, which needs no memory of its own.
#[derive(Default)]
struct Seen {
    first: Option<Frame>,
    others: VecDeque<Frame>,
}

impl Seen {
    fn push(&mut self, frame: Frame) {
        match self.first {
            None if self.others.is_empty() => self.first = Some(frame),
            _ => self.others.push_back(frame),
        }
    }

    fn pop(&mut self) -> Option<Frame> {
        self.first.take().or_else(|| self.others.pop_front())
    }
}

/// The body that the caller gets.
pub(super) struct Delivery {
    seen: Seen,
    rest: Checked,
    /// Boxed: few answers are compressed.
    gzip: Option<Box<Gzip>>,
    last: Option<Frame>,
    /// Dropped, and recorded, when there is nothing more to give.
    passage: Option<Box<Passage>>,
}

impl Delivery {
    pub(super) fn new(rest: Checked) -> Self {
        Self { seen: Seen::default(), rest, gzip: None, last: None, passage: None }
    }

    /// Looks through the beginning of a text, at best all of it, before anything is passed on.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub(super) async fn look_ahead(&mut self, length: Option<u64>) -> Result<(), DoorError> {
        if !self.rest.scanned {
            return Ok(());
        }
        let gather = self.rest.gather(&mut self.seen);
        if length.is_some_and(|length| length <= LOOKED_AHEAD) {
            return gather.await;
        }
        Box::pin(tokio::time::timeout(LONGEST_LOOK, gather)).await.unwrap_or(Ok(()))
    }

    /// Has it compressed.
    pub(super) fn compress(&mut self, gzip: Gzip) {
        self.gzip = Some(Box::new(gzip));
    }

    /// Says whose it is: from here on the request is recorded when this is dropped.
    pub(super) fn of(mut self: Box<Self>, passage: Box<Passage>) -> Box<Self> {
        self.passage = Some(passage);
        self
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, DoorError>>> {
        loop {
            let next = match self.last.take().or_else(|| self.seen.pop()) {
                Some(frame) => Some(Ok(frame)),
                None => ready!(self.rest.poll(context)),
            };
            let Some(frame) = next.transpose()? else {
                return Poll::Ready(self.compressed_end().map(Ok));
            };
            match self.compressed(frame) {
                None => {}
                Some(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
    }

    fn compressed(&mut self, frame: Frame) -> Option<Frame> {
        match (frame, &mut self.gzip) {
            (Frame::Data(bytes), Some(gzip)) => {
                let bytes = gzip.chunk(&bytes).unwrap_or_default();
                (!bytes.is_empty()).then_some(Frame::Data(bytes))
            }
            (Frame::Trailers(trailers), Some(_)) => {
                self.last = Some(Frame::Trailers(trailers));
                self.compressed_end()
            }
            (frame, None) => Some(frame),
        }
    }

    fn compressed_end(&mut self) -> Option<Frame> {
        let bytes = self.gzip.take()?.finish().unwrap_or_default();
        (!bytes.is_empty()).then_some(Frame::Data(bytes))
    }
}

impl Stream for Delivery {
    type Item = Result<Frame, RelayError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let next = ready!(this.next(context));
        Poll::Ready(match next {
            Some(Ok(frame)) => {
                if let (Frame::Data(bytes), Some(passage)) = (&frame, &mut this.passage) {
                    passage.was_given(bytes.len());
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                if let Some(mut passage) = this.passage.take() {
                    passage.broke_off(&error);
                }
                Some(Err(match error {
                    DoorError::Relay(error) => error,
                    _ => RelayError::Withheld { reason: "it is too large, or holds a secret" },
                }))
            }
            None => {
                this.passage = None;
                None
            }
        })
    }
}
