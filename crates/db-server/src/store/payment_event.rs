//! The table `payment_events`: what has happened to payments, in one order for all readers, for ever.

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Jsonb, Text},
};
use serde_json::Value;

use super::{
    StoreError,
    id::{PaymentEventId, PaymentId},
};
use crate::{
    database::committed,
    schema::{event_heads, payment_events},
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
    /// What readers are shown.
    pub payload: Value,
    /// When.
    pub created: DateTime<Utc>,
}

/// An event to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPaymentEvent {
    /// What it is about.
    pub payment_id: PaymentId,
    /// What has happened: lower case words with a dot between, such as `payment.captured`; at most 64 characters.
    pub kind: String,
    /// The status since; at most 64 characters.
    pub status: String,
    /// Who did it: the client's key, or who it was without one; at most 255 characters.
    pub actor: String,
    /// What readers are shown, an object: no secret and no token may be in it.
    pub payload: Value,
}

/// Writes an event in the database transaction that does what it tells of, and wakes those who wait for it once that
/// is committed.
///
/// Until its end, this transaction holds the row from which positions are drawn: positions become visible in their
/// order, and none is missing. All others who write events wait meanwhile, so that this belongs at the end of a
/// transaction, behind every other lock that it takes.
///
/// # Errors
/// [`StoreError`]; `payment_events_*_check` when a field is not as [`NewPaymentEvent`] says.
pub fn append(connection: &mut PgConnection, new: &NewPaymentEvent) -> Result<PaymentEventRow, StoreError> {
    let row: PaymentEventRow = Append { new }.get_result(connection)?;
    committed::announce(row.id.0);
    Ok(row)
}

/// The position of the newest event; 0 when there is none.
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

/// The statement that draws a position and writes the event there, in one round trip.
struct Append<'a> {
    new: &'a NewPaymentEvent,
}

impl QueryFragment<Pg> for Append<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "WITH head AS (UPDATE event_heads SET last = last + 1 WHERE id = 1 RETURNING last) \
             INSERT INTO payment_events (id, payment_id, kind, status, actor, payload) SELECT last, ",
        );
        out.push_bind_param::<BigInt, PaymentId>(&self.new.payment_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, String>(&self.new.kind)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, String>(&self.new.status)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, String>(&self.new.actor)?;
        out.push_sql(", ");
        out.push_bind_param::<Jsonb, Value>(&self.new.payload)?;
        out.push_sql(" FROM head RETURNING id, payment_id, kind, status, actor, payload, created");
        Ok(())
    }
}

impl Query for Append<'_> {
    type SqlType = payment_events::SqlType;
}

/// The text is always the same, so that the statement stays prepared.
impl QueryId for Append<'_> {
    type QueryId = Append<'static>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Append<'_> {}
