//! `/services/failures/` and `/services/settings/`: for whoever watches the server.

use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    errors::page_of,
    field::{Record, anything, key, long_text, pk, time, uri, whole},
    operation::get,
};
use crate::uri::Kind;

pub(super) fn part() -> Part {
    Part {
        tag: "supervision",
        about: "For whoever watches the server.",
        schemas: schemas(),
        operations: vec![
            get(
                "/services/failures/transactions/",
                "list_failed_transactions",
                "The latest failed transaction of each product",
            )
            .lists([])
            .answers("200", "A page of failures.", "FailedTransactionPage"),
            get(
                "/services/failures/statuses/",
                "list_failed_statuses",
                "The checks of products at Bango that found errors",
            )
            .lists([])
            .answers("200", "A page of failures.", "FailedStatusPage"),
            get("/services/settings/", "list_settings", "What the server runs with")
                .for_role("admin")
                .notes("No secret is shown. 403 unless `services.cleansed_settings_access` is true.")
                .takes_no_query()
                .answers("200", "All settings.", "SettingPage"),
            get("/services/settings/{name}/", "get_setting", "One setting, by its full name")
                .for_role("admin")
                .notes("No secret is shown. 403 unless `services.cleansed_settings_access` is true.")
                .answers("200", "The setting.", "Setting"),
        ],
    }
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let transaction = Record::new("A failed transaction.")
        .has("id", pk())
        .has("uid_support", key().or_null())
        .has("uid_pay", key().or_null())
        .has("uuid", key())
        .has("uri", uri(Kind::Transaction))
        .has("product_id", pk());
    let status = Record::new("A check of a product at Bango that found errors.")
        .has("id", pk())
        .has("status", whole(0).about("0 unknown, 1 good, 2 bad."))
        .has("errors", long_text())
        .has("product_id", pk())
        .has("created", time())
        .has("modified", time());
    let setting = Record::new("A setting.")
        .has("key", long_text().about("Its full name."))
        .has("value", anything())
        .has("resource_pk", long_text())
        .has("resource_uri", long_text());
    vec![
        ("FailedTransaction", transaction.build()),
        ("FailedTransactionPage", page_of("FailedTransaction")),
        ("FailedStatus", status.build()),
        ("FailedStatusPage", page_of("FailedStatus")),
        ("Setting", setting.build()),
        ("SettingPage", page_of("Setting")),
    ]
}
