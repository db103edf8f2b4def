//! `/provider/reference/sellers/`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::{Value, json};
use wire::reference::{RemoteResource, SellerFields};

use super::{
    super::{Id, READ_ONLY, listed},
    Shown, show_remote,
};
use crate::{
    caller::{Caller, Read, Write},
    domain::{
        Domain,
        detached::detached,
        reference::{self, Linked, NewReferenceSeller, SellerUpdate},
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    proxy_client::ProxyClient,
    store::{
        id::{ReferenceSellerId, SellerId},
        reference::{ReferenceSellerFilter, ReferenceSellerRow},
    },
    uri::Kind,
};

/// `POST`: sets a seller up at the provider.
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
    let linked = detached(async move { reference::create_seller(&domain, &proxy, new).await }).await?;
    Ok(show(&linked).created())
}

/// `GET` of the list; filter `seller__uuid`. The provider's objects are not in it.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = ReferenceSellerFilter { seller_uuid: query.text("seller__uuid") };
    let page = query.finish()?;
    let list = reference::list_sellers(&domain, filter, page.rows()).await?;
    let shown = list.rows.iter().map(|row| Shown::of_row(row.id.0, row.counter, show_link(row)));
    listed(&request, &page, Kind::ReferenceSeller.list_path(), shown.collect(), list.total)
}

/// `GET` of one seller.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<ReferenceSellerId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&reference::get_seller(&domain, &proxy, id).await?).found(&request))
}

/// `PUT`: changes what the provider holds.
///
/// # Errors
/// [`ApiError`].
pub async fn put(
    _: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<ReferenceSellerId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let update = read_update(form)?;
    let linked =
        detached(async move { reference::update_seller(&domain, &proxy, id, expected, update).await });
    Ok(show(&linked.await?).changed())
}

fn read_new(mut form: Form) -> Result<NewReferenceSeller, FieldErrors> {
    let seller = form.reference("seller", Kind::Seller);
    let seller_id = form.required("seller", seller).unwrap_or(SellerId(0));
    let fields = read_fields(&mut form);
    let uuid = form.required("uuid", Some(fields.uuid.clone())).unwrap_or_default();
    form.required("name", Some(fields.name.clone()));
    form.required("email", Some(fields.email.clone()));
    finish(form).map(|()| NewReferenceSeller { seller_id, uuid, fields })
}

fn read_update(mut form: Form) -> Result<SellerUpdate, FieldErrors> {
    let seller_id = form.reference("seller", Kind::Seller).flatten();
    let fields = read_fields(&mut form);
    finish(form).map(|()| SellerUpdate { seller_id, fields })
}

fn read_fields(form: &mut Form) -> SellerFields {
    SellerFields {
        uuid: form.id("uuid").flatten(),
        name: form.text("name").flatten(),
        email: form.text("email").flatten(),
        status: form.word("status").flatten(),
        agreement: form.date("agreement").flatten(),
    }
}

fn finish(mut form: Form) -> Result<(), FieldErrors> {
    form.ignore(&READ_ONLY);
    form.ignore(&["id", "reference"]);
    form.finish()
}

fn show(linked: &Linked<ReferenceSellerRow, RemoteResource>) -> Shown {
    let row = &linked.row;
    let mut body = show_link(row);
    body["reference"] = show_remote(&linked.remote, &Kind::ReferenceSeller.uri(row.id));
    Shown::of_more(row.id.0, row.counter, body)
}

fn show_link(row: &ReferenceSellerRow) -> Value {
    json!({
        "id": row.id.0,
        "resource_pk": row.id.0,
        "resource_uri": Kind::ReferenceSeller.uri(row.id),
        "seller": Kind::Seller.uri(row.seller_id),
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
        json!({"seller": "/generic/seller/3/", "uuid": "u1", "name": "Bob", "email": "bob@example.com",
               "status": "ACTIVE", "agreement": "2014-01-01"})
    }

    #[test]
    fn a_seller_is_read_in_full() {
        let new = read_new(form(&whole())).unwrap();
        assert_eq!((new.seller_id, new.uuid.as_str()), (SellerId(3), "u1"));
        let expected = json!({"uuid": "u1", "name": "Bob", "email": "bob@example.com", "status": "ACTIVE",
                              "agreement": "2014-01-01"});
        assert_eq!(serde_json::to_value(new.fields).unwrap(), expected);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for field in ["seller", "uuid", "name", "email"] {
            let mut body = whole();
            body.as_object_mut().unwrap().remove(field);
            assert!(read_new(form(&body)).err().unwrap().has(field), "{field}");
        }
        for (field, value) in [
            ("seller", json!("/generic/product/3/")),
            ("uuid", json!("a\u{0}")),
            ("status", json!("SLEEPING")),
            ("status", json!(1)),
            ("agreement", json!("yesterday")),
            ("email", json!("x".repeat(256))),
            ("emial", json!("x")),
        ] {
            let mut body = whole();
            body[field] = value;
            assert!(read_new(form(&body)).err().unwrap().has(field), "{field}");
        }
    }

    #[test]
    fn the_providers_path_is_not_shown() {
        let remote = json!({"resource_pk": "u1", "resource_name": "sellers", "resource_uri": "/sellers/u1",
                            "name": "Bob"});
        let remote: RemoteResource = serde_json::from_value(remote).unwrap();
        let shown = show_remote(&remote, "/provider/reference/sellers/9/");
        assert_eq!(
            shown,
            json!({"id": "u1", "resource_pk": "u1", "resource_name": "sellers", "name": "Bob",
                   "resource_uri": "/provider/reference/sellers/9/"})
        );
    }
}
