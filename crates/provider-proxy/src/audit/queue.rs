//! Between the workers and the thread that writes: the text of the lines that wait, behind a lock that is held for as
//! long as it takes to hash one of them.

use std::{
    cell::Cell,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{Event, Record, Unavailable, chain::Chain, line};
use crate::metrics::AuditMetrics;

/// How many lines may wait, those of requests in flight among them: some 7 MB.
const CAPACITY: usize = 16_384;

/// How long the thread lets lines gather before it writes them with one call.
const GATHER: Duration = Duration::from_millis(5);

/// How long requests that are cut off at the end have for their last line.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How much memory is kept for the next lines, in bytes; more is needed only while the disk is slow.
const KEPT: usize = 1024 * 1024;

/// How much memory a thread keeps for its next line, in bytes.
const LONG: usize = 8 * 1024;

thread_local! {
    /// Where a thread writes its line down before it takes the lock.
    static REST: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What the thread is to do next.
pub(super) enum Work {
    /// Write these.
    Write(Batch),
    /// Open the file anew.
    Reopen,
    /// Write this, and end: no line follows.
    Close(Batch),
}

/// Lines on their way to the file.
#[derive(Default)]
pub(super) struct Batch {
    /// The lines.
    pub(super) text: Vec<u8>,
    /// How many of them were added with [`Queue::add`].
    pub(super) lines: usize,
    /// How much of the text is in the file, in bytes.
    pub(super) written: usize,
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

struct State {
    chain: Chain,
    next: Batch,
    /// All that were ever added, and all that were ever written.
    added: u64,
    written: u64,
    /// Whether the thread has to be woken for a line.
    asleep: bool,
    hurry: bool,
    reopen: bool,
    closing: bool,
    closed: bool,
}

impl Queue {
    /// A queue whose first line follows the last one of this chain. What is to be said of the file's end comes first:
    /// a reader accepts half a line only when the next one speaks of it.
    pub(super) fn new(chain: Chain, torn: Option<&Event>, metrics: AuditMetrics) -> Self {
        let mut state = State {
            chain,
            next: Batch::default(),
            added: 0,
            written: 0,
            asleep: false,
            hurry: false,
            reopen: false,
            closing: false,
            closed: false,
        };
        if let Some(torn) = torn {
            state.say(torn);
        }
        Self {
            state: Mutex::new(state),
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
    pub(super) fn push(&self, event: &Event) {
        if self.taken.fetch_add(1, Ordering::Relaxed) < 2 * CAPACITY {
            self.add(&line::event(SystemTime::now(), event));
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

    /// Waits for work: for the thread. It brings back the batch that it has written.
    pub(super) fn next(&self, spent: Batch) -> Work {
        let mut state = self.gather(self.lock());
        if state.is_idle() {
            state.asleep = true;
            let woken = self.work.wait_while(state, |state| state.is_idle());
            state = self.gather(woken.unwrap_or_else(PoisonError::into_inner));
        }
        if state.closing && state.next.lines == 0 {
            state.asleep = true;
            let in_flight = |state: &mut State| state.next.lines == 0 && self.taken() > 0;
            let waited = self.work.wait_timeout_while(state, LAST_LINES, in_flight);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        (state.asleep, state.hurry) = (false, false);
        if state.next.lines > 0 {
            return Work::Write(state.take(spent));
        }
        if state.reopen {
            return Work::Reopen;
        }
        // Together with the last line, so that none comes behind it.
        state.closed = true;
        self.say_lost(&mut state);
        state.say(&Event::Stopped);
        Work::Close(state.take(spent))
    }

    /// Waits until lines have gathered. While there are some all the time nobody has to wake the thread.
    fn gather<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.asleep = false;
        let patient = |state: &mut State| !(state.hurry || state.reopen || state.closing);
        let waited = self.work.wait_timeout_while(state, GATHER, patient);
        waited.unwrap_or_else(PoisonError::into_inner).0
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

    fn release(&self, lines: usize) {
        self.taken.fetch_sub(lines, Ordering::Relaxed);
        let mut state = self.lock();
        state.written += lines as u64;
        self.metrics.queued.set(i64::try_from(state.next.lines).unwrap_or(i64::MAX));
        self.done.notify_all();
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn lose(&self, lines: u64) {
        self.metrics.lost.inc_by(lines);
        self.lost.fetch_add(lines, Ordering::Relaxed);
    }

    /// Adds a line, given as what follows its beginning.
    fn add(&self, rest: &[u8]) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            self.taken.fetch_sub(1, Ordering::Relaxed);
            self.lose(1);
            return;
        }
        if state.next.lines == 0 {
            self.say_lost(&mut state);
        }
        // Woken for one line, the thread takes along those that come until it writes.
        let wake = std::mem::take(&mut state.asleep);
        let State { chain, next, .. } = &mut *state;
        chain.add(&mut next.text, rest);
        next.lines += 1;
        state.added += 1;
        drop(state);
        if wake {
            self.work.notify_one();
        }
    }

    /// Says how many requests have had no line since that was last said.
    fn say_lost(&self, state: &mut State) {
        let requests = self.lost.swap(0, Ordering::Relaxed);
        if requests > 0 {
            state.say(&Event::Lost { requests });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.next.lines == 0 && !self.reopen && !self.closing
    }

    /// Adds a line that nobody waits for.
    fn say(&mut self, event: &Event) {
        self.chain.add(&mut self.next.text, &line::event(SystemTime::now(), event));
    }

    /// Takes the lines that wait, and leaves the memory of those that are written for the next ones.
    fn take(&mut self, spent: Batch) -> Batch {
        let Batch { mut text, .. } = spent;
        text.clear();
        text.shrink_to(KEPT);
        std::mem::replace(&mut self.next, Batch { text, ..Batch::default() })
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

    /// Adds the request's line; it costs a worker about a microsecond.
    pub fn record(mut self, record: &Record<'_>) {
        let Some(queue) = self.0.take() else { return };
        // A thread that ends has none any more.
        let mut rest = REST.try_with(Cell::take).unwrap_or_default();
        rest.clear();
        line::request(&mut rest, record);
        queue.add(&rest);
        rest.shrink_to(LONG);
        let _ = REST.try_with(|kept| kept.set(rest));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            queue.taken.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
