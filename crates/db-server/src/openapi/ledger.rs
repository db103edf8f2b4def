//! `/ledger/`.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    field::{Field, Record, currency, list_of, long_text, named, signed_decimal},
    operation::get,
    paymethods::provider,
};

pub(super) fn part() -> Part {
    let filters = [
        ("account", account().about("An account, or the name that several have before the colon.")),
        ("currency", long_text().about("A code of ISO 4217.")),
        ("provider", provider().about("The accounts of this provider.")),
    ];
    let example = json!({
        "meta": {"next": null, "prev": null, "page": 1, "total_count": 2},
        "objects": [
            {"account": "payable:1", "currency": "EUR", "balance": "-9.99"},
            {"account": "receivable:stripe", "currency": "EUR", "balance": "9.99"},
        ],
        "totals": [{"currency": "EUR", "total": "0.00"}],
    });
    Part {
        tag: "ledger",
        about: "What has moved, in double entry.",
        schemas: schemas(),
        operations: vec![
            get("/ledger/balances/", "list_balances", "The balance of every account")
                .lists(filters)
                .notes(
                    "By account and currency, all as of one moment. `totals` has every currency of the whole ledger, \
                     whatever is asked for. A query parameter that is not named here is refused with 400.",
                )
                .answers("200", "A page of balances.", "BalancePage")
                .for_example("200", example),
        ],
    }
}

fn account() -> Field {
    long_text()
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let balance = Record::new("What the entries of an account add up to.")
        .has("account", account().about("`NAME:KEY`, such as `receivable:stripe` or `payable:1`."))
        .has("currency", currency())
        .has("balance", signed_decimal().about("A debit above zero, a credit below."));
    let total = Record::new("What all accounts add up to.")
        .has("currency", currency())
        .has("total", signed_decimal().about("Always zero."));
    let page = Record::new("One page, by account and currency.")
        .holds("meta", named("Meta"))
        .holds("objects", list_of(named("Balance")))
        .holds("totals", list_of(named("Total")));
    vec![("Balance", balance.build()), ("Total", total.build()), ("BalancePage", page.build())]
}
