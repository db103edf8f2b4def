//! Which of several captures of a payment have happened, by how much has been taken of it in all.
//!
//! Captures overlap when one of them is pending at the provider and another is begun. What has been taken in all is then
//! no evidence for either of them, until it is as much as both.

use crate::store::{
    payment_code::{OperationState::Settled, PaymentOperationKind::Capture},
    payment_operation::PaymentOperationRow,
};

/// The outcome of a capture that succeeded and whose settlement was declined afterwards.
pub const SETTLEMENT_DECLINED: &str = "settlement_declined";

/// What the total shows about one capture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shown {
    /// It has happened.
    Done,
    /// It has not happened, and none that is open besides.
    NotDone,
    /// Some of those that are open have happened: which, only their own answers tell.
    Some,
    /// Nothing: something else has happened to the payment.
    Unclear,
}

/// What a total of so much shows about a capture. `all` are the operations on the payment.
#[must_use]
pub fn shown(all: &[PaymentOperationRow], capture: &PaymentOperationRow, total: i64) -> Shown {
    let Some(amount) = capture.amount_minor else { return Shown::Unclear };
    let without = without(all, capture);
    let open = pending(all.iter().filter(|other| other.id != capture.id));
    if total >= without.saturating_add(open).saturating_add(amount) {
        Shown::Done
    } else if total == without {
        Shown::NotDone
    } else if open > 0 {
        Shown::Some
    } else {
        Shown::Unclear
    }
}

/// How much has been taken at least, when this capture has happened.
#[must_use]
pub fn total_with(all: &[PaymentOperationRow], capture: &PaymentOperationRow) -> i64 {
    without(all, capture).saturating_add(capture.amount_minor.unwrap_or_default())
}

/// How much was taken and did not come in, at least, when this capture has not.
#[must_use]
pub fn settlement_declined_with(all: &[PaymentOperationRow], capture: &PaymentOperationRow) -> i64 {
    let others = all.iter().filter(|one| one.id != capture.id);
    sum(others.filter(|one| one.outcome.as_deref() == Some(SETTLEMENT_DECLINED)))
        .saturating_add(capture.amount_minor.unwrap_or_default())
}

/// How much is about to be taken by the captures that are not settled.
#[must_use]
pub fn pending<'a>(operations: impl IntoIterator<Item = &'a PaymentOperationRow>) -> i64 {
    sum(operations.into_iter().filter(|one| one.state != Settled))
}

/// What has been taken besides a capture and those that are open: what was before it, with what was taken elsewhere, or
/// what the earlier ones come to where one of them was pending then; and the later ones.
fn without(all: &[PaymentOperationRow], capture: &PaymentOperationRow) -> i64 {
    let done = |one: &&PaymentOperationRow| {
        let is_taken = matches!(one.outcome.as_deref(), Some("succeeded" | SETTLEMENT_DECLINED));
        one.state == Settled && is_taken && one.id != capture.id
    };
    let earlier = sum(all.iter().filter(done).filter(|one| one.id < capture.id));
    let later = sum(all.iter().filter(done).filter(|one| one.id > capture.id));
    earlier.max(capture.before_minor).saturating_add(later)
}

fn sum<'a>(operations: impl Iterator<Item = &'a PaymentOperationRow>) -> i64 {
    operations
        .filter(|one| one.operation == Capture)
        .fold(0, |sum, one| sum.saturating_add(one.amount_minor.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use uuid::Uuid;

    use super::*;
    use crate::store::{
        id::{PaymentId, PaymentOperationId},
        payment_code::OperationState::{self, Unknown, Watching},
    };

    fn capture(
        id: i64,
        before: i64,
        amount: i64,
        state: OperationState,
        outcome: &str,
    ) -> PaymentOperationRow {
        PaymentOperationRow {
            id: PaymentOperationId(id),
            attempt: Uuid::from_u128(1),
            payment_id: PaymentId(1),
            operation: Capture,
            amount_minor: Some(amount),
            before_minor: before,
            last: false,
            state,
            outcome: Some(outcome.to_owned()),
            provider_reference: None,
            request: None,
            next_look: None,
            looks: 0,
            actor: "client".to_owned(),
            created: Utc::now(),
            modified: Utc::now(),
            counter: 1,
        }
    }

    fn each(all: &[PaymentOperationRow], total: i64) -> Vec<Shown> {
        all.iter().map(|one| shown(all, one, total)).collect()
    }

    #[test]
    fn one_capture_at_a_time_is_shown_by_the_total() {
        // 100 were taken elsewhere before.
        let all = [capture(1, 100, 300, Settled, "succeeded"), capture(2, 400, 200, Unknown, "unknown")];
        for (total, expected) in [
            (400, Shown::NotDone),
            (500, Shown::Unclear),
            (599, Shown::Unclear),
            (600, Shown::Done),
            (700, Shown::Done),
            (0, Shown::Unclear),
        ] {
            assert_eq!(shown(&all, &all[1], total), expected, "{total}");
        }
        assert_eq!((total_with(&all, &all[1]), pending(&all)), (600, 200));
    }

    #[test]
    fn of_two_that_overlap_neither_is_shown_until_both_are() {
        let all = [capture(1, 0, 300, Watching, "pending"), capture(2, 0, 300, Unknown, "unknown")];
        for (total, expected) in [(0, Shown::NotDone), (300, Shown::Some), (600, Shown::Done)] {
            assert_eq!(each(&all, total), [expected; 2], "{total}");
        }
        assert_eq!(pending(&all), 600);
    }

    #[test]
    fn what_a_later_one_took_is_not_counted_for_an_earlier_one() {
        let all = [capture(1, 0, 300, Watching, "pending"), capture(2, 0, 300, Settled, "succeeded")];
        assert_eq!((shown(&all, &all[0], 300), shown(&all, &all[0], 600)), (Shown::NotDone, Shown::Done));
        assert_eq!(total_with(&all, &all[0]), 600);
        let all = [capture(1, 0, 300, Settled, "succeeded"), capture(2, 0, 300, Watching, "pending")];
        assert_eq!((shown(&all, &all[1], 300), shown(&all, &all[1], 600)), (Shown::NotDone, Shown::Done));
        let all = [capture(1, 0, 300, Settled, "declined"), capture(2, 0, 300, Watching, "pending")];
        assert_eq!(shown(&all, &all[1], 300), Shown::Done);
    }

    #[test]
    fn what_did_not_come_in_was_taken_all_the_same() {
        let all = [
            capture(1, 0, 300, Settled, SETTLEMENT_DECLINED),
            capture(2, 300, 200, Settled, "succeeded"),
            capture(3, 500, 100, Unknown, "unknown"),
        ];
        assert_eq!((shown(&all, &all[2], 500), shown(&all, &all[2], 600)), (Shown::NotDone, Shown::Done));
        assert_eq!(total_with(&all, &all[2]), 600);
        let declined = all.each_ref().map(|one| settlement_declined_with(&all, one));
        assert_eq!(declined, [300, 500, 400]);
    }
}
