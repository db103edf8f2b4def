//! Refunds that were made at the provider: they are on the books, they wait, or a person is told of them; never are they
//! silently passed over.

use db_server::domain::payment::told::Told;
use serde_json::{Value, json};

use super::{
    Api,
    books::Books,
    held,
    said::{AMOUNT, event, payment, refund, refund_event, refund_fails, succeeded},
    taken,
};

fn after(steps: Vec<Api>) -> Books {
    let mut books = Books::open();
    for step in steps {
        step(&mut books);
    }
    books
}

fn refunds(books: &mut Books) -> Value {
    let rows: Value = serde_json::from_str(&books.rows()).unwrap();
    json!([rows["payment"]["refunded"], rows["refunds"]])
}

#[test]
fn a_refund_that_nobody_has_asked_for_here_is_on_the_books() {
    let mut books = after(taken());
    let mut made_there = refund_event(&refund(1, 300), succeeded);
    made_there.attempt = None;
    assert_eq!(books.tell(&made_there), Told::Applied);
    let row = json!({"amount": 300, "standing": 2, "reference": "re_21", "refusal": null, "asked": false});
    assert_eq!(refunds(&mut books), json!([300, [row]]));
    assert_eq!(books.tell(&made_there), Told::Applied);
    let mut fails = refund_event(&refund(1, 300), refund_fails);
    fails.attempt = None;
    assert_eq!(books.tell(&fails), Told::Applied);
    assert_eq!(refunds(&mut books)[0], 0, "the money has come back");
    assert_eq!(books.alarms(), Vec::<Value>::new());
}

#[test]
fn a_refund_of_what_is_not_known_to_be_taken_yet_waits() {
    let mut books = after(held());
    let mut early = refund_event(&refund(1, 300), succeeded);
    early.attempt = None;
    assert_eq!(books.tell(&early), Told::TooEarly);
    assert_eq!(refunds(&mut books), json!([0, []]));
    assert_eq!(books.tell(&event("succeeded", succeeded(payment(AMOUNT)))), Told::Applied);
    assert_eq!(books.tell(&early), Told::Applied);
    assert_eq!(refunds(&mut books)[0], 300);
}

#[test]
fn an_event_that_does_not_say_what_has_happened_to_a_refund_is_an_alarm() {
    let mut books = after(taken());
    let before = books.rows();
    let mut silent = refund_event(&refund(1, 300), succeeded);
    (silent.attempt, silent.refund) = (None, None);
    assert_eq!(books.tell(&silent), Told::Applied);
    assert_eq!(books.rows(), before);
    assert_eq!(books.alarms().len(), 1);
}
