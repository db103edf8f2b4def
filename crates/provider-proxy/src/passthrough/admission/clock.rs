//! The time that bulkheads go by: never set back, and in a test whatever the test says.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A clock that starts at zero.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Running(Instant),
    /// Nanoseconds.
    Held(Arc<AtomicU64>),
}

impl Clock {
    /// A clock that stands still until it is told to [`Self::advance`]; its clones share its time.
    #[must_use]
    pub fn held() -> Self {
        Self(Source::Held(Arc::default()))
    }

    /// Moves a held clock on; a running one goes on by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Held(nanoseconds) = &self.0 {
            nanoseconds.fetch_add(as_nanoseconds(by), Ordering::Relaxed);
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self(Source::Running(Instant::now()))
    }
}

impl governor::clock::Clock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        match &self.0 {
            Source::Running(start) => start.elapsed(),
            Source::Held(nanoseconds) => Duration::from_nanos(nanoseconds.load(Ordering::Relaxed)),
        }
    }
}

/// Whole nanoseconds; 584 years at most.
pub(super) fn as_nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
