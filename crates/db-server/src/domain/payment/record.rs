//! What is told to the outside when a payment has changed.

use diesel::PgConnection;
use serde_json::{Value, json};
use wire::{Currency, Money};

use crate::{
    domain::DomainError,
    store::{
        payment::PaymentRow,
        payment_event::{self, NewPaymentEvent},
        refund::RefundRow,
    },
    uri::Kind,
};

/// Writes down, in the database transaction that changed it, that a payment has changed.
///
/// # Errors
/// What the database gives.
pub fn record(
    connection: &mut PgConnection,
    payment: &PaymentRow,
    kind: &str,
    body: Value,
    actor: &str,
) -> Result<(), DomainError> {
    let new = NewPaymentEvent {
        payment_id: payment.id,
        kind: kind.to_owned(),
        status: payment.status.name().to_owned(),
        actor: actor.to_owned(),
        payload: body,
    };
    payment_event::append(connection, &new)?;
    Ok(())
}

/// A payment as readers of events see it; without anything with which somebody could go on in the payer's place.
#[must_use]
pub fn payment_body(payment: &PaymentRow) -> Value {
    let amount = |minor_units| decimal(payment, minor_units);
    json!({
        "uuid": payment.uuid,
        "transaction": Kind::Transaction.uri(payment.transaction_id),
        "provider": payment.provider.name(),
        "provider_reference": payment.provider_reference,
        "status": payment.status.name(),
        "amount": amount(payment.amount_minor),
        "captured_amount": amount(payment.captured_minor),
        "refunded_amount": amount(payment.refunded_minor),
        "currency": payment.currency,
    })
}

/// A refund as readers of events see it, with its payment.
#[must_use]
pub fn refund_body(payment: &PaymentRow, refund: &RefundRow) -> Value {
    let mut body = payment_body(payment);
    body["refund"] = json!({
        "uuid": refund.uuid,
        "amount": decimal(payment, refund.amount_minor),
        "status": refund.standing.name(),
        "provider_reference": refund.provider_reference,
    });
    body
}

/// An amount of the payment's currency as a decimal; none for a currency that is none.
#[must_use]
pub fn decimal(payment: &PaymentRow, minor_units: i64) -> Option<String> {
    let currency = Currency::parse(&payment.currency).ok()?;
    Some(Money { minor_units, currency }.decimal())
}
