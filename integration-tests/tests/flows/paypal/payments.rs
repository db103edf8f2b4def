//! Checkouts and stored cards: approved, captured, refunded, given up, declined.

use super::*;

#[actix_web::test]
async fn a_checkout_is_approved_completed_once_and_refunded_in_parts() {
    let desk = Desk::open();
    let attempt = AttemptId::new();
    let order = desk.start(attempt, 1250, true).await;
    assert!(order.url.contains(&order.reference), "{}", order.url);
    let early = desk.complete(attempt, &order.reference, 1250, true).await;
    let Outcome::RequiresAction { action, .. } = early else { panic!("{early:?}") };
    assert_eq!(action.url.as_ref(), Some(&order.url), "the payer has not agreed");
    desk.choose(&order.reference, "approve").await;
    let paid = desk.complete(attempt, &order.reference, 1250, true).await;
    let Outcome::Succeeded { result: payment } = &paid else { panic!("{paid:?}") };
    assert_eq!((payment.amount, payment.captured, payment.attempt), (euro(1250), 1250, Some(attempt)));
    assert_eq!(desk.complete(attempt, &order.reference, 1250, true).await, paid, "a replayed return");
    assert_eq!(desk.complete(AttemptId::new(), &order.reference, 1250, true).await, paid);
    assert_eq!(desk.ledger(attempt).await, charges(&["12.50"]));
    let (first, second) = (AttemptId::new(), AttemptId::new());
    let part = desk.refund(first, payment, 250).await;
    let Outcome::Succeeded { result: part_result } = &part else { panic!("{part:?}") };
    assert_eq!((part_result.amount, part_result.attempt), (euro(250), Some(first)));
    assert_eq!(desk.refund(first, payment, 250).await, part, "the same attempt gives back once");
    let too_much = desk.refund(AttemptId::new(), payment, 1001).await;
    let Outcome::Rejected { rejection } = too_much else { panic!("{too_much:?}") };
    assert_eq!(rejection.errors[0].code, "REFUND_AMOUNT_EXCEEDED");
    assert_eq!(desk.refund(second, payment, 1000).await.name(), "succeeded");
    let none_left = desk.refund(AttemptId::new(), payment, 1).await;
    let Outcome::Rejected { rejection } = none_left else { panic!("{none_left:?}") };
    assert_eq!(rejection.errors[0].code, "CAPTURE_FULLY_REFUNDED");
    assert_eq!(desk.ledger(first).await, [("refund".to_owned(), "2.50".to_owned())]);
    let seen = desk.seen(&order.reference).await;
    assert_eq!(seen.result().unwrap().refunded, Some(1250));
    assert_eq!(desk.seen(&payment.captures[0]).await, seen, "by the capture as by the order");
    let by = |of| LookupBy::RefundAttempt { of, payment: order.reference.clone() };
    let found = desk.look(by(second)).await;
    assert!(matches!(found, Found::Refund { outcome: Outcome::Succeeded { .. } }), "{found:?}");
    assert_eq!(desk.look(by(AttemptId::new())).await, Found::Nothing);
    let reference = part_result.reference.clone();
    assert_eq!(desk.look(LookupBy::Refund { reference }).await, Found::Refund { outcome: part });
}

#[actix_web::test]
async fn a_checkout_of_another_amount_is_not_executed() {
    let desk = Desk::open();
    let attempt = AttemptId::new();
    let order = desk.start(attempt, 99, true).await.reference;
    desk.choose(&order, "approve").await;
    for (minor_units, capture) in [(9900, true), (99, false)] {
        let checkout = order.clone();
        let request = CompleteCheckout { attempt, checkout, amount: euro(minor_units), capture };
        let answer = desk.ask::<operations::CompleteCheckout>(&request).await;
        assert_eq!((answer.status, &answer.json()["error"]["kind"]), (422, &json!("invalid_request")));
    }
    assert_eq!(desk.ledger(attempt).await, []);
}

#[actix_web::test]
async fn an_authorization_is_captured_in_parts_and_what_is_left_given_up() {
    let desk = Desk::open();
    let attempt = AttemptId::new();
    let payment = desk.paid(attempt, 3000, false).await;
    assert_eq!((payment.status.as_str(), payment.captured, payment.voided), ("CREATED", 0, false));
    assert_eq!(desk.ledger(attempt).await, []);
    let (first, second) = (AttemptId::new(), AttemptId::new());
    let part = desk.capture(first, &payment, 1000, false).await;
    let Outcome::Succeeded { result } = &part else { panic!("{part:?}") };
    assert_eq!(result.amount, euro(1000));
    assert_eq!(desk.capture(first, &payment, 1000, false).await, part, "the same attempt takes once");
    let too_much = desk.capture(AttemptId::new(), &payment, 2001, false).await;
    assert_eq!(too_much.name(), "rejected");
    assert_eq!(desk.capture(second, &payment, 500, true).await.name(), "succeeded");
    let late = desk.capture(AttemptId::new(), &payment, 1, false).await;
    let Outcome::Rejected { rejection } = late else { panic!("{late:?}") };
    assert_eq!(rejection.errors[0].code, "AUTHORIZATION_ALREADY_CAPTURED");
    assert_eq!(desk.void(&payment).await.name(), "rejected");
    assert_eq!(desk.ledger(first).await, charges(&["10.00"]));
    assert_eq!(desk.ledger(second).await, charges(&["5.00"]));
    let seen = desk.seen(&payment.reference).await;
    let Outcome::Succeeded { result } = seen else { panic!("{seen:?}") };
    assert_eq!((result.captured, result.captures.len(), result.status.as_str()), (1500, 2, "CAPTURED"));
    // The last capture is meant when none is named.
    let request = Refund {
        attempt: AttemptId::new(),
        payment: payment.reference.clone(),
        capture: None,
        amount: euro(501),
    };
    assert_eq!(desk.perform::<operations::Refund>(&request).await.name(), "rejected");
    let request = Refund { amount: euro(500), ..request };
    assert_eq!(desk.perform::<operations::Refund>(&request).await.name(), "succeeded");
}

#[actix_web::test]
async fn an_authorization_is_given_up_and_then_takes_nothing() {
    let desk = Desk::open();
    let payment = desk.paid(AttemptId::new(), 3000, false).await;
    for _ in 0..2 {
        let voided = desk.void(&payment).await;
        let Outcome::Succeeded { result } = voided else { panic!("{voided:?}") };
        assert_eq!((result.voided, result.status.as_str()), (true, "VOIDED"));
    }
    assert!(desk.seen(&payment.reference).await.result().unwrap().voided);
    let late = desk.capture(AttemptId::new(), &payment, 1, false).await;
    let Outcome::Rejected { rejection } = late else { panic!("{late:?}") };
    assert_eq!(rejection.errors[0].code, "AUTHORIZATION_VOIDED");
}

#[actix_web::test]
async fn a_decline_and_something_pending_are_told_as_such() {
    let desk = Desk::open();
    let attempt = AttemptId::new();
    let order = desk.start(attempt, 1000, true).await.reference;
    desk.choose(&order, "declined").await;
    let outcome = desk.complete(attempt, &order, 1000, true).await;
    let Outcome::Declined { decline, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((decline.code.as_str(), decline.advice), ("INSTRUMENT_DECLINED", Advice::OtherMethod));
    assert_eq!(desk.ledger(attempt).await, []);
    // The payer chooses another one.
    desk.choose(&order, "echeck").await;
    let outcome = desk.complete(attempt, &order, 1000, true).await;
    let Outcome::Pending { result } = outcome else { panic!("{outcome:?}") };
    let refused = desk.refund(AttemptId::new(), &result, 1).await;
    assert_eq!(refused.name(), "rejected", "{refused:?}");
    let path = format!("/paypal/captures/{}/settle", result.captures[0]);
    desk.control(Method::POST, &path, json!({"status": "completed"})).await;
    assert_eq!(desk.seen(&order).await.name(), "succeeded");
    let slow = desk.refund(AttemptId::new(), &result, 1).await;
    assert_eq!(slow.name(), "pending", "{slow:?}");
}

#[actix_web::test]
async fn a_stored_card_is_charged_declined_authenticated_and_deleted() {
    let desk = Desk::open();
    let card = desk.stored(visa()).await;
    assert_eq!((card.brand.as_deref(), card.last4.as_deref()), (Some("visa"), Some("1881")));
    let attempt = AttemptId::new();
    let paid = desk.authorize(attempt, &card.token, true).await;
    assert_eq!((paid.name(), paid.result().unwrap().captured), ("succeeded", 1000), "{paid:?}");
    assert_eq!(desk.authorize(attempt, &card.token, true).await, paid, "the same attempt pays once");
    assert_eq!(desk.ledger(attempt).await, charges(&["10.00"]));
    let held = desk.authorize(AttemptId::new(), &card.token, false).await;
    assert_eq!((held.name(), held.result().unwrap().captured), ("succeeded", 0), "{held:?}");
    let mut poor = visa();
    poor["name"] = json!("CCREJECT-IF");
    let poor = desk.stored(poor).await;
    let declined = desk.authorize(AttemptId::new(), &poor.token, true).await;
    let Outcome::Declined { decline, .. } = declined else { panic!("{declined:?}") };
    assert_eq!((decline.code.as_str(), decline.advice), ("5120", Advice::Retry));
    let request = DeletePaymentMethod { attempt: AttemptId::new(), payment_method: card.token.clone() };
    assert_eq!(desk.perform::<operations::DeletePaymentMethod>(&request).await.name(), "succeeded");
    let gone = desk.authorize(AttemptId::new(), &card.token, true).await;
    assert_eq!(gone.name(), "rejected", "{gone:?}");
}

#[actix_web::test]
async fn a_card_that_asks_for_3d_secure_is_charged_once_its_owner_has_passed() {
    let desk = Desk::open();
    let card = desk.stored(json!({"number": "4000000000001091", "expiry": "2030-12"})).await;
    for (choice, name, lines) in [("approve", "succeeded", 1), ("declined", "declined", 0)] {
        let attempt = AttemptId::new();
        let outcome = desk.authorize(attempt, &card.token, true).await;
        let Outcome::RequiresAction { action, result } = outcome else { panic!("{outcome:?}") };
        assert!(action.url.unwrap().contains("flow=3ds"));
        assert_eq!(desk.ledger(attempt).await, []);
        desk.choose(&result.reference, choice).await;
        let outcome = desk.complete(attempt, &result.reference, 1000, true).await;
        assert_eq!(outcome.name(), name, "{outcome:?}");
        assert_eq!(desk.ledger(attempt).await.len(), lines);
    }
}
