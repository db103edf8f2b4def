//! What a provider's event means for a payment of ours.

use diesel::PgConnection;
use wire::{
    Money,
    payment::{Captured, Event, EventKind, Outcome, Payment},
};

use super::{
    Context, Fact, Taken, absorb,
    absorb::INTEGRITY,
    machine,
    record::{payment_body, record},
};
use crate::{
    domain::DomainError,
    store::{
        code::Provider,
        id::PaymentId,
        payment::{self, PaymentRow},
        payment_code::{OperationState, PaymentOperationKind},
        payment_operation::{self, PaymentOperationRow},
        refund,
    },
};

/// What became of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Told {
    /// It is about no payment of ours.
    NotOurs,
    /// What it says is on the books, now or before.
    Applied,
    /// It cannot be told yet what it is about.
    TooEarly,
    /// It says that something has happened and not what: the provider is to be asked how the payment stands.
    Look {
        /// The payment.
        payment: PaymentId,
        /// By what the provider knows it.
        reference: String,
    },
}

/// Writes down what an event about a payment, a refund or a dispute says, in the caller's database transaction.
///
/// # Errors
/// What the database gives.
pub fn tell(connection: &mut PgConnection, context: &Context, event: &Event) -> Result<Told, DomainError> {
    let Some((payment, operation)) = find(connection, event)? else { return Ok(Told::NotOurs) };
    match event.kind {
        EventKind::Payment => payment_changed(connection, context, event, payment, operation),
        EventKind::Refund => refund_changed(connection, context, event, payment, operation),
        EventKind::Dispute => {
            disputed(connection, context, event, &payment)?;
            Ok(Told::Applied)
        }
        _ => Ok(Told::NotOurs),
    }
}

/// The payment that an event is about, locked until the database transaction ends, and what of ours it answers.
fn find(
    connection: &mut PgConnection,
    event: &Event,
) -> Result<Option<(PaymentRow, Option<PaymentOperationRow>)>, DomainError> {
    let provider = Provider::from(event.provider);
    let operation = match event.attempt {
        Some(attempt) => payment_operation::by_attempt(connection, attempt.uuid())?,
        None => None,
    };
    let id = match (&operation, event.refund.as_ref().and_then(Outcome::result)) {
        (Some(operation), _) => Some(operation.payment_id),
        (None, Some(said)) => {
            let known = refund::by_reference(connection, provider, &said.reference)?;
            known.map(|refund| refund.payment_id)
        }
        (None, None) => None,
    };
    let payment = match (id, &event.payment_reference) {
        (Some(id), _) => payment::by_id_for_update(connection, id)?,
        (None, Some(reference)) => payment::by_reference_for_update(connection, provider, reference)?,
        (None, None) => None,
    };
    Ok(payment.filter(|payment| payment.provider == provider).map(|payment| (payment, operation)))
}

fn payment_changed(
    connection: &mut PgConnection,
    context: &Context,
    event: &Event,
    payment: PaymentRow,
    operation: Option<PaymentOperationRow>,
) -> Result<Told, DomainError> {
    let Some(outcome) = event.payment.clone() else { return to_look(connection, event, &payment) };
    let fact = match operation.filter(|operation| operation.operation == PaymentOperationKind::Capture) {
        // A part of it that is a payment of its own at the provider.
        Some(operation) => Fact::Capture { operation, outcome: outcome.map(part) },
        None => Fact::Payment { operation: None, outcome },
    };
    absorbed(connection, context, payment, fact)
}

fn refund_changed(
    connection: &mut PgConnection,
    context: &Context,
    event: &Event,
    payment: PaymentRow,
    operation: Option<PaymentOperationRow>,
) -> Result<Told, DomainError> {
    let Some(outcome) = event.refund.clone() else {
        unreadable(connection, context, event, &payment)?;
        return Ok(Told::Applied);
    };
    // One that was made at the provider may bear the attempt of the payment.
    let operation = operation.filter(|operation| operation.operation == PaymentOperationKind::Refund);
    absorbed(connection, context, payment, Fact::Refund { operation, outcome })
}

fn absorbed(
    connection: &mut PgConnection,
    context: &Context,
    payment: PaymentRow,
    fact: Fact,
) -> Result<Told, DomainError> {
    Ok(match absorb(connection, context, payment, fact)?.taken {
        Taken::Known | Taken::Contradicts => Told::Applied,
        Taken::TooEarly => Told::TooEarly,
    })
}

/// Something has happened to a refund, and the event does not say to which, or what: money may have moved, and a person is to
/// look.
fn unreadable(
    connection: &mut PgConnection,
    context: &Context,
    event: &Event,
    payment: &PaymentRow,
) -> Result<(), DomainError> {
    log::error!(
        "payment {}: the provider tells of a refund and not how it stands: {} ({})",
        payment.uuid,
        event.provider_kind.escape_debug(),
        event.id.escape_debug()
    );
    let mut body = payment_body(payment);
    body["unreadable"] = event.provider_kind.clone().into();
    record(connection, payment, INTEGRITY, body, &context.actor)
}

/// A dispute moves no money here: what the provider takes back of it comes as an event of its own, or not at all.
fn disputed(
    connection: &mut PgConnection,
    context: &Context,
    event: &Event,
    payment: &PaymentRow,
) -> Result<(), DomainError> {
    log::warn!("payment {} is disputed: {}", payment.uuid, event.provider_kind.escape_debug());
    let mut body = payment_body(payment);
    body["dispute"] = event.provider_kind.clone().into();
    record(connection, payment, "payment.disputed", body, &context.actor)
}

/// Nothing needs to be asked about a payment of which all is known.
fn to_look(connection: &mut PgConnection, event: &Event, payment: &PaymentRow) -> Result<Told, DomainError> {
    let operations = payment_operation::of_payment(connection, payment.id)?;
    let all_settled = operations.iter().all(|operation| operation.state == OperationState::Settled);
    if all_settled && payment.closed && machine::is_final(payment.standing) {
        return Ok(Told::Applied);
    }
    let known = payment.provider_reference.as_ref().or(payment.checkout_reference.as_ref());
    Ok(match known.or(event.payment_reference.as_ref()) {
        Some(reference) => Told::Look { payment: payment.id, reference: reference.clone() },
        None => Told::TooEarly,
    })
}

/// A part of a payment as the capture that made it.
fn part(part: Payment) -> Captured {
    let minor_units = if part.captured > 0 { part.captured } else { part.amount.minor_units };
    Captured {
        settlement_declined: part.settlement_declined > 0,
        reference: part.reference,
        status: part.status,
        amount: Money { minor_units, currency: part.amount.currency },
    }
}
