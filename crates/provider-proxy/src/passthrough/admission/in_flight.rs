//! Counts the requests that are in flight.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// How many requests of one target are in flight, over all workers.
#[derive(Default)]
pub(super) struct InFlight(AtomicU32);

impl InFlight {
    /// Takes a place, if fewer than the limit are taken.
    pub(super) fn enter(shared: &Arc<Self>, limit: u32) -> Option<Place> {
        let before = shared.0.fetch_add(1, Ordering::Relaxed);
        // Dropping it takes the count back where there was no place.
        let place = Place(Arc::clone(shared));
        (before < limit).then_some(place)
    }

    pub(super) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A place among the concurrent requests, until it is dropped.
pub(super) struct Place(Arc<InFlight>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
