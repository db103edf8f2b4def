//! What is believed of a webhook, and what it says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use wire::{ErrorKind, payment::OperationName as Name};

use super::*;

const TIME: i64 = 1_700_000_000;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn signature(secret: &str, time: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

fn signed(time: i64, body: &str) -> String {
    format!("t={time},v1={}", signature(SECRETS[0], &time.to_string(), body))
}

fn posted(header: &str, body: &str) -> Value {
    json!({"headers": [{"name": "stripe-signature", "value": header}], "body": BASE64.encode(body.as_bytes())})
}

async fn told(body: &str) -> Value {
    perform(&at(now), Name::VerifyWebhook, &posted(&signed(TIME, body), body)).await.unwrap()
}

async fn refusal(request: &Value) -> String {
    let failure = perform(&at(now), Name::VerifyWebhook, request).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::InvalidSignature, "{}", failure.message);
    failure.message
}

/// The vector of Stripe's own scheme: computed apart with
/// `printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_test`.
#[actix_web::test]
async fn the_known_signature_is_believed_and_no_other() {
    let known = "35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91";
    assert_eq!(signature("whsec_test", "1700000000", "{}"), known);
    // It is believed, and then no event.
    assert!(refusal(&posted(&format!("t=1700000000,v1={known}"), "{}")).await.contains("cannot be read"));
    let mut other = known.to_owned();
    other.replace_range(..1, "4");
    assert_eq!(refusal(&posted(&format!("t=1700000000,v1={other}"), "{}")).await, "signature mismatch");
    assert_eq!(refusal(&posted(&format!("t=1700000000,v1={known}"), "{} ")).await, "signature mismatch");
    assert_eq!(refusal(&posted(&format!("t=1700000001,v1={known}"), "{}")).await, "signature mismatch");
}

#[actix_web::test]
async fn either_secret_may_have_signed_and_any_of_several_signatures_counts() {
    let body = fixture!("event_customer_created");
    let by = |secret: &str| signature(secret, "1700000000", body);
    let (first, second, third) = (by(SECRETS[0]), by(SECRETS[1]), by("whsec_other"));
    for header in [
        format!("t=1700000000,v1={first}"),
        format!("t=1700000000,v1={second}"),
        format!("t=1700000000,v1={third},v1={second}"),
        format!("t=1700000000,v0={third},v1={first}"),
        format!("v1={first},t=1700000000"),
    ] {
        let told = perform(&at(now), Name::VerifyWebhook, &posted(&header, body)).await.unwrap();
        assert_eq!(told["kind"], "other", "{header}");
    }
    for header in [
        String::new(),
        "t=1700000000".to_owned(),
        format!("v1={first}"),
        format!("t=1700000000,v1={third}"),
        format!("t=1700000000,v0={first}"),
        format!("t=1700000000,t=1700000000,v1={first}"),
        format!("t=+1700000000,v1={first}"),
        format!("t=,v1={first}"),
        format!("t=1700000000,v1={}", first.to_uppercase()),
        format!("t=1700000000,v1={}", &first[..62]),
        format!("t=1700000000,v1={first},"),
        format!("t=1700000000{}", format!(",v1={first}").repeat(17)),
    ] {
        refusal(&posted(&header, body)).await;
    }
    let mut twice = posted(&format!("t=1700000000,v1={first}"), body);
    let header = twice["headers"][0].clone();
    twice["headers"].as_array_mut().unwrap().push(header);
    assert_eq!(refusal(&twice).await, "there is more than one stripe-signature");
    assert_eq!(refusal(&json!({"headers": [], "body": ""})).await, "there is no stripe-signature");
    let request = json!({"headers": [], "body": "no base64"});
    let failure = perform(&at(now), Name::VerifyWebhook, &request).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::InvalidRequest);
}

#[actix_web::test]
async fn a_webhook_of_another_time_is_refused_before_and_after() {
    let body = fixture!("event_customer_created");
    for seconds in [-300, 0, 300] {
        let request = posted(&signed(TIME + seconds, body), body);
        assert!(perform(&at(now), Name::VerifyWebhook, &request).await.is_ok(), "{seconds}");
    }
    assert!(refusal(&posted(&signed(TIME - 301, body), body)).await.contains("ago"));
    assert!(refusal(&posted(&signed(TIME + 301, body), body)).await.contains("ahead"));
    // Who has not signed is not told what time it is here.
    let forged = posted(&format!("t=1,v1={}", "0".repeat(64)), body);
    assert_eq!(refusal(&forged).await, "signature mismatch");
}

#[actix_web::test]
async fn events_of_payments_refunds_and_disputes_say_what_they_are_about() {
    for (body, becomes) in [
        (
            fixture!("event_payment_intent_succeeded"),
            json!({"kind": "payment", "provider_kind": "payment_intent.succeeded", "payment": {"outcome": "succeeded"}}),
        ),
        (
            fixture!("event_payment_intent_payment_failed"),
            json!({"kind": "payment", "payment": {"outcome": "declined"}}),
        ),
        (
            fixture!("event_payment_intent_requires_action"),
            json!({"kind": "payment", "payment": {"outcome": "requires_action"}}),
        ),
        (fixture!("event_refund_created"), json!({"kind": "refund", "attempt": attempt(3)})),
        (
            fixture!("event_refund_failed"),
            json!({"kind": "refund", "attempt": attempt(3), "refund": {"outcome": "declined"}}),
        ),
        (fixture!("event_charge_dispute_created"), json!({"kind": "dispute"})),
        (fixture!("event_customer_created"), json!({"kind": "other", "provider_kind": "customer.created"})),
    ] {
        let event = json(body);
        let told = told(body).await;
        assert_has(&told, &becomes, body);
        assert_has(&told, &json!({"id": event["id"], "provider": "stripe"}), "event");
        let object = &event["data"]["object"];
        let payment = match object["object"].as_str() {
            Some("payment_intent") => object["id"].clone(),
            _ => object["payment_intent"].clone(),
        };
        assert_eq!(told["payment_reference"], payment);
        assert!(!told.to_string().contains("_secret_"), "a client secret is for the payer's browser alone");
    }
}

#[actix_web::test]
async fn events_of_subscriptions_say_how_they_stand() {
    for (body, becomes) in [
        (
            fixture!("event_customer_subscription_updated"),
            json!({"kind": "subscription", "attempt": attempt(4), "subscription": {"status": "active"}}),
        ),
        (
            fixture!("event_customer_subscription_deleted"),
            json!({"kind": "subscription_cancelled", "subscription": {"status": "cancelled"}}),
        ),
        (
            fixture!("event_invoice_paid"),
            json!({"kind": "subscription_charged", "attempt": attempt(4), "subscription": {
                "status": "active", "amount": {"minor_units": 1000, "currency": "EUR"}
            }}),
        ),
        (
            fixture!("event_invoice_payment_failed"),
            json!({"kind": "subscription_charge_failed", "subscription": {"status": "pending"}}),
        ),
    ] {
        let told = told(body).await;
        assert_has(&told, &becomes, body);
        assert!(told["subscription"]["reference"].as_str().unwrap().starts_with("sub_"));
    }
    let renewal =
        fixture!("event_invoice_payment_failed").replace("subscription_create", "subscription_cycle");
    assert_has(&told(&renewal).await, &json!({"subscription": {"status": "past_due"}}), "renewal");
}

#[actix_web::test]
async fn what_is_signed_and_no_event_is_refused() {
    for body in [
        "",
        "{}",
        "[]",
        "<xml/>",
        "{\"object\": \"event\"}",
        "{\"object\":\"event\",\"id\":\"evt_1\",\"type\":\"payment_intent.succeeded\",\"created\":1,\"data\":{\"object\":{}}}",
    ] {
        assert!(refusal(&posted(&signed(TIME, body), body)).await.contains("cannot be read"), "{body}");
    }
}
