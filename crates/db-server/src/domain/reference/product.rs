//! Products at the reference provider.

use diesel::PgConnection;
use wire::reference::{
    Change, CreateProduct, GetProduct, Named, ProductFields, RemoteResource, UpdateProduct,
};

use super::{Linked, create_or_find, not_linked};
use crate::{
    domain::{Domain, DomainError, error::field, product::cached},
    error::ApiError,
    etag::IfMatch,
    field_errors::{Code, FieldError, FieldErrors},
    proxy_client::ProxyClient,
    store::{
        Listed, Page,
        id::{ProductId, ReferenceProductId, ReferenceSellerId},
        product,
        reference::{self, ReferenceProductFilter, ReferenceProductRow},
    },
    uri::DANGLING,
};

/// A product to set up.
pub struct NewReferenceProduct {
    /// Our product.
    pub product_id: ProductId,
    /// Under which seller's account.
    pub reference_seller_id: ReferenceSellerId,
    /// The uuid that it has at the provider.
    pub uuid: String,
    /// Its name at the provider.
    pub name: String,
}

/// What changes about a product that is set up.
pub struct ProductUpdate {
    /// Our product, when the client names it; it cannot become another.
    pub product_id: Option<ProductId>,
    /// The seller's account, when the client names it; it cannot become another.
    pub reference_seller_id: Option<ReferenceSellerId>,
    /// The uuid, when the client names it; it cannot become another.
    pub uuid: Option<String>,
    /// The new name.
    pub name: Option<String>,
}

/// Sets a product up at the provider.
///
/// # Errors
/// What does not exist or is set up already, the provider's refusal, or why it could not be asked.
pub async fn create_product(
    domain: &Domain,
    proxy: &ProxyClient,
    new: NewReferenceProduct,
) -> Result<Linked<ReferenceProductRow, RemoteResource>, ApiError> {
    let (product_id, reference_seller_id) = (new.product_id, new.reference_seller_id);
    let check = move |connection: &mut PgConnection| check_new(connection, product_id, reference_seller_id);
    let (seller_id, external_id) = domain.database.read(check).await?;
    let fields = ProductFields {
        seller_id: Some(seller_id),
        external_id: Some(external_id),
        uuid: Some(new.uuid.clone()),
        name: Some(new.name),
    };
    let remote = create_or_find::<CreateProduct, GetProduct>(proxy, &fields, &new.uuid).await?;
    let reference_id = remote.resource_pk.clone();
    let link = move |connection: &mut PgConnection| {
        let row = reference::insert_product(connection, product_id, reference_seller_id, &reference_id)?;
        Ok((row, product::by_id(connection, product_id)?.map(|product| product.public_id)))
    };
    let linked: Result<_, DomainError> = domain.database.write(link).await;
    let (row, public_id) = linked.inspect_err(|_| not_linked("product", &remote))?;
    cached::changed(&domain.cache, &public_id).await;
    Ok(Linked { row, remote })
}

/// Reads a product's link and what the provider holds.
///
/// # Errors
/// [`DomainError::NotFound`], the provider's refusal, or why it could not be asked.
pub async fn get_product(
    domain: &Domain,
    proxy: &ProxyClient,
    id: ReferenceProductId,
) -> Result<Linked<ReferenceProductRow, RemoteResource>, ApiError> {
    let find = move |connection: &mut PgConnection| {
        reference::product_by_id(connection, id)?.ok_or(DomainError::NotFound)
    };
    let row = domain.database.read(find).await?;
    let named = Named { reference_id: row.reference_id.clone() };
    let remote = proxy.call::<GetProduct>(&named).await?;
    Ok(Linked { row, remote })
}

/// Changes what the provider holds about a product.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::Stale`], the provider's refusal, or why it could not be asked.
pub async fn update_product(
    domain: &Domain,
    proxy: &ProxyClient,
    id: ReferenceProductId,
    expected: IfMatch,
    update: ProductUpdate,
) -> Result<Linked<ReferenceProductRow, RemoteResource>, ApiError> {
    let name = update.name.clone();
    let touch = move |connection: &mut PgConnection| {
        let row = reference::product_by_id(connection, id)?.ok_or(DomainError::NotFound)?;
        if !expected.holds(row.id.0, row.counter) {
            return Err(DomainError::Stale);
        }
        check_same(&row, &update)?;
        let (seller_id, external_id) = provider_ids(connection, row.product_id, row.reference_seller_id)?;
        let counter = (expected != IfMatch::Anything).then_some(row.counter);
        let row = reference::touch_product(connection, id, counter)?;
        Ok::<_, DomainError>((row, seller_id, external_id))
    };
    // Counted before the provider is asked, so that of two clients with the same version only one gets there.
    let (row, seller_id, external_id) = domain.database.write(touch).await?;
    let fields = ProductFields {
        seller_id: Some(seller_id),
        external_id: Some(external_id),
        uuid: Some(row.reference_id.clone()),
        name,
    };
    let change = Change { reference_id: row.reference_id.clone(), fields };
    let remote = proxy.call::<UpdateProduct>(&change).await?;
    Ok(Linked { row, remote })
}

/// Reads one page of the links; the provider is not asked.
///
/// # Errors
/// What the database gives.
pub async fn list_products(
    domain: &Domain,
    filter: ReferenceProductFilter,
    page: Page,
) -> Result<Listed<ReferenceProductRow>, DomainError> {
    domain.database.read(move |connection| Ok(reference::list_products(connection, &filter, page)?)).await
}

/// Checks that the product can be set up; gives what [`provider_ids`] does.
fn check_new(
    connection: &mut PgConnection,
    product_id: ProductId,
    reference_seller_id: ReferenceSellerId,
) -> Result<(String, String), DomainError> {
    let ids = provider_ids(connection, product_id, reference_seller_id)?;
    if reference::product_by_product(connection, product_id)?.is_some() {
        return Err(field("seller_product", "Product reference with this Seller product already exists."));
    }
    Ok(ids)
}

/// The provider's key of the seller, and the seller's own id of the product.
fn provider_ids(
    connection: &mut PgConnection,
    product_id: ProductId,
    reference_seller_id: ReferenceSellerId,
) -> Result<(String, String), DomainError> {
    let product = product::by_id(connection, product_id)?;
    let seller = reference::seller_by_id(connection, reference_seller_id)?;
    let mut errors = FieldErrors::default();
    if product.is_none() {
        errors.add("seller_product", FieldError::new(Code::DoesNotExist, DANGLING));
    }
    if seller.is_none() {
        errors.add("seller_reference", FieldError::new(Code::DoesNotExist, DANGLING));
    }
    match (product, seller) {
        (Some(product), Some(seller)) => Ok((seller.reference_id, product.external_id)),
        _ => Err(errors.into()),
    }
}

fn check_same(row: &ReferenceProductRow, update: &ProductUpdate) -> Result<(), DomainError> {
    let mut errors = FieldErrors::default();
    if update.product_id.is_some_and(|id| id != row.product_id) {
        errors.add("seller_product", FieldError::invalid("The seller_product cannot become another."));
    }
    if update.reference_seller_id.is_some_and(|id| id != row.reference_seller_id) {
        errors.add("seller_reference", FieldError::invalid("The seller_reference cannot become another."));
    }
    if update.uuid.as_ref().is_some_and(|uuid| *uuid != row.reference_id) {
        errors.add("uuid", FieldError::invalid("The uuid cannot change."));
    }
    Ok(errors.or(())?)
}
