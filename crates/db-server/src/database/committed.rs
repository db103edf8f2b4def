//! What a commit on this instance lets others know at once: that an event has been written.
//!
//! The thread that works on a transaction notes that it has written one; once the transaction is committed, and not
//! before, whoever gives events their positions is woken. So no writer of an event can forget it.

use std::cell::Cell;

use tokio::sync::{Notify, watch};

thread_local! {
    /// Whether the transaction under way on this thread has written an event.
    static WRITTEN: Cell<bool> = const { Cell::new(false) };
}

/// Notes that the transaction under way on this thread has written an event.
pub(crate) fn announce() {
    WRITTEN.set(true);
}

/// What is known here of events.
pub(super) struct Newest {
    /// The position of the newest one that has one.
    position: watch::Sender<i64>,
    /// That there is one that may have none.
    written: Notify,
}

impl Newest {
    pub(super) fn new() -> Self {
        Self { position: watch::Sender::new(0), written: Notify::new() }
    }

    /// Another transaction begins on this thread.
    pub(super) fn begin() {
        WRITTEN.set(false);
    }

    /// The transaction on this thread is committed.
    pub(super) fn commit(&self) {
        if WRITTEN.take() {
            self.written.notify_one();
        }
    }

    /// Waits for the next commit of an event; at once when there has been one since the last time.
    pub(super) async fn written(&self) {
        self.written.notified().await;
    }

    /// A position is known to be given, here or elsewhere.
    pub(super) fn reach(&self, position: i64) {
        self.position.send_if_modified(|newest| {
            let further = position > *newest;
            *newest = position.max(*newest);
            further
        });
    }

    /// Sees every later one.
    pub(super) fn watch(&self) -> watch::Receiver<i64> {
        self.position.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn who_gives_positions_is_told_of_a_commit_and_not_of_what_was_rolled_back() {
        let newest = Newest::new();
        let told = || newest.written().now_or_never().is_some();
        Newest::begin();
        announce();
        assert!(!told());
        Newest::begin();
        newest.commit();
        assert!(!told());
        announce();
        newest.commit();
        assert!(told() && !told());
    }

    #[test]
    fn the_newest_position_never_goes_back() {
        let newest = Newest::new();
        newest.reach(7);
        let mut watch = newest.watch();
        newest.reach(6);
        newest.reach(7);
        assert!(!watch.has_changed().unwrap());
        newest.reach(8);
        assert_eq!(*watch.borrow_and_update(), 8);
    }
}
