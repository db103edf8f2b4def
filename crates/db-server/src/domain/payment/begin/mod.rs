//! What is written down before a provider is asked: whether it is allowed, and what exactly it will be asked.

mod change;
mod complete;
mod create;
mod sale;

pub use change::{WantedRefund, cancel, capture, refund};
pub use complete::complete;
pub use create::{Wanted, WantedSource, create};
pub use sale::{NewSale, SaleSource, sell};

use diesel::PgConnection;
use serde::Serialize;
use wire::{Currency, Money, payment::AttemptId};

use super::{
    Context, execute,
    machine::{Known, Refusal},
    perform::{Begun, Step},
    schedule,
};
use crate::{
    domain::{DomainError, error::field},
    store::{
        StoreError,
        id::{IdempotencyKeyId, PaymentId},
        idempotency_key,
        payment::{self, PaymentRow},
        payment_code::PaymentOperationKind,
        payment_operation::{self, NewPaymentOperation, PaymentOperationRow},
    },
};

/// What a provider is going to be asked.
struct Operation {
    kind: PaymentOperationKind,
    attempt: AttemptId,
    amount_minor: Option<i64>,
    before_minor: i64,
    last: bool,
}

impl Operation {
    fn new(kind: PaymentOperationKind, attempt: AttemptId, amount_minor: Option<i64>) -> Self {
        Self { kind, attempt, amount_minor, before_minor: 0, last: false }
    }

    /// Writes it down, for the key under which it was asked for.
    fn begin(
        self,
        connection: &mut PgConnection,
        context: &Context,
        key: IdempotencyKeyId,
        payment: &PaymentRow,
        request: &impl Serialize,
    ) -> Result<PaymentOperationRow, DomainError> {
        let new = NewPaymentOperation {
            attempt: self.attempt.uuid(),
            payment_id: payment.id,
            operation: self.kind,
            amount_minor: self.amount_minor,
            before_minor: self.before_minor,
            last: self.last,
            request: execute::sealed(&context.keys, request)?,
            next_look: context.now + schedule::LEFT_BY_A_CRASH,
            actor: context.actor.clone(),
        };
        let row = payment_operation::insert(connection, &new).map_err(raced)?;
        idempotency_key::began(connection, key, row.id)?;
        Ok(row)
    }
}

fn asking(key: IdempotencyKeyId, payment: PaymentRow, operation: PaymentOperationRow) -> Step {
    Step::Ask(Box::new(Begun { key, payment, operation }))
}

fn locked(connection: &mut PgConnection, id: PaymentId) -> Result<PaymentRow, DomainError> {
    payment::by_id_for_update(connection, id)?.ok_or(DomainError::NotFound)
}

/// Another operation about the payment whose outcome is open.
fn raced(error: StoreError) -> DomainError {
    match error.constraint() {
        Some("payment_operations_open_key") => {
            DomainError::Conflict("The provider is being asked for something about this payment.")
        }
        _ => error.into(),
    }
}

/// Whether the payment's state allows it.
fn permitted(payment: &PaymentRow, operation: PaymentOperationKind, amount: i64) -> Result<(), DomainError> {
    Known::of(payment).permits(payment.status, operation, amount).map_err(refused)
}

fn refused(refusal: Refusal) -> DomainError {
    match refusal {
        Refusal::Unknown => {
            DomainError::Conflict("The outcome of an earlier request about this payment is not known yet.")
        }
        Refusal::Status => DomainError::Conflict("The payment's status does not allow this."),
        Refusal::TooMuch => DomainError::Conflict("More was captured than asked for."),
        Refusal::AboveAuthorized | Refusal::AboveCaptured => field("amount", refusal.to_string()),
    }
}

/// The amount that a client names, or what is left; more than nothing.
fn amount(payment: &PaymentRow, named: Option<&str>, left: i64) -> Result<Money, DomainError> {
    let currency = Currency::parse(&payment.currency);
    let currency = currency.map_err(|_| DomainError::Integrity("The payment has no currency."))?;
    let Some(text) = named else { return Ok(Money { minor_units: left, currency }) };
    match Money::parse(text, currency) {
        Ok(money) if money.minor_units > 0 => Ok(money),
        Ok(_) => Err(field("amount", "Enter an amount: more than 0.")),
        Err(error) => Err(field("amount", format!("Enter an amount: {error}."))),
    }
}

/// The provider's id of a payment.
fn reference(payment: &PaymentRow) -> Result<String, DomainError> {
    let reference = payment.provider_reference.clone();
    reference.ok_or(DomainError::Conflict("The payer has not agreed to the payment yet."))
}
