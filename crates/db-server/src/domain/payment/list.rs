//! Payments and their refunds as clients read them.

use diesel::PgConnection;

use crate::{
    domain::{Domain, DomainError},
    store::{
        id::{PaymentEventId, PaymentId},
        payment::{self, PaymentFilter, PaymentRow},
        payment_event::{self, PaymentEventRow},
        payment_operation::{self, PaymentOperationRow},
        refund::{self, RefundRow},
    },
};

/// The refunds of a payment.
pub struct Refunds {
    /// The payment.
    pub payment: PaymentRow,
    /// The refunds, oldest first, each with what the provider was asked for it.
    pub refunds: Vec<(RefundRow, Option<PaymentOperationRow>)>,
}

/// Reads a payment.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn get(domain: &Domain, id: PaymentId) -> Result<PaymentRow, DomainError> {
    let row = domain.database.read_one(move |connection| payment::by_id(connection, id)).await?;
    row.ok_or(DomainError::NotFound)
}

/// The payments that the filter names, newest first: at most `limit`, of those that are older than `after`.
///
/// # Errors
/// What the database gives.
pub async fn list(
    domain: &Domain,
    filter: PaymentFilter,
    after: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<PaymentRow>, DomainError> {
    let list = move |connection: &mut PgConnection| payment::list(connection, &filter, after, limit);
    Ok(domain.database.read_one(list).await?)
}

/// The refunds of a payment, oldest first.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn refunds(domain: &Domain, id: PaymentId) -> Result<Refunds, DomainError> {
    let read = move |connection: &mut PgConnection| {
        let payment = payment::by_id(connection, id)?.ok_or(DomainError::NotFound)?;
        let operations = payment_operation::of_payment(connection, id)?;
        let of = |refund: &RefundRow| {
            operations.iter().find(|operation| Some(operation.id) == refund.operation_id).cloned()
        };
        let refunds = refund::of_payment(connection, id)?;
        let refunds = refunds.into_iter().map(|refund| (refund.clone(), of(&refund))).collect();
        Ok(Refunds { payment, refunds })
    };
    domain.database.read(read).await
}

/// The history of a payment, oldest first: at most `limit` events behind `after`.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn events(
    domain: &Domain,
    id: PaymentId,
    after: PaymentEventId,
    limit: i64,
) -> Result<Vec<PaymentEventRow>, DomainError> {
    crate::domain::payment_event::order(domain).await?;
    let read = move |connection: &mut PgConnection| {
        payment::by_id(connection, id)?.ok_or(DomainError::NotFound)?;
        Ok(payment_event::of_payment(connection, id, after, limit)?)
    };
    domain.database.read(read).await
}
