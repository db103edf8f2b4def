//! `Idempotency-Key`: whatever is sent again is carried out once, and answered the same.

use std::collections::BTreeSet;

use actix_web::rt;
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Text},
};
use integration_tests::{
    clock::ManualClock,
    in_process::{PairOptions, db_server_settings, start_db_server},
};
use serde_json::{Value, json};
use wire::payment::Provider;

use super::{
    shop::{text, unique},
    till::{Till, line, post},
};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The one number that a query gives.
pub fn count(till: &Till, query: &str) -> i64 {
    let mut connection = till.pair.database.as_ref().unwrap().connect();
    sql_query(query).get_result::<Count>(&mut connection).unwrap().count
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The transactions that db-server has open now: those of a request, and those of a janitor that passes by.
fn open_transactions(till: &Till) -> BTreeSet<String> {
    let mut connection = till.pair.database.as_ref().unwrap().connect();
    let query = "select pid || ' since ' || xact_start as name from pg_stat_activity \
                 where datname = current_database() and application_name = 'db-server' and xact_start is not null";
    let open: Vec<Name> = sql_query(query).load(&mut connection).unwrap();
    open.into_iter().map(|one| one.name).collect()
}

/// Waits until none of these is open any more.
async fn wait_until_ended(till: &Till, transactions: &BTreeSet<String>) {
    while !open_transactions(till).is_disjoint(transactions) {
        rt::task::yield_now().await;
    }
}

/// The next request of ours that Stripe gets stays there until it is released.
pub async fn hold(till: &Till) {
    let (sandbox, body) = (till.pair.sandbox_client(), json!({"hold": true}));
    let answer = sandbox.post("/_sandbox/stripe/interference", &body).await;
    assert!(answer.status < 300, "{answer:?}");
}

/// Waits until one stays there.
pub async fn held(till: &Till) {
    assert!(till.pair.sandbox_client().get("/_sandbox/stripe/interference/held").await.status < 300);
}

/// Releases it.
pub async fn release(till: &Till) {
    assert!(till.pair.sandbox_client().post("/_sandbox/stripe/release", &json!({})).await.status < 300);
}

#[actix_web::test]
async fn a_request_that_moves_money_needs_a_key() {
    let till = Till::open().await;
    let payment = till.stripe(&json!({"capture": false})).await;
    let order = till.stripe_order(&json!({}));
    let path = |what: &str| format!("{}{what}/", text(&payment, "/resource_uri"));
    for (path, body) in [
        ("/payments/".to_owned(), order.clone()),
        (path("capture"), json!({})),
        (path("cancel"), json!({})),
        (path("complete"), json!({})),
        (path("refunds"), json!({})),
    ] {
        let answer = till.client.post(&path, &body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("idempotency_key")), "{path}");
    }
    let long = "x".repeat(256);
    for key in ["", "a b", &long] {
        assert_eq!(till.post("/payments/", key, &order).await.status, 400, "{key}");
    }
    assert_eq!(till.post("/payments/", &"x".repeat(255), &order).await.status, 201);
}

#[actix_web::test]
async fn a_request_that_is_sent_again_is_answered_byte_for_byte_and_carried_out_once() {
    let till = Till::open().await;
    let (key, order) = (unique("key"), till.stripe_order(&json!({})));
    let first = till.post("/payments/", &key, &order).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, None));
    // Whatever has become of it since.
    let refund = till.change(&first.json(), "refunds", &json!({})).await;
    assert_eq!(refund.status, 201, "{refund:?}");
    for path in ["/payments/", "/payments"] {
        let again = till.post(path, &key, &order).await;
        assert_eq!((again.status, &again.body), (201, &first.body));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.header("content-type"), first.header("content-type"));
    }
    let other = till.post("/payments/", &key, &till.stripe_order(&json!({"amount": "11.00"}))).await;
    assert_eq!((other.status, &other.json()["code"]), (422, &json!("idempotency_key")), "{other:?}");
    // A key is one of its route.
    let path = format!("{}refunds/", text(&first.json(), "/resource_uri"));
    let elsewhere = till.post(&path, &key, &json!({"amount": "1.00"})).await;
    assert_eq!((elsewhere.status, elsewhere.json().get("code")), (422, None), "{elsewhere:?}");
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00"), line("refund", "10.00")]);
    assert_eq!(count(&till, "select count(*) from payments"), 1);
}

#[actix_web::test]
async fn a_decline_is_replayed_too() {
    let till = Till::open().await;
    let (key, order) = (unique("key"), till.stripe_order(&json!({"nonce": "pm_card_visa_chargeDeclined"})));
    let first = till.post("/payments/", &key, &order).await;
    let again = till.post("/payments/", &key, &order).await;
    assert_eq!((first.status, again.status, &again.body), (402, 402, &first.body));
    assert_eq!(till.arrived("POST /stripe/v1/payment_intents").await, 1);
}

#[actix_web::test]
async fn a_key_of_a_request_that_was_refused_can_be_used_again() {
    let till = Till::open().await;
    let key = unique("key");
    let wrong = till.stripe_order(&json!({"seller_product": "/generic/product/99/"}));
    assert_eq!(till.post("/payments/", &key, &wrong).await.status, 422);
    let wrong = till.stripe_order(&json!({"amount": "0"}));
    assert_eq!(till.post("/payments/", &key, &wrong).await.status, 422);
    let payment = till.post("/payments/", &key, &till.stripe_order(&json!({}))).await;
    assert_eq!(payment.status, 201, "{payment:?}");
    let path = format!("{}capture/", text(&payment.json(), "/resource_uri"));
    for _ in 0..2 {
        assert_eq!(till.post(&path, &key, &json!({})).await.status, 409);
    }
    assert_eq!(till.post("/payments/99/cancel/", &key, &json!({})).await.status, 404);
    assert_eq!(count(&till, "select count(*) from idempotency_keys"), 1);
}

#[actix_web::test]
async fn the_same_request_meanwhile_is_a_conflict_and_no_database_transaction_is_open() {
    let till = Till::open().await;
    let (key, order) = (unique("key"), till.stripe_order(&json!({})));
    hold(&till).await;
    let first = rt::spawn({
        let (client, key, order) = (till.client.clone(), key.clone(), order.clone());
        async move { post(&client, "/payments/", &key, &order).await }
    });
    held(&till).await;
    wait_until_ended(&till, &open_transactions(&till)).await;
    assert!(!first.is_finished(), "a transaction stayed open for as long as the call");
    let begun = "select count(*) from payment_operations where state = 0 and next_look is not null";
    assert_eq!(count(&till, begun), 1, "what is asked is written down before");
    let second = till.post("/payments/", &key, &order).await;
    assert_eq!((second.status, second.header("retry-after")), (409, Some("1")), "{second:?}");
    assert_eq!(second.json()["code"], "idempotency_key");
    // Nothing else is asked about the payment meanwhile.
    let listed = till.client.get("/payments/?status=created").await.json();
    let payment = &listed["objects"][0];
    assert_eq!(till.change(payment, "cancel", &json!({})).await.status, 409);
    release(&till).await;
    let first = first.await.unwrap();
    assert_eq!(first.status, 201, "{first:?}");
    let third = till.post("/payments/", &key, &order).await;
    assert_eq!((third.status, &third.body), (201, &first.body));
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00")]);
}

#[actix_web::test]
async fn a_hundred_requests_with_one_key_are_one_payment() {
    let till = Till::open().await;
    let (key, order) = (unique("key"), till.stripe_order(&json!({})));
    let posts = (0..100).map(|_| till.post("/payments/", &key, &order));
    let answers = futures_util::future::join_all(posts).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty());
    assert!(made.iter().all(|answer| answer.body == made[0].body));
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)), "{answers:?}");
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00")]);
}

#[actix_web::test]
async fn an_answer_is_the_same_at_every_instance_and_after_a_restart() {
    let mut till = Till::open().await;
    let (key, order) = (unique("key"), till.stripe_order(&json!({})));
    let first = till.post("/payments/", &key, &order).await;
    assert_eq!(first.status, 201, "{first:?}");
    let database = till.pair.database.as_ref().unwrap();
    let table = db_server_settings(
        &database.socket_folder(),
        database.name(),
        till.pair.provider_proxy.url(),
        &till.pair.dummies,
    );
    till.pair.db_server.stop();
    till.pair.db_server = start_db_server(table);
    let again = post(&till.pair.client(), "/payments/", &key, &order).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00")]);
}

#[actix_web::test]
async fn who_takes_over_from_one_that_is_only_slow_and_that_one_give_the_same_answer() {
    let clock = ManualClock::new();
    // Requests to provider-proxy are signed for the time that the clock shows.
    let patient = "[identity]\nleeway = \"60s\"";
    let lease = "[payments]\nidempotency_lease = \"30s\"";
    let options = PairOptions::default().db_settings(lease).proxy_settings(patient);
    let till = Till::at(options.clock(clock.clock()).spawn().await).await;
    let (key, order) = (unique("key"), till.stripe_order(&json!({})));
    hold(&till).await;
    let first = rt::spawn({
        let (client, key, order) = (till.client.clone(), key.clone(), order.clone());
        async move { post(&client, "/payments/", &key, &order).await }
    });
    held(&till).await;
    assert_eq!(till.post("/payments/", &key, &order).await.status, 409);
    clock.advance(31);
    let second = till.post("/payments/", &key, &order).await;
    release(&till).await;
    let first = first.await.unwrap();
    assert!(matches!(second.status, 201 | 202), "{second:?}");
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00")]);
    assert_eq!(count(&till, "select count(*) from payments where status = 7"), 1);
}

#[actix_web::test]
async fn an_unknown_outcome_is_202_and_blocks_what_comes_next() {
    let till = Till::open().await;
    let (key, order) = (unique("key"), till.stripe_order(&json!({})));
    till.fault("/stripe/v1/payment_intents", json!("drop_before")).await;
    let first = till.post("/payments/", &key, &order).await;
    assert_eq!((first.status, &first.json()["status"]), (202, &json!("unknown")), "{first:?}");
    let payment = first.json();
    let transaction = till.transaction(&payment).await;
    assert_eq!((&transaction["status"], &transaction["status_reason"]), (&json!(0), &json!("unknown")));
    for what in ["capture", "cancel", "refunds"] {
        assert_eq!(till.change(&payment, what, &json!({})).await.status, 409, "{what}");
    }
    let again = till.post("/payments/", &key, &order).await;
    assert_eq!((again.status, &again.body), (202, &first.body));
    assert_eq!(till.arrived("POST /stripe/v1/payment_intents").await, 1);
}

#[actix_web::test]
async fn an_unknown_refund_blocks_the_next_one_and_keeps_what_it_would_give_back() {
    let till = Till::open().await;
    let payment = till.stripe(&json!({})).await;
    till.fault("/stripe/v1/refunds", json!("drop_before")).await;
    let refund = till.change(&payment, "refunds", &json!({"amount": "4.00"})).await;
    assert_eq!((refund.status, &refund.json()["status"]), (202, &json!("unknown")), "{refund:?}");
    assert_eq!(till.change(&payment, "refunds", &json!({"amount": "1.00"})).await.status, 409);
    assert_eq!(till.refunds(&payment).await[0]["status"], "unknown");
    let now = till.read(&payment).await;
    assert_eq!((&now["status"], &now["refunded_amount"]), (&json!("unknown"), &json!("0.00")));
}

#[actix_web::test]
async fn what_was_never_sent_is_an_error_with_the_payment_and_is_replayed() {
    let mut till = Till::open().await;
    till.pair.provider_proxy.stop();
    let (key, order) = (unique("key"), till.stripe_order(&json!({})));
    let first = till.post("/payments/", &key, &order).await;
    assert_eq!(first.status, 502, "{first:?}");
    let payment: Value = first.json();
    assert_eq!(
        (&payment["status"], &payment["failure"]["code"], &payment["error"]["outcome"]),
        (&json!("failed"), &json!("connect"), &json!("not_sent"))
    );
    assert_eq!(till.transaction(&payment).await["status"], 7);
    let again = till.post("/payments/", &key, &order).await;
    assert_eq!((again.status, &again.body), (502, &first.body));
}
