//! The shapes of errors, and of what every list has.

use utoipa::openapi::{RefOr, Schema};

use super::field::{Record, anything, between, currency, list_of, long_text, map_of, uri, whole, words};
use super::paymethods::provider;
use crate::uri::Kind;

/// The schemas that every part uses.
pub(super) fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let messages = list_of(long_text().build());
    let coded = Record::new("What is wrong with a field.")
        .has("code", long_text().about("For programs, such as `required`, `invalid` or `not_unique`."))
        .has("message", long_text().about("For people."));
    let by_field = map_of("By field; `__all__` is about the whole request.", list_of(coded.build()));
    vec![
        ("Detail", Record::new("An error that is not about a field.").has("detail", long_text()).build()),
        ("FieldErrors", map_of("What is wrong, by field; `__all__` is about the whole request.", messages)),
        (
            "FormErrors",
            Record::new("What is wrong, by field, with codes.").holds("mozilla", by_field).build(),
        ),
        (
            "ProviderRefusal",
            Record::new("The provider refuses.")
                .has("error_message", anything().about("The message of its answer, or its whole answer."))
                .may("outcome", words(&["unknown"]).about("It has failed, and may have acted all the same."))
                .build(),
        ),
        ("ProxyFailure", proxy_failure()),
        ("ProviderErrors", provider_errors()),
        ("Declined", declined()),
        ("Meta", meta()),
        ("Currency", currency().about("A code of ISO 4217.").build()),
    ]
}

/// `{"stripe": {"__all__": [{"code", "message"}]}}`.
fn provider_errors() -> RefOr<Schema> {
    let coded = Record::new("What is wrong, in the provider's words.")
        .has("code", long_text().about("The provider's own; `unknown` when it has none."))
        .has("message", long_text());
    let by_field =
        map_of("By the provider's fields; `__all__` is about the whole request.", list_of(coded.build()));
    map_of("What a provider says is wrong, under its name.", by_field)
}

fn declined() -> RefOr<Schema> {
    let decline = Record::new("Why, and what may help.")
        .has("code", long_text().about("The provider's own."))
        .has("message", long_text().about("The provider's own words."))
        .has(
            "advice",
            words(&["retry", "other_method", "never"])
                .about("Whether it may be tried again later, with another payment method, or not at all."),
        );
    Record::new("The payer's bank or the provider's own checks said no.")
        .has("detail", long_text())
        .has("provider", provider())
        .holds("decline", decline.build())
        .build()
}

fn proxy_failure() -> RefOr<Schema> {
    let kinds = [
        "connect",
        "tls",
        "timeout",
        "protocol",
        "internal",
        "not_configured",
        "unknown_operation",
        "invalid_request",
        "invalid_signature",
        "identity",
        "caller",
        "unsupported",
        "policy",
        "integrity",
    ];
    let error = Record::new("How far the request has come.")
        .has("target", long_text().about("The provider's name, or `provider-proxy`."))
        .has("kind", words(&kinds).or_null())
        .has("status", between(100, 599).or_null().about("Of provider-proxy's answer; null without one."))
        .has(
            "outcome",
            words(&["unknown", "not_sent"]).about("Whether the provider may have carried it out."),
        )
        .may(
            "transaction",
            uri(Kind::Transaction).about("The payment whose outcome is not known; it is pending."),
        );
    Record::new("The provider could not be asked, or nobody knows what it has done.")
        .has("detail", long_text())
        .holds("proxy_error", error.build())
        .build()
}

fn meta() -> RefOr<Schema> {
    Record::new("Where a page is in its list.")
        .has("next", long_text().or_null().about("Path and query of the next page."))
        .has("prev", long_text().or_null().about("Path and query of the page before."))
        .has("page", whole(1).about("The number of this page."))
        .has("total_count", whole(0).about("How many resources all pages have."))
        .build()
}

/// One page of these resources.
pub(super) fn page_of(name: &'static str) -> RefOr<Schema> {
    Record::new("One page, newest first.")
        .holds("meta", super::field::named("Meta"))
        .holds("objects", list_of(super::field::named(name)))
        .build()
}
