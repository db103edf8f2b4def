//! A settlement that is declined after the capture, told in any order.

use wire::payment::Payment;

use super::{
    Scenario, assert_end, held, outcomes,
    said::{
        AMOUNT, authorize, begin, capture, declined, event, known_by_reference, part_event, part_not_settled,
        payment, pending, refund, refund_event, settlement_declined, succeeded,
    },
    taken,
};

/// Code of the failure, status of the transaction, and what is on the accounts.
fn after_a_declined_settlement(end: &serde_json::Value) -> (&str, &serde_json::Value, &serde_json::Value) {
    (end["payment"]["refusal"].as_str().unwrap(), &end["transactions"][0]["status"], &end["ledger"])
}

#[test]
fn a_settlement_that_is_declined_after_the_capture() {
    let lost = || settlement_declined(payment(AMOUNT), AMOUNT, "4001");
    let events = vec![
        (1, event("settling", succeeded(payment(AMOUNT)))),
        (1, event("settlement_declined", lost())),
        (2, known_by_reference(event("again", lost()))),
    ];
    let end = assert_end(&Scenario { api: taken(), events }, "failed", 0, 0);
    assert_eq!(after_a_declined_settlement(&end), ("4001", &4.into(), &serde_json::json!([])));
    assert_eq!((&end["payment"]["settlement_declined"], outcomes(&end)), (&AMOUNT.into(), vec!["succeeded"]));
}

#[test]
fn a_settlement_that_is_declined_after_an_answer_that_was_lost() {
    let lost = || settlement_declined(payment(AMOUNT), AMOUNT, "4001");
    let api = vec![begin(authorize()), authorize().has_no_answer(), authorize().answers(lost())];
    let events = vec![
        (1, event("refused before", declined(payment(0), "2000"))),
        (1, event("settling", succeeded(payment(AMOUNT)))),
    ];
    let end = assert_end(&Scenario { api, events }, "failed", 0, 0);
    assert_eq!((after_a_declined_settlement(&end).0, outcomes(&end)), ("4001", vec!["succeeded"]));
}

#[test]
fn a_settlement_that_is_declined_while_a_refund_is_on_its_way() {
    let lost = || settlement_declined(payment(AMOUNT), AMOUNT, "4001");
    let mut api = taken();
    api.extend([begin(refund(1, 300)), refund(1, 300).refunds(pending)]);
    let events =
        vec![(3, event("settlement_declined", lost())), (3, refund_event(&refund(1, 300), succeeded))];
    let end = assert_end(&Scenario { api, events }, "failed", 0, 300);
    // It has gone out, and did not come in: the seller owes it to us, and we to the provider.
    let accounts = serde_json::json!([
        {"account": "payable:1", "balance": 300}, {"account": "receivable:stripe", "balance": -300},
    ]);
    assert_eq!(after_a_declined_settlement(&end), ("4001", &4.into(), &accounts));
}

#[test]
fn a_settlement_of_one_capture_that_is_declined_leaves_the_other() {
    let (first, second) = (capture(1, 300, false), capture(2, 200, true));
    let mut api = held();
    api.extend([begin(first.clone()), first.clone().answers_captured()]);
    api.extend([begin(second.clone()), second.answers_captured()]);
    let looked_up = Payment { captured: 200, settlement_declined: 300, ..payment(300) };
    let events = vec![
        (4, part_event(&first, succeeded)),
        (4, part_event(&first, part_not_settled)),
        (6, event("in parts", succeeded(looked_up))),
    ];
    let end = assert_end(&Scenario { api, events }, "captured", 200, 0);
    assert_eq!(outcomes(&end), ["succeeded", "settlement_declined", "succeeded"]);
    assert_eq!((&end["payment"]["closed"], &end["transactions"][0]["reason"]), (&true.into(), &().into()));
}

#[test]
fn a_settlement_that_is_declined_after_a_capture_whose_answer_was_lost() {
    let last = capture(1, 500, true);
    let mut api = held();
    api.extend([begin(last.clone()), last.clone().has_no_answer(), last.answers_captured()]);
    let events = vec![
        (3, event("settling", succeeded(payment(500)))),
        (3, event("settlement_declined", settlement_declined(payment(500), 500, "4001"))),
    ];
    let end = assert_end(&Scenario { api, events }, "failed", 0, 0);
    assert_eq!(after_a_declined_settlement(&end), ("4001", &4.into(), &serde_json::json!([])));
    assert_eq!((outcomes(&end), &end["payment"]["closed"]), (vec!["succeeded"; 2], &true.into()));
}

#[test]
fn settlements_of_all_captures_that_are_declined_one_by_one() {
    let (first, second) = (capture(1, 300, false), capture(2, 200, false));
    let mut api = held();
    api.extend([begin(first.clone()), first.clone().answers_captured()]);
    api.extend([begin(second.clone()), second.clone().answers_captured()]);
    let events = vec![(3, part_event(&first, part_not_settled)), (5, part_event(&second, part_not_settled))];
    // What is left of the authorization is still held.
    let end = assert_end(&Scenario { api, events }, "authorized", 0, 0);
    assert_eq!(outcomes(&end), ["succeeded", "settlement_declined", "settlement_declined"]);
    assert_eq!(end["payment"]["settlement_declined"], 500);
}
