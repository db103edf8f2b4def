//! The janitor's queue: operations on payments that nobody has settled, each looked at by one janitor at a time; and
//! what may be forgotten.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, RunQueryDsl,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Timestamptz},
};

use super::{
    StoreError, id::PaymentOperationId, payment_code::OperationState, payment_operation::PaymentOperationRow,
};
use crate::schema::payment_operations;

/// Claims the operations that are due, at most so many, the longest due first. Whoever claims one has until `leased` to
/// look at it; another janitor that claims meanwhile passes it over.
pub const CLAIM: &str = "\
with due as materialized (
    select id from payment_operations
    where next_look <= $1
    order by next_look
    limit $3
    for update skip locked
)
update payment_operations
set next_look = $2, looks = looks + 1
from due
where payment_operations.id = due.id
returning payment_operations.*";

/// Makes the operations that are looked at later due now. Those that others have locked are passed over: somebody is at
/// work on them, and whoever waits for nobody is in no deadlock.
const MAKE_DUE: &str = "\
with waiting as materialized (
    select id from payment_operations
    where next_look > $1
    order by id
    for update skip locked
)
update payment_operations
set next_look = $1
from waiting
where payment_operations.id = waiting.id";

/// Forgets the oldest of the keys that were answered before this, or begun before it and never answered, at most so many;
/// never one without an answer whose operation is not settled.
pub const FORGET: &str = "\
delete from idempotency_keys
where id = any (array(
    select id from idempotency_keys
    where created < $1 and (answered is null or answered < $1) and not exists (
        select from payment_operations
        where payment_operations.id = idempotency_keys.operation_id
            and payment_operations.state <> 3
            and idempotency_keys.status is null
    )
    order by created
    limit $2
))";

/// Claims operations: see [`CLAIM`].
///
/// # Errors
/// [`StoreError`].
pub fn claim_due(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    leased: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<PaymentOperationRow>, StoreError> {
    let query = sql_query(CLAIM);
    let query = query.bind::<Timestamptz, _>(now).bind::<Timestamptz, _>(leased).bind::<BigInt, _>(limit);
    Ok(query.load(connection)?)
}

/// Has the next look at an operation happen then, unless it was settled or claimed again meanwhile.
///
/// # Errors
/// [`StoreError`].
pub fn reschedule(
    connection: &mut PgConnection,
    id: PaymentOperationId,
    looks: i32,
    next_look: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let claimed = payment_operations::table.find(id).filter(
        payment_operations::state.ne(OperationState::Settled).and(payment_operations::looks.eq(looks)),
    );
    diesel::update(claimed).set(payment_operations::next_look.eq(next_look)).execute(connection)?;
    Ok(())
}

/// Makes every operation that is looked at due now, but for those that somebody is at work on at this moment, and gives
/// how many. It waits for nobody.
///
/// # Errors
/// [`StoreError`].
pub fn make_all_due(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(sql_query(MAKE_DUE).bind::<Timestamptz, _>(now).execute(connection)?)
}

/// Forgets keys: see [`FORGET`].
///
/// # Errors
/// [`StoreError`].
pub fn forget_keys(
    connection: &mut PgConnection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StoreError> {
    let query = sql_query(FORGET).bind::<Timestamptz, _>(before).bind::<BigInt, _>(limit);
    Ok(query.execute(connection)?)
}
