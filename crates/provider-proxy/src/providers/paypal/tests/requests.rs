//! What is sent.

use serde_json::json;
use wire::payment::{ClientTokenRequest, CreateCustomer, DeletePaymentMethod, Outcome, StorePaymentMethod};

use super::*;
use crate::providers::{connect::Connect, paypal::upstream::Upstream};

#[actix_web::test]
async fn a_checkout_is_an_order_that_bears_its_attempt() {
    let upstream = Upstream::answering(201, fixture!("order_payer_action_required"));
    let Outcome::Succeeded { result } = upstream.connector().start_checkout(&start(true)).await.unwrap()
    else {
        panic!("a checkout")
    };
    assert_eq!(result.status, "PAYER_ACTION_REQUIRED");
    assert!(result.url.starts_with("https://www.paypal.com/checkoutnow?token="), "{}", result.url);
    let [sent] = &upstream.arrived()[..] else { panic!("one request") };
    assert_eq!(sent.line(), "POST /v2/checkout/orders");
    for (name, value) in [
        ("authorization", "Bearer dummy-token-0"),
        ("paypal-request-id", ATTEMPT),
        ("prefer", "return=representation"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
    ] {
        assert_eq!(sent.header(name), Some(value), "{name}");
    }
    assert_eq!(
        sent.json(),
        json!({
            "intent": "CAPTURE",
            "purchase_units": [{
                "amount": {"currency_code": "EUR", "value": "10.00"}, "custom_id": ATTEMPT,
                "invoice_id": ATTEMPT, "description": "A book",
            }],
            "payment_source": {"paypal": {"experience_context": {
                "return_url": "https://shop.example/return", "cancel_url": "https://shop.example/cancel",
                "user_action": "PAY_NOW", "shipping_preference": "NO_SHIPPING",
            }}},
        })
    );
}

#[actix_web::test]
async fn an_approved_checkout_is_read_and_then_executed() {
    let upstream = Upstream::in_turn(&[(200, fixture!("order_approved")), (201, fixture!("order_captured"))]);
    let outcome = upstream.connector().complete_checkout(&complete(1000, true)).await.unwrap();
    assert_eq!(outcome.name(), "succeeded");
    let lines: Vec<_> = upstream.arrived().iter().map(|sent| sent.line()).collect();
    assert_eq!(lines, ["GET /v2/checkout/orders/ORDER1", "POST /v2/checkout/orders/ORDER1/capture"]);
    assert_eq!(upstream.arrived()[1].header("paypal-request-id"), Some(ATTEMPT));
}

#[actix_web::test]
async fn a_checkout_of_another_amount_or_intent_is_not_executed() {
    for (request, field) in [(complete(999, true), "amount"), (complete(1000, false), "capture")] {
        let upstream = Upstream::answering(200, fixture!("order_approved"));
        let failure = upstream.connector().complete_checkout(&request).await.unwrap_err().failure();
        assert_eq!(failure.kind, wire::ErrorKind::InvalidRequest);
        assert!(failure.message.starts_with(field), "{}", failure.message);
        assert_eq!(upstream.arrived().len(), 1, "only read");
    }
}

#[actix_web::test]
async fn a_checkout_that_is_completed_again_gives_what_came_of_it() {
    let upstream = Upstream::answering(200, fixture!("order_captured"));
    let outcome = upstream.connector().complete_checkout(&complete(1000, true)).await.unwrap();
    assert_eq!(outcome.name(), "succeeded");
    assert_eq!(upstream.arrived().len(), 1, "nothing is executed");
}

#[actix_web::test]
async fn what_is_stored_is_charged_by_its_kind() {
    for (token, source) in [
        ("card:abc123", json!({"card": {"vault_id": "abc123"}})),
        ("paypal:abc123", json!({"paypal": {"vault_id": "abc123"}})),
    ] {
        let upstream = Upstream::answering(201, fixture!("order_captured"));
        let outcome = upstream.connector().authorize(&authorize(token, true)).await.unwrap();
        assert_eq!(outcome.name(), "succeeded");
        let body = upstream.arrived()[0].json();
        assert_eq!((&body["intent"], &body["payment_source"]), (&json!("CAPTURE"), &source));
    }
}

#[actix_web::test]
async fn a_card_can_be_asked_for_3d_secure_when_there_is_a_way_back() {
    let upstream = Upstream::answering(201, fixture!("order_three_d_secure"));
    let request =
        Authorize { return_url: Some("https://shop.example/back".into()), ..authorize("card:a", true) };
    let outcome = upstream.connector().authorize(&request).await.unwrap();
    let Outcome::RequiresAction { action, result } = outcome else { panic!("an action") };
    assert!(action.url.unwrap().contains("flow=3ds"));
    assert_eq!((result.status.as_str(), result.captured), ("PAYER_ACTION_REQUIRED", 0));
    let card = &upstream.arrived()[0].json()["payment_source"]["card"];
    assert_eq!(card["attributes"], json!({"verification": {"method": "SCA_WHEN_REQUIRED"}}));
    assert_eq!(card["experience_context"]["return_url"], "https://shop.example/back");
}

#[actix_web::test]
async fn the_last_authorization_of_the_order_is_captured() {
    let upstream = Upstream::in_turn(&[(200, fixture!("order_authorized")), (201, fixture!("capture"))]);
    let outcome = upstream.connector().capture(&capture(false)).await.unwrap();
    let Outcome::Succeeded { result } = outcome else { panic!("a capture") };
    assert_eq!((result.amount, result.status.as_str()), (euro(1000), "COMPLETED"));
    let order: serde_json::Value = serde_json::from_str(fixture!("order_authorized")).unwrap();
    let id = order["purchase_units"][0]["payments"]["authorizations"][0]["id"].as_str().unwrap();
    let sent = &upstream.arrived()[1];
    assert_eq!(sent.line(), format!("POST /v2/payments/authorizations/{id}/capture"));
    assert_eq!(
        sent.json(),
        json!({
            "amount": {"currency_code": "EUR", "value": "10.00"}, "invoice_id": ATTEMPT, "final_capture": false,
        })
    );
}

#[actix_web::test]
async fn a_void_says_how_the_payment_stands() {
    for answer in [(200, fixture!("authorization_voided")), (422, fixture!("refused_previously_voided"))] {
        let upstream = Upstream::in_turn(&[(200, fixture!("order_authorized")), answer]);
        let outcome = upstream.connector().void(&void()).await.unwrap();
        let Outcome::Succeeded { result } = outcome else { panic!("{outcome:?}") };
        assert_eq!((result.voided, result.status.as_str()), (true, "VOIDED"));
        assert_eq!(upstream.arrived()[1].header("paypal-request-id"), Some(ATTEMPT));
    }
}

#[actix_web::test]
async fn a_refund_is_of_the_named_capture_or_of_the_last() {
    let upstream = Upstream::answering(201, fixture!("refund"));
    upstream.connector().refund(&refund(Some("CAPTURE1"))).await.unwrap();
    let [sent] = &upstream.arrived()[..] else { panic!("one request") };
    assert_eq!(sent.line(), "POST /v2/payments/captures/CAPTURE1/refund");
    let amount = json!({"currency_code": "EUR", "value": "4.00"});
    assert_eq!(sent.json(), json!({"amount": amount, "custom_id": ATTEMPT, "invoice_id": ATTEMPT}));
    let upstream = Upstream::in_turn(&[(200, fixture!("order_captured")), (201, fixture!("refund"))]);
    let outcome = upstream.connector().refund(&refund(None)).await.unwrap();
    let Outcome::Succeeded { result } = outcome else { panic!("a refund") };
    assert_eq!((result.amount, result.attempt), (euro(400), Some(attempt())));
}

#[actix_web::test]
async fn a_question_by_attempt_cannot_make_a_payment() {
    let upstream = Upstream::answering(422, fixture!("refused_vault_id"));
    let of = AttemptId::new();
    let request = lookup(LookupBy::PaymentAttempt { of });
    assert_eq!(upstream.connector().lookup(&request).await.unwrap(), wire::payment::Found::Nothing);
    let [sent] = &upstream.arrived()[..] else { panic!("one request") };
    assert_eq!(sent.header("paypal-request-id"), Some(of.to_string().as_str()));
    assert_eq!(sent.json()["payment_source"], json!({"paypal": {"vault_id": "lookup-only"}}));
}

#[actix_web::test]
async fn a_card_is_stored_from_what_the_payer_filled_in() {
    let upstream = Upstream::answering(201, fixture!("setup_token"));
    let request = ClientTokenRequest { attempt: attempt(), customer: Some("buyer-1".into()) };
    let outcome = upstream.connector().client_token(&request).await.unwrap();
    let Outcome::Succeeded { result } = outcome else { panic!("a token") };
    let setup: serde_json::Value = serde_json::from_str(fixture!("setup_token")).unwrap();
    assert_eq!(Some(result.token.expose()), setup["id"].as_str());
    let customer = json!({"merchant_customer_id": "buyer-1"});
    assert_eq!(upstream.arrived()[0].json(), json!({"payment_source": {"card": {}}, "customer": customer}));
    let upstream = Upstream::answering(201, fixture!("payment_token_card"));
    let request =
        StorePaymentMethod { attempt: attempt(), customer: "buyer-1".into(), nonce: "SETUP1".into() };
    let outcome = upstream.connector().store_payment_method(&request).await.unwrap();
    let Outcome::Succeeded { result } = outcome else { panic!("a payment method") };
    assert!(result.token.expose().starts_with("card:"));
    assert_eq!((result.brand.as_deref(), result.last4.as_deref()), (Some("visa"), Some("1881")));
    assert_eq!((result.expiry_month, result.expiry_year), (Some(12), Some(2030)));
    let source = json!({"token": {"id": "SETUP1", "type": "SETUP_TOKEN"}});
    assert_eq!(upstream.arrived()[0].json(), json!({"payment_source": source}));
}

#[actix_web::test]
async fn a_nonce_that_cannot_be_paypal_s_is_rejected_as_an_unknown_one_and_never_sent() {
    let upstream = Upstream::answering(201, fixture!("payment_token_card"));
    for nonce in ["../orders", "a b", "", "\u{100}"] {
        let request =
            StorePaymentMethod { attempt: attempt(), customer: "buyer-1".into(), nonce: nonce.into() };
        let outcome = upstream.connector().store_payment_method(&request).await.unwrap();
        let Outcome::Rejected { rejection } = outcome else { panic!("{outcome:?}") };
        assert_eq!(rejection.errors[0].field.as_deref(), Some("nonce"));
    }
    assert!(upstream.arrived().is_empty());
}

#[actix_web::test]
async fn what_was_stored_for_another_payer_is_not_given_out() {
    let upstream = Upstream::answering(201, fixture!("payment_token_card"));
    let request =
        StorePaymentMethod { attempt: attempt(), customer: "buyer-2".into(), nonce: "SETUP1".into() };
    let outcome = upstream.connector().store_payment_method(&request).await.unwrap();
    assert_eq!(outcome.name(), "unknown");
}

#[actix_web::test]
async fn what_is_stored_is_deleted_and_may_be_gone() {
    for (status, body, was_gone) in [(204, "", false), (404, fixture!("refused_not_found"), true)] {
        let upstream = Upstream::answering(status, body);
        let request = DeletePaymentMethod { attempt: attempt(), payment_method: "card:abc".into() };
        let outcome = upstream.connector().delete_payment_method(&request).await.unwrap();
        let Outcome::Succeeded { result } = outcome else { panic!("deleted") };
        assert_eq!(result.was_gone, was_gone);
        assert_eq!(upstream.arrived()[0].line(), "DELETE /v3/vault/payment-tokens/abc");
    }
}

#[actix_web::test]
async fn a_payer_is_known_by_our_own_name_and_nothing_is_sent() {
    let upstream = Upstream::answering(500, "");
    let request = CreateCustomer { attempt: attempt(), reference: Some("buyer-1".into()), email: None };
    let outcome = upstream.connector().create_customer(&request).await.unwrap();
    let Outcome::Succeeded { result } = outcome else { panic!("a customer") };
    assert_eq!(result.reference, "buyer-1");
    for unfit in ["a b".to_owned(), "x".repeat(65), String::new()] {
        let request = CreateCustomer { reference: Some(unfit), ..request.clone() };
        let outcome = upstream.connector().create_customer(&request).await.unwrap();
        assert_eq!(outcome.result().unwrap().reference, request.attempt.to_string());
    }
    assert!(upstream.arrived().is_empty());
}

#[actix_web::test]
async fn what_paypal_could_not_take_is_not_sent() {
    let upstream = Upstream::answering(500, "");
    let connector = upstream.connector();
    let dinars = Money { minor_units: 1000, currency: Currency::parse("KWD").unwrap() };
    let nonce = Source::Nonce { nonce: "fake-valid-nonce".into() };
    let failures = [
        connector.start_checkout(&StartCheckout { amount: dinars, ..start(true) }).await.unwrap_err(),
        connector.authorize(&Authorize { source: nonce, ..authorize("card:a", true) }).await.unwrap_err(),
        connector.authorize(&authorize("pm_of_stripe", true)).await.unwrap_err(),
        connector.authorize(&authorize("card:../../x", true)).await.unwrap_err(),
        connector.capture(&Capture { payment: "a/b".into(), ..capture(true) }).await.unwrap_err(),
        connector.void(&Void { payment: String::new(), ..void() }).await.unwrap_err(),
        connector.refund(&refund(Some("x?y"))).await.unwrap_err(),
        connector
            .complete_checkout(&CompleteCheckout { checkout: "..".into(), ..complete(1, true) })
            .await
            .unwrap_err(),
        connector.lookup(&lookup(LookupBy::PaymentAttempt { of: attempt() })).await.unwrap_err(),
    ];
    for failure in failures {
        assert_eq!(failure.failure().kind, wire::ErrorKind::InvalidRequest, "{failure}");
    }
    assert!(upstream.arrived().is_empty());
}
