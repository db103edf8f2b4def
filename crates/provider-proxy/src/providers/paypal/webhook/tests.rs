//! What is believed of a webhook, and what is not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use wire::{ErrorKind, payment::Header};

use super::*;
use crate::providers::{
    connect::Connect,
    paypal::{
        Paypal,
        upstream::{Upstream, WEBHOOK_ID, response},
    },
    posted::WallClock,
};

const KEY: &str = include_str!("../fixtures/webhook-key.pem");
const CERTIFICATE: &str = include_str!("../fixtures/webhook-certificate.pem");
const COMPLETED: &str = include_str!("../fixtures/webhook_payment_capture_completed.json");
const APPROVED: &str = include_str!("../fixtures/webhook_checkout_order_approved.json");
const NAME: &str = "/v1/notifications/certs/CERT-1";
/// 2027-01-15T08:00:00Z.
const NOW: u64 = 1_800_000_000;
const TIME: &str = "2027-01-15T08:00:00Z";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

fn upstream() -> Upstream {
    Upstream::of(|arrived| {
        let found = arrived.target == NAME;
        let (status, body) = if found { (200, CERTIFICATE) } else { (404, "") };
        Some(response(status, "application/x-pem-file", body))
    })
}

fn connector(upstream: &Upstream) -> Paypal {
    upstream.connector_at(WallClock::of(now))
}

fn sign(message: &str) -> String {
    let der: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let key = RsaKeyPair::from_pkcs8(&BASE64.decode(der.as_bytes()).unwrap()).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    BASE64.encode(&signature)
}

/// A webhook as PayPal posts it, signed at a time for a webhook's id.
fn posted(upstream: &Upstream, time: &str, id: &str, body: &str) -> VerifyWebhook {
    let signature = sign(&format!("transmission|{time}|{id}|{}", crc32(body.as_bytes())));
    let headers = [
        ("paypal-transmission-id", "transmission".to_owned()),
        ("paypal-transmission-time", time.to_owned()),
        ("paypal-transmission-sig", signature),
        ("paypal-cert-url", format!("http://{}{NAME}", upstream.address)),
        ("paypal-auth-algo", "SHA256withRSA".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    let headers = headers.map(|(name, value)| Header { name: name.into(), value });
    VerifyWebhook { headers: headers.into(), body: BASE64.encode(body.as_bytes()) }
}

fn with(mut webhook: VerifyWebhook, name: &str, value: &str) -> VerifyWebhook {
    let header = webhook.headers.iter_mut().find(|header| header.name == name).unwrap();
    header.value = value.to_owned();
    webhook
}

/// Why it is refused.
async fn refused(upstream: &Upstream, webhook: &VerifyWebhook) -> String {
    let failure = connector(upstream).verify_webhook(webhook).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::InvalidSignature, "{}", failure.message);
    failure.message
}

#[test]
fn the_checksum_is_the_one_of_the_protocol() {
    assert_eq!(crc32(b"{\"id\":\"WH-1\"}"), 838_965_618);
}

#[actix_web::test]
async fn a_signed_webhook_is_an_event_in_our_terms() {
    let upstream = upstream();
    let webhook = posted(&upstream, TIME, WEBHOOK_ID, COMPLETED);
    let event = connector(&upstream).verify_webhook(&webhook).await.unwrap();
    let body: Value = serde_json::from_str(COMPLETED).unwrap();
    assert_eq!((event.kind, event.provider_kind.as_str()), (EventKind::Payment, "PAYMENT.CAPTURE.COMPLETED"));
    assert_eq!(Some(event.id.as_str()), body["id"].as_str());
    assert_eq!(event.occurred.as_deref(), body["create_time"].as_str());
    assert_eq!(event.attempt.unwrap().to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
    let Some(Outcome::Succeeded { result }) = event.payment else { panic!("a payment") };
    assert_eq!((result.amount.minor_units, result.captured), (1000, 1000));
    assert_eq!(event.payment_reference.as_ref(), Some(&result.reference));
    assert_eq!(event.body, body);
}

#[actix_web::test]
async fn an_approved_order_waits_to_be_completed() {
    let upstream = upstream();
    let webhook = posted(&upstream, TIME, WEBHOOK_ID, APPROVED);
    let event = connector(&upstream).verify_webhook(&webhook).await.unwrap();
    let Some(Outcome::Pending { result }) = event.payment else { panic!("a payment") };
    assert_eq!((result.status.as_str(), result.captured), ("APPROVED", 0));
}

#[actix_web::test]
async fn each_webhook_of_the_settings_is_known_and_no_other() {
    let upstream = upstream();
    for id in [WEBHOOK_ID, "WH-OLD"] {
        let webhook = posted(&upstream, TIME, id, COMPLETED);
        assert!(connector(&upstream).verify_webhook(&webhook).await.is_ok(), "{id}");
    }
    for id in ["WH-OTHER", ""] {
        let webhook = posted(&upstream, TIME, id, COMPLETED);
        assert_eq!(refused(&upstream, &webhook).await, "signature mismatch", "{id}");
    }
}

#[actix_web::test]
async fn what_was_signed_too_early_or_late_is_refused() {
    let upstream = upstream();
    for (time, problem) in [
        ("2027-01-15T07:54:59Z", Some("ago")),
        ("2027-01-15T07:55:00Z", None),
        ("2027-01-15T08:05:00Z", None),
        ("2027-01-15T08:05:01Z", Some("ahead")),
        ("2027-01-15T09:00:00+01:00", None),
    ] {
        let webhook = posted(&upstream, time, WEBHOOK_ID, COMPLETED);
        match problem {
            None => assert!(connector(&upstream).verify_webhook(&webhook).await.is_ok(), "{time}"),
            Some(word) => assert!(refused(&upstream, &webhook).await.contains(word), "{time}"),
        }
    }
    let fetched = upstream.arrived().len();
    assert_eq!(fetched, 3, "no certificate is fetched for what is refused");
}

#[actix_web::test]
async fn what_was_changed_is_refused() {
    let upstream = upstream();
    let good = || posted(&upstream, TIME, WEBHOOK_ID, COMPLETED);
    let mut body = good();
    body.body = BASE64.encode(COMPLETED.replace("10.00", "1.00").as_bytes());
    for (webhook, message) in [
        (body, "signature mismatch"),
        (with(good(), "paypal-transmission-id", "another"), "signature mismatch"),
        (with(good(), "paypal-transmission-sig", "AAAA"), "signature mismatch"),
        (with(good(), "paypal-transmission-sig", "?"), "the paypal-transmission-sig is malformed"),
        (with(good(), "paypal-transmission-id", "a|b"), "the paypal-transmission-id is malformed"),
        (with(good(), "paypal-transmission-time", "yesterday"), "the paypal-transmission-time is malformed"),
        (with(good(), "paypal-auth-algo", "none"), "the paypal-auth-algo is malformed"),
        (
            with(good(), "paypal-cert-url", "http://evil.example/v1/notifications/certs/CERT-1"),
            "the paypal-cert-url is malformed",
        ),
    ] {
        assert_eq!(refused(&upstream, &webhook).await, message);
    }
}

#[actix_web::test]
async fn a_header_that_is_missing_or_there_twice_is_refused() {
    let upstream = upstream();
    for index in 0..5 {
        let mut webhook = posted(&upstream, TIME, WEBHOOK_ID, COMPLETED);
        let header = webhook.headers.remove(index);
        assert_eq!(refused(&upstream, &webhook).await, format!("there is no {}", header.name));
        webhook.headers.extend([header.clone(), header.clone()]);
        assert_eq!(refused(&upstream, &webhook).await, format!("there is more than one {}", header.name));
    }
}

#[actix_web::test]
async fn a_certificate_is_fetched_once_for_all_workers_and_only_used_while_it_is_valid() {
    let upstream = upstream();
    let settings = upstream.settings();
    for _ in 0..3 {
        let connector = Paypal::with_clock(&settings, WallClock::of(now)).unwrap();
        let webhook = posted(&upstream, TIME, WEBHOOK_ID, COMPLETED);
        assert!(connector.verify_webhook(&webhook).await.is_ok());
    }
    assert_eq!(upstream.arrived().len(), 1);
    let late = || UNIX_EPOCH + Duration::from_secs(7_258_118_400);
    let connector = Paypal::with_clock(&settings, WallClock::of(late)).unwrap();
    let webhook = posted(&upstream, "2200-01-01T00:00:00Z", WEBHOOK_ID, COMPLETED);
    let failure = connector.verify_webhook(&webhook).await.unwrap_err().failure();
    assert_eq!(failure.message, "the webhook is signed with an unknown key");
}

#[actix_web::test]
async fn a_certificate_that_cannot_be_had_is_no_verdict() {
    let upstream = Upstream::answering(500, "{}");
    let webhook = posted(&upstream, TIME, WEBHOOK_ID, COMPLETED);
    let failure = connector(&upstream).verify_webhook(&webhook).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::Protocol);
    let upstream = Upstream::answering(200, "<html>");
    let webhook = posted(&upstream, TIME, WEBHOOK_ID, COMPLETED);
    let failure = connector(&upstream).verify_webhook(&webhook).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::Protocol);
}

#[actix_web::test]
async fn what_is_signed_and_no_event_is_refused() {
    let upstream = upstream();
    for body in
        ["", "[]", "{}", r#"{"id":"1"}"#, "<html>", r#"{"id":"1","event_type":"PAYMENT.CAPTURE.REFUNDED"}"#]
    {
        let webhook = posted(&upstream, TIME, WEBHOOK_ID, body);
        assert!(refused(&upstream, &webhook).await.contains("cannot be read"), "{body}");
    }
}

#[test]
fn every_kind_of_event_has_its_place() {
    for (event_type, expected) in [
        ("CHECKOUT.ORDER.APPROVED", EventKind::Payment),
        ("PAYMENT.CAPTURE.COMPLETED", EventKind::Payment),
        ("PAYMENT.CAPTURE.PENDING", EventKind::Payment),
        ("PAYMENT.CAPTURE.DECLINED", EventKind::Payment),
        ("PAYMENT.AUTHORIZATION.VOIDED", EventKind::Payment),
        ("PAYMENT.CAPTURE.REFUNDED", EventKind::Refund),
        ("PAYMENT.REFUND.FAILED", EventKind::Refund),
        ("CUSTOMER.DISPUTE.CREATED", EventKind::Dispute),
        ("CUSTOMER.DISPUTE.UPDATED", EventKind::Dispute),
        ("CUSTOMER.DISPUTE.RESOLVED", EventKind::Dispute),
        ("VAULT.PAYMENT-TOKEN.CREATED", EventKind::Other),
        ("SOMETHING.NEW", EventKind::Other),
    ] {
        assert_eq!(kind(event_type), expected, "{event_type}");
    }
}

#[test]
fn a_dispute_and_a_refund_name_our_attempt() {
    let attempt = "01890a5d-ac96-774b-bcce-b302099a8057";
    let refund: Value = serde_json::from_str(include_str!("../fixtures/refund.json")).unwrap();
    for (event_type, resource) in [
        ("PAYMENT.CAPTURE.REFUNDED", refund),
        ("CUSTOMER.DISPUTE.CREATED", serde_json::json!({"disputed_transactions": [{"custom": attempt}]})),
        ("PAYMENT.AUTHORIZATION.VOIDED", serde_json::json!({"custom_id": attempt})),
    ] {
        let body = serde_json::json!({"id": "WH-1", "event_type": event_type, "resource": resource});
        let event = event(body).unwrap();
        assert_eq!(
            event.attempt.map(|attempt| attempt.to_string()).as_deref(),
            Some(attempt),
            "{event_type}"
        );
    }
}
