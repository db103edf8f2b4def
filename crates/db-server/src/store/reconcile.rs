//! What our books say of money that a provider says it has moved: payments, refunds, and the transactions of the older
//! paths.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*};
use uuid::Uuid;

use super::{
    StoreError,
    code::{Provider, TransactionStatus, TransactionType},
    id::{PaymentId, RefundId, TransactionId},
    payment_code::{OperationState, PaymentOperationKind, RefundStanding},
};
use crate::schema::{payment_operations, payments, refunds, transactions};

/// A payment, as far as money goes.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(diesel::pg::Pg))]
pub struct BookedPayment {
    /// The key.
    pub id: PaymentId,
    /// What clients know it by.
    pub uuid: Uuid,
    /// The provider's id of it.
    pub provider_reference: Option<String>,
    /// The provider's id of its checkout.
    pub checkout_reference: Option<String>,
    /// The provider's ids of its captures.
    pub captures: Vec<String>,
    /// How much was taken, in minor units.
    pub captured_minor: i64,
    /// Of this currency (ISO 4217).
    pub currency: String,
}

/// A refund, as far as money goes.
#[derive(Clone, Debug, PartialEq, Queryable)]
pub struct BookedRefund {
    /// The key.
    pub id: RefundId,
    /// What clients know it by.
    pub uuid: Uuid,
    /// The provider's id of it.
    pub provider_reference: Option<String>,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// The currency of its payment (ISO 4217).
    pub currency: String,
    /// How it stands.
    pub standing: RefundStanding,
}

/// The columns of a [`BookedRefund`].
const REFUND: (
    refunds::id,
    refunds::uuid,
    refunds::provider_reference,
    refunds::amount_minor,
    payments::currency,
    refunds::standing,
) = (
    refunds::id,
    refunds::uuid,
    refunds::provider_reference,
    refunds::amount_minor,
    payments::currency,
    refunds::standing,
);

/// A transaction that belongs to no payment of `payments`: one of the older paths.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = transactions, check_for_backend(diesel::pg::Pg))]
pub struct BookedTransaction {
    /// The key.
    pub id: TransactionId,
    /// What clients know it by.
    pub uuid: String,
    /// The provider's id of it.
    pub uid_support: Option<String>,
    /// What it does.
    #[diesel(column_name = type_)]
    pub kind: TransactionType,
    /// How far it is.
    pub status: TransactionStatus,
    /// How much, in minor units.
    pub amount_minor: Option<i64>,
    /// Of this currency (ISO 4217).
    pub currency: Option<String>,
}

/// An operation by the id under which the provider was asked.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = payment_operations, check_for_backend(diesel::pg::Pg))]
pub struct BookedAttempt {
    /// That id.
    pub attempt: Uuid,
    /// About which payment.
    pub payment_id: PaymentId,
    /// How far it is.
    pub state: OperationState,
}

/// What the provider's rows may be about.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The ids of movements and of payments that they name.
    pub references: Vec<String>,
    /// The attempts that they name.
    pub attempts: Vec<Uuid>,
}

/// What our books know of that.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The payments that have one of the ids, or were asked for under one of the attempts.
    pub payments: Vec<BookedPayment>,
    /// Those of them of which something was asked whose outcome is not known yet.
    pub unsettled: HashSet<PaymentId>,
    /// The attempts.
    pub attempts: Vec<BookedAttempt>,
    /// The refunds that have one of the ids.
    pub refunds: Vec<BookedRefund>,
    /// The transactions of the older paths that have one of the ids.
    pub transactions: Vec<BookedTransaction>,
}

/// Reads what our books know of a page of the provider's rows.
///
/// # Errors
/// [`StoreError`].
pub fn known(connection: &mut PgConnection, provider: Provider, asked: &Asked) -> Result<Known, StoreError> {
    let attempts: Vec<BookedAttempt> = payment_operations::table
        .filter(payment_operations::attempt.eq_any(&asked.attempts))
        .select(BookedAttempt::as_select())
        .load(connection)?;
    let of_provider = payments::table.filter(payments::provider.eq(provider));
    let mut found: Vec<BookedPayment> = of_provider
        .filter(
            payments::provider_reference
                .eq_any(&asked.references)
                .or(payments::checkout_reference.eq_any(&asked.references)),
        )
        .select(BookedPayment::as_select())
        .load(connection)?;
    let by_attempt: Vec<PaymentId> = attempts.iter().map(|one| one.payment_id).collect();
    let by_reference: Vec<PaymentId> = found.iter().map(|one| one.id).collect();
    found.extend(
        of_provider
            .filter(payments::id.eq_any(&by_attempt).and(payments::id.ne_all(&by_reference)))
            .select(BookedPayment::as_select())
            .load(connection)?,
    );
    Ok(Known {
        unsettled: unsettled(connection, &found.iter().map(|one| one.id).collect::<Vec<_>>())?,
        payments: found,
        attempts,
        refunds: refunds_by_reference(connection, provider, &asked.references)?,
        transactions: transactions_by_reference(connection, provider, &asked.references)?,
    })
}

/// Which of these payments wait for the outcome of something.
fn unsettled(connection: &mut PgConnection, ids: &[PaymentId]) -> Result<HashSet<PaymentId>, StoreError> {
    let query = payment_operations::table
        .filter(payment_operations::payment_id.eq_any(ids))
        .filter(payment_operations::state.ne(OperationState::Settled))
        .select(payment_operations::payment_id)
        .distinct();
    Ok(query.load::<PaymentId>(connection)?.into_iter().collect())
}

/// Whether a payment waits for the outcome of something.
///
/// # Errors
/// [`StoreError`].
pub fn is_unsettled(connection: &mut PgConnection, id: PaymentId) -> Result<bool, StoreError> {
    Ok(unsettled(connection, &[id])?.contains(&id))
}

fn refunds_by_reference(
    connection: &mut PgConnection,
    provider: Provider,
    references: &[String],
) -> Result<Vec<BookedRefund>, StoreError> {
    let query = refunds::table
        .inner_join(payments::table)
        .filter(refunds::provider.eq(provider).and(refunds::provider_reference.eq_any(references)));
    Ok(query.select(REFUND).load(connection)?)
}

/// Limits a query over `transactions` to those of the older paths.
macro_rules! of_older_paths {
    ($query:expr) => {
        $query
            .filter(diesel::dsl::not(exists(
                payments::table.filter(payments::transaction_id.eq(transactions::id)),
            )))
            .filter(diesel::dsl::not(exists(
                refunds::table.filter(refunds::transaction_id.eq(transactions::id)),
            )))
            .select(BookedTransaction::as_select())
    };
}

fn transactions_by_reference(
    connection: &mut PgConnection,
    provider: Provider,
    references: &[String],
) -> Result<Vec<BookedTransaction>, StoreError> {
    let found = transactions::table
        .filter(transactions::provider.eq(provider).and(transactions::uid_support.eq_any(references)));
    Ok(of_older_paths!(found).load(connection)?)
}

/// The payments that something was asked about in a time that may have moved money, oldest first, and those of them
/// that wait for the outcome of something.
///
/// The time is that of the attempts, which are of version 7.
///
/// # Errors
/// [`StoreError`].
pub fn payments_between(
    connection: &mut PgConnection,
    provider: Provider,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<(Vec<BookedPayment>, HashSet<PaymentId>), StoreError> {
    use PaymentOperationKind::{Authorize, Capture, CompleteCheckout};
    let asked = payment_operations::table
        .filter(
            payment_operations::attempt.ge(first_of(from)).and(payment_operations::attempt.lt(first_of(to))),
        )
        .filter(payment_operations::operation.eq_any([Authorize, CompleteCheckout, Capture]))
        .select(payment_operations::payment_id);
    let found: Vec<BookedPayment> = payments::table
        .filter(payments::provider.eq(provider).and(payments::id.eq_any(asked)))
        .order(payments::id)
        .select(BookedPayment::as_select())
        .load(connection)?;
    let ids: Vec<PaymentId> = found.iter().map(|one| one.id).collect();
    let unsettled = unsettled(connection, &ids)?;
    Ok((found, unsettled))
}

/// The refunds that were begun in a time and have not failed, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn refunds_between(
    connection: &mut PgConnection,
    provider: Provider,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<BookedRefund>, StoreError> {
    let query = refunds::table
        .inner_join(payments::table)
        .filter(refunds::uuid.ge(first_of(from)).and(refunds::uuid.lt(first_of(to))))
        .filter(refunds::provider.eq(provider).and(refunds::standing.ne(RefundStanding::Failed)))
        .order(refunds::id);
    Ok(query.select(REFUND).load(connection)?)
}

/// The transactions of the older paths that were created in a time, have a provider's id and have moved money, oldest
/// first.
///
/// # Errors
/// [`StoreError`].
pub fn transactions_between(
    connection: &mut PgConnection,
    provider: Provider,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<BookedTransaction>, StoreError> {
    let found = transactions::table
        .filter(transactions::provider.eq(provider).and(transactions::uid_support.is_not_null()))
        .filter(transactions::status.eq_any([TransactionStatus::Completed, TransactionStatus::Checked]))
        .filter(transactions::type_.eq_any([TransactionType::Payment, TransactionType::Refund]))
        .filter(transactions::created.ge(from).and(transactions::created.lt(to)))
        .order(transactions::id);
    Ok(of_older_paths!(found).load(connection)?)
}

/// What every id of version 7 that was made at an instant or later is not less than (RFC 9562, 5.7).
fn first_of(at: DateTime<Utc>) -> Uuid {
    let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(milliseconds << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_time_lie_between_its_ends() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let made = |seconds| Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0));
        let (from, to) = (first_of(at(1_700_000_000)), first_of(at(1_700_003_600)));
        for (seconds, inside) in
            [(1_699_999_999, false), (1_700_000_000, true), (1_700_003_599, true), (1_700_003_600, false)]
        {
            assert_eq!((from..to).contains(&made(seconds)), inside, "{seconds}");
        }
        assert_eq!(first_of(at(-1)), Uuid::nil());
    }
}
