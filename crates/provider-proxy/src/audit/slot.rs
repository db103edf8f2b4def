//! The room for one line, and the worker's part of writing it.

use std::{cell::Cell, sync::Arc};

use super::{Record, line, queue::Queue};

/// How much memory a thread keeps for its next line, in bytes.
const LONG: usize = 8 * 1024;

thread_local! {
    /// Where a thread writes its line down before it takes the lock.
    static REST: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Room for the line of one request, until it is recorded; dropped, the room goes to another.
#[must_use = "a request without a line is not audited"]
pub struct Slot(Option<Arc<Queue>>);

impl Slot {
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// One that has its room in this queue.
    pub(super) const fn of(queue: Arc<Queue>) -> Self {
        Self(Some(queue))
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
            queue.give_back();
        }
    }
}
