//! A provider has made two things of what it was asked for once: whichever is told of first is on the books, and the other is
//! named at once.

use db_server::domain::payment::told::Told;
use serde_json::json;
use wire::payment::{Event, Outcome, Payment};

use super::{
    Api,
    books::Books,
    held,
    said::{AMOUNT, authorize, begin, event, payment, pending, refund, refund_event, succeeded},
    taken,
};

fn after(steps: Vec<Api>) -> Books {
    let mut books = Books::open();
    for step in steps {
        step(&mut books);
    }
    books
}

/// An event about another payment than the one that the API was answered with, of the same attempt.
fn of_another(outcome: impl FnOnce(Payment) -> Outcome<Payment>, captured: i64) -> Event {
    let other = Payment { reference: "pi_2".to_owned(), ..payment(captured) };
    Event { payment_reference: Some("pi_2".to_owned()), ..event("another", outcome(other)) }
}

#[test]
fn a_second_payment_of_one_attempt_is_named_and_changes_nothing() {
    for (steps, captured) in [(held(), AMOUNT), (taken(), AMOUNT), (taken(), 0)] {
        let mut books = after(steps);
        let before = books.rows();
        assert_eq!(books.tell(&of_another(succeeded, captured)), Told::Applied);
        assert_eq!(books.rows(), before);
        assert_eq!(books.alarms(), [json!("pi_2")]);
    }
}

#[test]
fn a_second_payment_that_the_answer_tells_of_is_named_as_well() {
    let mut books = after(vec![begin(authorize())]);
    assert_eq!(books.tell(&of_another(succeeded, AMOUNT)), Told::Applied);
    let before = books.rows();
    assert!(before.contains("pi_2"), "{before}");
    authorize().answers(succeeded(payment(AMOUNT)))(&mut books);
    assert_eq!(books.rows(), before);
    assert_eq!(books.alarms(), [json!("pi_1")]);
}

#[test]
fn a_second_payment_does_not_decide_how_the_first_one_ends() {
    let mut books = after(vec![begin(authorize()), authorize().answers(pending(payment(0)))]);
    let before = books.rows();
    assert_eq!(books.tell(&of_another(succeeded, AMOUNT)), Told::Applied);
    assert_eq!(books.rows(), before, "it is still looked at");
    assert_eq!(books.alarms(), [json!("pi_2")]);
    assert_eq!(books.tell(&event("succeeded", succeeded(payment(AMOUNT)))), Told::Applied);
    assert!(books.rows().contains("\"status\":\"captured\""), "{}", books.rows());
}

#[test]
fn a_second_refund_of_one_attempt_is_named_and_changes_nothing() {
    let mut steps = taken();
    steps.extend([begin(refund(1, 300)), refund(1, 300).refunds(succeeded)]);
    let mut books = after(steps);
    let before = books.rows();
    let mut twice = refund_event(&refund(1, 300), succeeded);
    if let Some(Outcome::Succeeded { result }) = &mut twice.refund {
        result.reference = "re_other".to_owned();
    }
    assert_eq!(books.tell(&twice), Told::Applied);
    assert_eq!(books.rows(), before);
    assert_eq!(books.alarms(), [json!("re_other")]);
    assert_eq!(books.tell(&refund_event(&refund(1, 300), succeeded)), Told::Applied);
    assert_eq!(books.alarms().len(), 1, "what is known is no alarm");
}
