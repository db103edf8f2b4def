//! `/provider/reference/products/`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::{Value, json};
use wire::reference::RemoteResource;

use super::{
    super::{Id, READ_ONLY, listed},
    Shown, show_remote,
};
use crate::{
    caller::{Caller, Read, Write},
    domain::{
        Domain,
        detached::detached,
        reference::{self, Linked, NewReferenceProduct, ProductUpdate},
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    proxy_client::ProxyClient,
    store::{
        id::{ProductId, ReferenceProductId, ReferenceSellerId},
        reference::{ReferenceProductFilter, ReferenceProductRow},
    },
    uri::Kind,
};

/// `POST`: sets a product up at the provider.
///
/// # Errors
/// [`ApiError`].
pub async fn create(
    _: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let new = read_new(form)?;
    let linked = detached(async move { reference::create_product(&domain, &proxy, new).await }).await?;
    Ok(show(&linked).created())
}

/// `GET` of the list; filters `seller_product__seller`, `seller_product__external_id`. The provider's objects are
/// not in it.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = ReferenceProductFilter {
        seller_id: query.reference("seller_product__seller", Kind::Seller),
        external_id: query.text("seller_product__external_id"),
    };
    let page = query.finish()?;
    let list = reference::list_products(&domain, filter, page.rows()).await?;
    let shown = list.rows.iter().map(|row| Shown::of_row(row.id.0, row.counter, show_link(row)));
    listed(&request, &page, Kind::ReferenceProduct.list_path(), shown.collect(), list.total)
}

/// `GET` of one product.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<ReferenceProductId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&reference::get_product(&domain, &proxy, id).await?).found(&request))
}

/// `PUT`: changes what the provider holds.
///
/// # Errors
/// [`ApiError`].
pub async fn put(
    _: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<ReferenceProductId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let update = read_update(form)?;
    let linked =
        detached(async move { reference::update_product(&domain, &proxy, id, expected, update).await });
    Ok(show(&linked.await?).changed())
}

fn read_new(mut form: Form) -> Result<NewReferenceProduct, FieldErrors> {
    let product = form.reference("seller_product", Kind::Product);
    let product_id = form.required("seller_product", product).unwrap_or(ProductId(0));
    let seller = form.reference("seller_reference", Kind::ReferenceSeller);
    let reference_seller_id = form.required("seller_reference", seller).unwrap_or(ReferenceSellerId(0));
    let uuid = form.id("uuid");
    let uuid = form.required("uuid", uuid).unwrap_or_default();
    let name = form.text("name");
    let name = form.required("name", name).unwrap_or_default();
    finish(form).map(|()| NewReferenceProduct { product_id, reference_seller_id, uuid, name })
}

fn read_update(mut form: Form) -> Result<ProductUpdate, FieldErrors> {
    let update = ProductUpdate {
        product_id: form.reference("seller_product", Kind::Product).flatten(),
        reference_seller_id: form.reference("seller_reference", Kind::ReferenceSeller).flatten(),
        uuid: form.id("uuid").flatten(),
        name: form.text("name").flatten(),
    };
    finish(form).map(|()| update)
}

fn finish(mut form: Form) -> Result<(), FieldErrors> {
    form.ignore(&READ_ONLY);
    form.ignore(&["id", "reference"]);
    form.finish()
}

fn show(linked: &Linked<ReferenceProductRow, RemoteResource>) -> Shown {
    let row = &linked.row;
    let mut body = show_link(row);
    body["reference"] = show_remote(&linked.remote, &Kind::ReferenceProduct.uri(row.id));
    Shown::of_more(row.id.0, row.counter, body)
}

fn show_link(row: &ReferenceProductRow) -> Value {
    json!({
        "id": row.id.0,
        "resource_pk": row.id.0,
        "resource_uri": Kind::ReferenceProduct.uri(row.id),
        "seller_product": Kind::Product.uri(row.product_id),
        "seller_reference": Kind::ReferenceSeller.uri(row.reference_seller_id),
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(value: &Value) -> Form {
        Form::parse(value.to_string().as_bytes()).unwrap()
    }

    fn whole() -> Value {
        json!({"seller_product": "/generic/product/3/", "seller_reference": "/provider/reference/sellers/4/",
               "uuid": "u1", "name": "Sword"})
    }

    #[test]
    fn a_product_is_read_in_full() {
        let new = read_new(form(&whole())).unwrap();
        assert_eq!((new.product_id, new.reference_seller_id), (ProductId(3), ReferenceSellerId(4)));
        assert_eq!((new.uuid.as_str(), new.name.as_str()), ("u1", "Sword"));
    }

    #[test]
    fn what_is_missing_is_named() {
        for field in ["seller_product", "seller_reference", "uuid", "name"] {
            let mut body = whole();
            body.as_object_mut().unwrap().remove(field);
            assert!(read_new(form(&body)).err().unwrap().has(field), "{field}");
        }
    }

    #[test]
    fn a_generic_seller_is_no_sellers_account() {
        let mut body = whole();
        body["seller_reference"] = json!("/generic/seller/4/");
        assert!(read_new(form(&body)).err().unwrap().has("seller_reference"));
    }
}
