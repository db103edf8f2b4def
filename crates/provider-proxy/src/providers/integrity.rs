//! Compares what a provider says with what was asked: another amount or currency is never a success.

use wire::{
    Money,
    payment::{
        Authorize, Capture, Captured, CompleteCheckout, Outcome, Payment, PaymentRequest, Refund, Refunded,
        Subscribe, Subscription,
    },
};

use crate::shape::ShapeError;

/// Nothing, or the amount that was asked for and is not answered.
pub(crate) type Checked = Result<(), Money>;

/// Refuses amounts that nothing can be asked with.
pub(super) fn valid(request: &impl PaymentRequest) -> Result<(), ShapeError> {
    match request.amount() {
        Some(amount) if amount.minor_units <= 0 => {
            Err(ShapeError::field("amount.minor_units", "expected more than 0"))
        }
        _ => Ok(()),
    }
}

/// For operations whose answer has no amount of its own.
pub(super) const fn no_amount<Q, A>(_: &Q, _: &A) -> Checked {
    Ok(())
}

pub(super) fn authorized(request: &Authorize, answer: &Outcome<Payment>) -> Checked {
    payment(request.amount, request.capture, answer)
}

pub(super) fn completed(request: &CompleteCheckout, answer: &Outcome<Payment>) -> Checked {
    payment(request.amount, request.capture, answer)
}

pub(super) fn captured(request: &Capture, answer: &Outcome<Captured>) -> Checked {
    same(request.amount, moved(answer).is_none_or(|captured| captured.amount == request.amount))
}

pub(super) fn refunded(request: &Refund, answer: &Outcome<Refunded>) -> Checked {
    same(request.amount, moved(answer).is_none_or(|refunded| refunded.amount == request.amount))
}

pub(super) fn subscribed(request: &Subscribe, answer: &Outcome<Subscription>) -> Checked {
    let Some(asked) = request.amount else { return Ok(()) };
    same(asked, moved(answer).is_none_or(|subscription| subscription.amount == Some(asked)))
}

fn payment(asked: Money, capture: bool, answer: &Outcome<Payment>) -> Checked {
    let Some(payment) = moved(answer) else { return Ok(()) };
    let taken = match answer {
        Outcome::Succeeded { .. } if capture => payment.captured == asked.minor_units,
        _ => (0..=asked.minor_units).contains(&payment.captured),
    };
    same(asked, payment.amount == asked && taken)
}

/// What came of it, unless nothing was moved.
const fn moved<T>(answer: &Outcome<T>) -> Option<&T> {
    match answer {
        Outcome::Succeeded { result }
        | Outcome::RequiresAction { result, .. }
        | Outcome::Pending { result } => Some(result),
        Outcome::Declined { .. } | Outcome::Rejected { .. } | Outcome::Unknown { .. } => None,
    }
}

const fn same(asked: Money, is_same: bool) -> Checked {
    if is_same { Ok(()) } else { Err(asked) }
}
