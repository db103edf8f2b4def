//! `/provider/reference/transactions/` and the provider's notices.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    field::{
        Record, key, long_text, named, required_key, required_notes, required_text, required_url, words,
    },
    operation::post,
    transactions::amount,
};

const PAY_METHODS: [&str; 4] = ["OPERATOR", "CARD", "INTERNET", "PSMS"];

pub(super) fn part() -> Part {
    Part {
        tag: "reference payments",
        about: "Payments through the reference provider.",
        schemas: schemas(),
        operations: vec![
            post("/provider/reference/transactions/", "start_reference_payment", "Starts a payment")
                .notes(
                    "A transaction whose `uuid` is the `ext_transaction_id` is linked and becomes pending.",
                )
                .takes("NewReferencePayment", example())
                .answers("201", "The provider has started it.", "ReferencePayment")
                .asks_the_provider(),
            post("/provider/reference/notices/", "check_reference_notice", "Whether a notice is genuine")
                .notes("It changes nothing.")
                .takes("NoticeCheck", json!({"qs": "ext_transaction_id=x&sig=0:00"}))
                .answers("200", "Whether it is.", "NoticeVerdict")
                .asks_the_proxy(),
            post("/webhooks/reference/", "receive_reference_notice", "Takes the provider's signed notice")
                .open()
                .notes("The notice's own signature is what is believed.")
                .takes_form("SignedNotice", json!({"signed_notice": "ext_transaction_id=x&sig=0:00"}))
                .answers("200", "It has been applied, now or before.", "NoticeTaken")
                .refuses("403", "The notice is not genuine.", &["Detail"])
                .refuses("404", "It is about no transaction of ours.", &["Detail"])
                .refuses("409", "It contradicts what is held. Nothing has changed.", &["Detail"])
                .asks_the_proxy(),
        ],
    }
}

fn example() -> serde_json::Value {
    json!({
        "product_id": "sword-1", "region": "123", "carrier": "USA_TMOBILE", "price": "0.99", "currency": "EUR",
        "pay_method": "CARD",
        "callback_success_url": "https://pay.example.test/webhooks/reference/",
        "callback_error_url": "https://pay.example.test/webhooks/reference/",
        "success_url": "https://shop.example.test/paid", "error_url": "https://shop.example.test/failed",
        "ext_transaction_id": "solitude:b9a13c8d-f40a-4fdf-8979-6161ee351385",
    })
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let new = Record::new("A payment to start.")
        .has("product_id", required_key().about("The provider's key of the product."))
        .has("region", required_text())
        .has("carrier", required_text())
        .holds("price", amount(false))
        .holds("currency", named("Currency"))
        .has("pay_method", words(&PAY_METHODS))
        .has("callback_success_url", required_url())
        .has("callback_error_url", required_url())
        .has("success_url", required_url())
        .has("error_url", required_url())
        .has("ext_transaction_id", required_key().about("The uuid of the transaction."));
    let payment = Record::open("What the provider says of the payment.")
        .has("id", key())
        .has("resource_pk", key())
        .has("resource_uri", long_text())
        .has("token", long_text().about("With this the payer opens the provider's page."));
    let verdict = Record::new("Whether a notice is genuine.")
        .has("result", words(&["OK", "FAIL"]))
        .has("reason", long_text());
    vec![
        ("NewReferencePayment", new.build()),
        ("ReferencePayment", payment.build()),
        (
            "NoticeCheck",
            Record::new("A notice.").has("qs", required_notes().about("Its query string.")).build(),
        ),
        ("NoticeVerdict", verdict.build()),
        (
            "SignedNotice",
            Record::open("The provider's form.")
                .has("signed_notice", long_text().about("The signed query string."))
                .build(),
        ),
        ("NoticeTaken", Record::new("The notice is taken.").has("result", words(&["OK"])).build()),
    ]
}
