//! `/services/status/`, `/services/request/` and the document itself.

use serde_json::json;

use super::{
    Part,
    field::{Record, flag, text},
    operation::get,
};

pub(super) fn part() -> Part {
    let status = Record::new("Whether each part of the server does its work.")
        .has("cache", flag().about("The cache answers."))
        .has("db", flag().about("The database answers."))
        .has("proxies", flag().about("provider-proxy can be reached."))
        .has("settings", flag().about("What the encryption keys encrypt, they decrypt."));
    let caller = Record::new("Who is calling.").has(
        "authenticated",
        text().or_null().about("The client's key; null when requests need no signature."),
    );
    let document = Record::open("An OpenAPI document.").has("openapi", text());
    let sound = json!({"cache": true, "db": true, "proxies": true, "settings": true});
    Part {
        tag: "services",
        about: "The server itself.",
        schemas: vec![("Status", status.build()), ("Caller", caller.build()), ("Document", document.build())],
        operations: vec![
            get("/services/status/", "get_status", "Whether this server can do its work")
                .open()
                .answers("200", "Every part does its work.", "Status")
                .for_example("200", sound)
                .refuses("500", "A part does not.", &["Status"]),
            get("/services/request/", "get_caller", "Who is calling")
                .answers("200", "The caller.", "Caller")
                .for_example("200", json!({"authenticated": "webpay"})),
            get("/openapi.json", "get_document", "This document").open().answers(
                "200",
                "The document.",
                "Document",
            ),
        ],
    }
}
