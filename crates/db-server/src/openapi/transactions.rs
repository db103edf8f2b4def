//! `/generic/transaction/`.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    errors::page_of,
    field::{
        Field, Record, choice, decimal, either, key, list_of, named, notes, null, reference, text, uri, url,
        whole, words,
    },
    operation::{get, patch, post},
};
use crate::{
    store::code::{Provider, TransactionStatus, TransactionType},
    uri::Kind,
};

const LIST: &str = "/generic/transaction/";
const ONE: &str = "/generic/transaction/{id}/";

pub(super) fn part() -> Part {
    let filters = [("uuid", text()), ("seller", reference(Kind::Seller)), ("provider", provider())];
    let example = json!({
        "amount": "0.99", "currency": "EUR", "seller": "/generic/seller/1/", "seller_product": "/generic/product/1/",
    });
    Part {
        tag: "transactions",
        about: "Payments and refunds.",
        schemas: schemas(),
        operations: vec![
            get(LIST, "list_transactions", "The transactions").lists(filters).answers(
                "200",
                "A page of transactions.",
                "TransactionPage",
            ),
            post(LIST, "create_transaction", "Creates a transaction")
                .may_take("NewTransaction", example)
                .answers("201", "The transaction.", "Transaction")
                .versioned("201"),
            get(ONE, "get_transaction", "One transaction")
                .answers("200", "The transaction.", "Transaction")
                .versioned("200"),
            patch(ONE, "change_transaction", "Changes what may change of a transaction")
                .notes("Nothing changes once the transaction is older than `transactions.lockdown`.")
                .may_take("TransactionChange", json!({"notes": "seen"}))
                .answers("200", "The transaction.", "Transaction")
                .versioned("200"),
        ],
    }
}

fn provider() -> Field {
    let codes: Vec<_> = Provider::ALL.iter().map(|provider| provider.code()).collect();
    choice(&codes).about("1 bango, 2 reference, 3 paypal, 4 braintree, 5 stripe.")
}

fn kind() -> Field {
    let codes: Vec<_> = TransactionType::ALL.iter().map(|kind| kind.code()).collect();
    choice(&codes).about("0 payment, 1 refund, 2 reversal, 3 manual refund, 4 manual reversal.")
}

fn status() -> Field {
    let codes: Vec<_> = TransactionStatus::ALL.iter().map(|status| status.code()).collect();
    choice(&codes)
        .about("0 pending, 1 completed, 2 checked, 3 received, 4 failed, 5 cancelled, 6 started, 7 errored.")
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let relation = shown(Record::new("A transaction without its relations.").resource(Kind::Transaction));
    let relations = list_of(named("Relation"));
    let transaction = Record::new("A transaction.").resource(Kind::Transaction);
    let transaction = shown(transaction).holds("relations", relations);
    vec![
        ("Transaction", transaction.build()),
        ("Relation", relation.build()),
        ("NewTransaction", new()),
        ("TransactionChange", change()),
        ("TransactionPage", page_of("Transaction")),
    ]
}

fn shown(record: Record) -> Record {
    record
        .has("uuid", key())
        .has("amount", decimal().or_null())
        .holds("currency", either([named("Currency"), null()]))
        .has("buyer", uri(Kind::Buyer).or_null())
        .has("seller", uri(Kind::Seller).or_null())
        .has("seller_product", uri(Kind::Product).or_null())
        .has("provider", provider().or_null())
        .has("region", text().or_null())
        .has("carrier", text().or_null())
        .has("source", text().or_null())
        .has("type", kind())
        .has("status", status())
        .has("status_reason", text().or_null())
        .has("uid_pay", key().or_null())
        .has("uid_support", key().or_null())
        .has("pay_url", url().or_null())
        .has("related", uri(Kind::Transaction).or_null())
        .has("notes", notes().or_null())
}

/// An amount in a request: a whole number may also be written as a number.
pub(super) fn amount(null: bool) -> RefOr<Schema> {
    let text = if null { decimal().or_blank().or_null() } else { decimal() };
    either([text.build(), whole(0).build()])
}

fn new() -> RefOr<Schema> {
    Record::new("A transaction to be.")
        .may("uuid", key().or_null().about("Unique; `solitude:` and a random UUID when it is not given."))
        .may_hold("amount", amount(true))
        .may_hold("currency", either([named("Currency"), words(&[""]).or_null().build()]))
        .may("buyer", uri(Kind::Buyer).or_null())
        .may("seller", uri(Kind::Seller).or_null())
        .may("seller_product", uri(Kind::Product).or_null())
        .may("provider", provider().or_null())
        .may("region", text().or_null())
        .may("carrier", text().or_null())
        .may("source", text().or_null())
        .may("type", kind().default(0))
        .may("status", status().default(6))
        .may("status_reason", text().or_null())
        .may("uid_pay", key().or_null().about("The provider's key; unique for the provider."))
        .may("uid_support", key().or_null().about("Unique for the provider."))
        .may("pay_url", url().or_blank().or_null())
        .may("related", uri(Kind::Transaction).or_null().about("What this one refunds or reverses."))
        .may("notes", notes().or_null())
        .ignores(&["relations"])
        .build()
}

fn change() -> RefOr<Schema> {
    Record::new("What may change of a transaction.")
        .may("status", status())
        .may("status_reason", text().or_null())
        .may("uid_pay", key().or_null())
        .may("pay_url", url().or_blank().or_null())
        .may("provider", provider().or_null().about("Only while it is unset."))
        .may("notes", notes().or_null())
        .build()
}
