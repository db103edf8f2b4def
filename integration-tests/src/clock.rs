//! A clock that a test moves.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use db_server::domain::Clock;

/// Stands still until it is moved.
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<DateTime<Utc>>>);

impl ManualClock {
    /// Shows the present.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "the present is no default")]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Utc::now())))
    }

    /// Moves it on.
    pub fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += TimeDelta::seconds(seconds);
    }

    /// For db-server.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let time = Arc::clone(&self.0);
        Clock::new(move || *time.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
