//! Decides about each row of the provider's list: what of our books it is about, and whether they agree.

use uuid::Uuid;
use wire::{
    Currency, Money,
    payment::{Movement, MovementKind, MovementStatus},
};

use super::{Ours, Row, Verdict};
use crate::store::{
    code::{TransactionStatus, TransactionType},
    id::{PaymentId, RefundId, TransactionId},
    payment_code::{OperationState, RefundStanding},
    reconcile::{Asked, BookedPayment, BookedRefund, BookedTransaction, Known},
};

/// What a row of the provider's comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// It is in our books as it is there.
    Agrees,
    /// It is a part, or all, of what was taken of a payment of ours.
    Part(BookedPayment),
    /// It does not agree.
    Differs(Row),
}

/// Which of our rows a row of the provider's is about: that one is not looked for any more.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Seen {
    Payment(PaymentId),
    Refund(RefundId),
    Transaction(TransactionId),
}

/// What our books are to be asked about a page.
pub(super) fn asked(movements: &[Movement]) -> Asked {
    let mut asked = Asked::default();
    for movement in movements {
        asked.references.push(movement.reference.clone());
        asked.references.extend(movement.payment.clone());
        asked.attempts.extend(movement.attempt.map(|attempt| attempt.uuid()));
    }
    asked
}

/// Decides about one row of the provider's.
pub(super) fn decide(movement: &Movement, known: &Known) -> (Decision, Option<Seen>) {
    match movement.kind {
        MovementKind::Charge => charge(movement, known),
        MovementKind::Refund => refund(movement, known),
    }
}

fn charge(movement: &Movement, known: &Known) -> (Decision, Option<Seen>) {
    if let Some(payment) = known.payments.iter().find(|payment| is_of(movement, payment)) {
        let ours = Some(Ours::Payment(payment.uuid.to_string()));
        let is_unsettled = known.unsettled.contains(&payment.id);
        if !knows(payment, movement) {
            let verdict = if is_unsettled { Verdict::Open } else { Verdict::Missing };
            return (Decision::Differs(row(verdict, movement, ours, None)), None);
        }
        let seen = Some(Seen::Payment(payment.id));
        if movement.status == MovementStatus::Pending {
            let in_books = in_books(payment.captured_minor, &payment.currency);
            return (Decision::Differs(row(Verdict::Open, movement, ours, in_books)), seen);
        }
        return (Decision::Part(payment.clone()), seen);
    }
    let of_older_path = |transaction: &&BookedTransaction| {
        transaction.kind == TransactionType::Payment && has_id(transaction, movement)
    };
    match known.transactions.iter().find(of_older_path) {
        Some(transaction) => older(movement, transaction),
        None => by_attempt(movement, known),
    }
}

fn refund(movement: &Movement, known: &Known) -> (Decision, Option<Seen>) {
    let id = Some(movement.reference.as_str());
    if let Some(refund) = known.refunds.iter().find(|refund| refund.provider_reference.as_deref() == id) {
        return (of_refund(movement, refund), Some(Seen::Refund(refund.id)));
    }
    let of_older_path = |transaction: &&BookedTransaction| {
        transaction.kind == TransactionType::Refund && transaction.uid_support.as_deref() == id
    };
    match known.transactions.iter().find(of_older_path) {
        Some(transaction) => older(movement, transaction),
        None => by_attempt(movement, known),
    }
}

fn of_refund(movement: &Movement, refund: &BookedRefund) -> Decision {
    let ours = Some(Ours::Refund(refund.uuid.to_string()));
    let in_books = in_books(refund.amount_minor, &refund.currency);
    let verdict = match (refund.standing, movement.status) {
        (RefundStanding::Failed, MovementStatus::Succeeded) => Verdict::Missing,
        (RefundStanding::Succeeded, MovementStatus::Succeeded) if in_books == Some(movement.amount) => {
            return Decision::Agrees;
        }
        _ if in_books != Some(movement.amount) => Verdict::WrongAmount,
        _ => Verdict::Open,
    };
    Decision::Differs(row(verdict, movement, ours, in_books))
}

/// A transaction of one of the older paths, which was taken as a whole.
fn older(movement: &Movement, transaction: &BookedTransaction) -> (Decision, Option<Seen>) {
    let ours = Some(Ours::Transaction(transaction.uuid.clone()));
    let in_books = transaction
        .amount_minor
        .zip(transaction.currency.as_deref())
        .and_then(|(minor_units, currency)| in_books(minor_units, currency));
    let is_same = in_books == Some(movement.amount);
    let verdict = match (transaction.status, movement.status) {
        (TransactionStatus::Completed | TransactionStatus::Checked, MovementStatus::Succeeded) if is_same => {
            return (Decision::Agrees, Some(Seen::Transaction(transaction.id)));
        }
        (TransactionStatus::Failed | TransactionStatus::Cancelled | TransactionStatus::Errored, _) => {
            Verdict::Missing
        }
        _ if !is_same => Verdict::WrongAmount,
        _ => Verdict::Open,
    };
    (Decision::Differs(row(verdict, movement, ours, in_books)), Some(Seen::Transaction(transaction.id)))
}

/// What no row of ours has the id of. One of an attempt of ours whose outcome is not known yet is waited for; one of a
/// settled attempt is money that our books do not have, such as a second charge.
fn by_attempt(movement: &Movement, known: &Known) -> (Decision, Option<Seen>) {
    let attempt: Option<Uuid> = movement.attempt.map(|attempt| attempt.uuid());
    let Some(found) = known.attempts.iter().find(|known| Some(known.attempt) == attempt) else {
        return (Decision::Differs(row(Verdict::Missing, movement, None, None)), None);
    };
    let payment = known.payments.iter().find(|payment| payment.id == found.payment_id);
    let ours = payment.map(|payment| Ours::Payment(payment.uuid.to_string()));
    if found.state == OperationState::Settled {
        return (Decision::Differs(row(Verdict::Missing, movement, ours, None)), None);
    }
    let is_charge = movement.kind == MovementKind::Charge;
    let seen = is_charge.then_some(Seen::Payment(found.payment_id));
    (Decision::Differs(row(Verdict::Open, movement, ours, None)), seen)
}

/// Whether the provider's ids say that a charge is of a payment.
fn is_of(movement: &Movement, payment: &BookedPayment) -> bool {
    let is_its = |id: &str| {
        payment.provider_reference.as_deref() == Some(id) || payment.checkout_reference.as_deref() == Some(id)
    };
    movement.payment.as_deref().is_some_and(is_its)
        || is_its(&movement.reference)
        || payment.captures.contains(&movement.reference)
}

/// Whether a charge of a payment is one that we know of. Where captures have no ids of their own there is one charge.
fn knows(payment: &BookedPayment, movement: &Movement) -> bool {
    let whole = payment.provider_reference.as_ref();
    payment.captures.iter().all(|capture| Some(capture) == whole)
        || whole == Some(&movement.reference)
        || payment.captures.contains(&movement.reference)
}

fn has_id(transaction: &BookedTransaction, movement: &Movement) -> bool {
    let id = transaction.uid_support.as_deref();
    id.is_some() && (id == Some(&*movement.reference) || id == movement.payment.as_deref())
}

/// An amount of ours; none when its currency is none, which then differs from everything.
pub(super) fn in_books(minor_units: i64, currency: &str) -> Option<Money> {
    Currency::parse(currency).ok().map(|currency| Money { minor_units, currency })
}

/// A row about a row of the provider's.
pub(super) fn row(verdict: Verdict, movement: &Movement, ours: Option<Ours>, in_books: Option<Money>) -> Row {
    Row {
        verdict,
        kind: movement.kind,
        reference: Some(movement.reference.clone()),
        ours,
        at_provider: Some(movement.amount),
        in_books,
        at: Some(movement.at.clone()),
    }
}

#[cfg(test)]
mod tests;
