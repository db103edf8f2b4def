//! `/webhooks/{provider}/`.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    field::{Record, long_text, words},
    operation::{Operation, get, post},
};

const PATH: &str = "/webhooks/{provider}/";

pub(super) fn part() -> Part {
    Part {
        tag: "webhooks",
        about: "What providers post by themselves.",
        schemas: schemas(),
        operations: vec![challenge(), receive()],
    }
}

fn challenge() -> Operation {
    get(PATH, "answer_webhook_challenge", "Answers a provider that checks whether the address is ours")
        .open()
        .asks_in_query("bt_challenge", long_text().about("Braintree's question."))
        .answers_text("200", "The answer.")
        .refuses("400", "There is no question, or the provider asks none.", &["FieldErrors", "Detail"])
        .refuses("404", "There is no such provider.", &["Detail"])
        .asks_the_proxy()
}

fn receive() -> Operation {
    post(PATH, "receive_webhook", "Takes what a provider posts")
        .open()
        .notes(
            "The provider's signature is what is believed; provider-proxy checks it. The event is kept before this \
             answers.",
        )
        .takes_raw(json!({"id": "evt_1", "type": "payment_intent.succeeded"}))
        .answers("200", "It is kept, now or before.", "WebhookTaken")
        .refuses("400", "It is genuine and cannot be read, or the provider posts none.", &["Detail"])
        .refuses("403", "It is not genuine.", &["Detail"])
        .refuses("404", "There is no such provider.", &["Detail"])
        .asks_the_proxy()
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    vec![
        ("WebhookTaken", Record::new("The webhook is kept.").has("result", words(&["OK"])).build()),
        ("Webhook", Record::open("Whatever the provider posts, byte for byte.").build()),
    ]
}
