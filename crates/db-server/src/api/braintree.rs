//! `/braintree/`: the paths of the Solitude API for Braintree, as views on the neutral rows.

pub mod buyer;
pub mod payment_method;
pub mod sale;
pub mod subscription;
pub mod token;
pub mod transaction;
pub mod webhook;

use chassis::settings::ExposeSecret;
use serde_json::{Value, json};
use wire::{Currency, Money};

use super::{READ_ONLY, Shown, listed_plainly};
use crate::{
    domain::braintree::Method,
    field_errors::FieldErrors,
    form::Form,
    store::{
        payment_customer::PaymentCustomerRow, provider_charge::ProviderChargeRow,
        subscription::SubscriptionRow,
    },
    uri::Kind,
};

/// The Solitude API's number of a credit card.
const CREDIT_CARD: i16 = 1;

/// A change of `active` alone. Whatever else an answer holds may be sent back.
fn read_active(mut form: Form, shown: &[&str]) -> Result<Option<bool>, FieldErrors> {
    let active = form.boolean("active");
    let active = form.not_null("active", active);
    form.ignore(&READ_ONLY);
    form.ignore(&["id"]);
    form.ignore(shown);
    form.finish().map(|()| active)
}

fn show_buyer(row: &PaymentCustomerRow) -> Value {
    json!({
        "id": row.id.0,
        "resource_pk": row.id.0,
        "resource_uri": Kind::BraintreeBuyer.uri(row.id),
        "active": row.active,
        "braintree_id": row.provider_id,
        "buyer": Kind::Buyer.uri(row.buyer_id),
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    })
}

fn show_method(method: &Method) -> Value {
    let row = &method.row;
    json!({
        "id": row.id.0,
        "resource_pk": row.id.0,
        "resource_uri": Kind::BraintreePaymentMethod.uri(row.id),
        "active": row.active,
        "braintree_buyer": Kind::BraintreeBuyer.uri(row.customer_id),
        "provider_id": method.token.expose_secret(),
        "truncated_id": row.last4.as_deref().unwrap_or_default(),
        // The Solitude API knows no other type.
        "type": CREDIT_CARD,
        "type_name": row.brand.as_deref().unwrap_or_default(),
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    })
}

fn show_subscription(row: &SubscriptionRow) -> Value {
    json!({
        "id": row.id.0,
        "resource_pk": row.id.0,
        "resource_uri": Kind::BraintreeSubscription.uri(row.id),
        "active": row.active,
        "amount": decimal(row.amount_minor, row.currency.as_deref()),
        "paymethod": Kind::BraintreePaymentMethod.uri(row.payment_method_id),
        "provider_id": row.provider_id,
        "seller_product": row.product_id.map(|id| Kind::Product.uri(id)),
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    })
}

/// `currency`: that of the transaction.
fn show_charge(row: &ProviderChargeRow, currency: Option<&str>) -> Value {
    json!({
        "id": row.id.0,
        "resource_pk": row.id.0,
        "resource_uri": Kind::BraintreeTransaction.uri(row.id),
        "billing_period_end_date": row.billing_period_end_date,
        "billing_period_start_date": row.billing_period_start_date,
        "kind": row.kind,
        "next_billing_date": row.next_billing_date,
        "next_billing_period_amount": decimal(row.next_billing_period_amount_minor, currency),
        "paymethod": row.payment_method_id.map(|id| Kind::BraintreePaymentMethod.uri(id)),
        "subscription": row.subscription_id.map(|id| Kind::BraintreeSubscription.uri(id)),
        "transaction": Kind::Transaction.uri(row.transaction_id),
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    })
}

fn decimal(minor_units: Option<i64>, currency: Option<&str>) -> Option<String> {
    let currency = Currency::parse(currency?).ok()?;
    Some(Money { minor_units: minor_units?, currency }.decimal())
}

#[cfg(test)]
mod tests;
