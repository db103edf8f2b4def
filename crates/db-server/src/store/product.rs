//! The table `products`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{alias, dsl::now, pg::Pg, prelude::*};

use super::{
    Listed, Page, StoreError, check_counter,
    code::Access,
    id::{ProductId, SellerId},
};
use crate::{
    crypt::Ciphertext,
    schema::{bango_products, bango_sellers, products, reference_products, reference_sellers, sellers},
};

/// What is sold.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = products, check_for_backend(Pg))]
pub struct ProductRow {
    /// The key.
    pub id: ProductId,
    /// Whose it is.
    pub seller_id: SellerId,
    /// The seller's own id of it, unique for the seller.
    pub external_id: String,
    /// Its public id, unique.
    pub public_id: String,
    /// The secret that signs its payment requests.
    pub secret: Option<Ciphertext>,
    /// What it may be used for.
    pub access: Access,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// A product to be created.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = products)]
pub struct NewProduct {
    /// Whose it is.
    pub seller_id: SellerId,
    /// The seller's own id of it.
    pub external_id: String,
    /// Its public id.
    pub public_id: String,
    /// The secret that signs its payment requests.
    pub secret: Option<Ciphertext>,
    /// What it may be used for.
    pub access: Access,
}

/// What changes; `None` stays as it is, `Some(None)` is unset.
#[derive(AsChangeset, Clone, Debug, Default)]
#[diesel(table_name = products)]
pub struct ProductChanges {
    /// Whose it is.
    pub seller_id: Option<SellerId>,
    /// The seller's own id of it.
    pub external_id: Option<String>,
    /// Its public id.
    pub public_id: Option<String>,
    /// The secret that signs its payment requests.
    pub secret: Option<Option<Ciphertext>>,
    /// What it may be used for.
    pub access: Option<Access>,
}

/// Which products; `None` is all.
#[derive(Clone, Debug, Default)]
pub struct ProductFilter {
    /// With this id of the seller's own.
    pub external_id: Option<String>,
    /// With this public id.
    pub public_id: Option<String>,
    /// Of this seller.
    pub seller_id: Option<SellerId>,
    /// Of the seller with this uuid.
    pub seller_uuid: Option<String>,
    /// Of sellers that are active, or that are not.
    pub seller_active: Option<bool>,
}

impl ProductFilter {
    /// The public id, when nothing else is asked for.
    #[must_use]
    pub fn only_public_id(&self) -> Option<String> {
        let Self { external_id: None, public_id, seller_id: None, seller_uuid: None, seller_active: None } =
            self
        else {
            return None;
        };
        public_id.clone()
    }

    fn query(&self) -> products::BoxedQuery<'_, Pg> {
        let mut query = products::table.into_boxed();
        if let Some(external_id) = &self.external_id {
            query = query.filter(products::external_id.eq(external_id));
        }
        if let Some(public_id) = &self.public_id {
            query = query.filter(products::public_id.eq(public_id));
        }
        if let Some(seller_id) = self.seller_id {
            query = query.filter(products::seller_id.eq(seller_id));
        }
        if let Some(uuid) = &self.seller_uuid {
            let wanted = sellers::table.filter(sellers::uuid.eq(uuid)).select(sellers::id);
            query = query.filter(products::seller_id.eq_any(wanted));
        }
        if let Some(active) = self.seller_active {
            let wanted = sellers::table.filter(sellers::active.eq(active)).select(sellers::id);
            query = query.filter(products::seller_id.eq_any(wanted));
        }
        query
    }
}

/// Under which seller each provider knows a product: the seller's uuid, or none when the provider does not know the
/// product.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SellerUuids {
    /// At Bango.
    pub bango: Option<String>,
    /// At the reference provider.
    pub reference: Option<String>,
}

/// Creates a product.
///
/// # Errors
/// [`StoreError`]; `products_public_id_key`, `products_seller_id_external_id_key`, `products_seller_id_fkey`.
pub fn insert(connection: &mut PgConnection, new: &NewProduct) -> Result<ProductRow, StoreError> {
    Ok(diesel::insert_into(products::table)
        .values(new)
        .returning(ProductRow::as_returning())
        .get_result(connection)?)
}

/// Finds a product by its key.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(connection: &mut PgConnection, id: ProductId) -> Result<Option<ProductRow>, StoreError> {
    Ok(products::table.find(id).select(ProductRow::as_select()).first(connection).optional()?)
}

/// Finds a product by its key and locks its row until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub fn by_id_for_update(
    connection: &mut PgConnection,
    id: ProductId,
) -> Result<Option<ProductRow>, StoreError> {
    Ok(products::table.find(id).select(ProductRow::as_select()).for_update().first(connection).optional()?)
}

/// Finds a product by its public id.
///
/// # Errors
/// [`StoreError`].
pub fn by_public_id(
    connection: &mut PgConnection,
    public_id: &str,
) -> Result<Option<ProductRow>, StoreError> {
    let query = products::table.filter(products::public_id.eq(public_id));
    Ok(query.select(ProductRow::as_select()).first(connection).optional()?)
}

/// One page of the products that the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    connection: &mut PgConnection,
    filter: &ProductFilter,
    page: Page,
) -> Result<Listed<ProductRow>, StoreError> {
    let total = filter.query().count().get_result(connection)?;
    let rows = filter
        .query()
        .order(products::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(ProductRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Changes a product, if its counter is the expected one.
///
/// # Errors
/// [`StoreError`]; `NotFound`, `Stale`, and the constraints that [`insert`] names.
pub fn update(
    connection: &mut PgConnection,
    id: ProductId,
    expected_counter: Option<i64>,
    changes: &ProductChanges,
) -> Result<ProductRow, StoreError> {
    let row = by_id_for_update(connection, id)?.ok_or(StoreError::NotFound)?;
    check_counter(expected_counter, row.counter)?;
    Ok(diesel::update(products::table.find(id))
        .set((changes, products::modified.eq(now), products::counter.eq(products::counter + 1)))
        .returning(ProductRow::as_returning())
        .get_result(connection)?)
}

/// The public ids of the products that a provider knows under this seller.
///
/// # Errors
/// [`StoreError`].
pub fn public_ids_linked_to(
    connection: &mut PgConnection,
    seller_id: SellerId,
) -> Result<Vec<String>, StoreError> {
    let at_bango = bango_products::table
        .inner_join(bango_sellers::table)
        .filter(bango_sellers::seller_id.eq(seller_id))
        .select(bango_products::product_id);
    let at_reference = reference_products::table
        .inner_join(reference_sellers::table)
        .filter(reference_sellers::seller_id.eq(seller_id))
        .select(reference_products::product_id);
    let linked = products::id.eq_any(at_bango).or(products::id.eq_any(at_reference));
    Ok(products::table.filter(linked).select(products::public_id).load(connection)?)
}

/// Under which seller each provider knows each of the products; every product asked for has an entry.
///
/// # Errors
/// [`StoreError`].
pub fn seller_uuids(
    connection: &mut PgConnection,
    ids: &[ProductId],
) -> Result<HashMap<ProductId, SellerUuids>, StoreError> {
    let (bango_owner, reference_owner) = alias!(sellers as bango_owner, sellers as reference_owner);
    let found: Vec<(ProductId, Option<String>, Option<String>)> = products::table
        .left_join(
            bango_products::table.inner_join(
                bango_sellers::table
                    .inner_join(bango_owner.on(bango_owner.field(sellers::id).eq(bango_sellers::seller_id))),
            ),
        )
        .left_join(reference_products::table.inner_join(reference_sellers::table.inner_join(
            reference_owner.on(reference_owner.field(sellers::id).eq(reference_sellers::seller_id)),
        )))
        .filter(products::id.eq_any(ids))
        .select((
            products::id,
            bango_owner.field(sellers::uuid).nullable(),
            reference_owner.field(sellers::uuid).nullable(),
        ))
        .load(connection)?;
    Ok(found.into_iter().map(|(id, bango, reference)| (id, SellerUuids { bango, reference })).collect())
}
