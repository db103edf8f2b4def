//! Refunds of payments: in parts, several at once, and never more than was captured.

use futures_util::future::join_all;
use serde_json::json;
use wire::payment::Provider;

use super::{
    buyer::assert_code,
    shop::text,
    till::{Till, line},
};

#[actix_web::test]
async fn a_payment_is_refunded_in_parts_each_of_which_is_a_transaction() {
    let till = Till::open().await;
    let payment = till.stripe(&json!({})).await;
    let answer = till.change(&payment, "refunds", &json!({"amount": "2.50"})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let refund = answer.json();
    let mut expected = json!({
        "payment": payment["resource_uri"], "status": "succeeded", "amount": "2.50", "currency": "EUR",
        "failure": null,
    });
    for field in ["uuid", "transaction", "provider_reference", "created", "modified", "counter"] {
        expected[field] = refund[field].clone();
    }
    assert_eq!(refund, expected);
    let transaction = till.transaction(&refund).await;
    assert_eq!(
        (&transaction["type"], &transaction["status"], &transaction["amount"]),
        (&json!(1), &json!(2), &json!("2.50")),
        "{transaction}"
    );
    assert_eq!(transaction["related"], payment["transaction"]);
    let rest = till.change(&payment, "refunds", &json!({})).await;
    assert_eq!((rest.status, &rest.json()["amount"]), (201, &json!("7.50")), "{rest:?}");
    let refunded = till.read(&payment).await;
    assert_eq!((&refunded["status"], &refunded["refunded_amount"]), (&json!("captured"), &json!("10.00")));
    assert_eq!(till.refunds(&payment).await, [refund, rest.json()]);
    let ledger = till.ledger(Provider::Stripe).await;
    assert_eq!(ledger, [line("charge", "10.00"), line("refund", "2.50"), line("refund", "7.50")]);
    for body in [json!({}), json!({"amount": "0.01"})] {
        assert_code(&till.change(&payment, "refunds", &body).await, "amount", "invalid");
    }
}

#[actix_web::test]
async fn what_is_wrong_with_a_refund_is_named_and_nothing_is_sent() {
    let till = Till::open().await;
    let payment = till.stripe(&json!({})).await;
    for (body, field, code) in [
        (json!({"amount": "10.01"}), "amount", "invalid"),
        (json!({"amount": "0.00"}), "amount", "invalid"),
        (json!({"amount": "-1.00"}), "amount", "invalid"),
        (json!({"amount": "1.001"}), "amount", "invalid"),
        (json!({"amount": 1.5}), "amount", "invalid"),
        (json!({"capture": "no-such-capture"}), "capture", "invalid"),
        (json!({"reason": "x"}), "reason", "unknown_field"),
    ] {
        assert_code(&till.change(&payment, "refunds", &body).await, field, code);
    }
    assert_eq!(till.refunds(&payment).await, Vec::<serde_json::Value>::new());
    let held = till.stripe(&json!({"capture": false})).await;
    assert_eq!(till.change(&held, "refunds", &json!({})).await.status, 409);
    assert_eq!(till.post("/payments/99/refunds/", "k", &json!({})).await.status, 404);
    assert_eq!(till.arrived("POST /stripe/v1/refunds").await, 0);
}

#[actix_web::test]
async fn a_hundred_refunds_at_once_give_back_no_more_than_was_captured() {
    let till = Till::open().await;
    let payment = till.stripe(&json!({})).await;
    let body = json!({"amount": "0.30"});
    let answers = join_all((0..100).map(|_| till.change(&payment, "refunds", &body))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(422)), (33, 67), "{answers:?}");
    assert_eq!(till.read(&payment).await["refunded_amount"], "9.90");
    let ledger = till.ledger(Provider::Stripe).await;
    assert_eq!(ledger.iter().filter(|entry| **entry == line("refund", "0.30")).count(), 33);
    let uuids: std::collections::BTreeSet<_> =
        till.refunds(&payment).await.iter().map(|refund| text(refund, "/uuid")).collect();
    assert_eq!(uuids.len(), 33);
}

#[actix_web::test]
async fn a_refund_that_the_provider_does_not_take_can_be_asked_for_again() {
    let till = Till::open().await;
    let order = till.order(Provider::Braintree, &json!({"currency": "USD", "nonce": "fake-valid-nonce"}));
    let payment = till.pay(&order).await;
    // It is not settling yet.
    let early = till.change(&payment, "refunds", &json!({})).await;
    assert_eq!(early.status, 422, "{early:?}");
    let early = early.json();
    assert_eq!(
        (&early["status"], &early["error"]["code"], &early["error"]["outcome"]),
        (&json!("failed"), &json!("91506"), &json!("rejected"))
    );
    assert_eq!(till.transaction(&early).await["status"], 4);
    assert_eq!(till.read(&payment).await["refunded_amount"], "0.00");
    let again = till.change(&payment, "refunds", &json!({})).await;
    assert_eq!(again.status, 422, "what was reserved is free again: {again:?}");
}

#[actix_web::test]
async fn a_refund_that_is_pending_counts_as_given_back() {
    let till = Till::open().await;
    let payment = till.stripe(&json!({"nonce": "pm_card_pendingRefund"})).await;
    let refund = till.change(&payment, "refunds", &json!({"amount": "9.00"})).await;
    assert_eq!((refund.status, &refund.json()["status"]), (201, &json!("pending")), "{refund:?}");
    assert_eq!(till.transaction(&refund.json()).await["status"], 0);
    assert_code(&till.change(&payment, "refunds", &json!({"amount": "1.01"})).await, "amount", "invalid");
}
