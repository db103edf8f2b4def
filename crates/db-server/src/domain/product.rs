//! Products, whose secret is encrypted at rest.

pub mod cached;

use actix_web::web::Data;
use chassis::settings::SecretString;
use diesel::PgConnection;

use super::{Domain, DomainError, detached::detached};
use crate::{
    crypt::EncryptionKeys,
    error::ApiError,
    etag::IfMatch,
    store::{
        Listed, Page,
        id::ProductId,
        product::{self, NewProduct, ProductChanges, ProductFilter, ProductRow, SellerUuids},
    },
};

/// A product as a client sees it.
pub struct Product {
    /// The row.
    pub row: ProductRow,
    /// The secret, decrypted.
    pub secret: Option<SecretString>,
    /// Under which seller it is set up at each provider.
    pub seller_uuids: SellerUuids,
}

/// Creates a product.
///
/// # Errors
/// [`DomainError`]; an id may be taken, the seller may not exist.
pub async fn create(domain: &Domain, new: NewProduct) -> Result<Product, DomainError> {
    let keys = domain.keys.clone();
    let create = move |connection: &mut PgConnection| {
        let row = product::insert(connection, &new)?;
        complete_one(connection, &keys, row)
    };
    domain.database.write(create).await
}

/// Reads a product.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn get(domain: &Domain, id: ProductId) -> Result<Product, DomainError> {
    let keys = domain.keys.clone();
    let get = move |connection: &mut PgConnection| {
        let row = product::by_id(connection, id)?.ok_or(DomainError::NotFound)?;
        complete_one(connection, &keys, row)
    };
    domain.database.read(get).await
}

/// Reads the product with a public id, from the cache when it was read lately.
///
/// # Errors
/// What the database gives.
pub async fn by_public_id(domain: &Domain, public_id: String) -> Result<Option<Product>, DomainError> {
    if let Some(product) = cached::get(&domain.cache, &domain.keys, &public_id).await {
        return Ok(Some(product));
    }
    let keys = domain.keys.clone();
    let find = move |connection: &mut PgConnection| match product::by_public_id(connection, &public_id)? {
        Some(row) => complete_one(connection, &keys, row).map(Some),
        None => Ok(None),
    };
    let found: Result<_, DomainError> = domain.database.read(find).await;
    let found = found?;
    if let Some(product) = &found {
        cached::keep(&domain.cache, product).await;
    }
    Ok(found)
}

/// Reads one page of the products that the filter names.
///
/// # Errors
/// What the database gives.
pub async fn list(
    domain: &Domain,
    filter: ProductFilter,
    page: Page,
) -> Result<Listed<Product>, DomainError> {
    let keys = domain.keys.clone();
    let list = move |connection: &mut PgConnection| {
        let listed = product::list(connection, &filter, page)?;
        Ok(Listed { rows: complete(connection, &keys, listed.rows)?, total: listed.total })
    };
    domain.database.read(list).await
}

/// Changes a product if it is still the version that the client expects.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::Stale`], a taken id, and what the database gives.
pub async fn update(
    domain: &Data<Domain>,
    id: ProductId,
    expected: IfMatch,
    changes: ProductChanges,
) -> Result<Product, ApiError> {
    let domain = domain.clone();
    let keys = domain.keys.clone();
    let change = move |connection: &mut PgConnection| {
        let before = product::by_id_for_update(connection, id)?.ok_or(DomainError::NotFound)?;
        if !expected.holds(before.id.0, before.counter) {
            return Err(DomainError::Stale);
        }
        let row = product::update(connection, id, Some(before.counter), &changes)?;
        Ok((before.public_id, complete_one(connection, &keys, row)?))
    };
    // Also when the client hangs up: the cache has to hear of the change.
    detached(async move {
        let (public_id, product) = domain.database.write(change).await?;
        cached::changed(&domain.cache, [&public_id, &product.row.public_id]).await;
        Ok(product)
    })
    .await
}

fn complete_one(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    row: ProductRow,
) -> Result<Product, DomainError> {
    complete(connection, keys, vec![row])?.pop().ok_or(DomainError::NotFound)
}

/// Decrypts the secrets and adds what the providers know.
fn complete(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    rows: Vec<ProductRow>,
) -> Result<Vec<Product>, DomainError> {
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut seller_uuids = product::seller_uuids(connection, &ids)?;
    let product = |row: ProductRow| {
        let secret = row.secret.as_ref().map(|secret| keys.decrypt(secret)).transpose()?;
        let seller_uuids = seller_uuids.remove(&row.id).unwrap_or_default();
        Ok(Product { row, secret, seller_uuids })
    };
    rows.into_iter().map(product).collect()
}
