//! `/generic/seller/`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::json;

use super::{Id, READ_ONLY, Shown, listed};
use crate::{
    caller::{Caller, Read, Write},
    domain::{Domain, seller},
    error::ApiError,
    etag::IfMatch,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    store::{
        id::SellerId,
        seller::{NewSeller, SellerChanges, SellerFilter, SellerRow},
    },
    uri::Kind,
};

/// `POST`: creates a seller.
///
/// # Errors
/// [`ApiError`].
pub async fn create(_: Caller<Write>, domain: Data<Domain>, form: Form) -> Result<HttpResponse, ApiError> {
    let row = seller::create(&domain, read_whole(form)?).await?;
    Ok(show(&row).created())
}

/// `GET` of the list; filters `uuid`, `active`.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = SellerFilter { uuid: query.text("uuid"), active: query.boolean("active") };
    let page = query.finish()?;
    let list = seller::list(&domain, filter, page.rows()).await?;
    listed(&request, &page, Kind::Seller.list_path(), list.rows.iter().map(show).collect(), list.total)
}

/// `GET` of one seller.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<SellerId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&seller::get(&domain, id).await?).found(&request))
}

/// `PATCH`: changes the fields that are given.
///
/// # Errors
/// [`ApiError`].
pub async fn patch(
    _: Caller<Write>,
    domain: Data<Domain>,
    Id(id): Id<SellerId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let row = seller::update(&domain, id, expected, read_changes(form)?).await?;
    Ok(show(&row).changed())
}

/// `PUT`: sets every field.
///
/// # Errors
/// [`ApiError`].
pub async fn put(
    _: Caller<Write>,
    domain: Data<Domain>,
    Id(id): Id<SellerId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let NewSeller { uuid, active } = read_whole(form)?;
    let changes = SellerChanges { uuid: Some(uuid), active: Some(active) };
    let row = seller::update(&domain, id, expected, changes).await?;
    Ok(show(&row).changed())
}

fn read_whole(mut form: Form) -> Result<NewSeller, FieldErrors> {
    let uuid = form.id("uuid");
    let uuid = form.required("uuid", uuid).unwrap_or_default();
    let active = form.boolean("active");
    let active = form.not_null("active", active).unwrap_or(true);
    finish(form).map(|()| NewSeller { uuid, active })
}

fn read_changes(mut form: Form) -> Result<SellerChanges, FieldErrors> {
    let uuid = form.id("uuid");
    let uuid = form.not_null("uuid", uuid);
    let active = form.boolean("active");
    let active = form.not_null("active", active);
    finish(form).map(|()| SellerChanges { uuid, active })
}

fn finish(mut form: Form) -> Result<(), FieldErrors> {
    form.ignore(&READ_ONLY);
    form.ignore(&["bango"]);
    form.finish()
}

fn show(row: &SellerRow) -> Shown {
    let body = json!({
        "resource_pk": row.id.0,
        "resource_uri": Kind::Seller.uri(row.id),
        "uuid": row.uuid,
        "active": row.active,
        // A seller without a package at Bango shows an empty object.
        "bango": {},
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    });
    Shown::of_row(row.id.0, row.counter, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_seller_is_active_unless_the_client_says_otherwise() {
        let seller = read_whole(form(r#"{"uuid": "s1"}"#)).unwrap();
        assert_eq!((seller.uuid.as_str(), seller.active), ("s1", true));
        assert!(!read_whole(form(r#"{"uuid": "s1", "active": false}"#)).unwrap().active);
    }

    #[test]
    fn a_seller_needs_a_uuid() {
        assert!(read_whole(form("{}")).unwrap_err().has("uuid"));
        assert!(read_whole(form(r#"{"uuid": ""}"#)).unwrap_err().has("uuid"));
        assert!(read_changes(form(r#"{"uuid": null, "active": null}"#)).unwrap_err().has("active"));
    }

    #[test]
    fn an_answer_may_be_sent_back_with_a_change() {
        let changes = read_changes(form(
            r#"{"resource_pk": 1, "resource_uri": "x", "created": "", "modified": "", "counter": 1,
                "bango": {}, "uuid": "s2", "active": true}"#,
        ));
        assert_eq!(changes.unwrap().uuid.as_deref(), Some("s2"));
    }

    #[test]
    fn an_empty_change_changes_nothing() {
        let changes = read_changes(form("{}")).unwrap();
        assert_eq!((changes.uuid, changes.active), (None, None));
    }
}
