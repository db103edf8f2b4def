//! Sellers at the reference provider, and the terms that they agree to.

use diesel::PgConnection;
use wire::reference::{
    Change, CreateSeller, GetSeller, GetTerms, Named, RemoteResource, SellerFields, Terms, TermsFields,
    UpdateSeller, UpdateTerms,
};

use super::{Linked, create_or_find, not_linked};
use crate::{
    domain::{Domain, DomainError, error::field},
    error::ApiError,
    etag::IfMatch,
    proxy_client::ProxyClient,
    store::{
        Listed, Page,
        id::{ReferenceSellerId, SellerId},
        reference::{self, ReferenceSellerFilter, ReferenceSellerRow},
        seller,
    },
    uri::DANGLING,
};

/// A seller to set up.
pub struct NewReferenceSeller {
    /// Our seller.
    pub seller_id: SellerId,
    /// The uuid, also in `fields`.
    pub uuid: String,
    /// What the provider is told.
    pub fields: SellerFields,
}

/// What changes about a seller that is set up.
pub struct SellerUpdate {
    /// Our seller, when the client names it; it cannot become another.
    pub seller_id: Option<SellerId>,
    /// What the provider is told.
    pub fields: SellerFields,
}

/// Sets a seller up at the provider.
///
/// # Errors
/// A seller that does not exist or is set up already, the provider's refusal, or why it could not be asked.
pub async fn create_seller(
    domain: &Domain,
    proxy: &ProxyClient,
    new: NewReferenceSeller,
) -> Result<Linked<ReferenceSellerRow, RemoteResource>, ApiError> {
    let seller_id = new.seller_id;
    domain.database.read(move |connection| check_new(connection, seller_id)).await?;
    let remote = create_or_find::<CreateSeller, GetSeller>(proxy, &new.fields, &new.uuid).await?;
    let reference_id = remote.resource_pk.clone();
    let link = move |connection: &mut PgConnection| {
        Ok(reference::insert_seller(connection, seller_id, &reference_id)?)
    };
    let row: Result<_, DomainError> = domain.database.write(link).await;
    let row = row.inspect_err(|_| not_linked("seller", &remote))?;
    Ok(Linked { row, remote })
}

/// Reads a seller's link and what the provider holds.
///
/// # Errors
/// [`DomainError::NotFound`], the provider's refusal, or why it could not be asked.
pub async fn get_seller(
    domain: &Domain,
    proxy: &ProxyClient,
    id: ReferenceSellerId,
) -> Result<Linked<ReferenceSellerRow, RemoteResource>, ApiError> {
    let row = find(domain, id).await?;
    let remote = proxy.call::<GetSeller>(&named(&row)).await?;
    Ok(Linked { row, remote })
}

/// Changes what the provider holds about a seller.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::Stale`], the provider's refusal, or why it could not be asked.
pub async fn update_seller(
    domain: &Domain,
    proxy: &ProxyClient,
    id: ReferenceSellerId,
    expected: IfMatch,
    update: SellerUpdate,
) -> Result<Linked<ReferenceSellerRow, RemoteResource>, ApiError> {
    let uuid = update.fields.uuid.clone();
    let row = touch(domain, id, expected, move |row| {
        if update.seller_id.is_some_and(|seller| seller != row.seller_id) {
            return Err(field("seller", "The seller cannot become another."));
        }
        if uuid.is_some_and(|uuid| uuid != row.reference_id) {
            return Err(field("uuid", "The uuid cannot change."));
        }
        Ok(())
    })
    .await?;
    let change = Change { reference_id: row.reference_id.clone(), fields: update.fields };
    let remote = proxy.call::<UpdateSeller>(&change).await?;
    Ok(Linked { row, remote })
}

/// Reads the terms for a seller.
///
/// # Errors
/// [`DomainError::NotFound`], the provider's refusal, or why it could not be asked.
pub async fn get_terms(
    domain: &Domain,
    proxy: &ProxyClient,
    id: ReferenceSellerId,
) -> Result<Linked<ReferenceSellerRow, Terms>, ApiError> {
    let row = find(domain, id).await?;
    let remote = proxy.call::<GetTerms>(&named(&row)).await?;
    Ok(Linked { row, remote })
}

/// Records a seller's agreement to the terms.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::Stale`], the provider's refusal, or why it could not be asked.
pub async fn update_terms(
    domain: &Domain,
    proxy: &ProxyClient,
    id: ReferenceSellerId,
    expected: IfMatch,
    fields: TermsFields,
) -> Result<Linked<ReferenceSellerRow, Terms>, ApiError> {
    let row = touch(domain, id, expected, |_| Ok(())).await?;
    let change = Change { reference_id: row.reference_id.clone(), fields };
    let remote = proxy.call::<UpdateTerms>(&change).await?;
    Ok(Linked { row, remote })
}

/// Reads one page of the links; the provider is not asked.
///
/// # Errors
/// What the database gives.
pub async fn list_sellers(
    domain: &Domain,
    filter: ReferenceSellerFilter,
    page: Page,
) -> Result<Listed<ReferenceSellerRow>, DomainError> {
    domain.database.read(move |connection| Ok(reference::list_sellers(connection, &filter, page)?)).await
}

fn check_new(connection: &mut PgConnection, id: SellerId) -> Result<(), DomainError> {
    if seller::by_id(connection, id)?.is_none() {
        return Err(field("seller", DANGLING));
    }
    if reference::seller_by_seller(connection, id)?.is_some() {
        return Err(field("seller", "Seller reference with this Seller already exists."));
    }
    Ok(())
}

async fn find(domain: &Domain, id: ReferenceSellerId) -> Result<ReferenceSellerRow, DomainError> {
    domain
        .database
        .read(move |connection| reference::seller_by_id(connection, id)?.ok_or(DomainError::NotFound))
        .await
}

/// Counts the change before the provider is asked, so that of two clients with the same version only one gets there.
async fn touch<F>(
    domain: &Domain,
    id: ReferenceSellerId,
    expected: IfMatch,
    check: F,
) -> Result<ReferenceSellerRow, DomainError>
where
    F: FnOnce(&ReferenceSellerRow) -> Result<(), DomainError> + Send + 'static,
{
    let touch = move |connection: &mut PgConnection| {
        let row = reference::seller_by_id(connection, id)?.ok_or(DomainError::NotFound)?;
        if !expected.holds(row.id.0, row.counter) {
            return Err(DomainError::Stale);
        }
        check(&row)?;
        let counter = (expected != IfMatch::Anything).then_some(row.counter);
        Ok(reference::touch_seller(connection, id, counter)?)
    };
    domain.database.write(touch).await
}

fn named(row: &ReferenceSellerRow) -> Named {
    Named { reference_id: row.reference_id.clone() }
}
