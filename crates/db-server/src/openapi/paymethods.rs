//! `/paymethods/`.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    errors::page_of,
    field::{
        Field, Record, anything, flag, long_text, query_flag, reference, required_key, text, uri, words,
    },
    operation::{Operation, get, post, remove},
};
use crate::uri::Kind;

const LIST: &str = "/paymethods/";
const ONE: &str = "/paymethods/{id}/";

pub(super) fn part() -> Part {
    Part {
        tag: "payment methods",
        about: "Stored means of payment, at whichever provider. Errors of fields are 422 with codes.",
        schemas: schemas(),
        operations: operations(),
    }
}

fn operations() -> Vec<Operation> {
    let filters = [
        ("provider", provider()),
        ("buyer", reference(Kind::Buyer)),
        ("buyer__uuid", text()),
        ("active", query_flag()),
    ];
    let example = json!({"provider": "braintree", "buyer": "/generic/buyer/1/", "nonce": "fake-valid-nonce"});
    vec![
        get(LIST, "list_paymethods", "The payment methods").lists(filters).answers(
            "200",
            "A page of payment methods.",
            "PaymethodPage",
        ),
        post(LIST, "create_paymethod", "Has a provider keep a payment method")
            .notes(
                "The buyer is made known to the provider first, where the provider does not know the buyer.",
            )
            .takes("NewPaymethod", example)
            .answers("201", "The payment method.", "Paymethod")
            .versioned("201")
            .answers("202", "The same, and the payer or the provider has more to do.", "Paymethod")
            .versioned("202")
            .asks_a_provider_to_change(),
        get(ONE, "get_paymethod", "One payment method")
            .answers("200", "The payment method.", "Paymethod")
            .versioned("200"),
        remove(ONE, "delete_paymethod", "Has the provider forget a payment method")
            .notes("It stays here, inactive. Not while a subscription is charged to it.")
            .answers_nothing("204", "The provider has forgotten it, now or before.")
            .asks_a_provider_to_change(),
    ]
}

/// A provider by its name.
pub(super) fn provider() -> Field {
    words(&["reference", "stripe", "paypal", "braintree"])
}

/// What the payer has to do.
pub(super) fn action() -> RefOr<Schema> {
    Record::new("What the payer must do first; only with 202.")
        .may("url", long_text().about("A page to send the payer to."))
        .may("data", anything().about("What the provider's script on the payer's side needs."))
        .build()
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let new = Record::new("A payment method to be kept.")
        .has("provider", provider())
        .has("buyer", uri(Kind::Buyer))
        .has(
            "nonce",
            required_key().about("What the provider's script on the payer's side gave; good once."),
        );
    let shown = Record::new("A payment method. The provider's token is never shown.")
        .resource(Kind::Paymethod)
        .has("provider", provider())
        .has("type", words(&["card", "paypal", "other"]))
        .has("brand", text().or_null().about("In the provider's words."))
        .has("last4", text().or_null().about("The last four digits of a card."))
        .has("expiry", text().or_null().about("Year and month in which a card ends: `2030-12`."))
        .has("active", flag())
        .has("buyer", uri(Kind::Buyer))
        .may_hold("action", action());
    vec![("NewPaymethod", new.build()), ("Paymethod", shown.build()), ("PaymethodPage", page_of("Paymethod"))]
}
