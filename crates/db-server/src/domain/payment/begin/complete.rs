//! The payer has come back: from a checkout, or from an action such as 3-D Secure.

use diesel::PgConnection;
use wire::payment::{AttemptId, CompleteCheckout};

use super::{Operation, amount, asking, locked, permitted, raced};
use crate::{
    domain::{
        Domain, DomainError,
        payment::{
            Context,
            answer::{Answer, Rows},
            idempotency::{self, Once},
            perform::{Begun, Flow, Step, perform},
            schedule,
        },
    },
    error::ApiError,
    proxy_client::ProxyClient,
    store::{
        id::{IdempotencyKeyId, PaymentId},
        idempotency_key,
        payment::PaymentRow,
        payment_code::{
            OperationState,
            PaymentOperationKind::{Authorize, CompleteCheckout as Complete},
            PaymentStatus,
        },
        payment_operation::{self, PaymentOperationChanges, PaymentOperationRow},
    },
};

/// Executes what the payer has agreed to, or asks how it stands. However often the payer comes back, it is executed
/// once; a payment that is through is told as it is.
///
/// # Errors
/// What forbids it, and what the database gives. What the provider says of it is an answer.
pub async fn complete(
    domain: &Domain,
    proxy: &ProxyClient,
    once: Once,
    id: PaymentId,
) -> Result<Answer, ApiError> {
    let begin = move |connection: &mut PgConnection, context: &Context, key: IdempotencyKeyId| {
        let payment = locked(connection, id)?;
        match payment.standing {
            PaymentStatus::RequiresAction | PaymentStatus::Pending => {}
            _ => return as_it_is(connection, context, key, &payment),
        }
        permitted(&payment, Complete, 0)?;
        if payment.checkout_reference.is_some() {
            execute(connection, context, key, payment)
        } else {
            look(connection, context, key, payment)
        }
    };
    perform(domain, proxy, once, Flow::Complete, begin).await
}

fn as_it_is(
    connection: &mut PgConnection,
    context: &Context,
    key: IdempotencyKeyId,
    payment: &PaymentRow,
) -> Result<Step, DomainError> {
    if payment.standing == PaymentStatus::Created {
        return Err(DomainError::Conflict("The payment is only just being created."));
    }
    let rows = Rows { flow: Flow::Complete, payment, operation: None, refund: None, told: None };
    let answer = rows.answer(&context.keys)?;
    Ok(Step::Answered(idempotency::keep(connection, &context.keys, key, answer)?))
}

/// Asks for what the payer has agreed to: again under the attempt that the provider knows, if there is one.
fn execute(
    connection: &mut PgConnection,
    context: &Context,
    key: IdempotencyKeyId,
    payment: PaymentRow,
) -> Result<Step, DomainError> {
    let before = latest(connection, &payment, |operation| {
        operation.operation == Complete && operation.state != OperationState::Settled
    })?;
    if let Some(before) = before {
        let operation = ask_again(connection, context, key, &before)?;
        return Ok(Step::Repeat(Box::new(Begun { key, payment, operation })));
    }
    let attempt = AttemptId::new();
    let amount = amount(&payment, None, payment.amount_minor)?;
    let checkout = payment.checkout_reference.clone().ok_or(DomainError::NotFound)?;
    let request = CompleteCheckout { attempt, checkout, amount, capture: payment.capture };
    let operation = Operation::new(Complete, attempt, Some(payment.amount_minor));
    let operation = operation.begin(connection, context, key, &payment, &request)?;
    Ok(asking(key, payment, operation))
}

/// Opens an operation again of which the provider has said that the payer is not through.
fn ask_again(
    connection: &mut PgConnection,
    context: &Context,
    key: IdempotencyKeyId,
    before: &PaymentOperationRow,
) -> Result<PaymentOperationRow, DomainError> {
    if before.state != OperationState::Watching {
        return Err(DomainError::Conflict("The provider is being asked for something about this payment."));
    }
    let changes = PaymentOperationChanges {
        state: OperationState::Open,
        outcome: None,
        provider_reference: before.provider_reference.clone(),
        request: before.request.clone(),
        next_look: Some(context.now + schedule::LEFT_BY_A_CRASH),
        looks: before.looks,
    };
    let operation = payment_operation::update(connection, before.id, &changes).map_err(raced)?;
    idempotency_key::began(connection, key, operation.id)?;
    Ok(operation)
}

/// Asks how a payment stands that the provider goes on with by itself.
fn look(
    connection: &mut PgConnection,
    context: &Context,
    key: IdempotencyKeyId,
    payment: PaymentRow,
) -> Result<Step, DomainError> {
    let authorize = latest(connection, &payment, |operation| operation.operation == Authorize)?;
    let Some(operation) = authorize else { return as_it_is(connection, context, key, &payment) };
    idempotency_key::began(connection, key, operation.id)?;
    Ok(Step::Look(Box::new(Begun { key, payment, operation })))
}

fn latest(
    connection: &mut PgConnection,
    payment: &PaymentRow,
    fits: impl Fn(&PaymentOperationRow) -> bool,
) -> Result<Option<PaymentOperationRow>, DomainError> {
    let all = payment_operation::of_payment(connection, payment.id)?;
    Ok(all.into_iter().rev().find(fits))
}
