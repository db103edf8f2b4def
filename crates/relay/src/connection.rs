//! A connection to an upstream: its socket, and the watch over the bytes that move on it.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::client::TlsStream;

/// Stands in for a limit that is too far away to be counted.
const FAR_AWAY: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// How often a spare connection is looked after at most.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);

/// When an exchange on a connection is given up: shared by its socket, which tells when bytes move.
///
/// There is one timer for a connection, not one for an exchange, and it is moved only when it goes off: it is then
/// asked whether the limit is really reached. So a limit that is not reached costs next to nothing.
pub(crate) struct Watch {
    /// When the last byte moved.
    moved: Cell<Instant>,
    /// When the exchange must be over; none between exchanges.
    end: Cell<Option<Instant>>,
    /// Whether an exchange has begun just now, so that the clock need not be read again for its first bytes.
    fresh: Cell<bool>,
    /// How long no byte may move within an exchange.
    idle: Duration,
    /// How long the connection may wait for the next exchange.
    spare: Duration,
}

impl Watch {
    pub(crate) fn new(idle: Duration, spare: Duration) -> Rc<Self> {
        Rc::new(Self {
            moved: Cell::new(Instant::now()),
            end: Cell::new(None),
            fresh: Cell::new(false),
            idle,
            spare,
        })
    }

    /// An exchange begins that must be over at `end`.
    pub(crate) fn begin(&self, now: Instant, end: Instant) {
        self.moved.set(now);
        self.end.set(Some(end));
        self.fresh.set(true);
    }

    /// An exchange begins that need not end.
    pub(crate) fn keep_on(&self) {
        let now = Instant::now();
        self.begin(now, later(now, FAR_AWAY));
        // Nobody knows when its first bytes are written.
        self.fresh.set(false);
    }

    /// The exchange is over.
    pub(crate) fn rest(&self) {
        self.end.set(None);
    }

    /// When the connection is to be given up, unless a byte moves.
    pub(crate) fn due(&self) -> Instant {
        match self.end.get() {
            None => later(self.moved.get(), self.spare),
            Some(end) => end.min(later(self.moved.get(), self.idle)),
        }
    }

    /// Runs a future to its end, or until the connection is given up.
    pub(crate) async fn over<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut timer = pin!(sleep_until(self.next_look()));
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            self.poll_expired(timer.as_mut(), context).map(|()| None)
        })
        .await
    }

    pub(crate) fn poll_expired(&self, mut timer: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
        let due = self.due();
        if due < timer.deadline() {
            timer.as_mut().reset(due);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            if self.due() <= Instant::now() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(self.next_look());
        }
    }

    /// Not later than a connection that becomes spare in the meantime has to go.
    fn next_look(&self) -> Instant {
        self.due().min(later(Instant::now(), self.spare.max(SHORTEST_LOOK)))
    }
}

/// An instant some time after another.
pub(crate) fn later(instant: Instant, duration: Duration) -> Instant {
    instant.checked_add(duration).unwrap_or_else(|| instant + FAR_AWAY)
}

/// A socket that tells its watch when bytes move.
pub(crate) struct Socket {
    transport: Transport,
    watch: Rc<Watch>,
}

/// With or without TLS.
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    pub(crate) fn new(transport: Transport, watch: Rc<Watch>) -> Self {
        Self { transport, watch }
    }

    /// Whether the other side has neither closed nor said anything.
    pub(crate) fn is_silent(&mut self) -> bool {
        let mut byte = [0];
        match &mut self.transport {
            // Without a waker, which would have to be taken off again.
            Transport::Plain(stream) => {
                stream.try_read(&mut byte).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
            }
            Transport::Tls(stream) => {
                let mut context = Context::from_waker(Waker::noop());
                Pin::new(stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
            }
        }
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        let at_once = self.watch.fresh.replace(false);
        if matches!(written, Poll::Ready(Ok(1..))) && !at_once {
            self.watch.moved.set(Instant::now());
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        if buffer.filled().len() > before {
            self.watch.moved.set(Instant::now());
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        };
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
