//! What an operator has found out about an operation whose outcome is not known, written down like anything that a
//! provider says.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;
use thiserror::Error;
use uuid::Uuid;
use wire::{
    Currency, Money, MoneyError,
    payment::{Advice, Captured, Decline, Outcome, Payment, Refunded},
};

use super::{
    Context, Fact, Refused, Taken, absorb,
    record::{payment_body, record},
};
use crate::{
    crypt::EncryptionKeys,
    database::Database,
    domain::{
        DomainError,
        payment_event::{BECAUSE, BY, RESOLVED},
    },
    store::{
        StoreError,
        id::PaymentEventId,
        payment::{self, PaymentRow},
        payment_code::{
            OperationState,
            PaymentOperationKind::{self, Authorize, Capture, CompleteCheckout, Refund, StartCheckout, Void},
            PaymentStatus,
        },
        payment_event::{self, PaymentEventRow},
        payment_operation::{self, PaymentOperationRow},
        refund::{self, RefundRow},
    },
};

/// The code of what an operator has found not to have happened.
const CODE: &str = "resolved";
/// What clients are told in the place of the provider's own words.
const BY_HAND: &str = "resolved by hand";

/// How many events of a payment are shown.
const MOST_EVENTS: i64 = 1000;

/// What has become of an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finding {
    /// The money was taken.
    Captured,
    /// The amount is held.
    Authorized,
    /// The authorization was given up.
    Voided,
    /// The money went back.
    Refunded,
    /// The bank or the provider said no.
    Declined,
    /// It was not done.
    Failed,
}

/// What an operator says.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// The payment.
    pub payment: Uuid,
    /// The attempt of the operation.
    pub attempt: Uuid,
    /// What has become of it.
    pub finding: Finding,
    /// The provider's id of the payment, the capture or the refund, if it made one.
    pub reference: Option<String>,
    /// How much was taken in all, as a decimal; the whole amount when it is not given.
    pub captured: Option<String>,
    /// Who says so.
    pub by: String,
    /// How the operator knows.
    pub because: String,
}

/// Why what an operator says is not written down.
#[derive(Debug, Error)]
pub enum ResolveError {
    /// There is no such payment.
    #[error("there is no payment with this uuid")]
    NoPayment,
    /// The payment has no such operation.
    #[error("the payment has no operation with this attempt")]
    NoOperation,
    /// Its outcome is known.
    #[error("the operation is settled")]
    Settled,
    /// It cannot end so.
    #[error("{0} cannot end so")]
    Never(&'static str),
    /// The provider's id is missing.
    #[error("--reference: the provider's id is needed")]
    NoReference,
    /// Who says so, or why, is missing or too long.
    #[error("--{0}: 1 to {1} characters")]
    Text(&'static str, usize),
    /// The amount is none.
    #[error("--captured: {0}")]
    Amount(#[from] MoneyError),
    /// It cannot be true, given what is known.
    #[error("it contradicts what is known: {0}")]
    Contradicts(&'static str),
    /// It could not be written down.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

impl From<StoreError> for ResolveError {
    fn from(error: StoreError) -> Self {
        Self::Domain(DomainError::Store(error))
    }
}

/// All about a payment that an operator may want to see.
#[derive(Clone, Debug)]
pub struct Story {
    /// The payment.
    pub payment: PaymentRow,
    /// What the provider was asked, oldest first.
    pub operations: Vec<PaymentOperationRow>,
    /// What goes back, oldest first.
    pub refunds: Vec<RefundRow>,
    /// What has happened, oldest first.
    pub events: Vec<PaymentEventRow>,
}

/// Reads all about a payment.
///
/// # Errors
/// [`ResolveError::NoPayment`], and what the database gives.
pub async fn story(database: &Database, uuid: Uuid) -> Result<Story, ResolveError> {
    database.write_one(payment_event::order).await?;
    let read = move |connection: &mut PgConnection| {
        let payment = payment::by_uuid(connection, uuid)?.ok_or(ResolveError::NoPayment)?;
        Ok(Story {
            operations: payment_operation::of_payment(connection, payment.id)?,
            refunds: refund::of_payment(connection, payment.id)?,
            events: payment_event::of_payment(connection, payment.id, PaymentEventId(0), MOST_EVENTS)?,
            payment,
        })
    };
    database.read(read).await
}

/// Writes down what an operator says of an operation, and tells it as an event `payment.resolved`.
///
/// # Errors
/// [`ResolveError`]; nothing was written then.
pub async fn resolve(
    database: &Database,
    keys: EncryptionKeys,
    now: DateTime<Utc>,
    resolution: Resolution,
) -> Result<PaymentRow, ResolveError> {
    for (name, text, most) in [("by", &resolution.by, 200), ("because", &resolution.because, 1000)] {
        if text.trim().is_empty() || text.chars().count() > most {
            return Err(ResolveError::Text(name, most));
        }
    }
    let context = Context { keys, now, actor: format!("operator:{}", resolution.by) };
    let write = move |connection: &mut PgConnection| write(connection, &context, &resolution);
    database.write(write).await
}

fn write(
    connection: &mut PgConnection,
    context: &Context,
    said: &Resolution,
) -> Result<PaymentRow, ResolveError> {
    let seen = payment::by_uuid(connection, said.payment)?.ok_or(ResolveError::NoPayment)?;
    let row = payment::by_id_for_update(connection, seen.id)?.ok_or(ResolveError::NoPayment)?;
    let operation = payment_operation::by_attempt(connection, said.attempt)?;
    let operation = operation.filter(|one| one.payment_id == row.id).ok_or(ResolveError::NoOperation)?;
    if operation.state == OperationState::Settled {
        return Err(ResolveError::Settled);
    }
    let (before, kind) = (row.standing, operation.operation);
    check(&row, kind, said)?;
    let absorbed = absorb(connection, context, row.clone(), fact(&row, operation, said)?)?;
    if absorbed.taken != Taken::Known {
        return Err(ResolveError::Contradicts("the amount is not that of the payment"));
    }
    let mut body = payment_body(&absorbed.payment);
    // Who says so, and why, is kept with the event and shown to operators alone.
    body[RESOLVED] = json!({
        "operation": kind.name(), "attempt": said.attempt, BY: said.by, BECAUSE: said.because,
    });
    record(connection, &absorbed.payment, "payment.resolved", body, &context.actor)?;
    log::warn!(
        "payment {}: {} says that {} {} is {:?}: {} -> {}: {}",
        said.payment,
        context.actor.escape_debug(),
        kind.name(),
        said.attempt,
        said.finding,
        before.name(),
        absorbed.payment.status.name(),
        said.because.escape_debug()
    );
    Ok(absorbed.payment)
}

/// Refuses what cannot be true.
fn check(row: &PaymentRow, kind: PaymentOperationKind, said: &Resolution) -> Result<(), ResolveError> {
    use PaymentStatus::{Authorized, Cancelled, Captured};
    let has_money = matches!(row.standing, Authorized | Captured | Cancelled);
    let makes_payment = matches!(kind, Authorize | StartCheckout | CompleteCheckout);
    if makes_payment && has_money && matches!(said.finding, Finding::Declined | Finding::Failed) {
        return Err(ResolveError::Contradicts("the provider has said that it has the money"));
    }
    let other = |known: &String| said.reference.as_ref().is_some_and(|said| said != known);
    if makes_payment && row.provider_reference.as_ref().is_some_and(other) {
        return Err(ResolveError::Contradicts("the payment has another reference"));
    }
    if kind == Void
        && said.finding == Finding::Voided
        && row.captured_minor + row.settlement_declined_minor > 0
    {
        return Err(ResolveError::Contradicts("it has been captured"));
    }
    Ok(())
}

fn fact(row: &PaymentRow, operation: PaymentOperationRow, said: &Resolution) -> Result<Fact, ResolveError> {
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
