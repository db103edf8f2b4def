//! What is known of a payment comes in any order, each part at least once: from the API's own answer, from webhooks and
//! from look-ups. Every order ends in the same rows.

mod books;
mod refunds;
mod said;
mod settlements;
mod twice;

use std::collections::{BTreeSet, HashSet};

use db_server::domain::payment::told::Told;
use wire::payment::Event;

use self::{
    books::Books,
    said::{
        AMOUNT, authorize, begin, capture, capture_fails, checkout, complete, declined, event,
        known_by_reference, of_two_captures, part_event, payment, pending, refund, refund_event,
        refund_fails, requires_action, succeeded, unknown, void,
    },
};

/// How often each webhook is delivered.
const COPIES: u8 = 2;

/// Something that the API does, in its order.
type Api = Box<dyn Fn(&mut Books)>;

/// A payment: what the API does, and the events of the provider, each with what the API has done before it can be.
struct Scenario {
    api: Vec<Api>,
    events: Vec<(usize, Event)>,
}

/// How far an order of a scenario is.
#[derive(Clone, Eq, Hash, PartialEq)]
struct Position {
    done: usize,
    delivered: Vec<u8>,
    /// The events that are in the inbox and wait.
    waiting: BTreeSet<usize>,
}

/// Every order of a scenario, without going twice through what is the same from there on.
struct Walk<'a> {
    scenario: &'a Scenario,
    books: Books,
    seen: HashSet<(Position, String)>,
    ends: BTreeSet<String>,
}

impl Walk<'_> {
    fn from(&mut self, position: &Position, rows: &str, depth: usize) {
        let mut is_end = true;
        for step in 0..=self.scenario.events.len() {
            let Some(next) = self.next(position, step) else { continue };
            is_end = false;
            self.books.save(depth);
            self.take(next, step, depth);
            self.books.restore(depth);
        }
        if is_end {
            assert!(position.waiting.is_empty(), "an event waits for ever: {rows}");
            self.ends.insert(rows.to_owned());
        }
    }

    /// Where a step leads, if it can be taken: 0 is the API's, the others are deliveries.
    fn next(&self, position: &Position, step: usize) -> Option<Position> {
        let mut next = position.clone();
        if step == 0 {
            next.done += 1;
            return (next.done <= self.scenario.api.len()).then_some(next);
        }
        let (after, _) = &self.scenario.events[step - 1];
        next.delivered[step - 1] += 1;
        (position.done >= *after && next.delivered[step - 1] <= COPIES).then_some(next)
    }

    fn take(&mut self, mut next: Position, step: usize, depth: usize) {
        match step {
            0 => self.scenario.api[next.done - 1](&mut self.books),
            step => self.deliver(&mut next, step - 1),
        }
        for event in next.waiting.clone() {
            self.deliver(&mut next, event);
        }
        let rows = self.books.rows();
        if self.seen.insert((next.clone(), rows.clone())) {
            self.from(&next, &rows, depth + 1);
        }
    }

    fn deliver(&mut self, position: &mut Position, event: usize) {
        match self.books.tell(&self.scenario.events[event].1) {
            Told::Applied => {
                position.waiting.remove(&event);
            }
            Told::TooEarly => {
                position.waiting.insert(event);
            }
            told => panic!("{told:?}"),
        }
    }
}

/// Goes through every order, and gives the rows in which all of them end.
fn end_of(scenario: &Scenario) -> serde_json::Value {
    let start = Position { done: 0, delivered: vec![0; scenario.events.len()], waiting: BTreeSet::new() };
    let books = Books::open();
    let mut walk = Walk { scenario, books, seen: HashSet::new(), ends: BTreeSet::new() };
    walk.from(&start, "", 0);
    let ends: Vec<_> = walk.ends.iter().collect();
    assert_eq!(ends.len(), 1, "{ends:#?}");
    assert!(walk.seen.len() > scenario.api.len() + scenario.events.len());
    serde_json::from_str(ends[0]).unwrap()
}

fn assert_end(scenario: &Scenario, status: &str, captured: i64, refunded: i64) -> serde_json::Value {
    let end = end_of(scenario);
    let payment = &end["payment"];
    let found = (payment["status"].as_str(), payment["captured"].as_i64(), payment["refunded"].as_i64());
    assert_eq!(found, (Some(status), Some(captured), Some(refunded)), "{end:#}");
    assert_eq!(payment["refunding"], 0, "{end:#}");
    assert!(end["operations"].as_array().unwrap().iter().all(|one| one["state"] == 3), "{end:#}");
    end
}

fn held() -> Vec<Api> {
    vec![begin(authorize()), authorize().answers(succeeded(payment(0)))]
}

fn taken() -> Vec<Api> {
    vec![begin(authorize()), authorize().answers(succeeded(payment(AMOUNT)))]
}

#[test]
fn an_authorization_and_capture_at_once() {
    let events = vec![
        (1, event("succeeded", succeeded(payment(AMOUNT)))),
        (1, known_by_reference(event("again", succeeded(payment(AMOUNT))))),
    ];
    // The second one can be told only once the reference is known.
    let events =
        events.into_iter().map(|(after, event)| (after.max(1 + usize::from(event.attempt.is_none())), event));
    assert_end(&Scenario { api: taken(), events: events.collect() }, "captured", AMOUNT, 0);
}

#[test]
fn an_answer_that_is_lost_and_looked_up() {
    let api = vec![
        begin(authorize()),
        authorize().has_no_answer(),
        authorize().answers(unknown()),
        authorize().answers(succeeded(payment(AMOUNT))),
    ];
    let events = vec![
        (1, event("processing", pending(payment(0)))),
        (1, event("succeeded", succeeded(payment(AMOUNT)))),
    ];
    assert_end(&Scenario { api, events }, "captured", AMOUNT, 0);
}

#[test]
fn three_d_secure() {
    let api = vec![
        begin(authorize()),
        authorize().answers(requires_action(payment(0), "with a secret")),
        authorize().shows(succeeded(payment(AMOUNT))),
    ];
    let events = vec![
        (1, event("requires_action", requires_action(payment(0), "without"))),
        (2, event("processing", pending(payment(0)))),
        (2, event("succeeded", succeeded(payment(AMOUNT)))),
    ];
    let end = assert_end(&Scenario { api, events }, "captured", AMOUNT, 0);
    assert!(end["payment"]["next_action"].as_str().unwrap().contains("with a secret"), "{end:#}");
}

#[test]
fn an_authorization_that_is_captured_twice_and_a_last_time() {
    let mut api = held();
    let mut events = vec![(1, event("capturable", succeeded(payment(0))))];
    for (number, total, last) in [(1, 300, false), (2, 600, false), (3, 800, true)] {
        let amount = if last { 200 } else { 300 };
        api.push(begin(capture(number, amount, last)));
        events.push((api.len(), event(&format!("captured {total}"), succeeded(payment(total)))));
        api.push(capture(number, amount, last).answers_captured());
    }
    let end = assert_end(&Scenario { api, events }, "captured", 800, 0);
    assert_eq!(
        (&end["payment"]["closed"], &end["payment"]["captures"]),
        (&true.into(), &serde_json::json!(["c1", "c2", "c3"]))
    );
}

#[test]
fn a_capture_that_is_a_payment_of_its_own_at_the_provider() {
    let mut api = held();
    api.extend([begin(capture(1, 300, false)), capture(1, 300, false).answers_captured()]);
    let mut part = payment(300);
    (part.reference, part.amount.minor_units) = ("c1".to_owned(), 300);
    let mut settled = event("settled", succeeded(part));
    settled.attempt = Some(capture(1, 300, false).attempt());
    let events = vec![(1, event("capturable", succeeded(payment(0)))), (3, settled)];
    assert_end(&Scenario { api, events }, "captured", 300, 0);
}

/// A capture that is pending, and a second one that is answered at once; five steps until the second is begun.
fn two_captures() -> Vec<Api> {
    let mut api = held();
    let (first, second) = (capture(1, 300, false), capture(2, 200, false));
    api.extend([begin(first.clone()), first.answers_capture(pending), begin(second.clone())]);
    api.push(second.answers_captured());
    api
}

fn outcomes(end: &serde_json::Value) -> Vec<&str> {
    end["operations"].as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect()
}

#[test]
fn a_pending_capture_that_succeeds_after_a_second_one() {
    let events = vec![(5, event("one", of_two_captures(200))), (5, event("both", of_two_captures(500)))];
    let end = assert_end(&Scenario { api: two_captures(), events }, "captured", 500, 0);
    assert_eq!(outcomes(&end), ["succeeded"; 3]);
    let mut api = two_captures();
    api.push(capture(1, 300, false).answers_captured());
    let events = vec![(5, event("one", of_two_captures(200)))];
    let end = assert_end(&Scenario { api, events }, "captured", 500, 0);
    assert_eq!(end["payment"]["captures"], serde_json::json!(["c1", "c2"]));
}

#[test]
fn what_a_second_capture_took_does_not_show_that_a_pending_one_succeeded() {
    let same = [capture(1, 300, false), capture(2, 300, false)];
    let mut api = held();
    api.extend([begin(same[0].clone()), same[0].clone().answers_capture(pending), begin(same[1].clone())]);
    api.extend([same[1].clone().answers_captured(), same[0].clone().answers_capture(capture_fails)]);
    let events = vec![
        (5, event("one", of_two_captures(300))),
        (6, known_by_reference(event("still one", of_two_captures(300)))),
    ];
    let end = assert_end(&Scenario { api, events }, "captured", 300, 0);
    assert_eq!(outcomes(&end), ["succeeded", "declined", "succeeded"]);
}

#[test]
fn two_captures_that_overlap_are_told_by_their_own_evidence() {
    let events = vec![
        (4, part_event(&capture(1, 300, false), pending)),
        (5, part_event(&capture(1, 300, false), succeeded)),
        (6, part_event(&capture(2, 200, false), succeeded)),
    ];
    let end = assert_end(&Scenario { api: two_captures(), events }, "captured", 500, 0);
    assert_eq!(outcomes(&end), ["succeeded"; 3]);
}

#[test]
fn a_void() {
    let mut api = held();
    let mut voided = payment(0);
    voided.voided = true;
    api.extend([begin(void()), void().answers(succeeded(voided.clone()))]);
    let events =
        vec![(1, event("capturable", succeeded(payment(0)))), (3, event("canceled", succeeded(voided)))];
    assert_end(&Scenario { api, events }, "cancelled", 0, 0);
}

#[test]
fn a_refund() {
    let mut api = taken();
    api.extend([begin(refund(1, AMOUNT)), refund(1, AMOUNT).refunds(succeeded)]);
    let events = vec![
        (1, event("succeeded", succeeded(payment(AMOUNT)))),
        (3, refund_event(&refund(1, AMOUNT), succeeded)),
        (3, known_by_reference(refund_event(&refund(1, AMOUNT), succeeded))),
    ];
    assert_end(&Scenario { api, events }, "captured", AMOUNT, AMOUNT);
}

#[test]
fn two_partial_refunds() {
    let mut api = taken();
    let (first, second) = (refund(1, 300), refund(2, 200));
    api.extend([begin(first.clone()), first.clone().refunds(succeeded)]);
    api.extend([begin(second.clone()), second.clone().refunds(succeeded)]);
    let events = vec![
        (1, event("succeeded", succeeded(payment(AMOUNT)))),
        (3, refund_event(&first, succeeded)),
        (5, refund_event(&second, succeeded)),
    ];
    assert_end(&Scenario { api, events }, "captured", AMOUNT, 500);
}

#[test]
fn a_refund_that_is_pending_and_succeeds() {
    let mut api = taken();
    api.extend([begin(refund(1, 300)), refund(1, 300).refunds(pending)]);
    let events = vec![
        (1, event("succeeded", succeeded(payment(AMOUNT)))),
        (3, refund_event(&refund(1, 300), pending)),
        (3, refund_event(&refund(1, 300), succeeded)),
    ];
    assert_end(&Scenario { api, events }, "captured", AMOUNT, 300);
}

#[test]
fn a_refund_that_is_pending_and_fails() {
    let mut api = taken();
    api.extend([begin(refund(1, 300)), refund(1, 300).refunds(pending)]);
    let events = vec![
        (1, event("succeeded", succeeded(payment(AMOUNT)))),
        (3, refund_event(&refund(1, 300), pending)),
        (3, refund_event(&refund(1, 300), refund_fails)),
    ];
    let end = assert_end(&Scenario { api, events }, "captured", AMOUNT, 0);
    assert_eq!(end["refunds"][0]["standing"], 3, "{end:#}");
}

#[test]
fn a_refund_that_succeeds_and_comes_back() {
    let mut api = taken();
    api.extend([begin(refund(1, 300)), refund(1, 300).refunds(succeeded)]);
    let events =
        vec![(3, refund_event(&refund(1, 300), succeeded)), (3, refund_event(&refund(1, 300), refund_fails))];
    assert_end(&Scenario { api, events }, "captured", AMOUNT, 0);
}

#[test]
fn a_refund_that_was_given_up_and_was_made_after_all() {
    let mut api = taken();
    api.extend([begin(refund(1, 300)), refund(1, 300).has_no_answer(), refund(1, 300).given_up()]);
    let events =
        vec![(3, refund_event(&refund(1, 300), pending)), (3, refund_event(&refund(1, 300), succeeded))];
    let end = assert_end(&Scenario { api, events }, "captured", AMOUNT, 300);
    assert_eq!(end["refunds"][0]["standing"], 2, "{end:#}");
    assert_eq!(outcomes(&end), ["succeeded"; 2]);
}

#[test]
fn a_decline() {
    let api = vec![begin(authorize()), authorize().answers(declined(payment(0), "insufficient_funds"))];
    let events = vec![
        (1, event("processing", pending(payment(0)))),
        (1, event("failed", declined(payment(0), "card_declined"))),
    ];
    let end = assert_end(&Scenario { api, events }, "declined", 0, 0);
    assert_eq!(end["payment"]["refusal"], "insufficient_funds", "{end:#}");
}

#[test]
fn a_decline_after_which_the_payer_pays_with_another_card() {
    let api = vec![begin(authorize()), authorize().answers(declined(payment(0), "insufficient_funds"))];
    let events = vec![
        (1, event("failed", declined(payment(0), "insufficient_funds"))),
        (1, event("requires_action", requires_action(payment(0), "3-D Secure"))),
        (1, event("succeeded", succeeded(payment(AMOUNT)))),
    ];
    let end = assert_end(&Scenario { api, events }, "captured", AMOUNT, 0);
    assert_eq!(end["payment"]["refusal"], serde_json::Value::Null, "{end:#}");
}

#[test]
fn a_checkout_that_the_payer_agrees_to_and_the_client_completes() {
    let api = vec![
        begin(checkout()),
        checkout().answers_with_page(),
        begin(complete()),
        complete().has_no_answer(),
        complete().answers(succeeded(payment(AMOUNT))),
    ];
    let mut events = vec![
        (2, event("approved", pending(payment(0)))),
        (3, event("completed", succeeded(payment(AMOUNT)))),
    ];
    for (_, event) in &mut events {
        event.attempt = Some(checkout().attempt());
    }
    assert_end(&Scenario { api, events }, "captured", AMOUNT, 0);
}
