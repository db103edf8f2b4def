//! The table `payment_attempts`: what a provider is asked to change, written down before it is asked.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};
use uuid::Uuid;

use super::{
    StoreError,
    code::Provider,
    id::{BuyerId, PaymentAttemptId},
};
use crate::{lookup::LookupHash, schema::payment_attempts};

/// What a provider has been asked for.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = payment_attempts, check_for_backend(Pg))]
pub struct PaymentAttemptRow {
    /// The key.
    pub id: PaymentAttemptId,
    /// Under which id the provider was asked.
    pub attempt: Uuid,
    /// On whose behalf.
    pub buyer_id: BuyerId,
    /// Which provider.
    pub provider: Provider,
    /// The operation, in the words of wire.
    pub operation: String,
    /// What must not be done twice at the same time.
    pub subject: String,
    /// The hash of all that was asked for.
    pub request_hash: LookupHash,
    /// The outcome in the words of wire, or `not_sent`; none while the provider is being asked, and after a crash.
    pub outcome: Option<String>,
    /// The provider's id of what it made.
    pub provider_id: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed: asked again, or settled.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// What a provider is about to be asked for; the fields are [`PaymentAttemptRow`]'s.
#[expect(missing_docs, reason = "each field is documented in PaymentAttemptRow")]
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = payment_attempts)]
pub struct NewPaymentAttempt {
    pub attempt: Uuid,
    pub buyer_id: BuyerId,
    pub provider: Provider,
    pub operation: String,
    pub subject: String,
    pub request_hash: LookupHash,
    /// The client's key.
    pub actor: String,
}

/// Writes an attempt down.
///
/// # Errors
/// [`StoreError`]; `payment_attempts_open_key` when there is one about the same whose outcome is not known.
pub fn insert(
    connection: &mut PgConnection,
    new: &NewPaymentAttempt,
) -> Result<PaymentAttemptRow, StoreError> {
    Ok(diesel::insert_into(payment_attempts::table)
        .values(new)
        .returning(PaymentAttemptRow::as_returning())
        .get_result(connection)?)
}

/// Finds the attempt about this whose outcome is not known, and locks its row until the database transaction ends.
///
/// # Errors
/// [`StoreError`].
pub fn open_for_update(
    connection: &mut PgConnection,
    provider: Provider,
    operation: &str,
    subject: &str,
) -> Result<Option<PaymentAttemptRow>, StoreError> {
    let open = payment_attempts::outcome.is_null().or(payment_attempts::outcome.eq("unknown"));
    let query = payment_attempts::table
        .filter(payment_attempts::provider.eq(provider))
        .filter(payment_attempts::operation.eq(operation))
        .filter(payment_attempts::subject.eq(subject))
        .filter(open);
    Ok(query.select(PaymentAttemptRow::as_select()).for_update().first(connection).optional()?)
}

/// How many attempts of these operations on behalf of a buyer have no known outcome.
///
/// # Errors
/// [`StoreError`].
pub fn count_open(
    connection: &mut PgConnection,
    buyer_id: BuyerId,
    operations: &[&str],
) -> Result<i64, StoreError> {
    let open = payment_attempts::outcome.is_null().or(payment_attempts::outcome.eq("unknown"));
    Ok(payment_attempts::table
        .filter(payment_attempts::buyer_id.eq(buyer_id))
        .filter(payment_attempts::operation.eq_any(operations))
        .filter(open)
        .count()
        .get_result(connection)?)
}

/// Notes that the provider is being asked again under the same id.
///
/// # Errors
/// [`StoreError`]; `NotFound`.
pub fn ask_again(
    connection: &mut PgConnection,
    id: PaymentAttemptId,
) -> Result<PaymentAttemptRow, StoreError> {
    Ok(diesel::update(payment_attempts::table.find(id))
        .set((
            payment_attempts::outcome.eq(None::<String>),
            payment_attempts::modified.eq(now),
            payment_attempts::counter.eq(payment_attempts::counter + 1),
        ))
        .returning(PaymentAttemptRow::as_returning())
        .get_result(connection)?)
}

/// Writes down what came of an attempt.
///
/// # Errors
/// [`StoreError`].
pub fn settle(
    connection: &mut PgConnection,
    id: PaymentAttemptId,
    outcome: &str,
    provider_id: Option<&str>,
) -> Result<(), StoreError> {
    diesel::update(payment_attempts::table.find(id))
        .set((
            payment_attempts::outcome.eq(outcome),
            payment_attempts::provider_id.eq(provider_id),
            payment_attempts::modified.eq(now),
            payment_attempts::counter.eq(payment_attempts::counter + 1),
        ))
        .execute(connection)?;
    Ok(())
}
