//! The table `payment_operations`: what providers are asked about payments, written down before they are asked.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};
use uuid::Uuid;

use super::{
    StoreError,
    id::{PaymentId, PaymentOperationId},
    payment_code::{OperationState, PaymentOperationKind},
};
use crate::{crypt::Ciphertext, schema::payment_operations};

/// What a provider has been asked.
#[derive(Clone, Debug, Identifiable, PartialEq, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = payment_operations, check_for_backend(Pg))]
pub struct PaymentOperationRow {
    /// The key.
    pub id: PaymentOperationId,
    /// The id under which the provider was asked, however often; of version 7.
    pub attempt: Uuid,
    /// About which payment.
    pub payment_id: PaymentId,
    /// What.
    pub operation: PaymentOperationKind,
    /// How much, in minor units of the payment's currency; none for what names no amount.
    pub amount_minor: Option<i64>,
    /// What had been captured before this capture, in minor units.
    pub before_minor: i64,
    /// Whether this is the last capture.
    pub last: bool,
    /// How far it is.
    pub state: OperationState,
    /// The outcome in the words of wire, or `not_sent`; none while it is open.
    pub outcome: Option<String>,
    /// The provider's id of what it made.
    pub provider_reference: Option<String>,
    /// The request in the words of wire, as JSON; none once it is settled.
    pub request: Option<Ciphertext>,
    /// When a janitor looks at it; none when nobody needs to.
    pub next_look: Option<DateTime<Utc>>,
    /// How often a janitor has looked.
    pub looks: i32,
    /// The client's key.
    pub actor: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// What a provider is about to be asked; the fields are [`PaymentOperationRow`]'s.
#[expect(missing_docs, reason = "each field is documented in PaymentOperationRow")]
#[derive(Clone, Debug, Insertable)]
// A statement with the word DEFAULT in it would not stay prepared.
#[diesel(table_name = payment_operations, treat_none_as_default_value = false)]
pub struct NewPaymentOperation {
    pub attempt: Uuid,
    pub payment_id: PaymentId,
    pub operation: PaymentOperationKind,
    pub amount_minor: Option<i64>,
    pub before_minor: i64,
    pub last: bool,
    pub request: Ciphertext,
    pub next_look: DateTime<Utc>,
    pub actor: String,
}

/// What changes about an operation; the fields are [`PaymentOperationRow`]'s, and all are written.
#[expect(missing_docs, reason = "each field is documented in PaymentOperationRow")]
#[derive(AsChangeset, Clone, Debug)]
#[diesel(table_name = payment_operations, treat_none_as_null = true)]
pub struct PaymentOperationChanges {
    pub state: OperationState,
    pub outcome: Option<String>,
    pub provider_reference: Option<String>,
    pub request: Option<Ciphertext>,
    pub next_look: Option<DateTime<Utc>>,
    pub looks: i32,
}

/// Writes an operation down.
///
/// # Errors
/// [`StoreError`]; `payment_operations_open_key` when another one about the payment has no known outcome yet.
pub fn insert(
    connection: &mut PgConnection,
    new: &NewPaymentOperation,
) -> Result<PaymentOperationRow, StoreError> {
    Ok(diesel::insert_into(payment_operations::table)
        .values(new)
        .returning(PaymentOperationRow::as_returning())
        .get_result(connection)?)
}

/// Finds an operation by its key. What decides about it locks the payment's row first.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(
    connection: &mut PgConnection,
    id: PaymentOperationId,
) -> Result<Option<PaymentOperationRow>, StoreError> {
    let query = payment_operations::table.find(id).select(PaymentOperationRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Finds an operation by the id under which the provider was asked.
///
/// # Errors
/// [`StoreError`].
pub fn by_attempt(
    connection: &mut PgConnection,
    attempt: Uuid,
) -> Result<Option<PaymentOperationRow>, StoreError> {
    let query = payment_operations::table.filter(payment_operations::attempt.eq(attempt));
    Ok(query.select(PaymentOperationRow::as_select()).first(connection).optional()?)
}

/// The operations on a payment, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn of_payment(
    connection: &mut PgConnection,
    payment: PaymentId,
) -> Result<Vec<PaymentOperationRow>, StoreError> {
    let query = payment_operations::table.filter(payment_operations::payment_id.eq(payment));
    let query = query.order(payment_operations::id).select(PaymentOperationRow::as_select());
    Ok(query.load(connection)?)
}

/// Changes an operation.
///
/// # Errors
/// [`StoreError`]; `NotFound`.
pub fn update(
    connection: &mut PgConnection,
    id: PaymentOperationId,
    changes: &PaymentOperationChanges,
) -> Result<PaymentOperationRow, StoreError> {
    Ok(diesel::update(payment_operations::table.find(id))
        .set((
            changes,
            payment_operations::modified.eq(now),
            payment_operations::counter.eq(payment_operations::counter + 1),
        ))
        .returning(PaymentOperationRow::as_returning())
        .get_result(connection)?)
}

/// Notes that the provider is being asked again for an operation that is not settled, and looks at it later.
///
/// # Errors
/// [`StoreError`].
pub fn touch(
    connection: &mut PgConnection,
    id: PaymentOperationId,
    next_look: DateTime<Utc>,
) -> Result<(), StoreError> {
    let open = payment_operations::table.find(id);
    let open = open.filter(payment_operations::state.ne(OperationState::Settled));
    diesel::update(open)
        .set((payment_operations::next_look.eq(next_look), payment_operations::modified.eq(now)))
        .execute(connection)?;
    Ok(())
}
