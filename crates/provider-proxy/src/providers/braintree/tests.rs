//! Every operation against recorded answers.

mod broken;
mod changes;
mod charges;
mod lookups;
mod movements;
mod vault;
mod webhooks;

use serde_json::{Value, json};
use wire::payment::OperationName;

use super::{
    Braintree,
    upstream::{
        ATTEMPT, PRIVATE, PUBLIC, SECOND, Scripted, THIRD, body_of, connector, connector_of, late_connector,
        perform, recorded, scripted, settings, typed, xml,
    },
};
use crate::providers::reference::upstream::{Arrived, Upstream};

/// An attempt that was made this moment.
fn fresh() -> String {
    wire::payment::AttemptId::new().to_string()
}

fn authorize(capture: bool) -> Value {
    json!({
        "attempt": ATTEMPT,
        "amount": {"minor_units": 1000, "currency": "USD"},
        "source": {"nonce": {"nonce": "fake-valid-nonce"}},
        "capture": capture,
    })
}

/// The id of the transaction of a recorded answer.
fn id_of(recorded: &str) -> String {
    let document = super::xml::Element::parse(recorded.as_bytes()).unwrap();
    document.text("id").unwrap().to_owned()
}

/// What one operation comes to with these answers, and what arrived.
async fn run(script: &[Scripted], operation: OperationName, request: &Value) -> (Value, Vec<Arrived>) {
    let upstream = scripted(script);
    let result = perform(&connector(&upstream), operation, request).await.unwrap();
    (result, upstream.arrived())
}

/// The methods and paths below the merchant, in their order.
fn asked(arrived: &[Arrived]) -> Vec<String> {
    let path = |target: &str| target.strip_prefix("/merchants/dummy_merchant/").unwrap().to_owned();
    arrived.iter().map(|arrived| format!("{} {}", arrived.method, path(&arrived.target))).collect()
}

fn codes(result: &Value) -> Vec<(Option<&str>, &str)> {
    let errors = result["rejection"]["errors"].as_array().unwrap();
    errors.iter().map(|error| (error["field"].as_str(), error["code"].as_str().unwrap())).collect()
}

fn outcome(result: &Value) -> &str {
    result["outcome"].as_str().unwrap()
}
