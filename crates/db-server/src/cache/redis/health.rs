//! Whether Redis answers: one that does not is left alone for a moment, and told about once.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::cache::CacheError;

/// How long a Redis that did not answer is left alone, so that not every request waits for it.
const REST: Duration = Duration::from_secs(1);

/// What is known of it.
#[derive(Default)]
pub(super) struct Health {
    rest_until: Mutex<Option<Instant>>,
    failing: AtomicBool,
}

impl Health {
    /// Whether it is left alone now.
    pub(super) fn rests(&self) -> bool {
        // The usual case takes no lock.
        self.failing.load(Ordering::Acquire)
            && self
                .rest_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_some_and(|end| Instant::now() < end)
    }

    /// It has answered.
    pub(super) fn answered(&self) {
        if self.failing.swap(false, Ordering::AcqRel) {
            *self.rest_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
            log::info!("reached Redis again");
        }
    }

    /// It has not answered, or has refused.
    pub(super) fn failed(&self, error: &CacheError) {
        // What refuses answers quickly: it is asked again.
        let refused = matches!(error, CacheError::Redis(error) if !error.is_io_error());
        if !refused {
            *self.rest_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
        }
        if self.failing.swap(true, Ordering::AcqRel) {
            log::debug!("the cache still fails: {error}");
        } else {
            log::error!("the cache fails: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::{ErrorKind, RedisError};

    use super::*;

    #[test]
    fn a_redis_that_is_silent_rests_and_one_that_answers_does_not() {
        let health = Health::default();
        assert!(!health.rests());
        health.failed(&CacheError::Silent(REST));
        assert!(health.rests());
        health.answered();
        assert!(!health.rests());
    }

    #[test]
    fn a_redis_that_refuses_is_asked_again_at_once() {
        let health = Health::default();
        health
            .failed(&CacheError::Redis(RedisError::from((ErrorKind::UnexpectedReturnType, "out of memory"))));
        assert!(!health.rests());
    }
}
