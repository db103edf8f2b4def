//! Products, whose secret is encrypted at rest.

use chassis::settings::SecretString;
use diesel::PgConnection;

use super::{Domain, DomainError};
use crate::{
    crypt::EncryptionKeys,
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
    domain: &Domain,
    id: ProductId,
    expected: IfMatch,
    changes: ProductChanges,
) -> Result<Product, DomainError> {
    let keys = domain.keys.clone();
    let change = move |connection: &mut PgConnection| {
        let row = product::by_id_for_update(connection, id)?.ok_or(DomainError::NotFound)?;
        if !expected.holds(row.id.0, row.counter) {
            return Err(DomainError::Stale);
        }
        let row = product::update(connection, id, Some(row.counter), &changes)?;
        complete_one(connection, &keys, row)
    };
    domain.database.write(change).await
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
