//! Answers without a network, so that a fuzz target can be the other side.

use std::cell::RefCell;

use super::{Incoming, Outgoing};

/// What answers in the place of the other side.
pub type Answer = Box<dyn Fn(&Outgoing) -> Incoming>;

thread_local! {
    static ANSWER: RefCell<Option<Answer>> = const { RefCell::new(None) };
}

/// Has every client of this thread answered so from now on.
pub fn answer_with(answer: Answer) {
    ANSWER.set(Some(answer));
}

pub(super) fn answer(outgoing: &Outgoing) -> Option<Incoming> {
    ANSWER.with_borrow(|answer| answer.as_ref().map(|answer| answer(outgoing)))
}
