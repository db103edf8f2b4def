//! The tables `reference_sellers` and `reference_products`: what the reference provider knows, and by which key.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};

use super::{
    Listed, Page, StoreError, check_counter,
    id::{ProductId, ReferenceProductId, ReferenceSellerId, SellerId},
};
use crate::schema::{products, reference_products, reference_sellers, sellers};

/// A seller that the provider knows.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = reference_sellers, check_for_backend(Pg))]
pub struct ReferenceSellerRow {
    /// The key.
    pub id: ReferenceSellerId,
    /// Our seller.
    pub seller_id: SellerId,
    /// The provider's key of it.
    pub reference_id: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// A product that the provider knows.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = reference_products, check_for_backend(Pg))]
pub struct ReferenceProductRow {
    /// The key.
    pub id: ReferenceProductId,
    /// Our product.
    pub product_id: ProductId,
    /// Under which of the provider's sellers.
    pub reference_seller_id: ReferenceSellerId,
    /// The provider's key of it.
    pub reference_id: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// Which sellers; `None` is all.
#[derive(Clone, Debug, Default)]
pub struct ReferenceSellerFilter {
    /// Our seller with this uuid.
    pub seller_uuid: Option<String>,
}

impl ReferenceSellerFilter {
    fn query(&self) -> reference_sellers::BoxedQuery<'_, Pg> {
        let mut query = reference_sellers::table.into_boxed();
        if let Some(uuid) = &self.seller_uuid {
            let wanted = sellers::table.filter(sellers::uuid.eq(uuid)).select(sellers::id);
            query = query.filter(reference_sellers::seller_id.eq_any(wanted));
        }
        query
    }
}

/// Which products; `None` is all.
#[derive(Clone, Debug, Default)]
pub struct ReferenceProductFilter {
    /// Products of this seller of ours.
    pub seller_id: Option<SellerId>,
    /// Products with this id of the seller's own.
    pub external_id: Option<String>,
}

impl ReferenceProductFilter {
    fn query(&self) -> reference_products::BoxedQuery<'_, Pg> {
        let mut query = reference_products::table.into_boxed();
        if let Some(seller_id) = self.seller_id {
            let wanted = products::table.filter(products::seller_id.eq(seller_id)).select(products::id);
            query = query.filter(reference_products::product_id.eq_any(wanted));
        }
        if let Some(external_id) = &self.external_id {
            let wanted = products::table.filter(products::external_id.eq(external_id)).select(products::id);
            query = query.filter(reference_products::product_id.eq_any(wanted));
        }
        query
    }
}

/// Links a seller.
///
/// # Errors
/// [`StoreError`]; `reference_sellers_seller_id_key` when it has a link, `reference_sellers_seller_id_fkey`.
pub fn insert_seller(
    connection: &mut PgConnection,
    seller_id: SellerId,
    reference_id: &str,
) -> Result<ReferenceSellerRow, StoreError> {
    Ok(diesel::insert_into(reference_sellers::table)
        .values((
            reference_sellers::seller_id.eq(seller_id),
            reference_sellers::reference_id.eq(reference_id),
        ))
        .returning(ReferenceSellerRow::as_returning())
        .get_result(connection)?)
}

/// Finds a linked seller by the link's key.
///
/// # Errors
/// [`StoreError`].
pub fn seller_by_id(
    connection: &mut PgConnection,
    id: ReferenceSellerId,
) -> Result<Option<ReferenceSellerRow>, StoreError> {
    let query = reference_sellers::table.find(id).select(ReferenceSellerRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Finds a linked seller by our seller.
///
/// # Errors
/// [`StoreError`].
pub fn seller_by_seller(
    connection: &mut PgConnection,
    seller_id: SellerId,
) -> Result<Option<ReferenceSellerRow>, StoreError> {
    let query = reference_sellers::table.filter(reference_sellers::seller_id.eq(seller_id));
    Ok(query.select(ReferenceSellerRow::as_select()).first(connection).optional()?)
}

/// One page of the linked sellers that the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn list_sellers(
    connection: &mut PgConnection,
    filter: &ReferenceSellerFilter,
    page: Page,
) -> Result<Listed<ReferenceSellerRow>, StoreError> {
    let total = filter.query().count().get_result(connection)?;
    let rows = filter
        .query()
        .order(reference_sellers::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(ReferenceSellerRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Counts a change that was made at the provider, if the link's counter is the expected one.
///
/// # Errors
/// [`StoreError`]; `NotFound` and `Stale`.
pub fn touch_seller(
    connection: &mut PgConnection,
    id: ReferenceSellerId,
    expected_counter: Option<i64>,
) -> Result<ReferenceSellerRow, StoreError> {
    let locked = reference_sellers::table.find(id).select(reference_sellers::counter).for_update();
    check_counter(expected_counter, locked.first(connection)?)?;
    Ok(diesel::update(reference_sellers::table.find(id))
        .set((
            reference_sellers::modified.eq(now),
            reference_sellers::counter.eq(reference_sellers::counter + 1),
        ))
        .returning(ReferenceSellerRow::as_returning())
        .get_result(connection)?)
}

/// Links a product.
///
/// # Errors
/// [`StoreError`]; `reference_products_product_id_key` when it has a link, `reference_products_product_id_fkey`,
/// `reference_products_reference_seller_id_fkey`.
pub fn insert_product(
    connection: &mut PgConnection,
    product_id: ProductId,
    reference_seller_id: ReferenceSellerId,
    reference_id: &str,
) -> Result<ReferenceProductRow, StoreError> {
    Ok(diesel::insert_into(reference_products::table)
        .values((
            reference_products::product_id.eq(product_id),
            reference_products::reference_seller_id.eq(reference_seller_id),
            reference_products::reference_id.eq(reference_id),
        ))
        .returning(ReferenceProductRow::as_returning())
        .get_result(connection)?)
}

/// Finds a linked product by the link's key.
///
/// # Errors
/// [`StoreError`].
pub fn product_by_id(
    connection: &mut PgConnection,
    id: ReferenceProductId,
) -> Result<Option<ReferenceProductRow>, StoreError> {
    let query = reference_products::table.find(id).select(ReferenceProductRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Finds a linked product by our product.
///
/// # Errors
/// [`StoreError`].
pub fn product_by_product(
    connection: &mut PgConnection,
    product_id: ProductId,
) -> Result<Option<ReferenceProductRow>, StoreError> {
    let query = reference_products::table.filter(reference_products::product_id.eq(product_id));
    Ok(query.select(ReferenceProductRow::as_select()).first(connection).optional()?)
}

/// One page of the linked products that the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn list_products(
    connection: &mut PgConnection,
    filter: &ReferenceProductFilter,
    page: Page,
) -> Result<Listed<ReferenceProductRow>, StoreError> {
    let total = filter.query().count().get_result(connection)?;
    let rows = filter
        .query()
        .order(reference_products::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(ReferenceProductRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Counts a change that was made at the provider, if the link's counter is the expected one.
///
/// # Errors
/// [`StoreError`]; `NotFound` and `Stale`.
pub fn touch_product(
    connection: &mut PgConnection,
    id: ReferenceProductId,
    expected_counter: Option<i64>,
) -> Result<ReferenceProductRow, StoreError> {
    let locked = reference_products::table.find(id).select(reference_products::counter).for_update();
    check_counter(expected_counter, locked.first(connection)?)?;
    Ok(diesel::update(reference_products::table.find(id))
        .set((
            reference_products::modified.eq(now),
            reference_products::counter.eq(reference_products::counter + 1),
        ))
        .returning(ReferenceProductRow::as_returning())
        .get_result(connection)?)
}
