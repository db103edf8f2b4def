//! The table `idempotency_keys`: what clients have asked for under a key of theirs, and what they were answered.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};

use super::{
    StoreError,
    id::{IdempotencyKeyId, PaymentOperationId},
};
use crate::{crypt::Ciphertext, schema::idempotency_keys};

/// What a client has asked for under a key.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = idempotency_keys, check_for_backend(Pg))]
pub struct IdempotencyKeyRow {
    /// The key of the row.
    pub id: IdempotencyKeyId,
    /// The client's key.
    pub client: String,
    /// Method and path.
    pub route: String,
    /// What the client has sent as `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of the body that was sent with it.
    pub body_hash: Vec<u8>,
    /// What it began.
    pub operation_id: Option<PaymentOperationId>,
    /// Until when whoever works on it is taken to be alive; none once it is answered.
    pub leased_until: Option<DateTime<Utc>>,
    /// The HTTP status of the answer; none until there is one.
    pub status: Option<i16>,
    /// The body of the answer, byte for byte.
    pub body: Option<Ciphertext>,
    /// When it was created.
    pub created: DateTime<Utc>,
}

/// A key that is used for the first time; the fields are [`IdempotencyKeyRow`]'s.
#[expect(missing_docs, reason = "each field is documented in IdempotencyKeyRow")]
#[derive(Clone, Debug, Insertable)]
// A statement with the word DEFAULT in it would not stay prepared.
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
pub struct NewIdempotencyKey {
    pub client: String,
    pub route: String,
    pub key: String,
    pub body_hash: Vec<u8>,
    pub leased_until: DateTime<Utc>,
}

/// Writes a key down; nothing happens and nothing is given when the client has used it on this route already. It waits
/// for another database transaction that is just writing the same.
///
/// # Errors
/// [`StoreError`].
pub fn insert(
    connection: &mut PgConnection,
    new: &NewIdempotencyKey,
) -> Result<Option<IdempotencyKeyRow>, StoreError> {
    let used = (idempotency_keys::client, idempotency_keys::route, idempotency_keys::key);
    Ok(diesel::insert_into(idempotency_keys::table)
        .values(new)
        .on_conflict(used)
        .do_nothing()
        .returning(IdempotencyKeyRow::as_returning())
        .get_result(connection)
        .optional()?)
}

/// Finds what a client has asked for under a key, and locks its row until the database transaction ends.
///
/// # Errors
/// [`StoreError`].
pub fn find_for_update(
    connection: &mut PgConnection,
    client: &str,
    route: &str,
    key: &str,
) -> Result<Option<IdempotencyKeyRow>, StoreError> {
    let query = idempotency_keys::table
        .filter(idempotency_keys::client.eq(client))
        .filter(idempotency_keys::route.eq(route))
        .filter(idempotency_keys::key.eq(key));
    Ok(query.select(IdempotencyKeyRow::as_select()).for_update().first(connection).optional()?)
}

/// Says what a client has begun under a key.
///
/// # Errors
/// [`StoreError`].
pub fn began(
    connection: &mut PgConnection,
    id: IdempotencyKeyId,
    operation: PaymentOperationId,
) -> Result<(), StoreError> {
    diesel::update(idempotency_keys::table.find(id))
        .set(idempotency_keys::operation_id.eq(operation))
        .execute(connection)?;
    Ok(())
}

/// Takes over, until then, what nobody has answered.
///
/// # Errors
/// [`StoreError`].
pub fn lease(
    connection: &mut PgConnection,
    id: IdempotencyKeyId,
    until: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::update(idempotency_keys::table.find(id).filter(idempotency_keys::status.is_null()))
        .set(idempotency_keys::leased_until.eq(until))
        .execute(connection)?;
    Ok(())
}

/// Keeps the answer; false when there is one already, which stays, or the key has been forgotten.
///
/// # Errors
/// [`StoreError`].
pub fn answer(
    connection: &mut PgConnection,
    id: IdempotencyKeyId,
    status: i16,
    body: &Ciphertext,
) -> Result<bool, StoreError> {
    let open = idempotency_keys::table.find(id).filter(idempotency_keys::status.is_null());
    let unleased: Option<DateTime<Utc>> = None;
    let answered = diesel::update(open)
        .set((
            idempotency_keys::status.eq(status),
            idempotency_keys::body.eq(body),
            idempotency_keys::leased_until.eq(unleased),
            idempotency_keys::answered.eq(now),
        ))
        .execute(connection)?;
    Ok(answered == 1)
}

/// Finds a key by its row's.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(
    connection: &mut PgConnection,
    id: IdempotencyKeyId,
) -> Result<Option<IdempotencyKeyRow>, StoreError> {
    let query = idempotency_keys::table.find(id).select(IdempotencyKeyRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Forgets a key that has no answer, as if it had not been used.
///
/// # Errors
/// [`StoreError`].
pub fn release(connection: &mut PgConnection, id: IdempotencyKeyId) -> Result<(), StoreError> {
    let open = idempotency_keys::table.find(id).filter(idempotency_keys::status.is_null());
    diesel::delete(open).execute(connection)?;
    Ok(())
}
