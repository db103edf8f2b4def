//! What is known of a process: its lines and its end, for waiting threads and tasks alike.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::End;

/// What has been seen of the process.
#[derive(Default)]
pub(super) struct Seen {
    lines: VecDeque<String>,
    end: Option<End>,
    output_closed: bool,
}

/// Why a wait gave nothing.
pub(super) enum Miss {
    /// The process ended.
    Ended(End),
    /// The deadline passed.
    TooLate,
}

/// Shared between the owner and the threads that read from the guard.
pub(super) struct Watch {
    keep: usize,
    seen: Mutex<Seen>,
    changed: Condvar,
    version: watch::Sender<u64>,
}

impl Watch {
    pub(super) fn new(keep: usize) -> Self {
        Self { keep, seen: Mutex::default(), changed: Condvar::new(), version: watch::Sender::new(0) }
    }

    pub(super) fn add_line(&self, line: String) {
        self.change(|seen| {
            if seen.lines.len() >= self.keep {
                seen.lines.pop_front();
            }
            seen.lines.push_back(line);
        });
    }

    pub(super) fn set_end(&self, end: End) {
        self.change(|seen| seen.end = seen.end.or(Some(end)));
    }

    pub(super) fn close_output(&self) {
        self.change(|seen| seen.output_closed = true);
    }

    pub(super) fn lines(&self, count: usize) -> Vec<String> {
        let seen = self.lock();
        seen.lines.iter().skip(seen.lines.len().saturating_sub(count)).cloned().collect()
    }

    pub(super) fn end(&self) -> Option<End> {
        self.lock().end
    }

    pub(super) fn when_blocking<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&Seen) -> Option<Result<T, Miss>>,
    ) -> Result<T, Miss> {
        let deadline = Instant::now() + limit;
        let mut seen = self.lock();
        loop {
            if let Some(found) = look(&seen) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Miss::TooLate);
            }
            seen = self.changed.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) async fn when<T>(
        &self,
        limit: Duration,
        look: impl FnMut(&Seen) -> Option<Result<T, Miss>>,
    ) -> Result<T, Miss> {
        tokio::time::timeout(limit, self.forever(look)).await.unwrap_or(Err(Miss::TooLate))
    }

    pub(super) async fn when_ended(&self) -> End {
        match self.forever(|seen| seen.end.map(Ok)).await {
            Ok(end) | Err(Miss::Ended(end)) => end,
            Err(Miss::TooLate) => End::GuardLost,
        }
    }

    async fn forever<T>(&self, mut look: impl FnMut(&Seen) -> Option<Result<T, Miss>>) -> Result<T, Miss> {
        let mut version = self.version.subscribe();
        loop {
            if let Some(found) = look(&self.lock()) {
                return found;
            }
            // The sender lives in `self`, so this waits and never fails.
            if version.changed().await.is_err() {
                return Err(Miss::TooLate);
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
        self.changed.notify_all();
        self.version.send_modify(|version| *version += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for a line that contains the text.
pub(super) fn line(text: &str) -> impl FnMut(&Seen) -> Option<Result<String, Miss>> + use<> {
    let text = text.to_owned();
    move |seen| {
        let found = seen.lines.iter().find(|line| line.contains(&text));
        // What it printed last may still be on its way when the end is already known.
        let over = || seen.end.filter(|_| seen.output_closed).map(|end| Err(Miss::Ended(end)));
        found.map(|line| Ok(line.clone())).or_else(over)
    }
}

/// Looks for the end, when all output is here too.
pub(super) fn end(seen: &Seen) -> Option<Result<End, Miss>> {
    seen.end.filter(|_| seen.output_closed).map(Ok)
}
