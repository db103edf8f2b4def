//! Between the workers and the thread that writes: a list behind a lock that is held for a few instructions.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{Event, Record, Unavailable};
use crate::metrics::AuditMetrics;

/// How many lines may wait, those of requests in flight among them: some 6 MB.
const CAPACITY: usize = 16_384;

/// How long the thread lets lines gather before it writes them with one call.
const GATHER: Duration = Duration::from_millis(5);

/// How long requests that are cut off at the end have for their last line.
const LAST_LINES: Duration = Duration::from_secs(1);

/// One line to be.
#[derive(Debug)]
pub(super) enum Entry {
    Request(Record),
    Event(SystemTime, Event),
}

impl Entry {
    pub(super) fn event(event: Event) -> Self {
        Self::Event(SystemTime::now(), event)
    }
}

/// What the thread is to do next.
pub(super) enum Work {
    /// Write these.
    Write(Vec<Entry>),
    /// Open the file anew.
    Reopen,
    /// End: everything has been given out.
    Close,
}

/// The lines that wait.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes the thread.
    work: Condvar,
    /// Wakes whoever waits for the thread.
    done: Condvar,
    /// Slots that are taken: requests in flight, and lines that are not written.
    taken: AtomicUsize,
    failing: AtomicBool,
    lost: AtomicU64,
    metrics: AuditMetrics,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    /// All that were ever added, and all that were ever written.
    added: u64,
    written: u64,
    hurry: bool,
    reopen: bool,
    closing: bool,
    closed: bool,
}

impl Queue {
    pub(super) fn new(metrics: AuditMetrics) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
            taken: AtomicUsize::new(0),
            failing: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            metrics,
        }
    }

    pub(super) fn reserve(shared: &Arc<Self>) -> Result<Slot, Unavailable> {
        if !shared.failing.load(Ordering::Relaxed) {
            if shared.taken.fetch_add(1, Ordering::Relaxed) < CAPACITY {
                return Ok(Slot(Some(Arc::clone(shared))));
            }
            shared.taken.fetch_sub(1, Ordering::Relaxed);
        }
        shared.lose(1);
        Err(Unavailable)
    }

    /// Adds a line without a slot: an event, of which there are few.
    pub(super) fn push(&self, entry: Entry) {
        if self.taken.fetch_add(1, Ordering::Relaxed) < 2 * CAPACITY {
            self.add(entry);
        } else {
            self.taken.fetch_sub(1, Ordering::Relaxed);
            self.lose(1);
        }
    }

    pub(super) fn is_writable(&self) -> bool {
        !self.failing.load(Ordering::Relaxed) && self.taken.load(Ordering::Relaxed) < CAPACITY
    }

    pub(super) fn ask_to_reopen(&self) {
        self.lock().reopen = true;
        self.work.notify_one();
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_one();
    }

    pub(super) fn flush(&self) -> Result<(), Unavailable> {
        let mut state = self.lock();
        let goal = state.added;
        while state.written < goal || state.reopen {
            if state.closed || self.failing.load(Ordering::Relaxed) {
                return Err(Unavailable);
            }
            state.hurry = true;
            self.work.notify_one();
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Waits for work: for the thread.
    pub(super) fn next(&self) -> Work {
        let mut state = self.lock();
        while state.entries.is_empty() && !state.reopen && !state.closing {
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let idle = |state: &mut State| !(state.hurry || state.reopen || state.closing);
        let waited = self.work.wait_timeout_while(state, GATHER, idle);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.closing && state.entries.is_empty() {
            let in_flight = |state: &mut State| state.entries.is_empty() && self.taken() > 0;
            let waited = self.work.wait_timeout_while(state, LAST_LINES, in_flight);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.hurry = false;
        if !state.entries.is_empty() {
            return Work::Write(std::mem::take(&mut state.entries));
        }
        if state.reopen { Work::Reopen } else { Work::Close }
    }

    /// Waits before a write is tried again; says whether there is no more time for that.
    pub(super) fn pause(&self, pause: Duration) -> Pause {
        let state = self.lock();
        let idle = |state: &mut State| !(state.reopen || state.closing);
        let waited = self.work.wait_timeout_while(state, pause, idle);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        match (state.reopen, state.closing) {
            (true, _) => Pause::Reopen,
            (false, true) => Pause::Close,
            (false, false) => Pause::Over,
        }
    }

    pub(super) fn reopened(&self) {
        self.lock().reopen = false;
        self.done.notify_all();
    }

    /// These many lines of the queue are on the disk.
    pub(super) fn wrote(&self, lines: usize) {
        self.metrics.lines.inc_by(lines as u64);
        if self.failing.swap(false, Ordering::Relaxed) {
            log::info!("the audit log is written again");
        }
        self.release(lines);
    }

    /// These many lines of the queue will never be written.
    pub(super) fn gave_up(&self, lines: usize) {
        self.lose(lines as u64);
        self.release(lines);
    }

    /// Nothing can be written; says whether that is new.
    pub(super) fn failed(&self) -> bool {
        self.metrics.errors.inc();
        let before = self.failing.swap(true, Ordering::Relaxed);
        // Under the lock, so that nobody begins to wait between a look at `failing` and this.
        drop(self.lock());
        self.done.notify_all();
        !before
    }

    /// How many requests have had no line since it was last asked.
    pub(super) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    pub(super) fn ended(&self) {
        self.lock().closed = true;
        self.done.notify_all();
    }

    fn release(&self, lines: usize) {
        self.taken.fetch_sub(lines, Ordering::Relaxed);
        let mut state = self.lock();
        state.written += lines as u64;
        self.metrics.queued.set(i64::try_from(state.entries.len()).unwrap_or(i64::MAX));
        self.done.notify_all();
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn lose(&self, lines: u64) {
        self.metrics.lost.inc_by(lines);
        self.lost.fetch_add(lines, Ordering::Relaxed);
    }

    fn add(&self, entry: Entry) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            self.taken.fetch_sub(1, Ordering::Relaxed);
            self.lose(1);
            return;
        }
        state.entries.push(entry);
        state.added += 1;
        // It wakes up for the first line, and takes along those that come until it writes.
        let wake = state.entries.len() == 1;
        drop(state);
        if wake {
            self.work.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a pause is over.
pub(super) enum Pause {
    /// The time is up.
    Over,
    /// The file is to be opened anew.
    Reopen,
    /// The process ends.
    Close,
}

/// Room for the line of one request, until it is recorded; dropped, the room goes to another.
#[must_use = "a request without a line is not audited"]
pub struct Slot(Option<Arc<Queue>>);

impl Slot {
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// Adds the request's line; it costs a worker well under a microsecond.
    pub fn record(mut self, record: Record) {
        if let Some(queue) = self.0.take() {
            queue.add(Entry::Request(record));
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            queue.taken.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
