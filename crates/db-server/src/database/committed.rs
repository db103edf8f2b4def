//! What a commit on this instance lets others know at once: the position of the newest event.
//!
//! The thread that works on a transaction notes what it has appended; once the transaction is committed, and not
//! before, those who wait are woken. So no writer of an event can forget them.

use std::cell::Cell;

use tokio::sync::watch;

thread_local! {
    /// The newest position that the transaction under way on this thread has written.
    static APPENDED: Cell<Option<i64>> = const { Cell::new(None) };
}

/// Notes the position of an event that the transaction under way on this thread has written.
pub(crate) fn announce(position: i64) {
    APPENDED.set(Some(position));
}

/// The position of the newest event that is known to be committed.
pub(super) struct Newest(watch::Sender<i64>);

impl Newest {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Another transaction begins on this thread.
    pub(super) fn begin() {
        APPENDED.set(None);
    }

    /// The transaction on this thread is committed.
    pub(super) fn commit(&self) {
        if let Some(position) = APPENDED.take() {
            self.reach(position);
        }
    }

    /// A position is known to be committed, here or elsewhere.
    pub(super) fn reach(&self, position: i64) {
        self.0.send_if_modified(|newest| {
            let further = position > *newest;
            *newest = position.max(*newest);
            further
        });
    }

    /// Sees every later one.
    pub(super) fn watch(&self) -> watch::Receiver<i64> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_wait_are_told_of_a_commit_and_not_of_what_was_rolled_back() {
        let newest = Newest::new();
        let mut watch = newest.watch();
        Newest::begin();
        announce(1);
        assert!(!watch.has_changed().unwrap());
        Newest::begin();
        newest.commit();
        assert!(!watch.has_changed().unwrap());
        announce(1);
        newest.commit();
        assert_eq!(*watch.borrow_and_update(), 1);
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
