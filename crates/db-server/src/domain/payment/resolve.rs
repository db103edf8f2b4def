//! What an operator has found out about an operation whose outcome is not known, written down like anything that a
//! provider says.

mod evidence;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;
use thiserror::Error;
use uuid::Uuid;
use wire::MoneyError;

use super::{
    Context, Taken, absorb,
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
            PaymentOperationKind::{self, Authorize, CompleteCheckout, StartCheckout, Void},
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
    let absorbed = absorb(connection, context, row.clone(), evidence::fact(&row, operation, said)?)?;
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
