//! What becomes of each answer.

use wire::payment::{Advice, Found, HealthRequest, Outcome};

use super::*;
use crate::providers::{connect::Connect, paypal::upstream::Upstream};

/// What a looked up order comes to.
async fn order_as(body: &str) -> Outcome<wire::payment::Payment> {
    let upstream = Upstream::answering(200, body);
    let by = LookupBy::Payment { reference: "ORDER1".into() };
    match upstream.connector().lookup(&lookup(by)).await.unwrap() {
        Found::Payment { outcome } => outcome,
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn an_order_stands_as_its_payments_do() {
    for (body, name, status, captured, refunded) in [
        (fixture!("order_payer_action_required"), "requires_action", "PAYER_ACTION_REQUIRED", 0, 0),
        (fixture!("order_three_d_secure"), "requires_action", "PAYER_ACTION_REQUIRED", 0, 0),
        (fixture!("order_approved"), "pending", "APPROVED", 0, 0),
        (fixture!("order_captured"), "succeeded", "COMPLETED", 1000, 0),
        (fixture!("order_refunded"), "succeeded", "PARTIALLY_REFUNDED", 1000, 400),
        (fixture!("order_pending"), "pending", "PENDING", 0, 0),
        (fixture!("order_authorized"), "succeeded", "CREATED", 0, 0),
        (fixture!("order_partially_captured"), "succeeded", "PARTIALLY_CAPTURED", 1000, 0),
        (fixture!("order_card_declined"), "declined", "DECLINED", 0, 0),
        (fixture!("order_card_denied"), "declined", "DENIED", 0, 0),
    ] {
        let outcome = order_as(body).await;
        let payment = outcome.result().unwrap();
        assert_eq!((outcome.name(), payment.status.as_str()), (name, status));
        assert_eq!((payment.captured, payment.refunded), (captured, Some(refunded)), "{status}");
        assert_eq!((payment.attempt, payment.voided), (Some(attempt()), false), "{status}");
    }
}

#[actix_web::test]
async fn a_voided_order_or_authorization_is_voided() {
    let text = fixture!("order_authorized").replace("\"CREATED\"", "\"VOIDED\"");
    let outcome = order_as(&text).await;
    assert_eq!((outcome.name(), outcome.result().unwrap().voided), ("succeeded", true));
    let text = fixture!("order_approved").replace("\"APPROVED\"", "\"VOIDED\"");
    let outcome = order_as(&text).await;
    assert_eq!((outcome.name(), outcome.result().unwrap().voided), ("declined", true));
}

#[actix_web::test]
async fn a_declined_card_says_what_may_help() {
    for (body, code, advice) in [
        (fixture!("order_card_declined"), "5120", Advice::Retry),
        (fixture!("order_card_denied"), "9520", Advice::Never),
    ] {
        let Outcome::Declined { decline, .. } = order_as(body).await else { panic!("a decline") };
        assert_eq!((decline.code.as_str(), decline.advice), (code, advice));
    }
}

#[actix_web::test]
async fn each_refusal_of_an_execution_becomes_what_it_means() {
    for (status, body, name) in [
        (422, fixture!("refused_instrument_declined"), "declined"),
        (422, fixture!("refused_transaction_refused"), "declined"),
        (422, fixture!("refused_duplicate_invoice_id"), "unknown"),
        (409, fixture!("refused_previous_request_in_progress"), "unknown"),
        (422, fixture!("refused_capture_fully_refunded"), "rejected"),
        (404, fixture!("refused_not_found"), "rejected"),
    ] {
        let upstream = Upstream::in_turn(&[(200, fixture!("order_approved")), (status, body)]);
        let outcome = upstream.connector().complete_checkout(&complete(1000, true)).await.unwrap();
        assert_eq!(outcome.name(), name, "{body}");
        assert!(outcome.result().is_none());
    }
}

#[actix_web::test]
async fn a_decline_and_a_rejection_keep_paypal_s_own_words() {
    let upstream = Upstream::in_turn(&[
        (200, fixture!("order_approved")),
        (422, fixture!("refused_instrument_declined")),
    ]);
    let outcome = upstream.connector().complete_checkout(&complete(1000, true)).await.unwrap();
    let Outcome::Declined { decline, .. } = outcome else { panic!("a decline") };
    assert_eq!((decline.code.as_str(), decline.advice), ("INSTRUMENT_DECLINED", Advice::OtherMethod));
    assert!(decline.message.contains("declined by the processor"), "{}", decline.message);
    let upstream = Upstream::answering(422, fixture!("refused_refund_amount_exceeded"));
    let outcome = upstream.connector().refund(&refund(Some("CAPTURE1"))).await.unwrap();
    let Outcome::Rejected { rejection } = outcome else { panic!("a rejection") };
    assert_eq!((rejection.status, rejection.errors[0].code.as_str()), (422, "REFUND_AMOUNT_EXCEEDED"));
}

#[actix_web::test]
async fn an_order_that_somebody_else_executed_is_read_again() {
    for (refusal, after, name) in [
        (fixture!("refused_order_already_captured"), fixture!("order_captured"), "succeeded"),
        (fixture!("refused_order_not_approved"), fixture!("order_payer_action_required"), "requires_action"),
    ] {
        let upstream = Upstream::in_turn(&[(200, fixture!("order_approved")), (422, refusal), (200, after)]);
        let outcome = upstream.connector().complete_checkout(&complete(1000, true)).await.unwrap();
        assert_eq!(outcome.name(), name);
        assert_eq!(upstream.arrived().len(), 3);
    }
}

#[actix_web::test]
async fn a_pending_refund_is_pending_and_a_failed_one_has_failed() {
    for (from, to, name) in [
        ("PENDING", "PENDING", "pending"),
        ("PENDING", "FAILED", "declined"),
        ("PENDING", "CANCELLED", "declined"),
        ("PENDING", "COMPLETED", "succeeded"),
    ] {
        let body = fixture!("refund_pending").replace(from, to);
        let upstream = Upstream::answering(201, &body);
        let outcome = upstream.connector().refund(&refund(Some("CAPTURE1"))).await.unwrap();
        assert_eq!(outcome.name(), name, "{to}");
    }
}

#[actix_web::test]
async fn a_refund_is_found_by_its_attempt_among_those_of_its_order() {
    for (of, is_there) in [(attempt(), true), (AttemptId::new(), false)] {
        let upstream = Upstream::answering(200, fixture!("order_refunded"));
        let by = LookupBy::RefundAttempt { of, payment: "ORDER1".into() };
        let found = upstream.connector().lookup(&lookup(by)).await.unwrap();
        assert_eq!(matches!(found, Found::Refund { .. }), is_there, "{found:?}");
    }
}

#[actix_web::test]
async fn a_payment_is_found_by_a_capture_of_it() {
    let upstream = Upstream::in_turn(&[
        (404, fixture!("refused_not_found")),
        (200, fixture!("capture_of_order")),
        (200, fixture!("order_captured")),
    ]);
    let by = LookupBy::Payment { reference: "CAPTURE1".into() };
    let found = upstream.connector().lookup(&lookup(by)).await.unwrap();
    assert!(matches!(found, Found::Payment { outcome: Outcome::Succeeded { .. } }), "{found:?}");
}

#[actix_web::test]
async fn what_is_not_there_is_nothing_and_what_is_not_said_is_no_nothing() {
    let by = || lookup(LookupBy::Refund { reference: "REFUND1".into() });
    let upstream = Upstream::answering(404, fixture!("refused_not_found"));
    assert_eq!(upstream.connector().lookup(&by()).await.unwrap(), Found::Nothing);
    for (status, body) in [
        (404, "<html>"),
        (422, fixture!("refused_vault_id")),
        (409, fixture!("refused_previous_request_in_progress")),
        (500, "{}"),
        (503, ""),
    ] {
        let failure =
            Upstream::answering(status, body).connector().lookup(&by()).await.unwrap_err().failure();
        assert_eq!(failure.kind, wire::ErrorKind::Protocol, "{status} {body}");
    }
}

#[actix_web::test]
async fn an_attempt_that_paypal_knows_is_its_order_and_no_other() {
    let of = AttemptId::new();
    let body = fixture!("order_captured").replace(ATTEMPT, &of.to_string());
    let by = || lookup(LookupBy::PaymentAttempt { of });
    let found = Upstream::answering(200, &body).connector().lookup(&by()).await.unwrap();
    assert!(matches!(found, Found::Payment { outcome: Outcome::Succeeded { .. } }), "{found:?}");
    for (status, body) in [
        (200, fixture!("order_captured")),
        (409, fixture!("refused_previous_request_in_progress")),
        (422, fixture!("refused_duplicate_invoice_id")),
    ] {
        let failure =
            Upstream::answering(status, body).connector().lookup(&by()).await.unwrap_err().failure();
        assert_eq!(failure.kind, wire::ErrorKind::Protocol, "{status}");
    }
}

#[actix_web::test]
async fn paypal_is_healthy_when_it_takes_our_token() {
    let request = HealthRequest { attempt: attempt() };
    let upstream = Upstream::answering(404, fixture!("refused_not_found"));
    assert!(upstream.connector().health(&request).await.is_ok());
    for (status, body) in [(404, "<html>"), (200, "{}"), (403, "{}"), (500, "")] {
        let failure = Upstream::answering(status, body).connector().health(&request).await.unwrap_err();
        assert_eq!(failure.failure().kind, wire::ErrorKind::Protocol, "{status}");
    }
}
