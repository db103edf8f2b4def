//! Answers that are lost or wrong, and what PayPal is not asked at all.

use super::*;

#[actix_web::test]
async fn an_answer_that_is_lost_is_found_again_and_nothing_is_done_twice() {
    for fault in ["drop_after", "truncate"] {
        let desk = Desk::open();
        let attempt = AttemptId::new();
        desk.fault("/paypal/v2/checkout/orders", json!(fault)).await;
        let lost = desk.perform::<operations::StartCheckout>(&start(attempt, 1000, true)).await;
        assert_eq!(lost.name(), "unknown", "{fault}: {lost:?}");
        let found = desk.look(LookupBy::PaymentAttempt { of: attempt }).await;
        let Found::Payment { outcome: Outcome::RequiresAction { result, .. } } = found else {
            panic!("{found:?}")
        };
        let order = desk.start(attempt, 1000, true).await.reference;
        assert_eq!(order, result.reference, "the same attempt is the same order");
        desk.choose(&order, "approve").await;
        desk.fault(&format!("/paypal/v2/checkout/orders/{order}/capture"), json!(fault)).await;
        let lost = desk.complete(attempt, &order, 1000, true).await;
        assert_eq!(lost.name(), "unknown", "{fault}: {lost:?}");
        let seen = desk.seen(&order).await;
        assert_eq!(seen.name(), "succeeded");
        assert_eq!(desk.complete(attempt, &order, 1000, true).await, seen);
        assert_eq!(desk.ledger(attempt).await, charges(&["10.00"]), "{fault}");
        let payment = seen.result().unwrap();
        let back = AttemptId::new();
        desk.fault("/paypal/v2/payments/captures", json!(fault)).await;
        assert_eq!(desk.refund(back, payment, 300).await.name(), "unknown");
        let by = LookupBy::RefundAttempt { of: back, payment: order.clone() };
        assert!(matches!(desk.look(by).await, Found::Refund { .. }));
        assert_eq!(desk.refund(back, payment, 300).await.name(), "succeeded");
        assert_eq!(desk.ledger(back).await.len(), 1, "{fault}");
    }
}

#[actix_web::test]
async fn what_never_arrived_is_not_found_and_can_be_sent_again() {
    let desk = Desk::open();
    let card = desk.stored(visa()).await;
    let attempt = AttemptId::new();
    desk.fault("/paypal/v2/checkout/orders", json!("drop_before")).await;
    assert_eq!(desk.authorize(attempt, &card.token, true).await.name(), "unknown");
    let question = || desk.look(LookupBy::PaymentAttempt { of: attempt });
    assert_eq!(question().await, Found::Nothing);
    assert_eq!(desk.authorize(attempt, &card.token, true).await.name(), "succeeded");
    let found = question().await;
    assert!(matches!(found, Found::Payment { outcome: Outcome::Succeeded { .. } }), "{found:?}");
    assert_eq!(desk.ledger(attempt).await, charges(&["10.00"]), "a question moves nothing");
}

#[actix_web::test]
async fn a_wrong_answer_of_paypal_is_typed_and_nothing_is_charged() {
    let desk = Desk::open();
    let html =
        json!({"body": "<html>Bad Gateway</html>", "status": 502, "headers": {"content-type": "text/html"}});
    for (fault, name) in [
        (html, "unknown"),
        (json!({"body": "", "status": 201}), "unknown"),
        (json!({"body": "{\"name\":\"INTERNAL_SERVER_ERROR\"}", "status": 200}), "unknown"),
        (json!({"redirect": "http://127.0.0.1:1/"}), "unknown"),
        (json!({"status": 503}), "unknown"),
        (
            json!({"body": "{\"name\":\"RATE_LIMIT_REACHED\"}", "status": 429, "headers": {"retry-after": "7"}}),
            "rejected",
        ),
    ] {
        let attempt = AttemptId::new();
        desk.fault("/paypal/v2/checkout/orders", fault.clone()).await;
        let outcome = desk.perform::<operations::StartCheckout>(&start(attempt, 1000, true)).await;
        assert_eq!(outcome.name(), name, "{fault}");
        if let Outcome::Rejected { rejection } = outcome {
            assert_eq!(rejection.retry_after.as_deref(), Some("7"));
        }
        assert_eq!(desk.ledger(attempt).await, []);
    }
}

#[actix_web::test]
async fn a_token_that_was_taken_back_is_replaced() {
    let desk = Desk::open();
    desk.start(AttemptId::new(), 1000, true).await;
    desk.control(Method::DELETE, "/paypal/tokens", Value::Null).await;
    desk.start(AttemptId::new(), 1000, true).await;
    let counts = desk.sandbox.get("/_sandbox/requests").await.json();
    assert_eq!(counts["counts"]["POST /paypal/v1/oauth2/token"], 2, "{counts}");
    let request = HealthRequest { attempt: AttemptId::new() };
    desk.perform::<operations::Health>(&request).await;
}

#[actix_web::test]
async fn what_paypal_does_not_offer_is_not_sent() {
    let desk = Desk::open();
    let request = wire::payment::CancelSubscription { attempt: AttemptId::new(), subscription: "I-1".into() };
    let answer = desk.ask::<operations::CancelSubscription>(&request).await;
    assert_eq!((answer.status, &answer.json()["error"]["kind"]), (501, &json!("unsupported")));
    assert_eq!(desk.sandbox.get("/_sandbox/requests").await.json()["total"], 0);
}
