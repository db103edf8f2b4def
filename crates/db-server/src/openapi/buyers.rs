//! `/generic/buyer/` and the PINs of buyers.

use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    errors::page_of,
    field::{Field, Record, between, email, flag, key, pin, query_flag, required_key, text},
    operation::{Operation, get, patch, post, put},
};
use crate::uri::Kind;

const LIST: &str = "/generic/buyer/";
const ONE: &str = "/generic/buyer/{id}/";

pub(super) fn part() -> Part {
    let operations = buyers().into_iter().chain(pins()).chain([close()]).collect();
    Part {
        tag: "buyers",
        about: "Who buys, and the PINs with which they confirm it. Errors of fields are 422 with codes.",
        schemas: schemas(),
        operations,
    }
}

fn buyers() -> Vec<Operation> {
    let filters = [("uuid", text()), ("active", query_flag()), ("email", text())];
    let example = json!({"uuid": "buyer-1", "email": "jill@example.test", "locale": "de", "pin": "1234"});
    vec![
        get(LIST, "list_buyers", "The buyers").lists(filters).answers(
            "200",
            "A page of buyers.",
            "BuyerPage",
        ),
        post(LIST, "create_buyer", "Creates a buyer")
            .takes("NewBuyer", example.clone())
            .answers("201", "The buyer.", "Buyer")
            .versioned("201"),
        get(ONE, "get_buyer", "One buyer").answers("200", "The buyer.", "Buyer").versioned("200"),
        patch(ONE, "change_buyer", "Changes fields of a buyer")
            .may_take("BuyerChange", json!({"needs_pin_reset": true, "new_pin": "5678"}))
            .answers("200", "The buyer.", "Buyer")
            .versioned("200"),
        put(ONE, "set_buyer", "Sets every field of a buyer")
            .notes("What concerns the PIN stays where it is not given.")
            .takes("NewBuyer", example)
            .answers("200", "The buyer.", "Buyer")
            .versioned("200"),
    ]
}

fn pins() -> Vec<Operation> {
    let guess = |pin: &str| json!({"uuid": "buyer-1", "pin": pin});
    vec![
        about_pin("/generic/confirm_pin/", "confirm_pin", "Confirms the buyer's PIN", guess("1234"))
            .notes("A match sets `pin_confirmed`, a mismatch clears it.")
            .answers("200", "Whether it matches.", "PinConfirmed"),
        about_pin("/generic/verify_pin/", "verify_pin", "Verifies the buyer's PIN", guess("1234"))
            .notes("Only a confirmed PIN can verify. After five misses the buyer is locked out for a while.")
            .answers("200", "Whether it is right.", "PinVerified"),
        about_pin(
            "/generic/reset_confirm_pin/",
            "confirm_pin_reset",
            "Confirms the new PIN of a reset",
            guess("5678"),
        )
        .notes("On a match the new PIN becomes the PIN, and is confirmed. Not while the buyer is locked out.")
        .answers("200", "Whether it matches.", "PinConfirmed"),
    ]
}

fn about_pin(path: &'static str, id: &str, summary: &str, example: Value) -> Operation {
    post(path, id, summary).refuses("404", "There is no such buyer.", &["Detail"]).takes("PinGuess", example)
}

fn close() -> Operation {
    post("/generic/buyer/{id}/close/", "close_buyer", "Closes a buyer for good")
        .notes(
            "The buyer's subscriptions are cancelled and the payment methods deleted at the providers first; only if \
             all of that succeeds the email is erased and the uuid made anonymous.",
        )
        .answers_nothing("204", "The buyer is closed.")
        .refuses("404", "There is no such buyer, or it is closed.", &["Detail"])
        .refuses("409", "Something is being added at a provider, or its outcome is not known.", &["Detail"])
        .refuses("500", "A provider has not given up what it holds; the buyer is as before.", &["Detail"])
        .takes_nothing()
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let read_only = ["pin_failures", "pin_is_locked_out"];
    let new = fields(Record::new("A buyer to be.").has("uuid", required_key().about(UUID)));
    let change = fields(Record::new("Fields of a buyer to change.").may("uuid", required_key().about(UUID)));
    let guess = Record::new("A PIN that is said to be the buyer's.")
        .has("uuid", required_key().about("The buyer's."))
        .has("pin", pin());
    let confirmed =
        Record::new("Whether a PIN is confirmed now.").has("confirmed", flag()).has("uuid", key());
    let verified = Record::new("Whether a PIN is right.")
        .has("valid", flag())
        .has("locked", flag().about("Whether the buyer is locked out."))
        .has("uuid", key());
    vec![
        ("Buyer", buyer()),
        ("NewBuyer", new.ignores(&read_only).build()),
        ("BuyerChange", change.ignores(&read_only).build()),
        ("BuyerPage", page_of("Buyer")),
        ("PinGuess", guess.build()),
        ("PinConfirmed", confirmed.build()),
        ("PinVerified", verified.build()),
    ]
}

const UUID: &str = "The client's own id of the buyer; unique.";

fn buyer() -> RefOr<Schema> {
    let is_there = |what: &str| flag().about(what);
    Record::new("A buyer.")
        .resource(Kind::Buyer)
        .has("uuid", key().about(UUID))
        .has("email", text().or_null())
        .has("locale", text().or_null())
        .has("active", flag())
        .has("authenticated", flag())
        .has("pin", is_there("Whether there is a PIN."))
        .has("new_pin", is_there("Whether there is a new PIN, of a reset."))
        .has("needs_pin_reset", flag())
        .has("pin_confirmed", flag())
        .has("pin_failures", between(0, 5).about("Misses since the last success."))
        .has("pin_is_locked_out", flag())
        .has("pin_was_locked_out", flag())
        .build()
}

fn fields(record: Record) -> Record {
    let state = |field: Field| field.about("A part of the state of the PIN.");
    record
        .may("email", email().or_blank().or_null().about("Encrypted at rest."))
        .may("locale", text().or_null())
        .may("active", flag().default(true))
        .may("authenticated", flag().default(true))
        .may("pin", pin().or_null().about("Kept as a slow salted hash, never shown."))
        .may("new_pin", pin().or_null().about("For a reset."))
        .may("needs_pin_reset", state(flag()))
        .may("pin_confirmed", state(flag()))
        .may("pin_was_locked_out", state(flag()))
}
