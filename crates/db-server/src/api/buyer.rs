//! `/generic/buyer/`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use chassis::settings::ExposeSecret;
use serde_json::{Value, json};

use super::{Id, READ_ONLY, Shown, listed};
use crate::{
    caller::{Caller, Read, Write},
    domain::{
        Domain,
        buyer::{self, Buyer, BuyerFields, BuyerQuery},
        closing,
        detached::detached,
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    proxy_client::ProxyClient,
    store::id::BuyerId,
    uri::Kind,
};

/// `POST`: creates a buyer.
///
/// # Errors
/// [`ApiError`].
pub async fn create(_: Caller<Write>, domain: Data<Domain>, form: Form) -> Result<HttpResponse, ApiError> {
    Ok(show(&buyer::create(&domain, read_whole(form)?).await?).created())
}

/// `GET` of the list; filters `uuid`, `active`, `email`.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter =
        BuyerQuery { uuid: query.text("uuid"), active: query.boolean("active"), email: query.email("email") };
    let page = query.finish()?;
    let list = buyer::list(&domain, filter, page.rows()).await?;
    listed(&request, &page, Kind::Buyer.list_path(), list.rows.iter().map(show).collect(), list.total)
}

/// `GET` of one buyer.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<BuyerId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&buyer::get(&domain, id).await?).found(&request))
}

/// `PATCH`: changes the fields that are given.
///
/// # Errors
/// [`ApiError`].
pub async fn patch(
    _: Caller<Write>,
    domain: Data<Domain>,
    Id(id): Id<BuyerId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&buyer::update(&domain, id, expected, read_changes(form)?).await?).changed())
}

/// `PUT`: sets every field, except that what concerns the PIN stays where it is not given.
///
/// # Errors
/// [`ApiError`].
pub async fn put(
    _: Caller<Write>,
    domain: Data<Domain>,
    Id(id): Id<BuyerId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let fields = read_whole(form)?;
    let whole = BuyerFields {
        email: fields.email.or(Some(None)),
        locale: fields.locale.or(Some(None)),
        active: fields.active.or(Some(true)),
        authenticated: fields.authenticated.or(Some(true)),
        ..fields
    };
    Ok(show(&buyer::update(&domain, id, expected, whole).await?).changed())
}

/// `POST /generic/buyer/ID/close/`: closes a buyer for good.
///
/// # Errors
/// [`ApiError`].
pub async fn close(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<BuyerId>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    form.finish()?;
    let actor = caller.actor();
    detached(async move { closing::close(&domain, &proxy, id, &actor).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn read_whole(mut form: Form) -> Result<BuyerFields, FieldErrors> {
    let uuid = form.id("uuid");
    let uuid = form.required("uuid", uuid);
    finish(form).map(|fields| BuyerFields { uuid, ..fields })
}

fn read_changes(mut form: Form) -> Result<BuyerFields, FieldErrors> {
    let uuid = form.id("uuid");
    let uuid = form.not_null("uuid", uuid);
    finish(form).map(|fields| BuyerFields { uuid, ..fields })
}

/// Reads every field but the uuid.
fn finish(mut form: Form) -> Result<BuyerFields, FieldErrors> {
    let mut flag = |name: &str| {
        let given = form.boolean(name);
        form.not_null(name, given)
    };
    let active = flag("active");
    let authenticated = flag("authenticated");
    let needs_pin_reset = flag("needs_pin_reset");
    let pin_confirmed = flag("pin_confirmed");
    let pin_was_locked_out = flag("pin_was_locked_out");
    let fields = BuyerFields {
        uuid: None,
        email: form.email("email"),
        locale: form.text("locale"),
        active,
        authenticated,
        pin: form.pin("pin"),
        new_pin: form.pin("new_pin"),
        needs_pin_reset,
        pin_confirmed,
        pin_was_locked_out,
    };
    form.ignore(&READ_ONLY);
    form.ignore(&["pin_failures", "pin_is_locked_out"]);
    form.finish().map(|()| fields)
}

fn show(buyer: &Buyer) -> Shown {
    // A lock-out ends without a change of the row.
    Shown::of_more(buyer.row.id.0, buyer.row.counter, show_body(buyer))
}

/// The buyer without its version.
pub(super) fn show_body(buyer: &Buyer) -> Value {
    let row = &buyer.row;
    json!({
        "resource_pk": row.id.0,
        "resource_uri": Kind::Buyer.uri(row.id),
        "uuid": row.uuid,
        "email": buyer.email.as_ref().map(ExposeSecret::expose_secret),
        "locale": row.locale,
        "active": row.active,
        "authenticated": row.authenticated,
        "pin": row.pin.is_some(),
        "new_pin": row.new_pin.is_some(),
        "needs_pin_reset": row.needs_pin_reset,
        "pin_confirmed": row.pin_confirmed,
        "pin_failures": buyer.pin_failures,
        "pin_is_locked_out": buyer.is_locked_out,
        "pin_was_locked_out": row.pin_was_locked_out,
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_buyer_needs_a_uuid() {
        for body in ["{}", r#"{"uuid": ""}"#, r#"{"uuid": null}"#] {
            assert!(read_whole(form(body)).unwrap_err().has("uuid"), "{body}");
        }
        assert_eq!(read_whole(form(r#"{"uuid": "b1"}"#)).unwrap().uuid.as_deref(), Some("b1"));
    }

    #[test]
    fn every_wrong_field_is_named() {
        let errors = read_changes(form(
            r#"{"uuid": null, "email": "nobody", "locale": 5, "active": "yes", "authenticated": null, "pin": "12a4",
                "new_pin": 1234, "needs_pin_reset": 1, "pin_confirmed": "", "pin_was_locked_out": [], "nip": 1}"#,
        ))
        .unwrap_err();
        for field in [
            "uuid",
            "email",
            "locale",
            "active",
            "authenticated",
            "pin",
            "new_pin",
            "needs_pin_reset",
            "pin_confirmed",
            "pin_was_locked_out",
            "nip",
        ] {
            assert!(errors.has(field), "{field}");
        }
    }

    #[test]
    fn what_is_read_only_may_be_sent_back() {
        let body = r#"{"resource_pk": 1, "resource_uri": "/generic/buyer/1/", "created": "", "modified": "",
                       "counter": 1, "pin_failures": 3, "pin_is_locked_out": true, "locale": "de"}"#;
        assert_eq!(read_changes(form(body)).unwrap().locale, Some(Some("de".to_owned())));
    }

    #[test]
    fn a_pin_may_be_taken_away_and_is_otherwise_kept() {
        let fields = read_changes(form(r#"{"new_pin": null}"#)).unwrap();
        assert!(matches!((fields.pin, fields.new_pin), (None, Some(None))));
        assert!(read_changes(form(r#"{"new_pin": ""}"#)).unwrap_err().has("new_pin"));
    }
}
