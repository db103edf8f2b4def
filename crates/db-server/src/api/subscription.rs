//! `/subscriptions/`: payments that a provider repeats, at whichever provider.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::json;
use wire::{Currency, Money, payment::Provider};

use super::{Id, READ_ONLY, Shown, concluded, listed, money};
use crate::{
    caller::{Caller, Read, Write},
    domain::{
        Domain,
        detached::detached,
        subscription::{self, NewSubscription, Plan, Subscribed},
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::{FieldError, FieldErrors},
    form::Form,
    page::Query,
    proxy_client::ProxyClient,
    store::{
        id::{PaymentMethodId, ProductId, SubscriptionId},
        subscription::{SubscriptionFilter, SubscriptionRow},
    },
    uri::Kind,
};

/// `POST`: starts a subscription.
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
    let made = detached(async move { subscription::create(&domain, &proxy, new, &actor).await }).await?;
    Ok(concluded(show(&made.row), &made.standing))
}

/// `GET` of the list; filters `provider`, `provider_id`, `buyer`, `paymethod`, `seller_product`, `plan`, `active`.
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
        provider: query.word::<Provider>("provider").map(Into::into),
        provider_id: query.text("provider_id"),
        buyer_id: query.reference("buyer", Kind::Buyer),
        payment_method_id: query.reference("paymethod", Kind::Paymethod),
        product_id: query.reference("seller_product", Kind::Product),
        plan: query.text("plan"),
        active: query.boolean("active"),
        ..SubscriptionFilter::default()
    };
    let page = query.finish()?;
    let list = subscription::list(&domain, filter, page.rows()).await?;
    let shown = list.rows.iter().map(show).collect();
    listed(&request, &page, Kind::Subscription.list_path(), shown, list.total)
}

/// `GET` of one subscription.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<SubscriptionId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&subscription::get(&domain, id).await?).found(&request))
}

/// `PATCH`: has the coming charges made to another means of payment.
///
/// # Errors
/// [`ApiError`].
pub async fn patch(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<SubscriptionId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let (paymethod_id, actor) = (read_change(form)?, caller.actor());
    let changed =
        detached(
            async move { subscription::change(&domain, &proxy, id, expected, paymethod_id, &actor).await },
        );
    Ok(show(&changed.await?.row).changed())
}

/// `POST /subscriptions/ID/cancel/`: ends a subscription at once.
///
/// # Errors
/// [`ApiError`].
pub async fn cancel(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<SubscriptionId>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    form.finish()?;
    let actor = caller.actor();
    let ended = detached(async move { subscription::cancel(&domain, &proxy, id, &actor).await }).await?;
    Ok(show(&ended.row).changed())
}

fn read_new(mut form: Form) -> Result<NewSubscription, FieldErrors> {
    let paymethod = form.reference("paymethod", Kind::Paymethod);
    let paymethod_id = form.required("paymethod", paymethod).unwrap_or(PaymentMethodId(0));
    let provider = form.word::<Provider>("provider").flatten();
    let buyer_id = form.reference("buyer", Kind::Buyer).flatten();
    let plan = read_plan(&mut form);
    let amount = money::read_optional(&mut form, "amount", "currency");
    if amount.is_some_and(|amount| amount.minor_units == 0) {
        form.error("amount", FieldError::invalid("Enter an amount: more than 0."));
    }
    form.finish().map(|()| NewSubscription { paymethod_id, plan, amount, provider, buyer_id })
}

/// A plan, or the product that it stands for.
fn read_plan(form: &mut Form) -> Plan {
    let (plan, product) =
        (form.id("plan").flatten(), form.reference("seller_product", Kind::Product).flatten());
    match (plan, product) {
        (Some(plan), None) => Plan::Named(plan),
        (None, Some(id)) => Plan::OfProduct(id),
        (Some(plan), Some(_)) => {
            form.error("plan", FieldError::invalid("Give plan or seller_product, not both."));
            Plan::Named(plan)
        }
        (None, None) => {
            if !form.has_error("plan") && !form.has_error("seller_product") {
                form.error("plan", FieldError::required());
            }
            Plan::OfProduct(ProductId(0))
        }
    }
}

fn read_change(mut form: Form) -> Result<PaymentMethodId, FieldErrors> {
    let paymethod = form.reference("paymethod", Kind::Paymethod);
    let paymethod_id = form.required("paymethod", paymethod).unwrap_or(PaymentMethodId(0));
    form.ignore(&READ_ONLY);
    form.ignore(&SHOWN);
    form.finish().map(|()| paymethod_id)
}

/// What an answer has besides and a change cannot touch.
const SHOWN: [&str; 10] = [
    "provider",
    "provider_id",
    "buyer",
    "seller_product",
    "plan",
    "status",
    "amount",
    "currency",
    "active",
    "next_billing",
];

fn show(subscribed: &Subscribed) -> Shown {
    let row = &subscribed.row;
    let body = json!({
        "resource_pk": row.id.0,
        "resource_uri": Kind::Subscription.uri(row.id),
        "provider": row.provider.name(),
        "provider_id": row.provider_id,
        "paymethod": Kind::Paymethod.uri(row.payment_method_id),
        "buyer": Kind::Buyer.uri(subscribed.buyer_id),
        "seller_product": row.product_id.map(|id| Kind::Product.uri(id)),
        "plan": row.plan,
        "status": row.status.name(),
        "amount": amount(row),
        "currency": row.currency,
        "active": row.active,
        "next_billing": row.next_billing_date,
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    });
    Shown::of_row(row.id.0, row.counter, body)
}

fn amount(row: &SubscriptionRow) -> Option<String> {
    let currency = Currency::parse(row.currency.as_deref()?).ok()?;
    Some(Money { minor_units: row.amount_minor?, currency }.decimal())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NewSubscription, FieldErrors> {
        read_new(Form::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_subscription_has_a_plan_or_a_product_and_not_both() {
        let new = read(r#"{"paymethod": "/paymethods/3/", "plan": "gold"}"#).unwrap();
        assert!(matches!(new.plan, Plan::Named(plan) if plan == "gold"));
        let new =
            read(r#"{"paymethod": "/paymethods/3/", "seller_product": "/generic/product/4/"}"#).unwrap();
        assert!(matches!(new.plan, Plan::OfProduct(ProductId(4))));
        let both =
            r#"{"paymethod": "/paymethods/3/", "plan": "gold", "seller_product": "/generic/product/4/"}"#;
        for body in [both, r#"{"paymethod": "/paymethods/3/"}"#] {
            assert!(read(body).unwrap_err().has("plan"), "{body}");
        }
        let wrong = r#"{"paymethod": "/paymethods/3/", "seller_product": "/paymethods/3/"}"#;
        let errors = read(wrong).unwrap_err();
        assert!(errors.has("seller_product") && !errors.has("plan"));
    }

    #[test]
    fn an_amount_is_more_than_nothing_and_has_a_currency_and_its_decimals() {
        let with =
            |amount: &str| read(&format!(r#"{{"paymethod": "/paymethods/3/", "plan": "gold", {amount}}}"#));
        let amount = with(r#""amount": "9.99", "currency": "EUR""#).unwrap().amount.unwrap();
        assert_eq!(amount.to_string(), "9.99 EUR");
        for (field, amount) in [
            ("amount", r#""amount": "0", "currency": "EUR""#),
            ("amount", r#""amount": "0.00", "currency": "EUR""#),
            ("amount", r#""amount": "-1", "currency": "EUR""#),
            ("amount", r#""amount": "9.999", "currency": "EUR""#),
            ("amount", r#""amount": "9.99", "currency": "JPY""#),
            ("amount", r#""amount": "99999999.99", "currency": "EUR""#),
            ("currency", r#""amount": "9.99", "currency": "XYZ""#),
            ("currency", r#""amount": "9.99""#),
            ("amount", r#""currency": "EUR""#),
        ] {
            assert!(with(amount).unwrap_err().has(field), "{amount}");
        }
    }

    #[test]
    fn a_change_names_the_payment_method_and_an_answer_may_be_sent_back() {
        let change = |text: &str| read_change(Form::parse(text.as_bytes()).unwrap());
        let body = r#"{"paymethod": "/paymethods/5/", "status": "active", "counter": 1, "amount": "9.99"}"#;
        assert_eq!(change(body), Ok(PaymentMethodId(5)));
        assert!(change("{}").unwrap_err().has("paymethod"));
        assert!(change(r#"{"paymethod": "/paymethods/5/", "colour": 1}"#).unwrap_err().has("colour"));
    }
}
