//! What is never sent, and what is done already.

use serde_json::json;
use wire::{ErrorKind, payment::OperationName as Name};

use super::{
    operations::{authorize, capture, refund, subscribe},
    *,
};

#[actix_web::test]
async fn what_cannot_be_asked_is_never_sent() {
    let upstream = Upstream::answering(200, fixture!("payment_intent_succeeded"));
    let mut changed =
        [authorize(), authorize(), authorize(), refund(), subscribe(), subscribe(), capture("pi_1")];
    changed[0]["amount"]["minor_units"] = json!(0);
    changed[1]["amount"] = json!({"minor_units": 1234, "currency": "KWD"});
    changed[2]["metadata"] = json!({"a][b": "x"});
    changed[3]["capture"] = json!("ch_1");
    changed[4].as_object_mut().unwrap().remove("customer");
    changed[5]["amount"] = json!({"minor_units": -1, "currency": "EUR"});
    changed[6]["payment"] = json!("../customers");
    let [free, thousandths, brackets, other, nobody, negative, climbing] = changed;
    for (operation, request, field) in [
        (Name::Authorize, free, "amount.minor_units"),
        (Name::Authorize, thousandths, "amount.minor_units"),
        (Name::Authorize, brackets, "metadata"),
        (Name::Refund, other, "capture"),
        (Name::Subscribe, nobody, "customer"),
        (Name::Subscribe, negative, "amount.minor_units"),
        (Name::Capture, climbing, "payment"),
        (Name::Capture, capture(""), "payment"),
        (Name::Capture, capture("pi/1"), "payment"),
        (Name::Void, json!({"attempt": attempt(1), "payment": "pi_1?x=1"}), "payment"),
        (
            Name::DeletePaymentMethod,
            json!({"attempt": attempt(1), "payment_method": "a%2Fb"}),
            "payment_method",
        ),
        (Name::Authorize, json!({"attempt": "7"}), "attempt"),
    ] {
        let failure = perform(&connector(&upstream), operation, &request).await.unwrap_err().failure();
        assert_eq!(failure.kind, ErrorKind::InvalidRequest, "{operation} {request}");
        assert!(failure.message.contains(field), "{operation}: {}", failure.message);
    }
    for operation in [Name::StartCheckout, Name::CompleteCheckout, Name::AnswerWebhookChallenge] {
        let failure = perform(&connector(&upstream), operation, &json!({})).await.unwrap_err().failure();
        assert_eq!(failure.kind, ErrorKind::Unsupported, "{operation}");
    }
    assert!(upstream.arrived().is_empty());
}

#[actix_web::test]
async fn a_nonce_that_leads_elsewhere_is_rejected_as_an_unknown_one_and_never_sent() {
    let upstream = Upstream::answering(200, fixture!("payment_method"));
    for nonce in ["../customers", "a b", "", "pm_1?x=1"] {
        let request = json!({"attempt": attempt(1), "customer": "cus_1", "nonce": nonce});
        let answer = perform(&connector(&upstream), Name::StorePaymentMethod, &request).await.unwrap();
        assert_eq!(answer["outcome"], "rejected", "{answer}");
        assert_eq!(answer["rejection"]["errors"][0]["field"], "nonce");
    }
    assert!(upstream.arrived().is_empty());
}

#[actix_web::test]
async fn what_is_gone_already_is_as_good_as_gone_now() {
    static DETACHED: &[(&str, u16, &str)] = &[
        ("POST /v1/payment_methods/", 400, fixture!("error_not_attached")),
        ("GET /v1/payment_methods/", 200, fixture!("payment_method_detached")),
    ];
    static KEPT: &[(&str, u16, &str)] = &[
        ("POST /v1/payment_methods/", 400, fixture!("error_not_attached")),
        ("GET /v1/payment_methods/", 200, fixture!("payment_method")),
    ];
    let request = json!({"attempt": attempt(1), "payment_method": "pm_1"});
    let told = perform(&connector(&serving(DETACHED)), Name::DeletePaymentMethod, &request).await.unwrap();
    assert_has(&told, &json!({"outcome": "succeeded", "result": {"was_gone": true}}), "detached");
    let told = perform(&connector(&serving(KEPT)), Name::DeletePaymentMethod, &request).await.unwrap();
    assert_eq!(told["outcome"], "rejected", "there is no evidence that it is gone");

    static ENDED: &[(&str, u16, &str)] = &[
        ("DELETE /v1/subscriptions/", 404, fixture!("error_no_such_subscription")),
        ("GET /v1/subscriptions/", 200, fixture!("subscription_canceled")),
    ];
    static RUNNING: &[(&str, u16, &str)] = &[
        ("DELETE /v1/subscriptions/", 404, fixture!("error_no_such_subscription")),
        ("GET /v1/subscriptions/", 200, fixture!("subscription_active")),
    ];
    let request = json!({"attempt": attempt(1), "subscription": "sub_1"});
    let told = perform(&connector(&serving(ENDED)), Name::CancelSubscription, &request).await.unwrap();
    assert_has(&told, &json!({"outcome": "succeeded", "result": {"status": "cancelled"}}), "ended");
    let told = perform(&connector(&serving(RUNNING)), Name::CancelSubscription, &request).await.unwrap();
    assert_eq!(told["outcome"], "rejected");

    static VOIDED: &[(&str, u16, &str)] = &[
        ("POST /v1/payment_intents/", 400, fixture!("error_unexpected_state")),
        ("GET /v1/payment_intents/", 200, fixture!("payment_intent_canceled")),
    ];
    static PAID: &[(&str, u16, &str)] = &[
        ("POST /v1/payment_intents/", 400, fixture!("error_unexpected_state")),
        ("GET /v1/payment_intents/", 200, fixture!("payment_intent_succeeded")),
    ];
    let request = json!({"attempt": attempt(1), "payment": "pi_1"});
    let told = perform(&connector(&serving(VOIDED)), Name::Void, &request).await.unwrap();
    assert_has(&told, &json!({"outcome": "succeeded", "result": {"voided": true}}), "voided");
    let told = perform(&connector(&serving(PAID)), Name::Void, &request).await.unwrap();
    let code = json!({"outcome": "rejected", "rejection": {"status": 400}});
    assert_has(&told, &code, "paid");
}
