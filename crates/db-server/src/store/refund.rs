//! The table `refunds`: what goes back of payments.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};
use uuid::Uuid;

use super::{
    StoreError,
    code::Provider,
    id::{PaymentId, PaymentOperationId, RefundId, TransactionId},
    payment_code::RefundStanding,
};
use crate::schema::refunds;

/// A refund.
#[derive(Clone, Debug, Identifiable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = refunds, check_for_backend(Pg))]
pub struct RefundRow {
    /// The key.
    pub id: RefundId,
    /// What clients know it by; of version 7.
    pub uuid: Uuid,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// What the provider was asked; none for one that was made at the provider.
    pub operation_id: Option<PaymentOperationId>,
    /// The same refund in the generic API.
    pub transaction_id: TransactionId,
    /// Through whom.
    pub provider: Provider,
    /// How much, in minor units of the payment's currency.
    pub amount_minor: i64,
    /// The strongest evidence.
    pub standing: RefundStanding,
    /// The provider's id of it.
    pub provider_reference: Option<String>,
    /// Why it failed.
    pub refusal_code: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// A refund to be written down; the fields are [`RefundRow`]'s.
#[expect(missing_docs, reason = "each field is documented in RefundRow")]
#[derive(Clone, Debug, Insertable)]
// A statement with the word DEFAULT in it would not stay prepared.
#[diesel(table_name = refunds, treat_none_as_default_value = false)]
pub struct NewRefund {
    pub uuid: Uuid,
    pub payment_id: PaymentId,
    pub operation_id: Option<PaymentOperationId>,
    pub transaction_id: TransactionId,
    pub provider: Provider,
    pub amount_minor: i64,
    pub standing: RefundStanding,
    pub provider_reference: Option<String>,
}

/// What changes about a refund; the fields are [`RefundRow`]'s, and all are written.
#[expect(missing_docs, reason = "each field is documented in RefundRow")]
#[derive(AsChangeset, Clone, Debug)]
#[diesel(table_name = refunds, treat_none_as_null = true)]
pub struct RefundChanges {
    pub standing: RefundStanding,
    pub provider_reference: Option<String>,
    pub refusal_code: Option<String>,
}

/// Writes a refund down.
///
/// # Errors
/// [`StoreError`].
pub fn insert(connection: &mut PgConnection, new: &NewRefund) -> Result<RefundRow, StoreError> {
    Ok(diesel::insert_into(refunds::table)
        .values(new)
        .returning(RefundRow::as_returning())
        .get_result(connection)?)
}

/// Finds the refund that an operation asked for.
///
/// # Errors
/// [`StoreError`].
pub fn of_operation(
    connection: &mut PgConnection,
    operation: PaymentOperationId,
) -> Result<Option<RefundRow>, StoreError> {
    let query = refunds::table.filter(refunds::operation_id.eq(operation)).select(RefundRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Finds a refund by the provider's id. What decides about it locks the payment's row first.
///
/// # Errors
/// [`StoreError`].
pub fn by_reference(
    connection: &mut PgConnection,
    provider: Provider,
    reference: &str,
) -> Result<Option<RefundRow>, StoreError> {
    let known = refunds::provider.eq(provider).and(refunds::provider_reference.eq(reference));
    Ok(refunds::table.filter(known).select(RefundRow::as_select()).first(connection).optional()?)
}

/// The refunds of a payment, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn of_payment(connection: &mut PgConnection, payment: PaymentId) -> Result<Vec<RefundRow>, StoreError> {
    let query = refunds::table.filter(refunds::payment_id.eq(payment)).order(refunds::id);
    Ok(query.select(RefundRow::as_select()).load(connection)?)
}

/// Changes a refund.
///
/// # Errors
/// [`StoreError`]; `NotFound`.
pub fn update(
    connection: &mut PgConnection,
    id: RefundId,
    changes: &RefundChanges,
) -> Result<RefundRow, StoreError> {
    Ok(diesel::update(refunds::table.find(id))
        .set((changes, refunds::modified.eq(now), refunds::counter.eq(refunds::counter + 1)))
        .returning(RefundRow::as_returning())
        .get_result(connection)?)
}
