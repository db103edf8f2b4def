//! Taking, giving up and giving back what a payment is about.

use diesel::PgConnection;
use uuid::Uuid;
use wire::payment::{AttemptId, Capture, Refund, Void};

use super::{Operation, amount, asking, locked, permitted, reference, refused};
use crate::{
    domain::{
        Domain, DomainError,
        error::field,
        payment::{
            Context,
            absorb::refund_transaction,
            answer::Answer,
            idempotency::Once,
            machine::Known,
            parts,
            perform::{Flow, Step, perform},
        },
    },
    error::ApiError,
    proxy_client::ProxyClient,
    store::{
        id::{IdempotencyKeyId, PaymentId},
        payment::{self, PaymentChanges, PaymentRow},
        payment_code::{PaymentOperationKind, RefundStanding},
        payment_operation,
        refund::{self as refunds, NewRefund},
        transaction,
    },
};

/// A refund to be made.
#[derive(Clone, Debug, Default)]
pub struct WantedRefund {
    /// How much, as the client wrote it; all that is left, if it did not.
    pub amount: Option<String>,
    /// The provider's id of the capture that goes back, where a payment has several.
    pub capture: Option<String>,
}

/// Takes what is authorized, or a part of it. `named` is the amount as the client wrote it; what is left, if it did
/// not.
///
/// # Errors
/// What forbids it, and what the database gives. What the provider says of it is an answer.
pub async fn capture(
    domain: &Domain,
    proxy: &ProxyClient,
    once: Once,
    id: PaymentId,
    named: Option<String>,
    last: bool,
) -> Result<Answer, ApiError> {
    let begin = move |connection: &mut PgConnection, context: &Context, key: IdempotencyKeyId| {
        let payment = locked(connection, id)?;
        // What is pending at the provider is not there to be taken once more.
        let pending = parts::pending(&payment_operation::of_payment(connection, payment.id)?);
        let taken = Known::of(&payment).taken();
        let left = payment.amount_minor - taken - pending;
        permitted(&payment, PaymentOperationKind::Capture, 0)?;
        // Of nothing that is left, at least one minor unit is too much.
        let amount = amount(&payment, named.as_deref(), left.max(1))?;
        permitted(&payment, PaymentOperationKind::Capture, amount.minor_units.saturating_add(pending))?;
        let (attempt, last) = (AttemptId::new(), last || amount.minor_units == left);
        let request = Capture { attempt, payment: reference(&payment)?, amount, last };
        let operation = Operation {
            before_minor: taken,
            last,
            ..Operation::new(PaymentOperationKind::Capture, attempt, Some(amount.minor_units))
        };
        let operation = operation.begin(connection, context, key, &payment, &request)?;
        Ok(asking(key, payment, operation))
    };
    perform(domain, proxy, once, Flow::Capture, begin).await
}

/// Gives up an authorization.
///
/// # Errors
/// As [`capture`].
pub async fn cancel(
    domain: &Domain,
    proxy: &ProxyClient,
    once: Once,
    id: PaymentId,
) -> Result<Answer, ApiError> {
    let begin = move |connection: &mut PgConnection, context: &Context, key: IdempotencyKeyId| {
        let payment = locked(connection, id)?;
        permitted(&payment, PaymentOperationKind::Void, 0)?;
        let attempt = AttemptId::new();
        let request = Void { attempt, payment: reference(&payment)? };
        let operation = Operation::new(PaymentOperationKind::Void, attempt, None);
        let operation = operation.begin(connection, context, key, &payment, &request)?;
        Ok(asking(key, payment, operation))
    };
    perform(domain, proxy, once, Flow::Cancel, begin).await
}

/// Gives back what was captured, or a part of it.
///
/// # Errors
/// As [`capture`].
pub async fn refund(
    domain: &Domain,
    proxy: &ProxyClient,
    once: Once,
    id: PaymentId,
    wanted: WantedRefund,
) -> Result<Answer, ApiError> {
    let begin = move |connection: &mut PgConnection, context: &Context, key: IdempotencyKeyId| {
        let payment = locked(connection, id)?;
        begin_refund(connection, context, key, payment, &wanted)
    };
    perform(domain, proxy, once, Flow::Refund, begin).await
}

fn begin_refund(
    connection: &mut PgConnection,
    context: &Context,
    key: IdempotencyKeyId,
    payment: PaymentRow,
    wanted: &WantedRefund,
) -> Result<Step, DomainError> {
    let known = Known::of(&payment);
    permitted(&payment, PaymentOperationKind::Refund, 0)?;
    // Of nothing that is left, at least one minor unit is too much.
    let amount = amount(&payment, wanted.amount.as_deref(), known.refundable().max(1))?;
    permitted(&payment, PaymentOperationKind::Refund, amount.minor_units)?;
    let reserved = known.reserving(amount.minor_units).map_err(refused)?;
    if wanted.capture.as_ref().is_some_and(|capture| !payment.captures.contains(capture)) {
        return Err(field("capture", "The payment has no such capture."));
    }
    let attempt = AttemptId::new();
    let request = Refund { attempt, payment: reference(&payment)?, capture: wanted.capture.clone(), amount };
    let changes = PaymentChanges { refunding_minor: reserved.refunding, ..PaymentChanges::of(&payment) };
    let payment = payment::update(connection, payment.id, &changes)?;
    let new = refund_transaction(&payment, amount.minor_units);
    let transaction = transaction::insert(connection, &new, &context.actor)?;
    let operation = Operation::new(PaymentOperationKind::Refund, attempt, Some(amount.minor_units));
    let operation = operation.begin(connection, context, key, &payment, &request)?;
    let new = NewRefund {
        uuid: Uuid::now_v7(),
        payment_id: payment.id,
        operation_id: Some(operation.id),
        transaction_id: transaction.id,
        provider: payment.provider,
        amount_minor: amount.minor_units,
        standing: RefundStanding::Created,
        provider_reference: None,
    };
    refunds::insert(connection, &new)?;
    Ok(asking(key, payment, operation))
}
