//! `POST /v1/subscriptions`: the first period is charged at once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Subscription;
use crate::stripe::books::{Books, Call, Origin, new_id};
use crate::stripe::catalog::{self, Price};
use crate::stripe::error::Failure;
use crate::stripe::form::Params;
use crate::stripe::invoice::{self, Bill};
use crate::stripe::shelf::Object as _;
use crate::stripe::{customer, payment_method};

const BEHAVIOURS: &[&str] = &["allow_incomplete", "default_incomplete", "error_if_incomplete"];

pub(in crate::stripe) fn create(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let customer = call.params.required("customer")?;
    let owner = customer::in_param(books, &customer)?;
    let price = take_item(books, &call.origin, &mut call.params)?;
    let behaviour = call.params.one_of("payment_behavior", BEHAVIOURS)?.unwrap_or("allow_incomplete");
    let method = call.params.text("default_payment_method")?;
    let _ = call.params.one_of("collection_method", &["charge_automatically"])?;
    drop(call.params.text("off_session")?);
    let mut subscription = new(&call.origin, customer, price);
    subscription.description = call.params.text("description")?;
    call.params.metadata(&mut subscription.metadata)?;
    call.finish()?;
    if let Some(method) = &method {
        payment_method::of_customer(books, method, &subscription.customer, "default_payment_method")?;
    }
    let charged = method.clone().or_else(|| owner.default_payment_method().map(ToOwned::to_owned));
    if charged.is_none() && behaviour != "default_incomplete" {
        let message = "This customer has no attached payment source or default payment method. Please consider \
                       adding a default payment method. For more information, visit \
                       https://stripe.com/docs/billing/subscriptions/payment-methods-setting.";
        return Err(Failure::invalid(message, "customer").code("resource_missing"));
    }
    subscription.default_payment_method = method;
    begin(books, &call.origin, subscription, charged.as_deref(), behaviour)
}

/// Charges the first period.
fn begin(
    books: &mut Books,
    origin: &Origin,
    subscription: Subscription,
    method: Option<&str>,
    behaviour: &str,
) -> Result<Value, Failure> {
    let id = subscription.id.clone();
    let (amount, currency) = (subscription.price.unit_amount, subscription.currency.clone());
    let (customer, period) = (subscription.customer.clone(), period(&subscription.price, origin));
    let metadata = subscription.metadata.clone();
    books.subscriptions.add(subscription);
    let bill = Bill {
        subscription: &id,
        customer: &customer,
        payment_method: method,
        reason: "subscription_create",
        amount,
        currency: &currency,
        period,
        waits_for_payer: behaviour == "default_incomplete",
        metadata: &metadata,
    };
    let (invoice, failure) = invoice::charge(books, origin, &bill);
    let subscription = books.subscriptions.in_path_mut(&id)?;
    subscription.latest_invoice = Some(invoice);
    if let Some(failure) = failure
        && behaviour == "error_if_incomplete"
    {
        // Nothing stays of it.
        subscription.status = "incomplete_expired";
        return Err(failure);
    }
    let shown = subscription.show();
    books.happened(origin, "customer.subscription.created", shown.clone());
    Ok(shown)
}

/// `items[0][price]`, or `items[0][price_data]`.
fn take_item(books: &mut Books, origin: &Origin, params: &mut Params) -> Result<Price, Failure> {
    let mut items = params.tables("items")?;
    let mut item = match items.pop() {
        Some(item) if items.is_empty() => item,
        Some(_) => return Err(Failure::invalid("The sandbox takes one item.", "items")),
        None => return Err(Failure::missing("items")),
    };
    let _ = item.positive("quantity")?;
    let price = if let Some(mut data) = item.table("price_data")? {
        let product = data.required("product")?;
        books.products.in_param(&product, "items[0][price_data][product]")?;
        let price = catalog::read_price(origin, &mut data, product)?;
        data.finish()?;
        books.prices.add(price.clone());
        price
    } else {
        let id = item.required("price")?;
        books.prices.in_param(&id, "items[0][price]")?.clone()
    };
    item.finish()?;
    if price.recurring.is_none() {
        let message = format!(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`: {}.",
            price.id()
        );
        return Err(Failure::invalid(message, "items[0][price]"));
    }
    Ok(price)
}

pub(super) fn period(price: &Price, origin: &Origin) -> (i64, i64) {
    (origin.seconds(), price.period_end(origin.now).timestamp())
}

fn new(origin: &Origin, customer: String, price: Price) -> Subscription {
    let id = new_id("sub");
    let now = origin.seconds();
    Subscription {
        items: items(origin, &id, &price),
        id,
        object: "subscription",
        application: None,
        automatic_tax: json!({"disabled_reason": null, "enabled": false, "liability": null}),
        billing_cycle_anchor: now,
        billing_mode: json!({"type": "flexible"}),
        cancel_at: None,
        cancel_at_period_end: false,
        canceled_at: None,
        cancellation_details: json!({"comment": null, "feedback": null, "reason": null}),
        collection_method: "charge_automatically",
        created: now,
        currency: price.currency.clone(),
        customer,
        default_payment_method: None,
        description: None,
        ended_at: None,
        latest_invoice: None,
        livemode: false,
        metadata: BTreeMap::new(),
        pending_setup_intent: None,
        schedule: None,
        start_date: now,
        status: "incomplete",
        test_clock: None,
        trial_end: None,
        trial_start: None,
        price,
    }
}

pub(super) fn items(origin: &Origin, subscription: &str, price: &Price) -> Value {
    let (start, end) = period(price, origin);
    json!({
        "object": "list", "has_more": false, "total_count": 1,
        "url": format!("/v1/subscription_items?subscription={subscription}"),
        "data": [{
            "id": new_id("si"), "object": "subscription_item", "created": origin.seconds(),
            "current_period_end": end, "current_period_start": start, "discounts": [], "metadata": {},
            "plan": price.plan(), "price": price.show(), "quantity": 1, "subscription": subscription,
            "tax_rates": []
        }]
    })
}
