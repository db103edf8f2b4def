//! `/v1/subscriptions`: what is charged again and again.

mod create;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::books::{Books, Call, Origin};
use super::catalog::Price;
use super::error::Failure;
use super::invoice::{self, Bill};
use super::payment_method;
use super::shelf::Object;

pub(super) use create::create;
use create::{items, period};

#[derive(Clone, Debug, Serialize)]
pub(super) struct Subscription {
    id: String,
    object: &'static str,
    application: Option<String>,
    automatic_tax: Value,
    billing_cycle_anchor: i64,
    billing_mode: Value,
    cancel_at: Option<i64>,
    cancel_at_period_end: bool,
    canceled_at: Option<i64>,
    cancellation_details: Value,
    collection_method: &'static str,
    created: i64,
    currency: String,
    pub(super) customer: String,
    default_payment_method: Option<String>,
    description: Option<String>,
    ended_at: Option<i64>,
    items: Value,
    latest_invoice: Option<String>,
    livemode: bool,
    metadata: BTreeMap<String, String>,
    pending_setup_intent: Option<String>,
    schedule: Option<String>,
    start_date: i64,
    status: &'static str,
    test_clock: Option<String>,
    trial_end: Option<i64>,
    trial_start: Option<i64>,
    #[serde(skip)]
    price: Price,
}

impl Object for Subscription {
    const NAME: &'static str = "subscription";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Subscription {
    fn has_ended(&self) -> bool {
        matches!(self.status, "canceled" | "incomplete_expired")
    }
}

/// Its invoice is paid: it is, or is again, active.
pub(super) fn invoice_paid(books: &mut Books, origin: &Origin, id: &str) {
    become_status(books, origin, id, |status| {
        matches!(status, "incomplete" | "past_due").then_some("active")
    });
}

/// Its invoice is not paid: one that never was active stays incomplete.
pub(super) fn invoice_not_paid(books: &mut Books, origin: &Origin, id: &str) {
    become_status(books, origin, id, |status| (status == "active").then_some("past_due"));
}

fn become_status(books: &mut Books, origin: &Origin, id: &str, next: impl Fn(&str) -> Option<&'static str>) {
    let Some(subscription) = books.subscriptions.find_mut(id) else { return };
    let Some(status) = next(subscription.status) else { return };
    // The first period's own answer tells the first status.
    let is_known = subscription.latest_invoice.is_some();
    subscription.status = status;
    let shown = subscription.show();
    if is_known {
        books.happened(origin, "customer.subscription.updated", shown);
    }
}

pub(super) fn update(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut subscription = books.subscriptions.in_path(&call.id)?.clone();
    if subscription.has_ended() {
        return Err(Failure::no_such("subscription", &call.id, "id").in_path());
    }
    if let Some(method) = call.params.unsettable("default_payment_method")? {
        if let Some(id) = &method {
            payment_method::of_customer(books, id, &subscription.customer, "default_payment_method")?;
        }
        subscription.default_payment_method = method;
    }
    if let Some(ends) = call.params.boolean("cancel_at_period_end")? {
        subscription.cancel_at_period_end = ends;
    }
    drop(call.params.text("off_session")?);
    call.params.metadata(&mut subscription.metadata)?;
    call.finish()?;
    let shown = subscription.show();
    *books.subscriptions.in_path_mut(&call.id)? = subscription;
    books.happened(&call.origin, "customer.subscription.updated", shown.clone());
    Ok(shown)
}

/// `DELETE /v1/subscriptions/{id}`.
pub(super) fn cancel(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let _ = call.params.boolean("invoice_now")?;
    let _ = call.params.boolean("prorate")?;
    call.finish()?;
    let subscription = books.subscriptions.in_path(&call.id)?;
    if subscription.has_ended() {
        return Err(Failure::no_such("subscription", &call.id, "id").in_path());
    }
    let id = call.id.clone();
    end(books, &call.origin, &id).ok_or_else(Failure::internal)
}

fn end(books: &mut Books, origin: &Origin, id: &str) -> Option<Value> {
    let subscription = books.subscriptions.find_mut(id)?;
    subscription.status = "canceled";
    subscription.canceled_at = Some(origin.seconds());
    subscription.ended_at = Some(origin.seconds());
    subscription.cancellation_details["reason"] = json!("cancellation_requested");
    let shown = subscription.show();
    books.happened(origin, "customer.subscription.deleted", shown.clone());
    Some(shown)
}

/// The payer is gone.
pub(super) fn cancel_all_of(books: &mut Books, origin: &Origin, customer: &str) {
    let theirs =
        |subscription: &&Subscription| subscription.customer == customer && !subscription.has_ended();
    let ids: Vec<String> = books.subscriptions.iter().filter(theirs).map(|one| one.id.clone()).collect();
    for id in ids {
        end(books, origin, &id);
    }
}

/// The next period begins and is charged; None for one that has ended or is not there.
pub(super) fn renew(books: &mut Books, origin: &Origin, id: &str) -> Option<Value> {
    let mut subscription = books.subscriptions.find(id).filter(|one| !one.has_ended())?.clone();
    if subscription.cancel_at_period_end {
        return end(books, origin, id);
    }
    subscription.items = items(origin, id, &subscription.price);
    let method = subscription.default_payment_method.clone().or_else(|| {
        let owner = books.customers.find(&subscription.customer)?;
        owner.default_payment_method().map(ToOwned::to_owned)
    });
    let bill = Bill {
        subscription: id,
        customer: &subscription.customer,
        payment_method: method.as_deref(),
        reason: "subscription_cycle",
        amount: subscription.price.unit_amount,
        currency: &subscription.currency,
        period: period(&subscription.price, origin),
        waits_for_payer: false,
        metadata: &subscription.metadata,
    };
    books.subscriptions.find_mut(id)?.items = subscription.items.clone();
    let (invoice, _) = invoice::charge(books, origin, &bill);
    let kept = books.subscriptions.find_mut(id)?;
    kept.latest_invoice = Some(invoice);
    Some(kept.show())
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    books.subscriptions.in_path(&call.id).map(Object::show)
}

pub(super) fn list(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let customer = call.params.text("customer")?;
    let status = call.params.text("status")?;
    let wanted = |one: &Subscription| {
        customer.as_ref().is_none_or(|customer| one.customer == *customer)
            && match status.as_deref() {
                None => !one.has_ended(),
                Some("all") => true,
                Some(status) => one.status == status,
            }
    };
    let page = books.subscriptions.list("/v1/subscriptions", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}
