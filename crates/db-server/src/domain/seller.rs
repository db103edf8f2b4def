//! Sellers.

use actix_web::web::Data;
use diesel::PgConnection;

use super::{Domain, DomainError, detached::detached, product::cached};
use crate::{
    error::ApiError,
    etag::IfMatch,
    store::{
        Listed, Page,
        id::SellerId,
        product,
        seller::{self, NewSeller, SellerChanges, SellerFilter, SellerRow},
    },
};

/// Creates a seller.
///
/// # Errors
/// [`DomainError`]; the uuid may be taken.
pub async fn create(domain: &Domain, new: NewSeller) -> Result<SellerRow, DomainError> {
    domain.database.write(move |connection| Ok(seller::insert(connection, &new)?)).await
}

/// Reads a seller.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn get(domain: &Domain, id: SellerId) -> Result<SellerRow, DomainError> {
    domain.database.read(move |connection| seller::by_id(connection, id)?.ok_or(DomainError::NotFound)).await
}

/// Reads one page of the sellers that the filter names.
///
/// # Errors
/// What the database gives.
pub async fn list(
    domain: &Domain,
    filter: SellerFilter,
    page: Page,
) -> Result<Listed<SellerRow>, DomainError> {
    domain.database.read(move |connection| Ok(seller::list(connection, &filter, page)?)).await
}

/// Changes a seller if it is still the version that the client expects.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::Stale`], a taken uuid, and what the database gives.
pub async fn update(
    domain: &Data<Domain>,
    id: SellerId,
    expected: IfMatch,
    changes: SellerChanges,
) -> Result<SellerRow, ApiError> {
    let domain = domain.clone();
    let change = move |connection: &mut PgConnection| {
        let before = seller::by_id_for_update(connection, id)?.ok_or(DomainError::NotFound)?;
        if !expected.holds(before.id.0, before.counter) {
            return Err(DomainError::Stale);
        }
        let row = seller::update(connection, id, Some(before.counter), &changes)?;
        let renamed = row.uuid != before.uuid;
        let products = if renamed { product::public_ids_linked_to(connection, id)? } else { Vec::new() };
        Ok::<_, DomainError>((row, products))
    };
    // Also when the client hangs up: the cache has to hear of the change.
    detached(async move {
        let (row, products) = domain.database.write(change).await?;
        cached::changed(&domain.cache, &products).await;
        Ok(row)
    })
    .await
}
