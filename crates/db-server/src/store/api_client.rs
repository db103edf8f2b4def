//! The table `api_clients`.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};

use super::StoreError;
use crate::{crypt::Ciphertext, schema::api_clients};

/// A client that may call.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = api_clients, check_for_backend(Pg))]
pub struct ApiClientRow {
    /// The OAuth consumer key, or the first part of the bearer key.
    pub key: String,
    /// What people call it; several may share it, while one takes over from another.
    pub name: String,
    /// The secret that it signs with.
    pub secret: Option<Ciphertext>,
    /// SHA-256 of its bearer key.
    pub bearer_hash: Option<Vec<u8>>,
    /// What it may do.
    pub roles: Vec<String>,
    /// Whether it may call at all.
    pub active: bool,
    /// When it was created.
    pub created: DateTime<Utc>,
}

/// A client to be created.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = api_clients)]
pub struct NewApiClient {
    /// The OAuth consumer key, or the first part of the bearer key.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// The secret that it signs with.
    pub secret: Option<Ciphertext>,
    /// SHA-256 of its bearer key.
    pub bearer_hash: Option<Vec<u8>>,
    /// What it may do.
    pub roles: Vec<String>,
}

/// Creates a client.
///
/// # Errors
/// [`StoreError`].
pub fn insert(connection: &mut PgConnection, new: &NewApiClient) -> Result<(), StoreError> {
    diesel::insert_into(api_clients::table).values(new).execute(connection)?;
    Ok(())
}

/// Finds a client by its key.
///
/// # Errors
/// [`StoreError`].
pub fn by_key(connection: &mut PgConnection, key: &str) -> Result<Option<ApiClientRow>, StoreError> {
    let query = api_clients::table.filter(api_clients::key.eq(key));
    Ok(query.select(ApiClientRow::as_select()).first(connection).optional()?)
}

/// Finds the clients of a name or key that may call.
///
/// # Errors
/// [`StoreError`].
pub fn active_by_name_or_key(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Vec<ApiClientRow>, StoreError> {
    let named = api_clients::name.eq(name).or(api_clients::key.eq(name));
    let query = api_clients::table.filter(named).filter(api_clients::active).order(api_clients::id);
    Ok(query.select(ApiClientRow::as_select()).load(connection)?)
}

/// All clients, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn all(connection: &mut PgConnection) -> Result<Vec<ApiClientRow>, StoreError> {
    Ok(api_clients::table.order(api_clients::id).select(ApiClientRow::as_select()).load(connection)?)
}

/// Takes from a client the right to call.
///
/// # Errors
/// [`StoreError`].
pub fn disable(connection: &mut PgConnection, key: &str) -> Result<(), StoreError> {
    diesel::update(api_clients::table.filter(api_clients::key.eq(key)))
        .set((
            api_clients::active.eq(false),
            api_clients::modified.eq(now),
            api_clients::counter.eq(api_clients::counter + 1),
        ))
        .execute(connection)?;
    Ok(())
}
