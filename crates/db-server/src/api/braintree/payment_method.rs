//! `/braintree/paymethod/` and `/braintree/mozilla/paymethod/`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::json;
use wire::payment::Token;

use super::{super::Id, Shown, listed_plainly, read_active, show_method};
use crate::{
    caller::{Caller, Read, Write},
    domain::{
        Domain, DomainError,
        braintree::{self, Method},
        detached::detached,
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    proxy_client::ProxyClient,
    store::{id::PaymentMethodId, payment_method::PaymentMethodFilter},
    uri::Kind,
};

/// The fields of an answer that are not for a client to set.
const SHOWN: [&str; 5] = ["braintree_buyer", "provider_id", "truncated_id", "type", "type_name"];

/// `POST {buyer_uuid, nonce}`: has Braintree verify and keep a card.
///
/// # Errors
/// [`ApiError`].
pub async fn create(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let ((buyer, nonce), actor) = (read_new(form)?, caller.actor());
    let shared = domain.clone();
    let work =
        detached(async move { braintree::store_payment_method(&shared, &proxy, buyer, nonce, actor).await });
    let stored = work.await?;
    let method = Method::of(&domain, stored.row)?;
    let shown = show_method(&method);
    let body = json!({
        "braintree": {
            "token": shown["provider_id"],
            "created_at": stored.remote.as_ref().and_then(|remote| remote.created.as_deref()),
            "updated_at": stored.remote.as_ref().and_then(|remote| remote.modified.as_deref()),
        },
        "mozilla": shown,
    });
    Ok(HttpResponse::Created().json(body))
}

/// `POST {paymethod}` to `delete/`: has Braintree forget a card.
///
/// # Errors
/// [`ApiError`].
pub async fn delete(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let (id, actor) = (read_one(form)?, caller.actor());
    detached(async move { braintree::delete_payment_method(&domain, &proxy, id, actor).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET` of the list; filters `braintree_buyer`, `braintree_buyer__buyer__uuid`, `active`.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = PaymentMethodFilter {
        customer_id: query.reference("braintree_buyer", Kind::BraintreeBuyer),
        buyer_uuid: query.text("braintree_buyer__buyer__uuid"),
        active: query.boolean("active"),
        ..PaymentMethodFilter::default()
    };
    let page = query.finish_plain()?;
    let list = braintree::methods(&domain, filter, page.rows()).await?;
    let methods: Result<Vec<_>, DomainError> =
        list.rows.into_iter().map(|row| Ok(show(&Method::of(&domain, row)?))).collect();
    listed_plainly(&request, &page, methods?, list.total)
}

/// `GET` of one.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<PaymentMethodId>,
) -> Result<HttpResponse, ApiError> {
    let row = braintree::method(&domain, id).await?;
    Ok(show(&Method::of(&domain, row)?).found(&request))
}

/// `PATCH`: changes `active`.
///
/// # Errors
/// [`ApiError`].
pub async fn patch(
    _: Caller<Write>,
    domain: Data<Domain>,
    Id(id): Id<PaymentMethodId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let active = read_active(form, &SHOWN)?;
    let row = braintree::set_method_active(&domain, id, expected, active).await?;
    Ok(show(&Method::of(&domain, row)?).changed())
}

pub(super) fn read_new(mut form: Form) -> Result<(String, Token), FieldErrors> {
    let buyer = form.id("buyer_uuid");
    let buyer = form.required("buyer_uuid", buyer).unwrap_or_default();
    let nonce = form.token("nonce");
    let nonce = form.required("nonce", nonce).unwrap_or_else(|| Token::from(""));
    form.finish().map(|()| (buyer, nonce))
}

pub(super) fn read_one(mut form: Form) -> Result<PaymentMethodId, FieldErrors> {
    let method = form.reference("paymethod", Kind::BraintreePaymentMethod);
    let method = form.required("paymethod", method).unwrap_or(PaymentMethodId(0));
    form.finish().map(|()| method)
}

fn show(method: &Method) -> Shown {
    Shown::of_row(method.row.id.0, method.row.counter, show_method(method))
}
