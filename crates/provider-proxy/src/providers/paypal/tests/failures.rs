//! Silence, nonsense and lies.

use std::{net::TcpListener, time::Duration};

use serde_json::json;
use wire::{
    ErrorKind,
    payment::{OperationName, Outcome},
};

use super::*;
use crate::policy::Gate;
use crate::providers::{
    connect::{self, Connect},
    paypal::{
        Paypal,
        upstream::{CLIENT_ID, CLIENT_SECRET, Upstream, response, settings},
    },
};

async fn refunded(upstream: &Upstream) -> Outcome<wire::payment::Refunded> {
    upstream.connector().refund(&refund(Some("CAPTURE1"))).await.unwrap()
}

#[actix_web::test]
async fn an_answer_that_is_none_is_an_unknown_outcome() {
    for (status, content_type, body) in [
        (201, "application/json", ""),
        (201, "application/json", "<html>"),
        (201, "application/json", "{}"),
        (201, "application/json", "[]"),
        (201, "application/json", "null"),
        (201, "text/html", fixture!("refund")),
        (200, "application/json", fixture!("refused_instrument_declined")),
        (201, "application/json", r#"{"id":"1","status":"COMPLETED"}"#),
        (
            201,
            "application/json",
            r#"{"id":"1","status":"NEW","amount":{"currency_code":"EUR","value":"4.00"}}"#,
        ),
        (
            201,
            "application/json",
            r#"{"id":"1","status":"COMPLETED","amount":{"currency_code":"EUR","value":"-4"}}"#,
        ),
        (204, "application/json", ""),
        (404, "text/html", "<html>nginx</html>"),
        (422, "application/json", ""),
        (500, "application/json", "{}"),
        (502, "text/html", "<html>"),
        (503, "application/json", fixture!("refused_instrument_declined")),
        (302, "text/html", ""),
        (304, "text/html", ""),
    ] {
        let bytes = response(status, content_type, body);
        let upstream = Upstream::of(move |_| Some(bytes.clone()));
        assert_eq!(refunded(&upstream).await.name(), "unknown", "{status} {content_type} {body}");
        assert_eq!(upstream.arrived().len(), 1, "nothing is tried again");
    }
}

#[actix_web::test]
async fn a_connection_that_breaks_is_an_unknown_outcome() {
    let whole = response(201, "application/json", fixture!("refund"));
    for bytes in [Vec::new(), whole[..whole.len() / 2].to_vec(), whole[..whole.len() - 1].to_vec()] {
        let upstream = Upstream::of(move |_| Some(bytes.clone()));
        assert_eq!(refunded(&upstream).await.name(), "unknown");
        assert_eq!(upstream.arrived().len(), 1);
    }
}

#[actix_web::test]
async fn silence_is_an_unknown_outcome() {
    let upstream = Upstream::of(|_| None);
    let mut settings = upstream.settings();
    settings.client.total_timeout = Duration::from_millis(200);
    let outcome = Paypal::new(&settings).unwrap().refund(&refund(Some("CAPTURE1"))).await.unwrap();
    assert_eq!(outcome, Outcome::Unknown { reason: "No complete answer within 200ms.".into() });
}

#[actix_web::test]
async fn an_order_that_is_not_one_of_ours_is_an_unknown_outcome() {
    let two = {
        let mut order: serde_json::Value = serde_json::from_str(fixture!("order_captured")).unwrap();
        let unit = order["purchase_units"][0].clone();
        order["purchase_units"].as_array_mut().unwrap().push(unit);
        order.to_string()
    };
    let empty = fixture!("order_captured").replace("\"captures\"", "\"nothing\"");
    for body in [two, empty] {
        let upstream = Upstream::answering(201, &body);
        let outcome = upstream.connector().authorize(&authorize("card:a", true)).await.unwrap();
        assert_eq!(outcome.name(), "unknown", "{body}");
    }
}

#[actix_web::test]
async fn an_answer_about_another_attempt_or_order_is_not_believed() {
    let other = AttemptId::new().to_string();
    let refund_of_other = fixture!("refund").replace(ATTEMPT, &other);
    assert_eq!(refunded(&Upstream::answering(201, &refund_of_other)).await.name(), "unknown");
    let paid = fixture!("order_captured").replace(ATTEMPT, &other);
    let outcome =
        Upstream::answering(201, &paid).connector().authorize(&authorize("card:a", true)).await.unwrap();
    assert_eq!(outcome.name(), "unknown");
    let started = fixture!("order_payer_action_required").replace(ATTEMPT, &other);
    let outcome = Upstream::answering(201, &started).connector().start_checkout(&start(true)).await.unwrap();
    assert_eq!(outcome.name(), "unknown");
    let upstream = Upstream::answering(200, &fixture!("order_approved").replace("ORDER1", "ORDER2"));
    let failure = upstream.connector().complete_checkout(&complete(1000, true)).await.unwrap_err().failure();
    assert_eq!((failure.kind, upstream.arrived().len()), (ErrorKind::Protocol, 1), "only read");
}

#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Upstream::answering(200, "{}");
    let location = format!("Location: http://{}/x\r\n", elsewhere.address);
    let text = format!("HTTP/1.1 307 X\r\n{location}Connection: close\r\nContent-Length: 0\r\n\r\n");
    let upstream = Upstream::of(move |_| Some(text.clone().into_bytes()));
    let Outcome::Unknown { reason } = refunded(&upstream).await else { panic!("unknown") };
    assert!(!reason.contains("http"), "{reason}");
    assert!(elsewhere.arrived().is_empty());
}

#[actix_web::test]
async fn another_amount_is_no_success() {
    let body = json!({"attempt": ATTEMPT, "payment": "ORDER1", "capture": "CAPTURE1",
        "amount": {"minor_units": 399, "currency": "EUR"}});
    for (currency, value) in [("EUR", "4.00"), ("USD", "3.99")] {
        let amount = json!({"currency_code": currency, "value": value});
        let answer = json!({"id": "R", "status": "COMPLETED", "amount": amount}).to_string();
        let connector = Upstream::answering(201, &answer).connector();
        let performed =
            connect::perform(&connector, OperationName::Refund, body.to_string().as_bytes(), &Gate::open())
                .await;
        assert_eq!(performed.unwrap_err().failure().kind, ErrorKind::Integrity, "{currency}");
    }
    let connector = Upstream::answering(201, fixture!("order_payer_action_required")).connector();
    let request = StartCheckout { amount: euro(999), ..start(true) };
    let failure = connector.start_checkout(&request).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::Integrity);
}

#[actix_web::test]
async fn where_nobody_listens_nothing_was_sent() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let connector = Paypal::new(&settings(&format!("http://{free}"))).unwrap();
    let failure = connector.refund(&refund(Some("CAPTURE1"))).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::Connect);
}

#[actix_web::test]
async fn a_provider_that_echoes_the_request_reveals_no_credential() {
    for status in [201, 422] {
        let upstream = Upstream::of(move |arrived| {
            let header = arrived.header("authorization").unwrap();
            let echo = format!("{header} {CLIENT_ID} {CLIENT_SECRET}");
            let body = match status {
                201 => json!({"id": echo, "status": "COMPLETED", "custom_id": echo,
                    "amount": {"currency_code": "EUR", "value": "4.00"}}),
                _ => json!({"name": "X", "message": echo, "details": [{"issue": echo, "description": echo}]}),
            };
            Some(response(status, "application/json", &body.to_string()))
        });
        let body = serde_json::to_vec(&refund(Some("CAPTURE1"))).unwrap();
        let performed = connect::perform(&upstream.connector(), OperationName::Refund, &body, &Gate::open())
            .await
            .unwrap();
        let text = String::from_utf8(performed).unwrap();
        assert!(text.contains("[withheld]"), "{text}");
        for secret in [CLIENT_ID, CLIENT_SECRET, "dummy-token-0"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
