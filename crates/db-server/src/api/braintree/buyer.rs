//! `/braintree/customer/` and `/braintree/mozilla/buyer/`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::json;

use super::{super::Id, READ_ONLY, Shown, listed_plainly, read_active, show_buyer};
use crate::{
    caller::{Caller, Read, Write},
    domain::{Domain, braintree, detached::detached},
    error::ApiError,
    etag::IfMatch,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    proxy_client::ProxyClient,
    store::{
        id::PaymentCustomerId,
        payment_customer::{PaymentCustomerFilter, PaymentCustomerRow},
    },
    uri::Kind,
};

/// `POST {uuid}`: makes a buyer known at Braintree.
///
/// # Errors
/// [`ApiError`].
pub async fn create(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let (uuid, actor) = (read_new(form)?, caller.actor());
    let work = detached(async move { braintree::create_customer(&domain, &proxy, uuid, actor).await });
    let created = work.await?;
    let body = json!({
        "braintree": {
            "id": created.row.provider_id,
            "created_at": created.remote.as_ref().and_then(|remote| remote.created.as_deref()),
            "updated_at": created.remote.as_ref().and_then(|remote| remote.modified.as_deref()),
        },
        "mozilla": show_buyer(&created.row),
    });
    Ok(HttpResponse::Created().json(body))
}

/// `GET` of the list; filters `buyer`, `active`.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = PaymentCustomerFilter {
        buyer_id: query.reference("buyer", Kind::Buyer),
        active: query.boolean("active"),
        ..PaymentCustomerFilter::default()
    };
    let page = query.finish_plain()?;
    let list = braintree::customers(&domain, filter, page.rows()).await?;
    listed_plainly(&request, &page, list.rows.iter().map(show).collect(), list.total)
}

/// `GET` of one.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<PaymentCustomerId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&braintree::customer(&domain, id).await?).found(&request))
}

/// `PATCH`: changes `active`.
///
/// # Errors
/// [`ApiError`].
pub async fn patch(
    _: Caller<Write>,
    domain: Data<Domain>,
    Id(id): Id<PaymentCustomerId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let active = read_active(form, &["braintree_id", "buyer"])?;
    Ok(show(&braintree::set_customer_active(&domain, id, expected, active).await?).changed())
}

fn read_new(mut form: Form) -> Result<String, FieldErrors> {
    let uuid = form.id("uuid");
    let uuid = form.required("uuid", uuid).unwrap_or_default();
    form.ignore(&READ_ONLY);
    form.finish().map(|()| uuid)
}

fn show(row: &PaymentCustomerRow) -> Shown {
    Shown::of_row(row.id.0, row.counter, show_buyer(row))
}
