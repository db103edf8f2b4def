//! A request that a client may send as often as it likes under one key: it is carried out once, and every time
//! answered the same.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::{answer::Answer, schedule};
use crate::{
    crypt::EncryptionKeys,
    domain::DomainError,
    store::{
        id::{IdempotencyKeyId, PaymentOperationId},
        idempotency_key::{self, IdempotencyKeyRow, NewIdempotencyKey},
    },
};

/// A request under a key of the client's, or of our own when it has none.
#[derive(Clone, Debug)]
pub struct Once {
    client: String,
    route: String,
    key: String,
    body_hash: Vec<u8>,
}

impl Once {
    /// A request of this client: the method and path, the key, the body byte for byte.
    #[must_use]
    pub fn new(client: &str, route: &str, key: &str, body: &[u8]) -> Self {
        let body_hash = Sha256::digest(body).to_vec();
        Self { client: client.to_owned(), route: route.to_owned(), key: key.to_owned(), body_hash }
    }

    /// The client's key.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }
}

/// Whose turn it is.
pub(super) enum Claim {
    /// The key is new: to be begun in the same database transaction.
    New(IdempotencyKeyId),
    /// Whoever began this has died, or takes too long: to be gone on with.
    Resumed(IdempotencyKeyId, PaymentOperationId),
    /// It has been answered.
    Answered(Answer),
}

/// Claims a request, in the database transaction that begins it. The row of the key is locked from then on.
///
/// # Errors
/// [`DomainError::UnderWay`], [`DomainError::OtherRequest`], and what the database gives.
pub(super) fn claim(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    once: &Once,
    now: DateTime<Utc>,
    lease: Duration,
) -> Result<Claim, DomainError> {
    let leased_until = schedule::until(now, TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX));
    let new = NewIdempotencyKey {
        client: once.client.clone(),
        route: once.route.clone(),
        key: once.key.clone(),
        body_hash: once.body_hash.clone(),
        leased_until,
    };
    if let Some(row) = idempotency_key::insert(connection, &new)? {
        return Ok(Claim::New(row.id));
    }
    let row = idempotency_key::find_for_update(connection, &once.client, &once.route, &once.key)?;
    // The one that had it was refused, or it has just been forgotten.
    let row = row.ok_or(DomainError::UnderWay)?;
    if row.body_hash != once.body_hash {
        return Err(DomainError::OtherRequest);
    }
    if let Some(answer) = kept(keys, &row)? {
        return Ok(Claim::Answered(answer));
    }
    match row.operation_id {
        Some(operation) if row.leased_until.is_some_and(|until| until <= now) => {
            log::warn!("going on with what nobody has answered: {}", once.route);
            idempotency_key::lease(connection, row.id, leased_until)?;
            Ok(Claim::Resumed(row.id, operation))
        }
        _ => Err(DomainError::UnderWay),
    }
}

/// Keeps an answer in the database transaction that settles the request; gives the one that counts, which is another
/// if somebody else was faster.
///
/// # Errors
/// What the database gives.
pub(super) fn keep(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    id: IdempotencyKeyId,
    answer: Answer,
) -> Result<Answer, DomainError> {
    let status = i16::try_from(answer.status);
    let status = status.map_err(|_| DomainError::Integrity("The answer has no HTTP status."))?;
    if idempotency_key::answer(connection, id, status, &keys.encrypt(&answer.body))? {
        return Ok(answer);
    }
    match idempotency_key::by_id(connection, id)? {
        Some(row) => Ok(kept(keys, &row)?.unwrap_or(answer)),
        None => Ok(answer),
    }
}

fn kept(keys: &EncryptionKeys, row: &IdempotencyKeyRow) -> Result<Option<Answer>, DomainError> {
    let (Some(status), Some(body)) = (row.status, &row.body) else { return Ok(None) };
    let status =
        u16::try_from(status).map_err(|_| DomainError::Integrity("The answer has no HTTP status."))?;
    let body = keys.decrypt(body)?.expose_secret().to_owned();
    Ok(Some(Answer { status, body, replayed: true, retry_after: None }))
}
