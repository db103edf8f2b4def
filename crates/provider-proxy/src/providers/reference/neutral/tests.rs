//! The neutral operations against a stand-in on a socket.

use data_encoding::BASE64;
use wire::{
    ErrorKind,
    payment::{AttemptId, Header},
};

use super::*;
use crate::{
    policy::Gate,
    providers::{
        connect,
        reference::upstream::{NOTICE_KEY, Upstream, response, settings},
    },
};

fn attempt() -> AttemptId {
    "0192f0c1-8f5e-7abc-8def-0123456789ab".parse().unwrap()
}

/// What the provider says of a transaction.
fn described(status: &str, price: &str) -> String {
    json!({
        "resource_pk": "tx-1", "resource_name": "transactions", "resource_uri": "/transactions/tx-1",
        "uuid": "tx-1", "status": status, "token": "ab/c", "price": price, "currency": "EUR",
        "ext_transaction_id": attempt().to_string(),
    })
    .to_string()
}

fn checkout() -> Value {
    json!({
        "attempt": attempt().to_string(), "amount": {"minor_units": 99, "currency": "EUR"}, "capture": true,
        "return_url": "https://shop.test/paid", "cancel_url": "https://shop.test/failed", "product": "product:1",
    })
}

fn completion() -> Value {
    json!({
        "attempt": attempt().to_string(), "checkout": "tx-1",
        "amount": {"minor_units": 99, "currency": "EUR"}, "capture": true,
    })
}

async fn perform(upstream: &Upstream, operation: OperationName, request: &Value) -> Result<Value, ErrorKind> {
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.client.total_timeout = std::time::Duration::from_millis(300);
    settings.checkout = Some(CheckoutSettings {
        callback_url: "https://pay.test/webhooks/reference/".parse_base(),
        page_url: "https://page.test".parse_base(),
        region: "123".into(),
        carrier: "USA_TMOBILE".into(),
        pay_method: "OPERATOR".into(),
    });
    let connector = Reference::new(&settings).unwrap();
    let body = request.to_string();
    let reply = connect::perform(&connector, operation, body.as_bytes(), &Gate::open()).await;
    let reply: Value = serde_json::from_slice(&reply.map_err(|error| error.failure().kind)?).unwrap();
    Ok(reply["result"].clone())
}

trait ParseBase {
    fn parse_base(self) -> chassis::base_url::BaseUrl;
}

impl ParseBase for &str {
    fn parse_base(self) -> chassis::base_url::BaseUrl {
        chassis::base_url::BaseUrl::parse(self).unwrap()
    }
}

#[actix_web::test]
async fn a_checkout_starts_a_transaction_under_our_attempt() {
    let upstream = Upstream::answering(201, &described("STARTED", "0.99"));
    let answer = perform(&upstream, OperationName::StartCheckout, &checkout()).await.unwrap();
    assert_eq!(
        answer,
        json!({
            "outcome": "succeeded",
            "result": {"reference": "tx-1", "status": "STARTED", "url": "https://page.test/?tx=ab%2Fc"},
        })
    );
    let arrived = upstream.arrived().remove(0);
    assert_eq!((arrived.method.as_str(), arrived.target.as_str()), ("POST", "/transactions"));
    let sent: Value = serde_json::from_slice(&arrived.body).unwrap();
    assert_eq!(sent["ext_transaction_id"], attempt().to_string());
    assert_eq!(sent["callback_error_url"], "https://pay.test/webhooks/reference/");
    assert_eq!(sent["price"], "0.99");
}

#[actix_web::test]
async fn a_checkout_that_cannot_be_is_refused_before_anything_is_sent() {
    let upstream = Upstream::answering(201, &described("STARTED", "0.99"));
    for (field, value) in [
        ("capture", json!(false)),
        ("product", Value::Null),
        ("amount", json!({"minor_units": 0, "currency": "EUR"})),
        ("amount", json!({"minor_units": -1, "currency": "EUR"})),
        ("amount", json!({"minor_units": 99, "currency": "XXX"})),
        ("attempt", json!("f47ac10b-58cc-4372-a567-0e02b2c3d479")),
    ] {
        let mut request = checkout();
        request[field] = value;
        let kind = perform(&upstream, OperationName::StartCheckout, &request).await.unwrap_err();
        assert_eq!(kind, ErrorKind::InvalidRequest, "{field}");
    }
    assert!(upstream.arrived().is_empty());
}

#[actix_web::test]
async fn without_its_settings_no_checkout_is_started() {
    let upstream = Upstream::answering(201, "{}");
    let connector = upstream.connector();
    let body = checkout().to_string();
    let started =
        connect::perform(&connector, OperationName::StartCheckout, body.as_bytes(), &Gate::open()).await;
    assert_eq!(started.unwrap_err().failure().kind, ErrorKind::NotConfigured);
    assert!(upstream.arrived().is_empty());
}

#[actix_web::test]
async fn a_checkout_is_as_its_transaction_stands() {
    for (status, outcome, captured) in
        [("STARTED", "pending", 0), ("COMPLETED", "succeeded", 99), ("FAILED", "declined", 0)]
    {
        let upstream = Upstream::answering(200, &described(status, "0.99"));
        let answer = perform(&upstream, OperationName::CompleteCheckout, &completion()).await.unwrap();
        assert_eq!((&answer["outcome"], &answer["result"]["captured"]), (&json!(outcome), &json!(captured)));
        assert_eq!(answer["result"]["attempt"], attempt().to_string());
        assert_eq!(upstream.arrived()[0].target, "/transactions/tx-1");
    }
}

#[actix_web::test]
async fn another_amount_is_an_integrity_error_and_no_success() {
    for price in ["0.98", "9.90"] {
        let upstream = Upstream::answering(200, &described("COMPLETED", price));
        let kind = perform(&upstream, OperationName::CompleteCheckout, &completion()).await.unwrap_err();
        assert_eq!(kind, ErrorKind::Integrity, "{price}");
    }
    let upstream = Upstream::answering(201, &described("STARTED", "0.98"));
    let kind = perform(&upstream, OperationName::StartCheckout, &checkout()).await.unwrap_err();
    assert_eq!(kind, ErrorKind::Integrity);
}

#[actix_web::test]
async fn a_refusal_says_which_field_was_wrong() {
    let refused = r#"{"code": "InvalidArgument", "message": {"price": "not a price", "x": 1}}"#;
    let upstream = Upstream::answering(409, refused);
    let answer = perform(&upstream, OperationName::StartCheckout, &checkout()).await.unwrap();
    assert_eq!(
        answer,
        json!({"outcome": "rejected", "rejection": {
            "status": 409, "message": "InvalidArgument", "errors": [
                {"field": "price", "code": "InvalidArgument", "message": "not a price"},
                {"field": "x", "code": "InvalidArgument", "message": "1"},
            ],
        }})
    );
}

#[actix_web::test]
async fn what_cannot_be_understood_leaves_the_outcome_unknown() {
    for (status, body) in [
        (200, ""),
        (200, "<html>Welcome</html>"),
        (200, "{}"),
        (200, r#"{"error": {"code": "X"}}"#),
        (500, r#"{"code": "InternalError"}"#),
        (503, "<html>Busy</html>"),
        (302, ""),
        (200, &described("REFUNDED", "0.99")),
        (200, &described("STARTED", "a lot")),
    ] {
        let upstream = Upstream::answering(status, body);
        for (operation, request) in
            [(OperationName::StartCheckout, checkout()), (OperationName::CompleteCheckout, completion())]
        {
            let answer = perform(&upstream, operation, &request).await;
            if operation == OperationName::StartCheckout && body.contains("a lot") {
                assert_eq!(answer.unwrap_err(), ErrorKind::Integrity);
            } else if operation == OperationName::StartCheckout && body.contains("REFUNDED") {
                assert_eq!(answer.unwrap()["outcome"], "succeeded");
            } else {
                assert_eq!(answer.unwrap()["outcome"], "unknown", "{operation} {status} {body}");
            }
        }
    }
    let silent = Upstream::start(|_| None);
    let answer = perform(&silent, OperationName::StartCheckout, &checkout()).await.unwrap();
    assert_eq!(answer, json!({"outcome": "unknown", "reason": "No complete answer within 300ms."}));
}

#[actix_web::test]
async fn a_lookup_by_the_providers_id_says_how_the_payment_stands() {
    let by = |by: Value| json!({"attempt": attempt().to_string(), "by": by});
    let request = by(json!({"payment": {"reference": "tx-1"}}));
    let upstream = Upstream::answering(200, &described("COMPLETED", "0.99"));
    let answer = perform(&upstream, OperationName::Lookup, &request).await.unwrap();
    assert_eq!((&answer["found"], &answer["outcome"]["outcome"]), (&json!("payment"), &json!("succeeded")));
    let nothing = Upstream::answering(404, include_str!("../fixtures/refused_not_found.json"));
    let answer = perform(&nothing, OperationName::Lookup, &request).await.unwrap();
    assert_eq!(answer, json!({"found": "nothing"}));
    let broken = Upstream::answering(503, "");
    let kind = perform(&broken, OperationName::Lookup, &request).await.unwrap_err();
    assert_eq!(kind, ErrorKind::Protocol, "a read has no outcome");
    let of_attempt = by(json!({"payment_attempt": {"of": attempt().to_string()}}));
    let kind = perform(&upstream, OperationName::Lookup, &of_attempt).await.unwrap_err();
    assert_eq!((kind, upstream.arrived().len()), (ErrorKind::Unsupported, 1));
}

#[actix_web::test]
async fn it_is_healthy_when_it_takes_our_signature() {
    let request = json!({"attempt": attempt().to_string()});
    for (status, is_healthy) in [(404, true), (401, false), (500, false), (200, false)] {
        let upstream = Upstream::answering(status, "{}");
        let health = perform(&upstream, OperationName::Health, &request).await;
        assert_eq!(health.is_ok(), is_healthy, "{status}");
    }
}

/// A posted form, as `VerifyWebhook`.
fn webhook(form: &str) -> Value {
    let header = Header { name: "content-type".into(), value: "application/x-www-form-urlencoded".into() };
    json!({"headers": [header], "body": BASE64.encode(form.as_bytes())})
}

fn signed(payload: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<Sha256>::new_from_slice(NOTICE_KEY.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    format!("{payload}&sig=0:{}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

async fn verified(form: &str) -> Result<Value, ErrorKind> {
    let upstream = Upstream::answering(500, "");
    let answer = perform(&upstream, OperationName::VerifyWebhook, &webhook(form)).await;
    assert!(upstream.arrived().is_empty());
    answer
}

fn form_of(notice: &str) -> String {
    format!("signed_notice={}", crate::providers::reference::messages::encoded(notice))
}

#[actix_web::test]
async fn a_signed_notice_is_an_event_with_an_id_of_its_own() {
    let success = signed(&format!("ext_transaction_id={}&price=0.99&currency=EUR", attempt()));
    let event = verified(&form_of(&success)).await.unwrap();
    assert_eq!((&event["kind"], &event["provider_kind"]), (&json!("payment"), &json!("success")));
    assert_eq!(event["attempt"], attempt().to_string());
    assert_eq!(event["body"]["price"], "0.99");
    assert_eq!(verified(&form_of(&success)).await.unwrap()["id"], event["id"], "the same again");
    let failure = signed(&format!("ext_transaction_id={}&error=CC_ERROR", attempt()));
    let failed = verified(&form_of(&failure)).await.unwrap();
    assert_ne!(failed["id"], event["id"]);
    assert_eq!(failed["payment"]["outcome"], "declined");
    assert_eq!(failed["payment"]["decline"]["code"], "CC_ERROR");
}

#[actix_web::test]
async fn what_is_not_signed_is_not_believed() {
    let good = signed("ext_transaction_id=x");
    for form in [
        String::new(),
        "signed_notice=".into(),
        form_of("ext_transaction_id=x"),
        form_of(&good.replace("=x", "=y")),
        format!("{}&{}", form_of(&good), form_of(&good)),
        good.clone(),
    ] {
        assert_eq!(verified(&form).await.unwrap_err(), ErrorKind::InvalidSignature, "{form}");
    }
    let upstream = Upstream::answering(500, "");
    let request = json!({"headers": [], "body": "!"});
    let kind = perform(&upstream, OperationName::VerifyWebhook, &request).await.unwrap_err();
    assert_eq!(kind, ErrorKind::InvalidRequest);
}

#[actix_web::test]
async fn what_it_does_not_offer_is_never_sent() {
    let upstream = Upstream::start(|_| Some(response(200, "", "{}")));
    for operation in OperationName::ALL {
        let row = super::super::CAPABILITIES.iter().find(|row| row.operation == operation).unwrap();
        if !row.supported {
            let kind = perform(&upstream, operation, &json!({})).await.unwrap_err();
            assert_eq!(kind, ErrorKind::Unsupported, "{operation}");
        }
    }
    assert!(upstream.arrived().is_empty());
}
