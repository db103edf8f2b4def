//! `/braintree/subscription/` and `/braintree/mozilla/subscription/`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::{Value, json};
use wire::payment::Subscription;

use super::{super::Id, Shown, listed_plainly, payment_method, read_active, show_subscription};
use crate::{
    caller::{Caller, Read, Write},
    domain::{
        Domain,
        braintree::{self, NewSubscription},
        detached::detached,
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    proxy_client::ProxyClient,
    store::{
        id::{PaymentMethodId, SubscriptionId},
        subscription::{SubscriptionFilter, SubscriptionRow},
    },
    uri::Kind,
};

/// The fields of an answer that are not for a client to set.
const SHOWN: [&str; 4] = ["amount", "paymethod", "provider_id", "seller_product"];

/// `POST {paymethod, plan, amount?}`: starts a subscription.
///
/// # Errors
/// [`ApiError`].
pub async fn create(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let (new, actor) = (read_new(form)?, caller.actor());
    let work = detached(async move { braintree::subscribe(&domain, &proxy, new, actor).await });
    let started = work.await?;
    Ok(HttpResponse::Created().json(show_both(&started.row, started.remote.as_ref())))
}

/// `POST {subscription}` to `cancel/`: ends a subscription.
///
/// # Errors
/// [`ApiError`].
pub async fn cancel(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let (id, actor) = (read_one(form)?, caller.actor());
    let work = detached(async move { braintree::cancel_subscription(&domain, &proxy, id, actor).await });
    let ended = work.await?;
    Ok(HttpResponse::Ok().json(show_both(&ended.row, ended.remote.as_ref())))
}

/// `POST {paymethod, subscription}` to `paymethod/change/`: has the coming charges made to another card.
///
/// # Errors
/// [`ApiError`].
pub async fn change_payment_method(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let ((id, method), actor) = (read_change(form)?, caller.actor());
    let work =
        detached(async move { braintree::change_payment_method(&domain, &proxy, id, method, actor).await });
    let changed = work.await?;
    Ok(HttpResponse::Ok().json(show_both(&changed.row, changed.remote.as_ref())))
}

/// `GET` of the list; filters `active`, `paymethod`, `paymethod__braintree_buyer`, `paymethod__braintree_buyer__buyer`,
/// `provider_id`, `seller_product`.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = SubscriptionFilter {
        active: query.boolean("active"),
        payment_method_id: query.reference("paymethod", Kind::BraintreePaymentMethod),
        customer_id: query.reference("paymethod__braintree_buyer", Kind::BraintreeBuyer),
        buyer_id: query.reference("paymethod__braintree_buyer__buyer", Kind::Buyer),
        provider_id: query.text("provider_id"),
        product_id: query.reference("seller_product", Kind::Product),
        ..SubscriptionFilter::default()
    };
    let page = query.finish_plain()?;
    let list = braintree::subscriptions(&domain, filter, page.rows()).await?;
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
    Id(id): Id<SubscriptionId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&braintree::subscription(&domain, id).await?).found(&request))
}

/// `PATCH`: changes `active`.
///
/// # Errors
/// [`ApiError`].
pub async fn patch(
    _: Caller<Write>,
    domain: Data<Domain>,
    Id(id): Id<SubscriptionId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let active = read_active(form, &SHOWN)?;
    Ok(show(&braintree::set_subscription_active(&domain, id, expected, active).await?).changed())
}

pub(super) fn read_new(mut form: Form) -> Result<NewSubscription, FieldErrors> {
    let method = form.reference("paymethod", Kind::BraintreePaymentMethod);
    let method = form.required("paymethod", method).unwrap_or(PaymentMethodId(0));
    let plan = form.id("plan");
    let plan = form.required("plan", plan).unwrap_or_default();
    let amount = form.decimal("amount").flatten();
    form.finish().map(|()| NewSubscription { method, plan, amount })
}

fn read_one(mut form: Form) -> Result<SubscriptionId, FieldErrors> {
    let id = form.reference("subscription", Kind::BraintreeSubscription);
    let id = form.required("subscription", id).unwrap_or(SubscriptionId(0));
    form.finish().map(|()| id)
}

fn read_change(mut form: Form) -> Result<(SubscriptionId, PaymentMethodId), FieldErrors> {
    let id = form.reference("subscription", Kind::BraintreeSubscription);
    let id = form.required("subscription", id).unwrap_or(SubscriptionId(0));
    payment_method::read_one(form).map(|method| (id, method))
}

/// What Braintree says, if it had to be asked, and what we hold.
fn show_both(row: &SubscriptionRow, remote: Option<&Subscription>) -> Value {
    json!({
        "braintree": {
            "id": row.provider_id,
            "status": remote.map(|remote| remote.provider_status.as_str()),
            "price": remote.and_then(|remote| remote.amount).map(|amount| amount.decimal()),
            "billing_period_start_date": remote.and_then(|remote| remote.period_start.as_deref()),
            "billing_period_end_date": remote.and_then(|remote| remote.period_end.as_deref()),
            "next_billing_date": remote.and_then(|remote| remote.next_billing.as_deref()),
        },
        "mozilla": show_subscription(row),
    })
}

fn show(row: &SubscriptionRow) -> Shown {
    Shown::of_row(row.id.0, row.counter, show_subscription(row))
}
