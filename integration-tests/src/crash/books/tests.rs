//! Every difference is found.

use actix_web::web::Bytes;
use serde_json::json;

use super::*;

const AUTHORIZE: &str = "01a20500-0000-7000-8000-000000000001";
const CAPTURED: &str = "01a20500-0000-7000-8000-000000000002";
const REFUNDED: &str = "01a20500-0000-7000-8000-000000000003";

fn line(kind: &str, amount: &str, reference: &str) -> Line {
    let [provider, kind, amount, currency] = ["stripe", kind, amount, "EUR"].map(str::to_owned);
    Line { provider, kind, amount, currency, reference: reference.to_owned() }
}

fn operation(attempt: &str, operation: i16, amount_minor: i64) -> Operation {
    let outcome = Some("succeeded".to_owned());
    Operation {
        attempt: attempt.to_owned(),
        payment_id: 1,
        operation,
        amount_minor: Some(amount_minor),
        state: 3,
        outcome,
    }
}

/// A payment of 10.00, of which 4.00 are taken and 1.00 has gone back.
fn books() -> Books {
    let [uuid, provider, currency, status] = ["p", "stripe", "EUR", "captured"].map(str::to_owned);
    Books {
        lines: vec![line("charge", "4.00", CAPTURED), line("refund", "1.00", REFUNDED)],
        payments: vec![Payment {
            id: 1,
            uuid,
            provider,
            amount_minor: 1000,
            currency,
            status,
            captured_minor: 400,
            refunded_minor: 100,
            refunding_minor: 0,
            transaction: 2,
        }],
        operations: vec![
            operation(AUTHORIZE, 0, 1000),
            operation(CAPTURED, CAPTURE, 400),
            operation(REFUNDED, 5, 100),
        ],
        refunds: vec![Refund {
            uuid: "r".to_owned(),
            payment_id: 1,
            amount_minor: 100,
            status: "succeeded".to_owned(),
        }],
    }
}

#[track_caller]
fn found(change: impl FnOnce(&mut Books), expected: &str) {
    let mut books = books();
    change(&mut books);
    let found = books.compare();
    assert!(found.to_string().contains(expected), "{expected:?} is not in: {found}");
}

#[test]
fn equal_books_do_not_differ() {
    assert_eq!(books().compare().0, Vec::<String>::new());
}

#[test]
fn what_is_on_one_side_only_is_found() {
    found(|books| drop(books.lines.pop()), "the provider's refunds are [], ours [100]");
    found(|books| books.lines.push(line("charge", "1.00", AUTHORIZE)), "charges are [100, 400], ours [400]");
    let nobody = "01a20500-0000-7000-8000-00000000000f";
    found(|books| books.lines.push(line("charge", "1.00", nobody)), "the provider has what we have not");
}

#[test]
fn another_amount_currency_or_provider_is_found() {
    found(|books| books.lines[0].amount = "4.01".to_owned(), "charges are [401], ours [400]");
    found(|books| books.lines[0].currency = "USD".to_owned(), "the provider has Line");
    found(|books| books.lines[0].provider = "paypal".to_owned(), "the provider has Line");
}

#[test]
fn an_attempt_that_was_carried_out_twice_is_found() {
    found(|books| books.lines.push(books.lines[0].clone()), "done twice for one attempt");
}

#[test]
fn our_own_tables_are_held_against_each_other() {
    found(|books| books.payments[0].captured_minor = 500, "its captures are [400]");
    found(|books| books.payments[0].refunded_minor = 0, "its refunds are [100]");
    found(|books| books.payments[0].transaction = 0, "its transaction has status 0");
}

#[test]
fn what_is_still_open_is_found() {
    found(|books| books.payments[0].status = "unknown".to_owned(), "nobody knows what became of it");
    found(|books| books.payments[0].refunding_minor = 1, "1 are still going back");
    found(|books| books.operations[0].state = 1, "still open");
}

fn told(status: u16, body: &serde_json::Value) -> Differences {
    let answer = (status, Bytes::from(body.to_string()));
    let asked =
        Asked { path: "/payments/".to_owned(), body: json!({}), key: "k".to_owned(), answer, tries: 1 };
    books().compare_answers(&[asked])
}

#[test]
fn an_answer_that_is_not_so_is_found() {
    let payment =
        |status: &str, captured: &str| json!({"uuid": "p", "status": status, "captured_amount": captured});
    for (status, body) in [
        (201, payment("captured", "4.00")),
        (201, payment("authorized", "0.00")),
        (202, payment("unknown", "0.00")),
        (422, payment("captured", "4.00")),
        (201, json!({"uuid": "r", "status": "succeeded"})),
    ] {
        assert_eq!(told(status, &body).0, Vec::<String>::new(), "{status} {body}");
    }
    for (status, body) in [
        (402, payment("declined", "0.00")),
        (201, payment("captured", "5.00")),
        (200, payment("cancelled", "0.00")),
        (201, payment("unknown", "0.00")),
        (402, json!({"uuid": "r", "status": "failed"})),
        (201, json!({"uuid": "another", "status": "captured"})),
        (400, json!({"detail": "wrong"})),
        (409, payment("captured", "4.00")),
    ] {
        assert_eq!(told(status, &body).0.len(), 1, "{status} {body}");
    }
}

#[test]
fn a_refund_of_more_than_is_left_is_refused_before_it_begins_and_any_other_is_not() {
    let refused = |path: &str, amount: &str, status: u16| {
        let answer = (status, Bytes::from(r#"{"mozilla": {"amount": []}}"#));
        let (path, body) = (path.to_owned(), json!({"amount": amount}));
        books().compare_answers(&[Asked { path, body, key: "k".to_owned(), answer, tries: 1 }]).0.len()
    };
    assert_eq!(refused("/payments/1/refunds/", "3.01", 422), 0);
    assert_eq!(refused("/payments/1/refunds/", "3.00", 422), 1);
    assert_eq!(refused("/payments/1/refunds/", "3.01", 400), 1);
    assert_eq!(refused("/payments/1/capture/", "3.01", 422), 1);
    assert_eq!(refused("/payments/2/refunds/", "3.01", 422), 1);
}

#[test]
fn the_attempt_is_found_within_a_reference() {
    assert_eq!(attempt_in(AUTHORIZE).as_deref(), Some(AUTHORIZE));
    assert_eq!(attempt_in(&format!("solitude:{AUTHORIZE}/x")).as_deref(), Some(AUTHORIZE));
    assert_eq!(attempt_in("short"), None);
}
