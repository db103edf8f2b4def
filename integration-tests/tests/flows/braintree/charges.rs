//! Charges, captures, refunds and voids, and what Braintree says no to.

use super::*;

#[actix_web::test]
async fn a_sale_is_authorized_captured_and_in_the_ledger_once() {
    let operator = braintree();
    operator.result::<operations::Health>(&HealthRequest { attempt: AttemptId::new() }).await;
    let request = authorize(CARD, 1050, true);
    let sold = succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!((sold.status.as_str(), sold.captured), ("submitted_for_settlement", 1050));
    assert_eq!((sold.amount, sold.attempt), (money(1050), Some(request.attempt)));
    assert_eq!(operator.ledger(request.attempt).await, lines(&[("charge", "10.50")]));
    assert_eq!(succeeded(payment_of(&operator, request.attempt).await), sold);
}

#[actix_web::test]
async fn a_currency_has_its_merchant_account_and_its_decimals() {
    let operator = braintree();
    let mut yen = authorize(CARD, 120, true);
    yen.amount.currency = Currency::parse("JPY").unwrap();
    succeeded(operator.result::<operations::Authorize>(&yen).await);
    assert_eq!(operator.ledger(yen.attempt).await, [("charge".to_owned(), "120 JPY".to_owned())]);
    let mut krona = authorize(CARD, 100, true);
    krona.amount.currency = Currency::parse("SEK").unwrap();
    let Reply::Error(failure) = operator.ask::<operations::Authorize>(&krona).await else { panic!() };
    assert_eq!(failure.kind, ErrorKind::InvalidRequest);
    assert!(operator.ledger(krona.attempt).await.is_empty());
}

#[actix_web::test]
async fn a_merchant_account_of_another_currency_is_an_integrity_error() {
    let settings = "[providers.braintree.merchant_accounts]\nUSD = \"sandbox_eur\"";
    let operator = Operator::with_settings(Provider::Braintree, settings);
    let request = authorize(CARD, 1000, true);
    let Reply::Error(failure) = operator.ask::<operations::Authorize>(&request).await else { panic!() };
    assert_eq!(failure.kind, ErrorKind::Integrity);
}

#[actix_web::test]
async fn declines_have_braintree_s_codes_and_move_nothing() {
    let operator = braintree();
    let cvv = nonce(&operator, json!({"number": "4111111111111111", "cvv": "200"})).await;
    for (nonce, minor_units, code, advice) in [
        (CARD, 200_100, "2001", Advice::Retry),
        (CARD, 200_400, "2004", Advice::OtherMethod),
        (CARD, 201_400, "2014", Advice::Never),
        (CARD, 300_000, "3000", Advice::Retry),
        (CARD, 500_100, "application_incomplete", Advice::Never),
        ("fake-processor-declined-visa-nonce", 1000, "2000", Advice::Retry),
        ("fake-gateway-rejected-fraud-nonce", 1000, "fraud", Advice::Never),
        (&cvv, 1000, "cvv", Advice::Retry),
    ] {
        let request = authorize(nonce, minor_units, true);
        let outcome = operator.result::<operations::Authorize>(&request).await;
        let Outcome::Declined { decline, result } = outcome.clone() else { panic!("{code}: {outcome:?}") };
        assert_eq!((decline.code.as_str(), decline.advice), (code, advice));
        assert_eq!(result.unwrap().captured, 0, "{code}");
        assert_eq!(payment_of(&operator, request.attempt).await, outcome, "{code}");
        assert!(operator.ledger(request.attempt).await.is_empty(), "{code}");
    }
}

#[actix_web::test]
async fn requests_that_are_wrong_are_rejected_field_by_field() {
    let operator = braintree();
    let expired = nonce(&operator, json!({"number": "4111111111111111"})).await;
    let gone = operator.sandbox_client().delete(&format!("/_sandbox/braintree/nonces/{expired}")).await;
    assert_eq!(gone.status, 204);
    for (nonce, expected) in [
        ("fake-consumed-nonce", code(Some("payment_method_nonce"), "91564")),
        (expired.as_str(), code(Some("payment_method_nonce"), "91565")),
        ("fake-luhn-invalid-nonce", code(Some("number"), "81715")),
    ] {
        let request = authorize(nonce, 1000, true);
        assert_eq!(codes(operator.result::<operations::Authorize>(&request).await), expected, "{nonce}");
    }
    let mut stranger = authorize(CARD, 1000, true);
    stranger.source = Source::PaymentMethod { token: "stranger".into(), customer: None };
    let outcome = operator.result::<operations::Authorize>(&stranger).await;
    assert_eq!(codes(outcome), code(Some("payment_method_token"), "91518"));
}

#[actix_web::test]
async fn a_payment_is_captured_once_for_less() {
    let operator = braintree();
    let sold = sell(&operator, 1000, false).await;
    assert_eq!((sold.status.as_str(), sold.captured), ("authorized", 0));
    assert_eq!(codes(capture(&operator, &sold.reference, 1001, true).await), code(Some("amount"), "91522"));
    let request = capturing(&sold.reference, 600, true);
    let first = succeeded(operator.result::<operations::Capture>(&request).await);
    let again = succeeded(operator.result::<operations::Capture>(&request).await);
    assert_eq!((&first.reference, &first), (&sold.reference, &again));
    assert_eq!(codes(capture(&operator, &sold.reference, 400, true).await), code(None, "91507"));
    let now = payment(&operator, &sold.reference).await;
    assert_eq!((now.amount, now.captured), (money(1000), 600));
    assert_eq!(operator.ledger(sold.attempt.unwrap()).await, lines(&[("charge", "6.00")]));
}

#[actix_web::test]
async fn a_payment_is_captured_and_refunded_in_parts() {
    let operator = braintree();
    let sold = sell(&operator, 1000, false).await;
    let part = capturing(&sold.reference, 400, false);
    let first = succeeded(operator.result::<operations::Capture>(&part).await);
    let again = succeeded(operator.result::<operations::Capture>(&part).await);
    assert_eq!(first, again);
    assert_eq!(operator.ledger(part.attempt).await, lines(&[("charge", "4.00")]));
    assert_eq!(codes(capture(&operator, &sold.reference, 700, false).await), code(Some("amount"), "91522"));
    let last = capturing(&sold.reference, 500, true);
    let second = succeeded(operator.result::<operations::Capture>(&last).await);
    assert_eq!(succeeded(operator.result::<operations::Capture>(&last).await), second);
    assert_eq!(codes(capture(&operator, &sold.reference, 100, true).await), code(None, "915103"));
    let now = payment(&operator, &sold.reference).await;
    assert_eq!((now.amount, now.captured, now.refunded), (money(1000), 900, Some(0)));
    assert_eq!(now.captures, [first.reference.clone(), second.reference.clone()]);
    for part in &now.captures {
        happen(&operator, &format!("transactions/{part}/settle"), &Value::Null).await;
    }
    let mut named = refunding(&sold.reference, 400);
    named.capture = Some(first.reference.clone());
    succeeded(operator.result::<operations::Refund>(&named).await);
    // Without a name the last part is meant.
    let unnamed = refunding(&sold.reference, 500);
    succeeded(operator.result::<operations::Refund>(&unnamed).await);
    assert_eq!(payment(&operator, &sold.reference).await.refunded, Some(900));
}

#[actix_web::test]
async fn a_refund_is_made_once_and_never_above_what_was_captured() {
    let operator = braintree();
    let sold = settled(&operator, 1000).await;
    let request = refunding(&sold.reference, 400);
    let first = succeeded(operator.result::<operations::Refund>(&request).await);
    let again = succeeded(operator.result::<operations::Refund>(&request).await);
    assert_eq!((first.amount, first.attempt, &first), (money(400), Some(request.attempt), &again));
    assert_eq!(operator.ledger(request.attempt).await, lines(&[("refund", "4.00")]));
    assert_eq!(succeeded(refund_of(&operator, request.attempt, &sold.reference).await), first);
    let found = look_up(&operator, LookupBy::Refund { reference: first.reference.clone() }).await;
    assert_eq!(found, Found::Refund { outcome: Outcome::Succeeded { result: first } });
    let above = operator.result::<operations::Refund>(&refunding(&sold.reference, 601)).await;
    assert_eq!(codes(above), code(Some("amount"), "91521"));
    succeeded(operator.result::<operations::Refund>(&refunding(&sold.reference, 600)).await);
    let nothing_left = operator.result::<operations::Refund>(&refunding(&sold.reference, 1)).await;
    assert_eq!(codes(nothing_left), code(None, "91512"));
    assert_eq!(payment(&operator, &sold.reference).await.refunded, Some(1000));
    let missing = operator.result::<operations::Refund>(&refunding("nothing", 1)).await;
    assert!(matches!(missing, Outcome::Rejected { ref rejection } if rejection.status == 404), "{missing:?}");
}

#[actix_web::test]
async fn before_it_is_settled_a_payment_is_voided_and_not_refunded() {
    let operator = braintree();
    let sold = sell(&operator, 1000, true).await;
    let refused = operator.result::<operations::Refund>(&refunding(&sold.reference, 1000)).await;
    assert_eq!(codes(refused), code(None, "91506"));
    assert!(succeeded(void(&operator, &sold.reference).await).voided);
    assert!(succeeded(void(&operator, &sold.reference).await).voided);
    let reference = sold.attempt.unwrap();
    assert_eq!(operator.ledger(reference).await, lines(&[("charge", "10.00"), ("void", "10.00")]));
    let sold = settled(&operator, 1100).await;
    assert_eq!(codes(void(&operator, &sold.reference).await), code(None, "91504"));
}

#[actix_web::test]
async fn a_refund_can_be_declined() {
    let operator = braintree();
    let sold = settled(&operator, 900_000).await;
    let request = refunding(&sold.reference, 200_400);
    let outcome = operator.result::<operations::Refund>(&request).await;
    let Outcome::Declined { decline, .. } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(decline.code, "2004");
    assert_eq!(refund_of(&operator, request.attempt, &sold.reference).await, outcome);
    assert!(operator.ledger(request.attempt).await.is_empty());
}

#[actix_web::test]
async fn an_authorization_that_time_has_ended_is_given_up() {
    let operator = braintree();
    let sold = sell(&operator, 1000, false).await;
    happen(&operator, &format!("transactions/{}/expire", sold.reference), &Value::Null).await;
    let now = payment(&operator, &sold.reference).await;
    assert_eq!((now.status.as_str(), now.voided), ("authorization_expired", true));
    assert_eq!(codes(capture(&operator, &sold.reference, 1000, true).await), code(None, "91507"));
}
