//! The table `sellers`.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};

use super::{Listed, Page, StoreError, check_counter, id::SellerId};
use crate::schema::sellers;

/// Who sells.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = sellers, check_for_backend(Pg))]
pub struct SellerRow {
    /// The key.
    pub id: SellerId,
    /// The client's own id.
    pub uuid: String,
    /// Whether the seller may sell.
    pub active: bool,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// A seller to be created.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = sellers)]
pub struct NewSeller {
    /// The client's own id.
    pub uuid: String,
    /// Whether the seller may sell.
    pub active: bool,
}

/// What changes; `None` stays as it is.
#[derive(AsChangeset, Clone, Debug, Default)]
#[diesel(table_name = sellers)]
pub struct SellerChanges {
    /// The client's own id.
    pub uuid: Option<String>,
    /// Whether the seller may sell.
    pub active: Option<bool>,
}

/// Which sellers; `None` is all.
#[derive(Clone, Debug, Default)]
pub struct SellerFilter {
    /// With this uuid.
    pub uuid: Option<String>,
    /// Active or not.
    pub active: Option<bool>,
}

impl SellerFilter {
    fn query(&self) -> sellers::BoxedQuery<'_, Pg> {
        let mut query = sellers::table.into_boxed();
        if let Some(uuid) = &self.uuid {
            query = query.filter(sellers::uuid.eq(uuid));
        }
        if let Some(active) = self.active {
            query = query.filter(sellers::active.eq(active));
        }
        query
    }
}

/// Creates a seller.
///
/// # Errors
/// [`StoreError`]; `sellers_uuid_key` when the uuid is taken.
pub fn insert(connection: &mut PgConnection, new: &NewSeller) -> Result<SellerRow, StoreError> {
    Ok(diesel::insert_into(sellers::table)
        .values(new)
        .returning(SellerRow::as_returning())
        .get_result(connection)?)
}

/// Finds a seller by its key.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(connection: &mut PgConnection, id: SellerId) -> Result<Option<SellerRow>, StoreError> {
    Ok(sellers::table.find(id).select(SellerRow::as_select()).first(connection).optional()?)
}

/// Finds a seller by its key and locks its row until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub fn by_id_for_update(
    connection: &mut PgConnection,
    id: SellerId,
) -> Result<Option<SellerRow>, StoreError> {
    Ok(sellers::table.find(id).select(SellerRow::as_select()).for_update().first(connection).optional()?)
}

/// Finds a seller by the client's own id.
///
/// # Errors
/// [`StoreError`].
pub fn by_uuid(connection: &mut PgConnection, uuid: &str) -> Result<Option<SellerRow>, StoreError> {
    let query = sellers::table.filter(sellers::uuid.eq(uuid));
    Ok(query.select(SellerRow::as_select()).first(connection).optional()?)
}

/// One page of the sellers that the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    connection: &mut PgConnection,
    filter: &SellerFilter,
    page: Page,
) -> Result<Listed<SellerRow>, StoreError> {
    let total = filter.query().count().get_result(connection)?;
    let rows = filter
        .query()
        .order(sellers::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(SellerRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Changes a seller, if its counter is the expected one.
///
/// # Errors
/// [`StoreError`]; `NotFound`, `Stale`, and `sellers_uuid_key` when the uuid is taken.
pub fn update(
    connection: &mut PgConnection,
    id: SellerId,
    expected_counter: Option<i64>,
    changes: &SellerChanges,
) -> Result<SellerRow, StoreError> {
    let row = by_id_for_update(connection, id)?.ok_or(StoreError::NotFound)?;
    check_counter(expected_counter, row.counter)?;
    Ok(diesel::update(sellers::table.find(id))
        .set((changes, sellers::modified.eq(now), sellers::counter.eq(sellers::counter + 1)))
        .returning(SellerRow::as_returning())
        .get_result(connection)?)
}
