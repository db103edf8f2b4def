//! The table `payment_events`: what has happened to payments, in one order for all readers, for ever; and the table
//! `unordered_events`, where it is until it has its place in that order.

use chrono::{DateTime, Utc};
use diesel::{pg::Pg, prelude::*};
use serde_json::Value;

use super::{
    StoreError,
    id::{PaymentEventId, PaymentId},
};
use crate::{
    database::committed,
    schema::{event_heads, payment_events, unordered_events},
};

/// The only row of `event_heads`.
const HEAD: i16 = 1;

/// One event.
#[derive(Clone, Debug, Identifiable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = payment_events, check_for_backend(Pg))]
pub struct PaymentEventRow {
    /// The position: one more than that of the event before.
    pub id: PaymentEventId,
    /// What it is about.
    pub payment_id: PaymentId,
    /// What has happened, such as `payment.captured`.
    pub kind: String,
    /// The status since.
    pub status: String,
    /// Who did it: the client's key, or who it was without one.
    pub actor: String,
    /// What readers are shown, but for the words of operators in it.
    pub payload: Value,
    /// When.
    pub created: DateTime<Utc>,
}

/// An event to be written.
#[derive(Clone, Debug, Insertable, PartialEq)]
#[diesel(table_name = unordered_events, treat_none_as_default_value = false)]
pub struct NewPaymentEvent {
    /// What it is about.
    pub payment_id: PaymentId,
    /// What has happened: lower case words with a dot between, such as `payment.captured`; at most 64 characters.
    pub kind: String,
    /// The status since; at most 64 characters.
    pub status: String,
    /// Who did it: the client's key, or who it was without one; at most 255 characters.
    pub actor: String,
    /// What readers are shown, an object, but for the words of operators in it: no secret and no token may be in it.
    pub payload: Value,
}

diesel::define_sql_function! {
    /// Gives positions to events; see the migration.
    fn order_events() -> BigInt;
}

/// Writes an event in the database transaction that does what it tells of, and wakes whoever gives it its position once
/// that is committed. It waits for nobody.
///
/// # Errors
/// [`StoreError`]; `unordered_events_*_check` when a field is not as [`NewPaymentEvent`] says.
pub fn append(connection: &mut PgConnection, new: &NewPaymentEvent) -> Result<(), StoreError> {
    diesel::insert_into(unordered_events::table).values(new).execute(connection)?;
    committed::announce();
    Ok(())
}

/// Gives a position to every event that is committed and has none, and gives that of the newest. Events of one payment
/// get theirs in the order in which they were written.
///
/// Positions become visible in their order, and none is missing. Those who give them wait for one another, and nobody
/// else for them.
///
/// # Errors
/// [`StoreError`].
pub fn order(connection: &mut PgConnection) -> Result<PaymentEventId, StoreError> {
    Ok(diesel::select(order_events()).get_result(connection).map(PaymentEventId)?)
}

/// The position of the newest event that has one; 0 when there is none.
///
/// # Errors
/// [`StoreError`].
pub fn newest(connection: &mut PgConnection) -> Result<PaymentEventId, StoreError> {
    Ok(event_heads::table.find(HEAD).select(event_heads::last).first(connection).map(PaymentEventId)?)
}

/// The first events after a position, at most `limit`, in their order.
///
/// # Errors
/// [`StoreError`].
pub fn after(
    connection: &mut PgConnection,
    after: PaymentEventId,
    limit: i64,
) -> Result<Vec<PaymentEventRow>, StoreError> {
    Ok(payment_events::table
        .filter(payment_events::id.gt(after))
        .order(payment_events::id)
        .limit(limit)
        .select(PaymentEventRow::as_select())
        .load(connection)?)
}

/// Finds an event by its position.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(
    connection: &mut PgConnection,
    id: PaymentEventId,
) -> Result<Option<PaymentEventRow>, StoreError> {
    let query = payment_events::table.find(id).select(PaymentEventRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// The first event of these kinds (of all when there is none) after one position and up to another.
///
/// # Errors
/// [`StoreError`].
pub fn first_between(
    connection: &mut PgConnection,
    after: PaymentEventId,
    until: PaymentEventId,
    kinds: &[String],
) -> Result<Option<PaymentEventRow>, StoreError> {
    let mut query = payment_events::table
        .filter(payment_events::id.gt(after).and(payment_events::id.le(until)))
        .order(payment_events::id)
        .select(PaymentEventRow::as_select())
        .into_boxed();
    if !kinds.is_empty() {
        query = query.filter(payment_events::kind.eq_any(kinds));
    }
    Ok(query.first(connection).optional()?)
}

/// The events of one payment, oldest first, at most `limit` of them after a position.
///
/// # Errors
/// [`StoreError`].
pub fn of_payment(
    connection: &mut PgConnection,
    payment_id: PaymentId,
    after: PaymentEventId,
    limit: i64,
) -> Result<Vec<PaymentEventRow>, StoreError> {
    Ok(payment_events::table
        .filter(payment_events::payment_id.eq(payment_id).and(payment_events::id.gt(after)))
        .order(payment_events::id)
        .limit(limit)
        .select(PaymentEventRow::as_select())
        .load(connection)?)
}
