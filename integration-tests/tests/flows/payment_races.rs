//! Webhooks that are faster than answers, or come when the payer does: whoever is first, the end is the same.

use std::time::Duration;

use actix_web::rt;
use integration_tests::{
    in_process::{
        Pair, db_server_settings, provider_proxy_settings, spawn_pair, start_db_server, start_provider_proxy,
    },
    settings::merge,
};
use serde_json::{Value, json};
use wire::payment::Provider;

use super::{
    shop::{text, unique},
    till::{BACK, Till, line, post},
    webhooks::count,
};

/// How events are handled from now on.
async fn handling(till: &Till, how: Value) {
    let answer = till.pair.sandbox_client().put("/_sandbox/webhooks/handling", &how).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// The ids of the events that are kept back, in the order in which they happened.
async fn held(till: &Till) -> Vec<String> {
    let shown = till.pair.sandbox_client().get("/_sandbox/webhooks").await.json();
    shown["held"].as_array().unwrap().iter().map(|event| text(event, "/event_id")).collect()
}

/// Delivers what is kept back, in this order.
async fn release(till: &Till, order: &[String]) {
    let body = json!({"order": order});
    let answer = till.pair.sandbox_client().post("/_sandbox/webhooks/release", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for delivery in answer.json()["deliveries"].as_array().unwrap() {
        assert_eq!(delivery["status"], 200, "{delivery}");
    }
}

/// The same pair, whose reference provider posts its notices to db-server.
fn with_notices(mut pair: Pair) -> Pair {
    let url = pair.provider_proxy.url().to_owned();
    pair.provider_proxy.stop();
    let mut table = provider_proxy_settings(pair.sandbox.url(), &pair.dummies);
    let more = format!(
        "[server]\nlisten = '{}'\n[providers.reference.checkout]\ncallback_url = '{}/webhooks/reference/'",
        url.trim_start_matches("http://"),
        pair.db_server.url()
    );
    merge(&mut table, more.parse().unwrap());
    pair.provider_proxy = start_provider_proxy(table);
    pair
}

/// Everything that has been posted has arrived.
async fn arrived(till: &Till) {
    till.pair.sandbox_client().get("/_sandbox/webhooks?wait=true").await;
}

/// Everything that has been posted has arrived and is applied.
async fn applied(till: &Till) {
    arrived(till).await;
    let mut connection = till.pair.database.as_ref().unwrap().connect();
    let applied = async {
        while count(&mut connection, WAITING) > 0 {
            rt::task::yield_now().await;
        }
    };
    rt::time::timeout(Duration::from_secs(60), applied).await.expect("an event waits for ever");
}

fn rows(till: &Till, query: &str) -> i64 {
    count(&mut till.pair.database.as_ref().unwrap().connect(), query)
}

const OPEN: &str = "select count(*) from payment_operations where state <> 3";
const WAITING: &str = "select count(*) from webhook_events where applied is null";

#[actix_web::test]
async fn a_webhook_that_is_faster_than_the_answer_finds_its_payment() {
    let till = Till::open().await;
    handling(&till, json!({"copies": 2})).await;
    let late = json!({"delay_ms": 700, "after": true});
    till.fault("/stripe/v1/payment_intents", late.clone()).await;
    let payment = till.stripe(&json!({})).await;
    assert_eq!((&payment["status"], &payment["captured_amount"]), (&json!("captured"), &json!("10.00")));
    // It was on the books before the provider's answer was there.
    let first =
        "select count(*) from payment_events where kind = 'payment.captured' and actor = 'provider:stripe'";
    assert_eq!(rows(&till, first), 1);

    till.fault("/stripe/v1/refunds", late).await;
    let refund = till.change(&payment, "refunds", &json!({"amount": "2.00"})).await;
    assert_eq!((refund.status, &refund.json()["status"]), (201, &json!("succeeded")), "{refund:?}");
    applied(&till).await;
    assert_eq!(till.read(&payment).await["refunded_amount"], "2.00");
    assert_eq!(
        (rows(&till, "select count(*) from refunds"), rows(&till, OPEN), rows(&till, WAITING)),
        (1, 0, 0)
    );
    assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00"), line("refund", "2.00")]);
}

#[actix_web::test]
async fn the_payers_return_races_the_webhooks_of_3d_secure() {
    for (turned, is_told_first) in [(false, false), (true, false), (false, true), (true, true)] {
        let till = Till::open().await;
        handling(&till, json!({"hold": true, "copies": 2})).await;
        let order =
            till.stripe_order(&json!({"nonce": "pm_card_authenticationRequired", "return_url": BACK}));
        let payment = till.pay(&order).await;
        assert_eq!(payment["status"], "requires_action", "{payment}");
        let path = format!("/_sandbox/waiting/stripe/{}/approve", text(&payment, "/provider_reference"));
        let approved = till.pair.sandbox_client().post(&path, &json!({})).await;
        assert!(approved.status < 300, "{approved:?}");
        let mut events = held(&till).await;
        if turned {
            events.reverse();
        }
        if is_told_first {
            release(&till, &events).await;
        }
        let back = till.change(&payment, "complete", &json!({})).await;
        assert_eq!((back.status, &back.json()["status"]), (200, &json!("captured")), "{back:?}");
        if !is_told_first {
            release(&till, &events).await;
        }
        let end = till.read(&payment).await;
        assert_eq!((&end["status"], &end["captured_amount"]), (&json!("captured"), &json!("10.00")));
        assert_eq!((rows(&till, OPEN), rows(&till, WAITING)), (0, 0), "turned: {turned}");
        assert_eq!(till.ledger(Provider::Stripe).await, [line("charge", "10.00")]);
    }
}

#[actix_web::test]
async fn a_payer_who_agrees_at_paypal_pays_when_the_client_completes_and_once() {
    let till = Till::open().await;
    handling(&till, json!({"copies": 2})).await;
    let payment = till.paypal(&json!({"capture": false})).await;
    till.choose(&payment, "approve").await;
    arrived(&till).await;
    assert_eq!(till.read(&payment).await["status"], "pending");
    assert_eq!(till.ledger(Provider::Paypal).await, []);
    let authorized = till.change(&payment, "complete", &json!({})).await;
    assert_eq!(authorized.json()["status"], "authorized", "{authorized:?}");
    for amount in ["4.00", "6.00"] {
        let answer = till.change(&payment, "capture", &json!({"amount": amount})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    applied(&till).await;
    assert_eq!(till.read(&payment).await["captured_amount"], "10.00");
    assert_eq!((rows(&till, OPEN), rows(&till, WAITING)), (0, 0));
}

#[actix_web::test]
async fn a_checkout_that_takes_the_money_when_the_payer_agrees_is_captured_by_its_notice() {
    let till = Till::at(with_notices(spawn_pair().await)).await;
    let order = till.order(Provider::Reference, &json!({"checkout": super::till::checkout()}));
    let payment = till.pay(&order).await;
    let url = text(&payment, "/next_action/url");
    till.shop.pay(url.split("tx=").nth(1).unwrap(), &json!({"outcome": "success"})).await;
    arrived(&till).await;
    let end = till.read(&payment).await;
    assert_eq!((&end["status"], &end["captured_amount"]), (&json!("captured"), &json!("10.00")), "{end}");
}

/// The only payment that waits for its payer at the reference provider, once there is one.
async fn waits_at_the_reference_provider(till: &Till) -> String {
    loop {
        let waiting = till.pair.sandbox_client().get("/_sandbox/waiting").await.json();
        if let Some(one) = waiting.as_array().unwrap().iter().find(|one| one["provider"] == "reference") {
            return text(one, "/id");
        }
        rt::task::yield_now().await;
    }
}

/// Waits for an event of this type.
async fn told(till: &Till, kind: &str) {
    let in_time = Duration::from_secs(60);
    rt::time::timeout(in_time, hear(till, kind)).await.unwrap_or_else(|_| panic!("nobody tells of {kind}"));
}

async fn hear(till: &Till, kind: &str) {
    let mut next = "/events/?after=0&limit=100&wait=30".to_owned();
    loop {
        let page = till.client.get(&next).await.json();
        if page["objects"].as_array().unwrap().iter().any(|event| event["type"] == kind) {
            return;
        }
        next = format!("{}&wait=30", text(&page, "/meta/next"));
    }
}

/// A payment whose payer has paid before its answer was there, and whose notice has waited for it: the look at the
/// provider that this brings about takes its time.
async fn paid_before_it_is_here(till: &Till) -> Value {
    let slow = json!([
        {"method": "POST", "path": "/transactions", "fault": {"delay_ms": 2500, "after": true}},
        {"method": "GET", "path": "/transactions", "fault": {"delay_ms": 4000}},
    ]);
    assert_eq!(till.pair.sandbox_client().post("/_sandbox/faults", &slow).await.status, 200);
    let order = till.order(Provider::Reference, &json!({"checkout": super::till::checkout()}));
    let asking = rt::spawn({
        let client = till.client.clone();
        async move { post(&client, "/payments/", &unique("key"), &order).await }
    });
    let id = waits_at_the_reference_provider(till).await;
    let path = format!("/_sandbox/waiting/reference/{id}/approve");
    let approved = till.pair.sandbox_client().post(&path, &json!({})).await;
    assert!(approved.status < 300, "{approved:?}");
    assert_eq!(rows(till, WAITING), 1);
    let answer = asking.await.unwrap();
    assert_eq!((answer.status, &answer.json()["status"]), (201, &json!("requires_action")), "{answer:?}");
    answer.json()
}

#[actix_web::test]
async fn a_client_is_answered_before_the_provider_is_asked_about_what_has_waited_for_its_payment() {
    let till = Till::at(with_notices(spawn_pair().await)).await;
    let payment = paid_before_it_is_here(&till).await;
    assert_eq!(till.read(&payment).await["status"], "requires_action", "the client has waited for the look");
    told(&till, "payment.captured").await;
    let end = till.read(&payment).await;
    assert_eq!((&end["status"], &end["captured_amount"]), (&json!("captured"), &json!("10.00")), "{end}");
    assert_eq!((rows(&till, WAITING), rows(&till, OPEN)), (0, 0));
}

#[actix_web::test]
async fn what_is_looked_at_when_a_server_stops_is_applied_by_the_next() {
    let mut till = Till::at(with_notices(spawn_pair().await)).await;
    let payment = paid_before_it_is_here(&till).await;
    till.pair.db_server.stop();
    assert_eq!(rows(&till, WAITING), 1, "the stop has not waited for the look");
    let database = till.pair.database.as_ref().unwrap();
    let (folder, proxy) = (database.socket_folder(), till.pair.provider_proxy.url());
    let table = db_server_settings(&folder, database.name(), proxy, &till.pair.dummies);
    till.pair.db_server = start_db_server(table);
    till.client = till.pair.client();
    told(&till, "payment.captured").await;
    assert_eq!(till.read(&payment).await["captured_amount"], "10.00");
    assert_eq!((rows(&till, WAITING), rows(&till, OPEN)), (0, 0));
}

#[actix_web::test]
async fn a_dispute_is_told_and_moves_nothing() {
    let till = Till::open().await;
    let payment = till.stripe(&json!({"nonce": "pm_card_createDispute"})).await;
    // Its webhooks may have been faster than the answer, and are applied beside the requests then.
    applied(&till).await;
    told(&till, "payment.disputed").await;
    let end = till.read(&payment).await;
    assert_eq!((&end["status"], &end["refunded_amount"]), (&json!("captured"), &json!("0.00")));
}
