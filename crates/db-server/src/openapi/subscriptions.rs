//! `/subscriptions/`.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    errors::page_of,
    field::{
        Record, currency, date, decimal, flag, key, query_flag, reference, required_key, text, uri, words,
    },
    operation::{Operation, get, patch, post},
    paymethods::{action, provider},
};
use crate::uri::Kind;

const LIST: &str = "/subscriptions/";
const ONE: &str = "/subscriptions/{id}/";

pub(super) fn part() -> Part {
    Part {
        tag: "subscriptions",
        about: "Payments that a provider repeats, at whichever provider. Errors of fields are 422 with codes.",
        schemas: schemas(),
        operations: operations(),
    }
}

fn operations() -> Vec<Operation> {
    let filters = [
        ("provider", provider()),
        ("provider_id", text()),
        ("buyer", reference(Kind::Buyer)),
        ("paymethod", reference(Kind::Paymethod)),
        ("seller_product", reference(Kind::Product)),
        ("plan", text()),
        ("active", query_flag()),
    ];
    let example = json!({"paymethod": "/paymethods/2/", "plan": "gold", "amount": "9.99", "currency": "USD"});
    vec![
        get(LIST, "list_subscriptions", "The subscriptions").lists(filters).answers(
            "200",
            "A page of subscriptions.",
            "SubscriptionPage",
        ),
        post(LIST, "create_subscription", "Starts a subscription")
            .notes(
                "Exactly one of `plan` and `seller_product`. Of one plan there is one active subscription to one \
                 payment method.",
            )
            .takes("NewSubscription", example)
            .answers("201", "The subscription.", "Subscription")
            .versioned("201")
            .answers("202", "The same, and the payer or the provider has more to do.", "Subscription")
            .versioned("202")
            .asks_a_provider_to_change(),
        get(ONE, "get_subscription", "One subscription")
            .answers("200", "The subscription.", "Subscription")
            .versioned("200"),
        patch(ONE, "change_subscription", "Has the coming charges made to another payment method")
            .notes("It is of the same buyer, at the same provider.")
            .takes("SubscriptionChange", json!({"paymethod": "/paymethods/2/"}))
            .answers("200", "The subscription.", "Subscription")
            .versioned("200")
            .asks_a_provider_to_change(),
        post("/subscriptions/{id}/cancel/", "cancel_subscription", "Ends a subscription at once")
            .takes_nothing()
            .answers("200", "The subscription, ended now or before.", "Subscription")
            .versioned("200")
            .asks_a_provider_to_change(),
    ]
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let new = Record::new("A subscription to be started.")
        .has("paymethod", uri(Kind::Paymethod))
        .may("plan", required_key().or_null().about("The provider's id of the plan."))
        .may("seller_product", uri(Kind::Product).or_null().about("A product whose `public_id` is the plan."))
        .may("amount", decimal().or_null().about("Each time, instead of the plan's own price; more than 0."))
        .may("currency", currency().or_null().about("Given if and only if the amount is."))
        .may("provider", provider().or_null().about("Refused when the payment method is at another one."))
        .may(
            "buyer",
            uri(Kind::Buyer).or_null().about("Refused when the payment method is another buyer's."),
        );
    let read_only = [
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
    let change = Record::new("What to change of a subscription.")
        .has("paymethod", uri(Kind::Paymethod))
        .ignores(&read_only);
    vec![
        ("NewSubscription", new.build()),
        ("SubscriptionChange", change.build()),
        ("Subscription", subscription()),
        ("SubscriptionPage", page_of("Subscription")),
    ]
}

fn subscription() -> RefOr<Schema> {
    Record::new("A subscription.")
        .resource(Kind::Subscription)
        .has("provider", provider())
        .has("provider_id", key().about("The subscription's id at the provider."))
        .has("paymethod", uri(Kind::Paymethod))
        .has("buyer", uri(Kind::Buyer))
        .has("seller_product", uri(Kind::Product).or_null())
        .has("plan", key().about("The provider's id of the plan."))
        .has("status", words(&["pending", "active", "past_due", "cancelled", "expired"]))
        .has("amount", decimal().or_null().about("Each time, where the provider says it."))
        .has("currency", currency().or_null())
        .has("active", flag())
        .has("next_billing", date().or_null())
        .may_hold("action", action())
        .build()
}
