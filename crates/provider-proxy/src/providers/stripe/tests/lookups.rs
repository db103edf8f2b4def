//! What became of something: by id, by attempt, and when nothing may be said.

use serde_json::{Value, json};
use wire::{ErrorKind, payment::OperationName as Name};

use super::*;

fn by(what: Value) -> Value {
    json!({"attempt": attempt(8), "by": what})
}

async fn look(upstream: &Upstream, what: Value) -> Value {
    perform(&connector(upstream), Name::Lookup, &by(what)).await.unwrap()
}

#[actix_web::test]
async fn a_payment_is_found_by_its_id_with_how_it_stands() {
    static ANSWERS: &[(&str, u16, &str)] = &[
        ("GET /v1/payment_intents/pi_paid?", 200, fixture!("payment_intent_succeeded")),
        ("GET /v1/payment_intents/pi_held?", 200, fixture!("payment_intent_requires_capture")),
        ("GET /v1/payment_intents/pi_void?", 200, fixture!("payment_intent_canceled")),
        ("GET /v1/payment_intents/pi_wait?", 200, fixture!("payment_intent_processing")),
        ("GET /v1/payment_intents/pi_asks?", 200, fixture!("payment_intent_requires_action")),
        ("GET /v1/payment_intents/pi_no?", 200, fixture!("subscription_declined_payment")),
        ("GET /v1/payment_intents/", 404, fixture!("error_no_such_payment_intent")),
    ];
    let upstream = serving(ANSWERS);
    for (reference, outcome) in [
        ("pi_paid", json!({"outcome": "succeeded", "result": {"captured": 1000, "attempt": attempt(1)}})),
        ("pi_held", json!({"outcome": "succeeded", "result": {"captured": 0, "voided": false}})),
        ("pi_void", json!({"outcome": "succeeded", "result": {"captured": 0, "voided": true}})),
        ("pi_wait", json!({"outcome": "pending"})),
        ("pi_asks", json!({"outcome": "requires_action"})),
        ("pi_no", json!({"outcome": "declined", "decline": {"code": "generic_decline"}})),
    ] {
        let found = look(&upstream, json!({"payment": {"reference": reference}})).await;
        assert_has(&found, &json!({"found": "payment", "outcome": outcome}), reference);
    }
    let nothing = look(&upstream, json!({"payment": {"reference": "pi_nothing"}})).await;
    assert_eq!(nothing, json!({"found": "nothing"}));
}

#[actix_web::test]
async fn a_refund_is_found_by_its_id() {
    static ANSWERS: &[(&str, u16, &str)] = &[
        ("GET /v1/refunds/re_done", 200, fixture!("refund_succeeded")),
        ("GET /v1/refunds/re_wait", 200, fixture!("refund_pending")),
        ("GET /v1/refunds/re_lost", 200, fixture!("refund_failed")),
    ];
    for (reference, outcome) in [("re_done", "succeeded"), ("re_wait", "pending"), ("re_lost", "declined")] {
        let found = look(&serving(ANSWERS), json!({"refund": {"reference": reference}})).await;
        assert_has(&found, &json!({"found": "refund", "outcome": {"outcome": outcome}}), reference);
    }
}

#[actix_web::test]
async fn a_payment_is_searched_by_its_attempt_and_then_read_itself() {
    static ANSWERS: &[(&str, u16, &str)] = &[
        ("GET /v1/payment_intents/search?", 200, fixture!("search")),
        ("GET /v1/payment_intents/", 200, fixture!("payment_intent_succeeded")),
    ];
    let upstream = serving(ANSWERS);
    let found = look(&upstream, json!({"payment_attempt": {"of": attempt(1)}})).await;
    assert_has(&found, &json!({"found": "payment", "outcome": {"outcome": "succeeded"}}), "search");
    let query = upstream.arrived()[0].target.split_once('?').unwrap().1.to_owned();
    assert_eq!(form(&query)[0], ("query".into(), format!("metadata['attempt']:'{}'", attempt(1))));
    assert_eq!(upstream.arrived().len(), 2);
}

#[actix_web::test]
async fn what_the_search_does_not_find_is_looked_for_in_the_list_of_its_time() {
    for search in [(200, fixture!("search_empty")), (400, fixture!("error_amount_too_small")), (500, "")] {
        let listed = json(fixture!("search")).to_string().replace("search_result", "list");
        let upstream = Upstream::start(move |arrived: &Arrived| {
            let (path, query) = arrived.target.split_once('?').unwrap();
            Some(match path {
                "/v1/payment_intents/search" => response(search.0, "", search.1),
                "/v1/payment_intents" => {
                    let made = 1_731_610_508; // The first 48 bits of the attempt, in seconds.
                    let sent = form(query);
                    for (name, value) in [("created[gte]", made - 300), ("created[lte]", made + 7200)] {
                        assert!(sent.contains(&(name.to_owned(), value.to_string())), "{sent:?}");
                    }
                    response(200, "", &listed)
                }
                _ => response(200, "", fixture!("payment_intent_succeeded")),
            })
        });
        let found = look(&upstream, json!({"payment_attempt": {"of": attempt(1)}})).await;
        assert_eq!(found["found"], "payment", "{}", search.0);
        assert_eq!(upstream.arrived().len(), 3);
    }
}

#[actix_web::test]
async fn nothing_is_said_only_when_the_whole_list_was_seen() {
    static EMPTY: &[(&str, u16, &str)] = &[
        ("GET /v1/payment_intents/search?", 200, fixture!("search_empty")),
        ("GET /v1/payment_intents?", 200, fixture!("payment_intent_list_empty")),
    ];
    let nothing = look(&serving(EMPTY), json!({"payment_attempt": {"of": attempt(7)}})).await;
    assert_eq!(nothing, json!({"found": "nothing"}));
    let asked = by(json!({"payment_attempt": {"of": attempt(7)}}));
    for answer in [(200, "<html>"), (500, ""), (429, fixture!("error_amount_too_small"))] {
        let failure =
            perform(&connector(&Upstream::answering(answer.0, answer.1)), Name::Lookup, &asked).await;
        assert_eq!(failure.unwrap_err().failure().kind, ErrorKind::Protocol, "{}", answer.0);
    }
}

/// An account with more payments than are looked through, none of them the one that is looked for.
async fn among_too_many(search: (u16, &'static str), of: &str) -> (Result<Value, ErrorKind>, usize) {
    let upstream = Upstream::start(move |arrived: &Arrived| {
        let (path, _) = arrived.target.split_once('?').unwrap();
        Some(match path {
            "/v1/payment_intents/search" => response(search.0, "", search.1),
            _ => response(200, "", fixture!("payment_intent_list")),
        })
    });
    let asked = by(json!({"payment_attempt": {"of": of}}));
    let found = perform(&connector(&upstream), Name::Lookup, &asked).await;
    let arrived = upstream.arrived();
    let last = json(fixture!("payment_intent_list"))["data"][1]["id"].as_str().unwrap().to_owned();
    assert!(arrived[2].target.contains(&format!("starting_after={last}")));
    (found.map_err(|error| error.failure().kind), arrived.len())
}

#[actix_web::test]
async fn where_the_list_is_too_long_the_search_decides_once_it_is_not_behind() {
    let (nothing, other) = ((200, fixture!("search_empty")), (200, fixture!("search")));
    let unavailable = (400, fixture!("error_amount_too_small"));
    let found_nothing = Ok(json!({"found": "nothing"}));
    // Made in 2024: what it may have made is in the search by now.
    assert_eq!(among_too_many(nothing, &attempt(7)).await, (found_nothing, 11));
    // Made now; or the search does not answer, or not what it was asked.
    let new = wire::payment::AttemptId::new().to_string();
    for (search, of) in [(nothing, new), (unavailable, attempt(7)), (other, attempt(7))] {
        assert_eq!(among_too_many(search, &of).await, (Err(ErrorKind::Protocol), 11), "{}", search.1);
    }
}

#[actix_web::test]
async fn a_refund_is_found_among_those_of_its_payment() {
    let upstream = Upstream::answering(200, fixture!("refund_list"));
    let found = look(&upstream, json!({"refund_attempt": {"of": attempt(3), "payment": "pi_1"}})).await;
    assert_has(&found, &json!({"found": "refund", "outcome": {"outcome": "declined"}}), "refund");
    assert!(upstream.arrived()[0].target.starts_with("/v1/refunds?limit=100&payment_intent=pi_1"));
    let nothing = look(&upstream, json!({"refund_attempt": {"of": attempt(5), "payment": "pi_1"}})).await;
    assert_eq!(nothing, json!({"found": "nothing"}));
}
