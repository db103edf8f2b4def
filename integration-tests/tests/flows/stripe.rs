//! Every operation that Stripe offers, through provider-proxy's connector against the sandbox's Stripe.

use integration_tests::{client::Client, in_process::Operator};
use serde_json::{Value, json};
use wire::{
    Currency, Money,
    payment::{
        Advice, AttemptId, Authorize, Capture, Found, LookupBy, Outcome, Payment, Provider, Refund, Source,
        Void, operations,
    },
};

use super::asking::{look_up, payment_of, succeeded};

const INTENTS: &str = "/v1/payment_intents";

pub(crate) fn stripe() -> Operator {
    Operator::of(Provider::Stripe)
}

pub(crate) fn money(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

pub(crate) fn authorize(nonce: &str, capture: bool) -> Authorize {
    Authorize {
        attempt: AttemptId::new(),
        amount: money(1000),
        source: Source::Nonce { nonce: nonce.into() },
        capture,
        description: None,
        return_url: Some("https://shop.example.test/back".to_owned()),
        metadata: [("order".to_owned(), "6735".to_owned())].into(),
    }
}

pub(crate) async fn pay(operator: &Operator, nonce: &str, capture: bool) -> Payment {
    let request = authorize(nonce, capture);
    succeeded(operator.result::<operations::Authorize>(&request).await)
}

fn capture(payment: &str, minor_units: i64, last: bool) -> Capture {
    Capture { attempt: AttemptId::new(), payment: payment.to_owned(), amount: money(minor_units), last }
}

fn refund(payment: &str, minor_units: i64) -> Refund {
    Refund {
        attempt: AttemptId::new(),
        payment: payment.to_owned(),
        capture: None,
        amount: money(minor_units),
    }
}

#[actix_web::test]
async fn a_payment_is_charged_once_however_often_it_is_asked_for() {
    let operator = stripe();
    let request = authorize("pm_card_visa", true);
    let first = succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!((first.amount, first.captured, first.attempt), (money(1000), 1000, Some(request.attempt)));
    assert_eq!(first.payment_method.as_ref().unwrap().last4.as_deref(), Some("4242"));
    let again = succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!(again, first);
    assert_eq!(operator.ledger(request.attempt).await, [("charge".to_owned(), "10.00 EUR".to_owned())]);
}

#[actix_web::test]
async fn an_authorization_is_captured_in_parts_and_refunded_in_parts() {
    let operator = stripe();
    let held = pay(&operator, "pm_card_visa", false).await;
    assert_eq!((held.captured, held.voided), (0, false));
    let (first, last) = (capture(&held.reference, 300, false), capture(&held.reference, 500, true));
    for request in [&first, &first, &last] {
        let captured = succeeded(operator.result::<operations::Capture>(request).await);
        assert_eq!((captured.amount, &captured.reference), (request.amount, &held.reference));
    }
    assert_eq!(operator.ledger(first.attempt).await, [("charge".to_owned(), "3.00 EUR".to_owned())]);
    assert_eq!(operator.ledger(last.attempt).await, [("charge".to_owned(), "5.00 EUR".to_owned())]);
    // Nothing is left of it.
    let more = operator.result::<operations::Capture>(&capture(&held.reference, 1, true)).await;
    assert!(matches!(more, Outcome::Rejected { .. }), "{more:?}");
    let request = refund(&held.reference, 200);
    for _ in 0..2 {
        let refunded = succeeded(operator.result::<operations::Refund>(&request).await);
        assert_eq!((refunded.amount, refunded.attempt), (money(200), Some(request.attempt)));
    }
    assert_eq!(operator.ledger(request.attempt).await, [("refund".to_owned(), "2.00 EUR".to_owned())]);
    let above = refund(&held.reference, 601);
    let outcome = operator.result::<operations::Refund>(&above).await;
    let Outcome::Rejected { rejection } = outcome else { panic!("{outcome:?}") };
    assert_eq!((rejection.status, rejection.errors[0].field.as_deref()), (400, Some("amount")));
    assert!(operator.ledger(above.attempt).await.is_empty());
    let found = look_up(&operator, LookupBy::Payment { reference: held.reference.clone() }).await;
    let Found::Payment { outcome } = found else { panic!("{found:?}") };
    let now = succeeded(outcome);
    assert_eq!((now.captured, now.refunded), (800, Some(200)));
}

#[actix_web::test]
async fn an_authorization_is_given_up_once_and_is_gone() {
    let operator = stripe();
    let held = pay(&operator, "pm_card_visa", false).await;
    for _ in 0..2 {
        // Each with an attempt of its own: what is given up stays so.
        let request = Void { attempt: AttemptId::new(), payment: held.reference.clone() };
        let gone = succeeded(operator.result::<operations::Void>(&request).await);
        assert!(gone.voided);
    }
    let outcome = operator.result::<operations::Capture>(&capture(&held.reference, 1000, true)).await;
    assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
    let paid = pay(&operator, "pm_card_visa", true).await;
    let request = Void { attempt: AttemptId::new(), payment: paid.reference };
    let outcome = operator.result::<operations::Void>(&request).await;
    assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
}

#[actix_web::test]
async fn a_declined_card_says_why_and_moves_nothing() {
    let operator = stripe();
    for (nonce, code, advice) in [
        ("pm_card_visa_chargeDeclined", "generic_decline", Advice::Retry),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds", Advice::Retry),
        ("pm_card_visa_chargeDeclinedStolenCard", "stolen_card", Advice::Never),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", Advice::OtherMethod),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", Advice::OtherMethod),
    ] {
        let request = authorize(nonce, true);
        let outcome = operator.result::<operations::Authorize>(&request).await;
        let Outcome::Declined { decline, result: Some(payment) } = outcome else { panic!("{outcome:?}") };
        assert_eq!((decline.code.as_str(), decline.advice, payment.captured), (code, advice, 0));
        assert!(operator.ledger(request.attempt).await.is_empty());
        assert!(matches!(payment_of(&operator, request.attempt).await, Outcome::Declined { .. }));
    }
}

#[actix_web::test]
async fn a_payer_approves_or_declines_at_the_bank() {
    let operator = stripe();
    for (decision, is_paid) in [("approve", true), ("decline", false)] {
        let request = authorize("pm_card_authenticationRequired", true);
        let outcome = operator.result::<operations::Authorize>(&request).await;
        let Outcome::RequiresAction { action, result } = outcome else { panic!("{outcome:?}") };
        let page = action.url.unwrap();
        assert_eq!(Client::unsigned(operator.sandbox.url()).get(&page).await.status, 200);
        assert!(operator.ledger(request.attempt).await.is_empty());
        operator.decide(&result.reference, decision).await;
        let now = payment_of(&operator, request.attempt).await;
        match (is_paid, now) {
            (true, Outcome::Succeeded { result }) => assert_eq!(result.captured, 1000),
            (false, Outcome::Declined { decline, .. }) => {
                assert_eq!(decline.code, "payment_intent_authentication_failure");
            }
            (_, other) => panic!("{decision}: {other:?}"),
        }
        assert_eq!(operator.ledger(request.attempt).await.len(), usize::from(is_paid));
    }
}

#[actix_web::test]
async fn a_bank_debit_and_a_late_refund_are_pending_until_they_are_decided() {
    let operator = stripe();
    let mut request = authorize("pm_usBankAccount_success", true);
    request.amount.currency = Currency::parse("USD").unwrap();
    let outcome = operator.result::<operations::Authorize>(&request).await;
    let Outcome::Pending { result } = outcome else { panic!("{outcome:?}") };
    operator.decide(&result.reference, "approve").await;
    assert_eq!(succeeded(payment_of(&operator, request.attempt).await).captured, 1000);
    let paid = pay(&operator, "pm_card_pendingRefund", true).await;
    let request = refund(&paid.reference, 400);
    let outcome = operator.result::<operations::Refund>(&request).await;
    let Outcome::Pending { result } = outcome else { panic!("{outcome:?}") };
    operator.decide(&result.reference, "approve").await;
    let by = LookupBy::RefundAttempt { of: request.attempt, payment: paid.reference.clone() };
    let found = look_up(&operator, by).await;
    let Found::Refund { outcome } = found else { panic!("{found:?}") };
    assert_eq!(succeeded(outcome).amount, money(400));
    let found = look_up(&operator, LookupBy::Refund { reference: result.reference }).await;
    assert!(matches!(found, Found::Refund { outcome: Outcome::Succeeded { .. } }), "{found:?}");
}

#[actix_web::test]
async fn an_answer_that_was_lost_is_unknown_and_a_lookup_or_the_same_attempt_finds_it() {
    let operator = stripe();
    for fault in [json!("drop_after"), json!("truncate")] {
        let request = authorize("pm_card_visa", true);
        operator.fault(INTENTS, &fault).await;
        let outcome = operator.result::<operations::Authorize>(&request).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{fault}: {outcome:?}");
        let found = succeeded(payment_of(&operator, request.attempt).await);
        let again = succeeded(operator.result::<operations::Authorize>(&request).await);
        assert_eq!(again.reference, found.reference);
        assert_eq!(operator.ledger(request.attempt).await.len(), 1, "{fault}");
    }
    // What never arrived is unknown just as well, and is found nowhere.
    for fault in [
        json!("drop_before"),
        json!({"status": 503}),
        json!({"body": "<html>"}),
        json!({"redirect": "http://127.0.0.1:1/"}),
    ] {
        let request = authorize("pm_card_visa", true);
        operator.fault(INTENTS, &fault).await;
        let outcome = operator.result::<operations::Authorize>(&request).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{fault}: {outcome:?}");
        assert_eq!(
            look_up(&operator, LookupBy::PaymentAttempt { of: request.attempt }).await,
            Found::Nothing
        );
        succeeded(operator.result::<operations::Authorize>(&request).await);
        assert_eq!(operator.ledger(request.attempt).await.len(), 1, "{fault}");
    }
}

#[actix_web::test]
async fn a_lookup_does_not_depend_on_the_search_index() {
    let operator = stripe();
    let lag = json!({"lag_seconds": 3600});
    assert_eq!(operator.sandbox_client().put("/_sandbox/stripe/search", &lag).await.status, 204);
    let request = authorize("pm_card_visa", true);
    succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!(succeeded(payment_of(&operator, request.attempt).await).captured, 1000);
    assert_eq!(operator.arrived("GET", INTENTS).await, 1);
}

#[actix_web::test]
async fn an_attempt_that_was_used_for_something_else_is_never_a_clean_no() {
    let operator = stripe();
    let request = authorize("pm_card_visa", true);
    let paid = succeeded(operator.result::<operations::Authorize>(&request).await);
    let other = Authorize { amount: money(999), ..request.clone() };
    let outcome = operator.result::<operations::Authorize>(&other).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    let other = Refund { attempt: request.attempt, ..refund(&paid.reference, 100) };
    let outcome = operator.result::<operations::Refund>(&other).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(operator.ledger(request.attempt).await.len(), 1);
}

#[actix_web::test]
async fn two_requests_of_one_attempt_at_once_charge_once() {
    let operator = stripe();
    let request = authorize("pm_card_visa", true);
    let hold = operator.sandbox_client().post("/_sandbox/stripe/interference", &json!({"hold": true})).await;
    assert_eq!(hold.status, 200);
    let first = operator.result::<operations::Authorize>(&request);
    let second = async {
        operator.sandbox_client().get("/_sandbox/stripe/interference/held").await;
        let outcome = operator.result::<operations::Authorize>(&request).await;
        operator.sandbox_client().post("/_sandbox/stripe/release", &Value::Null).await;
        outcome
    };
    let (first, second) = tokio::join!(first, second);
    succeeded(first);
    assert!(matches!(second, Outcome::Unknown { .. }), "{second:?}");
    assert_eq!(operator.ledger(request.attempt).await.len(), 1);
}
