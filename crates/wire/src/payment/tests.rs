//! The JSON of every operation is pinned by `contract.json`: both halves are deployed on their own, so a field that is
//! renamed here would be lost between an old half and a new one.

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{OperationName, PaymentOperation, PaymentRequest, operations};

fn contract() -> Value {
    serde_json::from_str(include_str!("contract.json")).unwrap()
}

/// Reads the pinned JSON, writes it again and gives what was read.
fn pinned<T: Serialize + DeserializeOwned>(operation: OperationName, part: &str) -> T {
    let json = contract()[operation.name()][part].clone();
    let read: T = serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{operation}: {error}"));
    assert_eq!(serde_json::to_value(&read).unwrap(), json, "{operation}, {part}");
    read
}

fn check<O: PaymentOperation>() -> OperationName {
    let request: O::Request = pinned(O::NAME, "request");
    let _: O::Answer = pinned(O::NAME, "answer");
    let written = &contract()[O::NAME.name()]["request"];
    assert_eq!(request.attempt().is_some(), written.get("attempt").is_some(), "{}", O::NAME);
    assert_eq!(request.amount().is_some(), written.get("amount").is_some(), "{}", O::NAME);
    // A caller that means more than this side understands is told so.
    let mut more = written.clone();
    more["surprise"] = true.into();
    assert!(serde_json::from_value::<O::Request>(more).is_err(), "{}", O::NAME);
    O::NAME
}

#[test]
fn the_json_of_every_operation_is_as_it_was_agreed() {
    use operations as o;
    let checked = [
        check::<o::ClientToken>(),
        check::<o::CreateCustomer>(),
        check::<o::StorePaymentMethod>(),
        check::<o::DeletePaymentMethod>(),
        check::<o::Authorize>(),
        check::<o::Capture>(),
        check::<o::Void>(),
        check::<o::Refund>(),
        check::<o::Lookup>(),
        check::<o::ListMovements>(),
        check::<o::StartCheckout>(),
        check::<o::CompleteCheckout>(),
        check::<o::Subscribe>(),
        check::<o::ChangeSubscriptionPaymentMethod>(),
        check::<o::CancelSubscription>(),
        check::<o::VerifyWebhook>(),
        check::<o::AnswerWebhookChallenge>(),
        check::<o::Health>(),
    ];
    assert_eq!(checked, OperationName::ALL);
    let pinned: BTreeSet<_> = contract().as_object().unwrap().keys().cloned().collect();
    assert_eq!(pinned, OperationName::ALL.map(|operation| operation.name().to_owned()).into());
}
