//! What the paths under `/braintree/` take and answer.

use utoipa::openapi::{RefOr, Schema};

use super::super::{
    field::{
        Field, Record, anything, date, decimal, either, flag, key, list_of, long_text, map_of, named, null,
        pk, required_key, text, time, uri, whole,
    },
    transactions::amount,
};
use crate::uri::Kind;

fn local(about: &str, kind: Kind) -> Record {
    Record::new(about).has("id", pk()).resource(kind)
}

pub(super) fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let buyer = local("A buyer that Braintree knows.", Kind::BraintreeBuyer)
        .has("active", flag())
        .has("braintree_id", key())
        .has("buyer", uri(Kind::Buyer));
    let error = Record::new("What Braintree says.")
        .has("code", long_text().about("Braintree's own; `unknown` when it has none."))
        .has("message", long_text());
    let by_field =
        map_of("By Braintree's field; `__all__` is about the whole request.", list_of(error.build()));
    let errors = Record::new("Braintree says no. It has moved nothing.").holds("braintree", by_field);
    let mut schemas = vec![
        ("BraintreeErrors", errors.build()),
        ("BraintreeToken", Record::new("For Braintree's script.").has("token", long_text()).build()),
        ("BraintreeBuyer", buyer.build()),
        ("BraintreeBuyers", list_of(named("BraintreeBuyer"))),
        ("BraintreeBuyerChange", change(&["id", "braintree_id", "buyer"])),
        ("BraintreeCustomer", both("BraintreeBuyer", remote().has("id", key()))),
        (
            "NewBraintreeCustomer",
            Record::new("A buyer to make known.").has("uuid", required_key()).ignores(&[]).build(),
        ),
        ("BraintreeVerification", long_text().build()),
    ];
    schemas.extend(method_schemas());
    schemas.extend(charge_schemas());
    schemas.extend(subscription_schemas());
    schemas
}

fn method_schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let method = local("A card that Braintree keeps.", Kind::BraintreePaymentMethod)
        .has("active", flag())
        .has("braintree_buyer", uri(Kind::BraintreeBuyer))
        .has("provider_id", long_text().about("What stands for the card at Braintree."))
        .has("truncated_id", text().about("The last four digits."))
        .has("type", whole(1).about("1 credit card."))
        .has("type_name", text().about("The card's brand."));
    let new = Record::new("A card to keep.")
        .has("buyer_uuid", required_key())
        .has("nonce", required_key().about("What Braintree's script gave; good once."));
    let shown = ["id", "braintree_buyer", "provider_id", "truncated_id", "type", "type_name"];
    let choice = Record::new("A card.").has("paymethod", uri(Kind::BraintreePaymentMethod));
    vec![
        ("BraintreePaymethod", method.build()),
        ("BraintreePaymethods", list_of(named("BraintreePaymethod"))),
        ("BraintreePaymethodChange", change(&shown)),
        ("BraintreeStoredPaymethod", both("BraintreePaymethod", remote().has("token", long_text()))),
        ("NewBraintreePaymethod", new.build()),
        ("BraintreePaymethodChoice", choice.build()),
    ]
}

fn charge_schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let charge = local("What Braintree says about a transaction.", Kind::BraintreeTransaction)
        .has("billing_period_end_date", date().or_null())
        .has("billing_period_start_date", date().or_null())
        .has("kind", text().about("Braintree's word for what happened."))
        .has("next_billing_date", date().or_null())
        .has("next_billing_period_amount", decimal().or_null())
        .has("paymethod", uri(Kind::BraintreePaymentMethod).or_null())
        .has("subscription", uri(Kind::BraintreeSubscription).or_null())
        .has("transaction", uri(Kind::Transaction));
    let charged = || {
        Record::new("A transaction, and what Braintree says about it.")
            .holds("generic", named("Transaction"))
            .holds("braintree", named("BraintreeTransaction"))
    };
    let sale = Record::new("A sale.")
        .holds("braintree", Record::new("Nothing.").build())
        .holds("mozilla", charged().build());
    let new = Record::new("A product to sell.")
        .holds("amount", amount(false))
        .has("product_id", required_key().about("The public id of the product."))
        .may("nonce", key().or_null().about("What Braintree's script gave; good once."))
        .may("paymethod", uri(Kind::BraintreePaymentMethod).or_null());
    let about = Record::new("What a webhook is about.")
        .holds("buyer", named("Buyer"))
        .holds("paymethod", named("BraintreePaymethod"))
        .holds("subscription", named("BraintreeSubscription"))
        .holds("product", either([named("Product"), null()]))
        .holds("transaction", either([charged().build(), Record::new("Nothing.").build()]));
    let said = Record::new("What Braintree says.")
        .has("kind", text())
        .has("next_billing_period_amount", decimal().or_null())
        .has("next_billing_date", date().or_null());
    let told = Record::new("A webhook about a subscription.")
        .holds("mozilla", about.build())
        .holds("braintree", said.build());
    let posted = Record::new("What Braintree has posted.")
        .has("bt_signature", required_long_text())
        .has("bt_payload", required_long_text());
    vec![
        ("BraintreeTransaction", charge.build()),
        ("BraintreeTransactions", list_of(named("BraintreeTransaction"))),
        ("BraintreeSale", sale.build()),
        ("NewBraintreeSale", new.build()),
        ("BraintreeWebhook", posted.build()),
        ("BraintreeTold", told.build()),
    ]
}

fn subscription_schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let subscription = local("A subscription that Braintree charges.", Kind::BraintreeSubscription)
        .has("active", flag())
        .has("amount", decimal().or_null().about("What is charged each time."))
        .has("paymethod", uri(Kind::BraintreePaymentMethod))
        .has("provider_id", key().about("Braintree's id."))
        .has("seller_product", uri(Kind::Product).or_null());
    let remote = Record::new("What Braintree holds; null where it did not have to be asked.")
        .has("id", key())
        .has("status", text().or_null())
        .has("price", decimal().or_null())
        .has("billing_period_start_date", date().or_null())
        .has("billing_period_end_date", date().or_null())
        .has("next_billing_date", date().or_null());
    let new = Record::new("A subscription to start.")
        .has("paymethod", uri(Kind::BraintreePaymentMethod))
        .has("plan", required_key().about("The public id of the product, and of the plan at Braintree."))
        .may_hold("amount", amount(true));
    let choice = || Record::new("A subscription.").has("subscription", uri(Kind::BraintreeSubscription));
    let other = choice().has("paymethod", uri(Kind::BraintreePaymentMethod).about("Of the same buyer."));
    vec![
        ("BraintreeSubscription", subscription.build()),
        ("BraintreeSubscriptions", list_of(named("BraintreeSubscription"))),
        (
            "BraintreeSubscriptionChange",
            change(&["id", "amount", "paymethod", "provider_id", "seller_product"]),
        ),
        ("BraintreeSubscribed", both("BraintreeSubscription", remote)),
        ("NewBraintreeSubscription", new.build()),
        ("BraintreeSubscriptionChoice", choice().build()),
        ("BraintreeSubscriptionPaymethod", other.build()),
    ]
}

/// What Braintree holds.
fn remote() -> Record {
    Record::new("What Braintree holds.")
        .has("created_at", time().or_null())
        .has("updated_at", time().or_null())
}

fn both(mozilla: &str, braintree: Record) -> RefOr<Schema> {
    Record::new("What Braintree holds, and what we hold.")
        .holds("braintree", braintree.build())
        .holds("mozilla", named(mozilla))
        .build()
}

fn change(shown: &[&str]) -> RefOr<Schema> {
    let base = Record::new("Whether it is active.").may("active", flag());
    let base = base.ignores(&[]);
    shown.iter().fold(base, |record, name| record.may(name, anything())).build()
}

fn required_long_text() -> Field {
    long_text().about("As Braintree posted it.")
}
