//! The table `buyers`; what PINs need of it is in [`pin`].

pub mod pin;

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};

use super::{Listed, Page, StoreError, check_counter, id::BuyerId};
use crate::{crypt::Ciphertext, lookup::LookupHash, pin::PinHash, schema::buyers};

/// Who pays.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = buyers, check_for_backend(Pg))]
pub struct BuyerRow {
    /// The key.
    pub id: BuyerId,
    /// The client's own id.
    pub uuid: String,
    /// The e-mail address.
    pub email: Option<Ciphertext>,
    /// The language and country.
    pub locale: Option<String>,
    /// Whether the buyer may buy; not once the buyer is closed.
    pub active: bool,
    /// Whether the buyer has proved to the client who it is.
    pub authenticated: bool,
    /// The PIN.
    pub pin: Option<PinHash>,
    /// The PIN that is to replace it.
    pub new_pin: Option<PinHash>,
    /// Whether the buyer has asked for another PIN.
    pub needs_pin_reset: bool,
    /// Whether the buyer has given the PIN a second time.
    pub pin_confirmed: bool,
    /// Guesses of the PIN since the last success or lock-out that did not succeed, or have not yet.
    pub pin_failures: i32,
    /// When there were too many of them.
    pub pin_locked_out_at: Option<DateTime<Utc>>,
    /// Whether that has happened since the last success.
    pub pin_was_locked_out: bool,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// What is set at creation, or changes; `None` is the default or stays as it is, `Some(None)` is unset.
#[expect(missing_docs, reason = "each field is documented in BuyerRow")]
#[derive(AsChangeset, Clone, Debug, Default, Insertable)]
#[diesel(table_name = buyers)]
pub struct BuyerChanges {
    pub uuid: Option<String>,
    pub email: Option<Option<Ciphertext>>,
    pub email_hash: Option<Option<LookupHash>>,
    pub locale: Option<Option<String>>,
    pub active: Option<bool>,
    pub authenticated: Option<bool>,
    pub pin: Option<Option<PinHash>>,
    pub new_pin: Option<Option<PinHash>>,
    pub needs_pin_reset: Option<bool>,
    pub pin_confirmed: Option<bool>,
    pub pin_was_locked_out: Option<bool>,
}

/// Which buyers; `None` is all.
#[derive(Clone, Debug, Default)]
pub struct BuyerFilter {
    /// With this uuid.
    pub uuid: Option<String>,
    /// Active or not.
    pub active: Option<bool>,
    /// With an address that has one of these hashes.
    pub email_hashes: Option<Vec<LookupHash>>,
}

impl BuyerFilter {
    fn query(&self) -> buyers::BoxedQuery<'_, Pg> {
        let mut query = buyers::table.into_boxed();
        if let Some(uuid) = &self.uuid {
            query = query.filter(buyers::uuid.eq(uuid));
        }
        if let Some(active) = self.active {
            query = query.filter(buyers::active.eq(active));
        }
        if let Some(hashes) = &self.email_hashes {
            query = query.filter(buyers::email_hash.eq_any(hashes));
        }
        query
    }
}

/// Creates a buyer; the uuid must be set.
///
/// # Errors
/// [`StoreError`]; `buyers_uuid_key` when the uuid is taken.
pub fn insert(connection: &mut PgConnection, new: &BuyerChanges) -> Result<BuyerRow, StoreError> {
    Ok(diesel::insert_into(buyers::table)
        .values(new)
        .returning(BuyerRow::as_returning())
        .get_result(connection)?)
}

/// Finds a buyer by its key.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(connection: &mut PgConnection, id: BuyerId) -> Result<Option<BuyerRow>, StoreError> {
    Ok(buyers::table.find(id).select(BuyerRow::as_select()).first(connection).optional()?)
}

/// Finds a buyer by its key and locks its row until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub fn by_id_for_update(connection: &mut PgConnection, id: BuyerId) -> Result<Option<BuyerRow>, StoreError> {
    Ok(buyers::table.find(id).select(BuyerRow::as_select()).for_update().first(connection).optional()?)
}

/// Finds a buyer by its key and locks its row until the transaction ends, against all but those who merely refer to it:
/// a webhook about the buyer's subscription need not wait.
///
/// # Errors
/// [`StoreError`].
pub fn lock(connection: &mut PgConnection, id: BuyerId) -> Result<Option<BuyerRow>, StoreError> {
    let query = buyers::table.find(id).select(BuyerRow::as_select());
    Ok(query.for_no_key_update().first(connection).optional()?)
}

/// Finds a buyer by the client's own id.
///
/// # Errors
/// [`StoreError`].
pub fn by_uuid(connection: &mut PgConnection, uuid: &str) -> Result<Option<BuyerRow>, StoreError> {
    let query = buyers::table.filter(buyers::uuid.eq(uuid));
    Ok(query.select(BuyerRow::as_select()).first(connection).optional()?)
}

/// One page of the buyers that the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    connection: &mut PgConnection,
    filter: &BuyerFilter,
    page: Page,
) -> Result<Listed<BuyerRow>, StoreError> {
    let total = filter.query().count().get_result(connection)?;
    let rows = filter
        .query()
        .order(buyers::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(BuyerRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Changes a buyer, if its counter is the expected one.
///
/// # Errors
/// [`StoreError`]; `NotFound`, `Stale`, and `buyers_uuid_key` when the uuid is taken.
pub fn update(
    connection: &mut PgConnection,
    id: BuyerId,
    expected_counter: Option<i64>,
    changes: &BuyerChanges,
) -> Result<BuyerRow, StoreError> {
    let row = by_id_for_update(connection, id)?.ok_or(StoreError::NotFound)?;
    check_counter(expected_counter, row.counter)?;
    Ok(diesel::update(buyers::table.find(id))
        .set((changes, buyers::modified.eq(now), buyers::counter.eq(buyers::counter + 1)))
        .returning(BuyerRow::as_returning())
        .get_result(connection)?)
}

/// Closes a buyer that is active: nothing personal is left. False when there is no such active buyer.
///
/// # Errors
/// [`StoreError`].
pub fn close(connection: &mut PgConnection, id: BuyerId, anonymous: &str) -> Result<bool, StoreError> {
    let closed = diesel::update(buyers::table.find(id).filter(buyers::active))
        .set((
            buyers::uuid.eq(anonymous),
            buyers::active.eq(false),
            buyers::email.eq(None::<Ciphertext>),
            buyers::email_hash.eq(None::<LookupHash>),
            buyers::modified.eq(now),
            buyers::counter.eq(buyers::counter + 1),
        ))
        .execute(connection)?;
    Ok(closed > 0)
}
