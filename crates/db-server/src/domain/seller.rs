//! Sellers.

use super::{Domain, DomainError};
use crate::{
    etag::IfMatch,
    store::{
        Listed, Page,
        id::SellerId,
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
    domain: &Domain,
    id: SellerId,
    expected: IfMatch,
    changes: SellerChanges,
) -> Result<SellerRow, DomainError> {
    let change = move |connection: &mut _| {
        let row = seller::by_id_for_update(connection, id)?.ok_or(DomainError::NotFound)?;
        if !expected.holds(row.id.0, row.counter) {
            return Err(DomainError::Stale);
        }
        Ok(seller::update(connection, id, Some(row.counter), &changes)?)
    };
    domain.database.write(change).await
}
