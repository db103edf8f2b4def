//! Counts the requests that arrived, so that a test can say "exactly one" or "none".

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// The requests that arrived at the providers since the start or the last reset.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(Mutex<BTreeMap<String, u64>>);

/// What `GET /_sandbox/requests` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Count {
    total: u64,
    counts: BTreeMap<String, u64>,
}

impl Arrivals {
    /// Counts one request under its method and path.
    pub(crate) fn add(&self, method: &str, path: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(format!("{method} {path}")).or_default() += 1;
    }

    pub(crate) fn count(&self) -> Count {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Count { total: counts.values().sum(), counts }
    }

    pub(crate) fn reset(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
