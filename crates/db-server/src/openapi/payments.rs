//! `/payments/`.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    field::{
        Field, Record, anything, currency, decimal, flag, key, list_of, long_text, map_of, named, reference,
        required_key, required_url, text, time, uri, url, whole, words,
    },
    operation::{Operation, get, post},
    paymethods::provider,
};
use crate::uri::Kind;

const LIST: &str = "/payments/";

pub(super) fn part() -> Part {
    Part {
        tag: "payments",
        about: "Money that moves once, at whichever provider. A request that moves any has an `Idempotency-Key`: sent \
                again under it, it is carried out once and answered byte for byte the same, with \
                `Idempotent-Replayed: true`. Errors of fields are 422 with codes.",
        schemas: schemas(),
        operations: operations(),
    }
}

fn operations() -> Vec<Operation> {
    let filters = [
        ("status", status()),
        ("provider", provider()),
        ("buyer", reference(Kind::Buyer)),
        ("seller", reference(Kind::Seller)),
        ("seller_product", reference(Kind::Product)),
        ("created__gte", time().about("Created then or later.")),
        ("created__lt", time().about("Created before.")),
    ];
    let example = json!({
        "provider": "stripe", "amount": "10.00", "currency": "EUR", "seller_product": "/generic/product/1/",
        "nonce": "pm_card_visa", "description": "A book", "metadata": {"order": "6735"},
    });
    vec![
        get(LIST, "list_payments", "The payments").lists_on(filters).answers(
            "200",
            "Payments, newest first.",
            "PaymentList",
        ),
        moving(post(LIST, "create_payment", "Makes a payment"), "Payment")
            .notes(
                "Exactly one of `payment_method`, `nonce` and `checkout`. With a `next_action` the payer is needed; \
                 then `POST /payments/ID/complete/`.",
            )
            .takes("NewPayment", example)
            .answers("201", "The payment, done or waiting for its payer.", "Payment"),
        get("/payments/{id}/", "get_payment", "One payment")
            .answers("200", "The payment.", "Payment")
            .versioned("200"),
        moving(post("/payments/{id}/capture/", "capture_payment", "Takes what is authorized"), "Payment")
            .notes("What is left, or a part of it; with `last` the rest is given up.")
            .may_take("NewCapture", json!({"amount": "4.00"}))
            .answers("200", "The payment.", "Payment"),
        moving(post("/payments/{id}/cancel/", "cancel_payment", "Gives up an authorization"), "Payment")
            .takes_nothing()
            .answers("200", "The payment.", "Payment"),
        moving(post("/payments/{id}/complete/", "complete_payment", "The payer has come back"), "Payment")
            .notes("However often the payer comes back, the payment is executed once and told as it is.")
            .takes_nothing()
            .answers("200", "The payment.", "Payment"),
        get("/payments/{id}/refunds/", "list_refunds", "The refunds of a payment, oldest first")
            .takes_no_query()
            .answers("200", "The refunds.", "RefundList"),
        moving(post("/payments/{id}/refunds/", "refund_payment", "Gives back what was captured"), "Refund")
            .for_role("refund")
            .notes("What is left, or a part of it; several refunds may be made, and at once.")
            .may_take("NewRefund", json!({"amount": "2.50"}))
            .answers("201", "The refund, done or pending.", "Refund"),
        get("/payments/{id}/events/", "list_events_of_payment", "The history of a payment, oldest first")
            .lists_on([])
            .answers("200", "The events.", "PaymentHistory"),
    ]
}

/// A request that moves money.
fn moving(operation: Operation, shown: &'static str) -> Operation {
    operation
        .keyed()
        .answers("202", "The same. Nobody knows yet what the provider has done; it will be found out.", shown)
        .refuses("402", "Declined. The same, and `error` says why.", &[shown])
        .refuses("403", "The caller lacks the role, or provider-proxy's limits.", &["Detail", shown])
        .refuses("501", "The provider does not offer this.", &[shown])
        .refuses("502", "The provider could not be asked.", &["ProxyFailure", shown])
        .refuses("504", "The provider gave no answer in time.", &["ProxyFailure"])
        .refuses(
            "422",
            "Fields are wrong; or the provider does not take it; or the key was used for another body.",
            &["FormErrors", "KeyRefusal", shown],
        )
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let capture = Record::new("What to take.")
        .may("amount", decimal().or_null().about("More than 0; what is left when it is not given."))
        .may("last", flag().or_null().default(false).about("Whether the rest is given up."));
    let refund = Record::new("What to give back.")
        .may("amount", decimal().or_null().about("More than 0; what is left when it is not given."))
        .may(
            "capture",
            key().or_null().about("One of the payment's `captures`; the last when it is not given."),
        );
    let key = Record::new("What is wrong with the `Idempotency-Key`.")
        .has("detail", long_text())
        .has("code", words(&["idempotency_key"]));
    let refunds =
        Record::new("The refunds of a payment, oldest first.").holds("objects", list_of(named("Refund")));
    vec![
        ("NewPayment", new_payment()),
        ("NewCapture", capture.build()),
        ("NewRefund", refund.build()),
        ("Payment", payment()),
        ("Refund", refund_shown()),
        ("PaymentList", list("Payments, newest first.", named("Payment"))),
        ("RefundList", refunds.build()),
        ("PaymentHistory", list("What became of a payment, oldest first.", named("Event"))),
        ("KeyRefusal", key.build()),
    ]
}

fn status() -> Field {
    words(&[
        "created",
        "requires_action",
        "pending",
        "failed",
        "declined",
        "authorized",
        "cancelled",
        "captured",
        "unknown",
    ])
}

fn new_payment() -> RefOr<Schema> {
    let checkout = Record::new("The payer chooses on a page of the provider.")
        .has("return_url", required_url().about("Where the payer comes back to."))
        .has("cancel_url", required_url().about("Where the payer comes back to without having agreed."));
    let texts = map_of("At most 20 texts of at most 500 characters, by name.", long_text().build());
    Record::new("A payment to be made.")
        .has("provider", provider())
        .has("amount", decimal().about("More than 0."))
        .has("currency", currency())
        .has("seller_product", uri(Kind::Product))
        .may("buyer", uri(Kind::Buyer).or_null())
        .may("payment_method", uri(Kind::Paymethod).or_null().about("A stored one, of the same provider."))
        .may("nonce", required_key().or_null().about("What the provider's script gave; good once."))
        .may_hold("checkout", checkout.build())
        .may("capture", flag().or_null().default(true).about("Whether the amount is taken at once."))
        .may("description", text().or_null().about("What the payer reads."))
        .may_hold("metadata", texts)
        .may("return_url", url().or_null().about("Where the payer comes back to from 3-D Secure."))
        .build()
}

fn payment() -> RefOr<Schema> {
    let action = Record::new("What the payer must do; null when nothing.")
        .may("url", long_text().about("A page to send the payer to."))
        .may("data", anything().about("What the provider's script on the payer's side needs."));
    Record::new("A payment.")
        .resource(Kind::Payment)
        .has("uuid", key())
        .has("provider", provider())
        .has("provider_reference", key().or_null().about("The provider's id."))
        .has("checkout_reference", key().or_null().about("The provider's id of the checkout."))
        .has("status", status())
        .has("amount", decimal())
        .has("captured_amount", decimal())
        .has("refunded_amount", decimal())
        .has("currency", currency())
        .has("capture", flag())
        .holds("captures", list_of(long_text().about("The provider's id of a capture.").build()))
        .holds("next_action", nullable(action.build()))
        .has("decline", anything().about("`code`, `message` and `advice` of a decline, or null."))
        .has("failure", anything().about("`code` and `message` of a failure, or null."))
        .has("buyer", uri(Kind::Buyer).or_null())
        .has("seller", uri(Kind::Seller))
        .has("seller_product", uri(Kind::Product))
        .has("payment_method", uri(Kind::Paymethod).or_null())
        .has("transaction", uri(Kind::Transaction))
        .has("description", text().or_null())
        .has("metadata", anything().about("Texts by name, or null."))
        .may("error", anything().about("Why what was asked for was not done."))
        .build()
}

fn refund_shown() -> RefOr<Schema> {
    Record::new("A refund.")
        .has("uuid", key())
        .has("payment", uri(Kind::Payment))
        .has("transaction", uri(Kind::Transaction))
        .has("provider_reference", key().or_null())
        .has("status", words(&["created", "pending", "succeeded", "failed", "unknown"]))
        .has("amount", decimal())
        .has("currency", currency())
        .has("failure", anything().about("`code` of why it failed, or null."))
        .has("created", time())
        .has("modified", time())
        .has("counter", whole(0))
        .may("error", anything().about("Why it was not made."))
        .build()
}

fn nullable(schema: RefOr<Schema>) -> RefOr<Schema> {
    super::field::either([schema, super::field::null()])
}

fn list(about: &str, one: RefOr<Schema>) -> RefOr<Schema> {
    let meta = Record::new("Where the list goes on.")
        .has("next", long_text().or_null().about("Path and query of what follows."))
        .has("limit", whole(1).about("How many are shown at most."));
    Record::new(about).holds("meta", meta.build()).holds("objects", list_of(one)).build()
}
