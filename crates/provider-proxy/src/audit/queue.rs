//! Between the workers and the thread that writes: the text of the lines that wait, behind a lock that is held for as
//! long as it takes to hash one of them.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{
    Event, Slot, Unavailable,
    chain::Chain,
    line,
    waiting::{Batch, Waiting},
};
use crate::metrics::AuditMetrics;

/// How many lines may wait, those of requests in flight among them: some 7 MB.
const CAPACITY: usize = 16_384;

/// How long the thread lets lines gather before it writes them with one call.
const GATHER: Duration = Duration::from_millis(5);

/// How long requests that are cut off at the end have for their last line.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What the thread is to do next.
pub(super) enum Work {
    /// Write these.
    Write(Batch),
    /// Open the file anew.
    Reopen,
    /// Write this, and end: no line follows.
    Close(Batch),
}

/// The lines that wait.
pub(super) struct Queue {
    state: Mutex<Waiting>,
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

impl Queue {
    /// A queue whose first line follows the last one of this chain. What is to be said of the file's end comes first:
    /// a reader accepts half a line only when the next one speaks of it.
    pub(super) fn new(chain: Chain, torn: Option<&Event>, metrics: AuditMetrics) -> Self {
        let mut state = Waiting::new(chain);
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
                return Ok(Slot::of(Arc::clone(shared)));
            }
            shared.give_back();
        }
        shared.lose(1);
        Err(Unavailable)
    }

    /// Adds a line without a slot: an event, of which there are few.
    pub(super) fn push(&self, event: &Event) {
        if self.taken.fetch_add(1, Ordering::Relaxed) < 2 * CAPACITY {
            self.add(&line::event(SystemTime::now(), event));
        } else {
            self.give_back();
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
        while state.kept < goal || state.reopen {
            if state.closed || self.failing.load(Ordering::Relaxed) {
                return Err(Unavailable);
            }
            state.hurry = true;
            self.work.notify_one();
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Waits for work: for the thread. It brings back the batch that it has written, and says whether some of what it
    /// has written is still to be brought to the disk: then it gets an empty batch when no line follows.
    pub(super) fn next(&self, spent: Batch, unsynced: bool) -> Work {
        let mut state = self.gather(self.lock());
        if state.is_idle() && !unsynced {
            state.asleep = true;
            let woken = self.work.wait_while(state, |state| state.is_idle());
            state = self.gather(woken.unwrap_or_else(PoisonError::into_inner));
        }
        if state.closing && state.lines() == 0 {
            state.asleep = true;
            let in_flight = |state: &mut Waiting| state.lines() == 0 && self.taken() > 0;
            let waited = self.work.wait_timeout_while(state, LAST_LINES, in_flight);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.asleep = false;
        if state.lines() > 0 || unsynced {
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
    fn gather<'a>(&self, mut state: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        state.asleep = false;
        let patient = |state: &mut Waiting| !(state.hurry || state.reopen || state.closing);
        let waited = self.work.wait_timeout_while(state, GATHER, patient);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits before a write is tried again; says whether there is no more time for that.
    pub(super) fn pause(&self, pause: Duration) -> Pause {
        let state = self.lock();
        let idle = |state: &mut Waiting| !(state.reopen || state.closing);
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

    /// These many lines of the queue are in the file.
    pub(super) fn wrote(&self, lines: usize) {
        self.metrics.lines.inc_by(lines as u64);
        if self.failing.swap(false, Ordering::Relaxed) {
            log::info!("the audit log is written again");
        }
        self.release(lines);
    }

    /// These many lines that are in the file are on the disk.
    pub(super) fn synced(&self, lines: usize) {
        self.lock().kept += lines as u64;
        self.done.notify_all();
    }

    /// These many lines of the queue will never be written.
    pub(super) fn gave_up(&self, lines: usize) {
        self.lose(lines as u64);
        self.release(lines);
        self.synced(lines);
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
        let waiting = self.lock().lines();
        self.metrics.queued.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// A slot is free again, and there will be no line.
    pub(super) fn give_back(&self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn lose(&self, lines: u64) {
        self.metrics.lost.inc_by(lines);
        self.lost.fetch_add(lines, Ordering::Relaxed);
    }

    /// Adds a line, given as what follows its beginning.
    pub(super) fn add(&self, rest: &[u8]) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            self.give_back();
            self.lose(1);
            return;
        }
        if state.lines() == 0 {
            self.say_lost(&mut state);
        }
        // Woken for one line, the thread takes along those that come until it writes.
        let wake = std::mem::take(&mut state.asleep);
        state.add(rest);
        drop(state);
        if wake {
            self.work.notify_one();
        }
    }

    /// Says how many requests have had no line since that was last said.
    fn say_lost(&self, state: &mut Waiting) {
        let requests = self.lost.swap(0, Ordering::Relaxed);
        if requests > 0 {
            state.say(&Event::Lost { requests });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
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
