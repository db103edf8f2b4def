//! PINs: every sentence of the API's section on them.

use db_server::domain::Clock;
use futures_util::future::join_all;
use integration_tests::{
    client::{Answer, Client},
    clock::ManualClock,
    in_process::{Pair, PairOptions, spawn_pair},
};
use serde_json::{Value, json};

use super::{
    buyer::assert_code,
    shop::{created, text},
};

/// Longer than any lock-out of these tests, to the second: what settings say by default.
const WINDOW: i64 = 300;

async fn with_pin(client: &Client, pin: &str, confirmed: bool) -> String {
    let body = json!({"uuid": "b1", "pin": pin, "pin_confirmed": confirmed});
    text(&created(client.post("/generic/buyer/", &body).await), "/resource_uri")
}

async fn post(client: &Client, path: &str, pin: &str) -> Value {
    let answer = client.post(&format!("/generic/{path}/"), &json!({"uuid": "b1", "pin": pin})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn verify(client: &Client, pin: &str) -> (bool, bool) {
    let body = post(client, "verify_pin", pin).await;
    assert_eq!(body["uuid"], "b1");
    (body["valid"].as_bool().unwrap(), body["locked"].as_bool().unwrap())
}

/// `(pin_failures, pin_is_locked_out, pin_was_locked_out)`.
async fn state(client: &Client, uri: &str) -> (i64, bool, bool) {
    let body = client.get(uri).await.json();
    let flag = |name: &str| body[name].as_bool().unwrap();
    (body["pin_failures"].as_i64().unwrap(), flag("pin_is_locked_out"), flag("pin_was_locked_out"))
}

async fn miss(client: &Client, times: usize) {
    for _ in 0..times {
        assert!(!verify(client, "0000").await.0);
    }
}

async fn with_clock() -> (Pair, ManualClock) {
    let clock = ManualClock::new();
    (PairOptions::default().clock(clock.clock()).spawn().await, clock)
}

#[actix_web::test]
async fn a_match_confirms_the_pin_and_a_mismatch_takes_the_confirmation_back() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", false).await;
    assert_eq!(post(&client, "confirm_pin", "1234").await, json!({"confirmed": true, "uuid": "b1"}));
    assert_eq!(client.get(&uri).await.json()["pin_confirmed"], true);
    assert_eq!(post(&client, "confirm_pin", "4321").await, json!({"confirmed": false, "uuid": "b1"}));
    assert_eq!(client.get(&uri).await.json()["pin_confirmed"], false);
}

#[actix_web::test]
async fn without_a_pin_nothing_is_confirmed_or_verified() {
    let pair = spawn_pair().await;
    let client = pair.client();
    created(client.post("/generic/buyer/", &json!({"uuid": "b1", "pin_confirmed": true})).await);
    assert_eq!(post(&client, "confirm_pin", "1234").await["confirmed"], false);
    assert_eq!(post(&client, "reset_confirm_pin", "1234").await["confirmed"], false);
    assert_eq!(verify(&client, "1234").await, (false, false));
}

#[actix_web::test]
async fn only_a_confirmed_pin_can_verify() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", false).await;
    assert_eq!(verify(&client, "1234").await, (false, false));
    assert_eq!(state(&client, &uri).await.0, 0, "nothing was compared, so nothing is counted");
    post(&client, "confirm_pin", "1234").await;
    assert_eq!(verify(&client, "1234").await, (true, false));
    // Another PIN has not been confirmed.
    assert_eq!(client.patch(&uri, &json!({"pin": "5678"})).await.json()["pin_confirmed"], false);
    assert_eq!(verify(&client, "5678").await, (false, false));
    assert_eq!(
        client.patch(&uri, &json!({"pin": "5678", "pin_confirmed": true})).await.json()["pin_confirmed"],
        true
    );
    assert_eq!(verify(&client, "5678").await, (true, false));
}

#[actix_web::test]
async fn five_misses_lock_the_buyer_for_300_s_even_for_the_right_pin() {
    let (pair, clock) = with_clock().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", true).await;
    for number in 1..=5 {
        assert_eq!(verify(&client, "0000").await, (false, number == 5));
        assert_eq!(state(&client, &uri).await, (number, number == 5, number == 5));
    }
    assert_eq!(verify(&client, "1234").await, (false, true));
    clock.advance(WINDOW - 1);
    assert_eq!(verify(&client, "1234").await, (false, true));
    assert_eq!(state(&client, &uri).await, (5, true, true), "a refused guess is not counted");
    clock.advance(1);
    assert_eq!(state(&client, &uri).await, (0, false, true), "that it was locked out is still told");
    assert_eq!(verify(&client, "1234").await, (true, false));
    assert_eq!(state(&client, &uri).await, (0, false, false));
}

#[actix_web::test]
async fn a_success_clears_failures_and_that_the_buyer_was_locked_out() {
    let (pair, clock) = with_clock().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", true).await;
    miss(&client, 4).await;
    assert_eq!(verify(&client, "1234").await, (true, false), "the fifth guess is the last that counts");
    assert_eq!(state(&client, &uri).await, (0, false, false));
    miss(&client, 5).await;
    clock.advance(WINDOW);
    miss(&client, 2).await;
    assert_eq!(state(&client, &uri).await, (2, false, true));
    assert_eq!(verify(&client, "1234").await, (true, false));
    assert_eq!(state(&client, &uri).await, (0, false, false));
}

#[actix_web::test]
async fn the_end_of_a_lock_out_gives_five_guesses_and_no_more() {
    let (pair, clock) = with_clock().await;
    let client = pair.client();
    with_pin(&client, "1234", true).await;
    for _ in 0..3 {
        miss(&client, 5).await;
        assert_eq!(verify(&client, "1234").await, (false, true));
        clock.advance(WINDOW);
    }
    assert_eq!(verify(&client, "1234").await, (true, false));
}

#[actix_web::test]
async fn of_200_parallel_wrong_guesses_exactly_five_are_counted_and_the_right_pin_is_refused() {
    let (pair, clock) = with_clock().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", true).await;
    let guesses = join_all((0..200).map(|_| verify(&client, "0000"))).await;
    assert!(guesses.iter().all(|(valid, _)| !valid));
    assert_eq!(state(&client, &uri).await, (5, true, true));
    // Each counted guess is one change of the row; the others changed nothing.
    assert_eq!(client.get(&uri).await.json()["counter"], 5);
    assert_eq!(verify(&client, "1234").await, (false, true));
    clock.advance(WINDOW);
    assert_eq!(verify(&client, "1234").await, (true, false));
}

#[actix_web::test]
async fn n_parallel_wrong_guesses_count_n() {
    let pair = PairOptions::default().db_settings("[pin]\nmax_failures = 10").spawn().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", true).await;
    join_all((0..7).map(|_| verify(&client, "0000"))).await;
    assert_eq!(state(&client, &uri).await, (7, false, false));
}

#[actix_web::test]
async fn parallel_right_guesses_are_valid_or_refused_and_leave_no_failure() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", true).await;
    let guesses = join_all((0..40).map(|_| verify(&client, "1234"))).await;
    assert!(guesses.iter().any(|(valid, _)| *valid));
    assert!(guesses.iter().all(|(valid, locked)| *valid != *locked), "{guesses:?}");
    assert_eq!(state(&client, &uri).await, (0, false, false));
    assert_eq!(verify(&client, "1234").await, (true, false));
}

#[actix_web::test]
async fn failures_and_lock_out_cannot_be_written_by_a_client() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", true).await;
    miss(&client, 5).await;
    let change = json!({"pin_failures": 0, "pin_is_locked_out": false, "pin_was_locked_out": false});
    assert_eq!(client.patch(&uri, &change).await.status, 200);
    assert_eq!(state(&client, &uri).await, (5, true, false));
    assert_eq!(client.patch(&uri, &json!({"pin": "5678", "pin_confirmed": true})).await.status, 200);
    assert_eq!(verify(&client, "5678").await, (false, true), "another PIN does not end the lock-out");
}

#[actix_web::test]
async fn a_reset_makes_the_new_pin_the_pin_once_it_is_given_again() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", true).await;
    assert_eq!(client.patch(&uri, &json!({"needs_pin_reset": true})).await.json()["needs_pin_reset"], true);
    assert_eq!(client.patch(&uri, &json!({"new_pin": "5678"})).await.json()["new_pin"], true);
    assert_eq!(post(&client, "reset_confirm_pin", "0000").await, json!({"confirmed": false, "uuid": "b1"}));
    assert_eq!(verify(&client, "1234").await, (true, false), "until then the old one counts");
    client.patch(&uri, &json!({"pin_was_locked_out": true, "pin_confirmed": false})).await;
    assert_eq!(post(&client, "reset_confirm_pin", "5678").await, json!({"confirmed": true, "uuid": "b1"}));
    let after = client.get(&uri).await.json();
    for (field, value) in [
        ("pin", true),
        ("new_pin", false),
        ("pin_confirmed", true),
        ("needs_pin_reset", false),
        ("pin_was_locked_out", false),
    ] {
        assert_eq!(after[field], value, "{field}");
    }
    assert_eq!(verify(&client, "5678").await, (true, false));
    assert_eq!(verify(&client, "1234").await, (false, false));
    assert_eq!(post(&client, "reset_confirm_pin", "5678").await["confirmed"], false, "it is used up");
}

#[actix_web::test]
async fn no_reset_is_confirmed_while_the_buyer_is_locked_out() {
    let (pair, clock) = with_clock().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", true).await;
    client.patch(&uri, &json!({"needs_pin_reset": true, "new_pin": "5678"})).await;
    miss(&client, 5).await;
    assert_eq!(post(&client, "reset_confirm_pin", "5678").await["confirmed"], false);
    assert_eq!(client.get(&uri).await.json()["new_pin"], true);
    clock.advance(WINDOW);
    assert_eq!(post(&client, "reset_confirm_pin", "5678").await["confirmed"], true);
}

#[actix_web::test]
async fn an_unknown_uuid_is_404_and_a_bad_pin_is_422() {
    let pair = spawn_pair().await;
    let client = pair.client();
    with_pin(&client, "1234", true).await;
    for path in ["/generic/confirm_pin/", "/generic/verify_pin/", "/generic/reset_confirm_pin/"] {
        let send = async |body: Value| -> Answer { client.post(path, &body).await };
        let unknown = send(json!({"uuid": "nobody", "pin": "1234"})).await;
        assert_eq!((unknown.status, unknown.json()), (404, json!({"detail": "Not found."})));
        for pin in [json!("12a4"), json!("123"), json!("12345"), json!(1234), json!(""), json!(true)] {
            assert_code(&send(json!({"uuid": "b1", "pin": pin})).await, "pin", "invalid");
        }
        assert_code(&send(json!({"uuid": "b1"})).await, "pin", "required");
        assert_code(&send(json!({"pin": "1234"})).await, "uuid", "required");
        assert_code(&send(json!({"uuid": "b1", "pin": "1234", "nip": "1"})).await, "nip", "unknown_field");
        assert_eq!(client.get(path).await.status, 405);
    }
}

#[actix_web::test]
async fn a_comparison_that_outlasts_a_lock_out_counts_for_nothing() {
    let clock = ManualClock::new();
    let (time, asked) = (clock.clock(), clock.clone());
    // Each look at the clock takes as long as a lock-out.
    let slow = Clock::new(move || {
        asked.advance(WINDOW);
        time.now()
    });
    let pair = PairOptions::default().clock(slow).spawn().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", true).await;
    assert_eq!(verify(&client, "1234").await, (false, false));
    assert_eq!(state(&client, &uri).await.0, 1);
}

#[actix_web::test]
async fn the_limits_are_those_of_the_settings() {
    let clock = ManualClock::new();
    let settings = "[pin]\nmax_failures = 2\nfailure_window = '60s'";
    let pair = PairOptions::default().db_settings(settings).clock(clock.clock()).spawn().await;
    let client = pair.client();
    with_pin(&client, "1234", true).await;
    assert_eq!(verify(&client, "0000").await, (false, false));
    assert_eq!(verify(&client, "0000").await, (false, true));
    clock.advance(60);
    assert_eq!(verify(&client, "1234").await, (true, false));
}

#[actix_web::test]
async fn a_closed_buyer_verifies_no_more() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = with_pin(&client, "1234", true).await;
    assert_eq!(client.post(&format!("{uri}close/"), &json!({})).await.status, 204);
    let guess = client.post("/generic/verify_pin/", &json!({"uuid": "b1", "pin": "1234"})).await;
    assert_eq!(guess.status, 404, "{guess:?}");
}
