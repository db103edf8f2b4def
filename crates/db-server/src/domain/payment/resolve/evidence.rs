//! What an operator has found, as the fact that a provider would have told.

use wire::{
    Currency, Money,
    payment::{Advice, Captured, Decline, Outcome, Payment, Refunded},
};

use super::{BY_HAND, CODE, Finding, Resolution, ResolveError};
use crate::{
    domain::payment::{Fact, Refused},
    store::{
        payment::PaymentRow,
        payment_code::{
            OperationState,
            PaymentOperationKind::{Authorize, Capture, CompleteCheckout, Refund, StartCheckout, Void},
        },
        payment_operation::PaymentOperationRow,
    },
};

/// What the finding says, as if the provider had said it.
///
/// # Errors
/// [`ResolveError`]: an operation of this kind cannot end so, or something is missing.
pub(super) fn fact(
    row: &PaymentRow,
    operation: PaymentOperationRow,
    said: &Resolution,
) -> Result<Fact, ResolveError> {
    let currency = Currency::parse(&row.currency)?;
    let money = |minor_units| Money { minor_units, currency };
    let kind = operation.operation;
    if operation.state == OperationState::Watching
        && matches!(said.finding, Finding::Failed | Finding::Declined)
    {
        return Ok(has_ended(operation, said, money));
    }
    Ok(match (kind, said.finding) {
        (_, Finding::Failed) | (StartCheckout | Capture | Void | Refund, Finding::Declined) => {
            not_done(operation)
        }
        (Authorize | CompleteCheckout, Finding::Declined) => declined(operation),
        (Authorize | CompleteCheckout, Finding::Captured | Finding::Authorized | Finding::Voided) => {
            let outcome = Outcome::Succeeded { result: made(row, said, currency)? };
            Fact::Payment { operation: Some(operation), outcome }
        }
        // The payer has paid on the page.
        (StartCheckout, Finding::Captured) if operation.state == OperationState::Watching => {
            let outcome = Outcome::Succeeded { result: made(row, said, currency)? };
            Fact::Payment { operation: Some(operation), outcome }
        }
        (Void, Finding::Voided) => {
            let outcome = Outcome::Succeeded { result: made(row, said, currency)? };
            Fact::Payment { operation: Some(operation), outcome }
        }
        (Capture, Finding::Captured) => {
            let amount = money(operation.amount_minor.unwrap_or_default());
            let reference = said.reference.clone().or_else(|| row.provider_reference.clone());
            let reference = reference.ok_or(ResolveError::NoReference)?;
            let status = BY_HAND.to_owned();
            let result = Captured { reference, status, amount, settlement_declined: false };
            Fact::Capture { operation, outcome: Outcome::Succeeded { result } }
        }
        (Refund, Finding::Refunded) => {
            let amount = money(operation.amount_minor.unwrap_or_default());
            let reference = said.reference.clone().ok_or(ResolveError::NoReference)?;
            let result = Refunded { reference, attempt: None, status: BY_HAND.to_owned(), amount };
            Fact::Refund { operation: Some(operation), outcome: Outcome::Succeeded { result } }
        }
        _ => return Err(ResolveError::Never(kind.name().name())),
    })
}

/// The payment as the operator has found it.
fn made(row: &PaymentRow, said: &Resolution, currency: Currency) -> Result<Payment, ResolveError> {
    let reference = said.reference.clone().or_else(|| row.provider_reference.clone());
    let reference = reference.or_else(|| row.checkout_reference.clone());
    let amount = Money { minor_units: row.amount_minor, currency };
    let captured = match (said.finding, &said.captured) {
        (Finding::Captured, Some(text)) => Money::parse(text, currency)?.minor_units,
        (Finding::Captured, None) => row.amount_minor,
        _ => 0,
    };
    let is_possible = said.finding != Finding::Captured || (1..=row.amount_minor).contains(&captured);
    if !is_possible {
        return Err(ResolveError::Contradicts("more than nothing, and at most the amount, can be captured"));
    }
    Ok(Payment {
        reference: reference.ok_or(ResolveError::NoReference)?,
        attempt: None,
        status: BY_HAND.to_owned(),
        amount,
        captured,
        settlement_declined: 0,
        refunded: None,
        voided: said.finding == Finding::Voided,
        captures: Vec::new(),
        payment_method: None,
    })
}

fn not_done(operation: PaymentOperationRow) -> Fact {
    let refusal = Refused { code: CODE.to_owned(), message: BY_HAND.to_owned() };
    Fact::NotDone { operation, refusal, why: None }
}

fn declined(operation: PaymentOperationRow) -> Fact {
    let outcome = Outcome::Declined { decline: decline(), result: None };
    Fact::Payment { operation: Some(operation), outcome }
}

/// What the provider has, and would say the end of later, has ended without money: that it does not know of it would be no
/// evidence.
fn has_ended(operation: PaymentOperationRow, said: &Resolution, money: impl Fn(i64) -> Money) -> Fact {
    let amount = money(operation.amount_minor.unwrap_or_default());
    let reference = said.reference.clone().or_else(|| operation.provider_reference.clone());
    let decline = decline();
    match operation.operation {
        Refund => {
            let status = BY_HAND.to_owned();
            let result = reference.map(|reference| Refunded { reference, attempt: None, status, amount });
            Fact::Refund { operation: Some(operation), outcome: Outcome::Declined { decline, result } }
        }
        Capture => Fact::Capture { operation, outcome: Outcome::Declined { decline, result: None } },
        Authorize | StartCheckout | CompleteCheckout | Void => declined(operation),
    }
}

/// In words that clients may read.
fn decline() -> Decline {
    Decline { code: CODE.to_owned(), message: BY_HAND.to_owned(), advice: Advice::OtherMethod }
}
