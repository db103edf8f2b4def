//! Operations that nobody has settled: janitors look at them by the clock.

mod by_hand;

use chrono::TimeDelta;
use db_server::domain::payment::janitor::forget;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use uuid::Uuid;
use wire::payment::Provider;

use super::{
    janitor::{self, NO_PROXY, domain, pass},
    shop::{text, unique},
    till::{Till, line},
    webhooks::count,
};

/// When a look is due for the first time.
pub const SOON: TimeDelta = TimeDelta::seconds(11);

/// A till whose providers tell nothing by themselves.
async fn quiet() -> Till {
    hushed(Till::open().await).await
}

/// The same till, whose providers tell nothing by themselves from now on.
pub async fn hushed(till: Till) -> Till {
    let held = till.pair.sandbox_client().put("/_sandbox/webhooks/handling", &json!({"hold": true})).await;
    assert_eq!(held.status, 200, "{held:?}");
    till
}

/// One pass of a janitor whose clock is ahead; gives how much it has looked at.
pub async fn look(till: &Till, ahead: TimeDelta) -> usize {
    janitor::look(&till.pair, ahead).await
}

/// The attempt of the newest operation.
fn attempt(till: &Till) -> Uuid {
    use diesel::{QueryableByName, RunQueryDsl, sql_query};
    #[derive(QueryableByName)]
    struct Newest {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        attempt: Uuid,
    }
    let mut connection = till.pair.database.as_ref().unwrap().connect();
    let query = "select attempt from payment_operations order by id desc limit 1";
    sql_query(query).get_result::<Newest>(&mut connection).unwrap().attempt
}

/// A payment that is shown as unknown.
async fn unknown(till: &Till, order: &Value) -> Value {
    let answer = till.ask(order).await;
    assert_eq!((answer.status, &answer.json()["status"]), (202, &json!("unknown")), "{answer:?}");
    answer.json()
}

async fn assert_status(till: &Till, payment: &Value, status: &str) {
    let now = till.read(payment).await;
    assert_eq!(now["status"], status, "{now}");
}

#[actix_web::test]
async fn a_charge_whose_answer_was_lost_is_found_and_what_never_arrived_is_asked_again() {
    let till = quiet().await;
    for (fault, lines) in [("drop_after", 1), ("drop_before", 2)] {
        till.fault("/stripe/v1/payment_intents", json!(fault)).await;
        let payment = unknown(&till, &till.stripe_order(&json!({}))).await;
        assert_eq!(till.change(&payment, "cancel", &json!({})).await.status, 409);
        assert_eq!(look(&till, TimeDelta::zero()).await, 0, "it is not due");
        assert_eq!(look(&till, SOON).await, 1, "{fault}");
        assert_status(&till, &payment, "captured").await;
        assert_eq!(till.ledger(Provider::Stripe).await, vec![line("charge", "10.00"); lines]);
        assert_eq!(look(&till, TimeDelta::days(1)).await, 0, "it is settled");
    }
}

#[actix_web::test]
async fn what_cannot_be_looked_up_is_asked_again_under_its_attempt_while_that_is_safe() {
    let till = quiet().await;
    for (fault, lines) in [("drop_after", 1), ("drop_before", 2)] {
        till.fault("/stripe/v1/payment_intents", json!(fault)).await;
        let payment = unknown(&till, &till.stripe_order(&json!({}))).await;
        // Neither the search nor the list answers.
        till.faults("GET", "/stripe/v1/payment_intents", 2, json!({"status": 500})).await;
        assert_eq!(look(&till, SOON).await, 1, "{fault}");
        assert_status(&till, &payment, "captured").await;
        assert_eq!(till.ledger(Provider::Stripe).await, vec![line("charge", "10.00"); lines]);
    }
    till.fault("/stripe/v1/payment_intents", json!("drop_before")).await;
    let payment = unknown(&till, &till.stripe_order(&json!({}))).await;
    till.faults("GET", "/stripe/v1/payment_intents", 2, json!({"status": 500})).await;
    assert_eq!(look(&till, TimeDelta::minutes(110)).await, 1, "too late to ask again");
    assert_status(&till, &payment, "unknown").await;
    assert_eq!(till.ledger(Provider::Stripe).await.len(), 2);
}

#[actix_web::test]
async fn what_becomes_of_the_payment_is_looked_up_too() {
    let till = quiet().await;
    let held = till.stripe(&json!({"capture": false})).await;
    let path = format!("/stripe/v1/payment_intents/{}", text(&held, "/provider_reference"));
    for fault in ["drop_after", "drop_before"] {
        till.fault(&format!("{path}/capture"), json!(fault)).await;
        let answer = till.change(&held, "capture", &json!({"amount": "3.00"})).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(look(&till, SOON).await, 1);
    }
    assert_eq!(till.read(&held).await["captured_amount"], "6.00");
    for fault in ["drop_after", "drop_before"] {
        till.fault("/stripe/v1/refunds", json!(fault)).await;
        let answer = till.change(&held, "refunds", &json!({"amount": "1.00"})).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(look(&till, SOON).await, 1);
    }
    assert_eq!(till.read(&held).await["refunded_amount"], "2.00");
    let charged = [line("charge", "3.00"), line("charge", "3.00")];
    let refunded = [line("refund", "1.00"), line("refund", "1.00")];
    assert_eq!(till.ledger(Provider::Stripe).await, [charged, refunded].concat());
    let given_up = till.stripe(&json!({"capture": false})).await;
    let path = format!("/stripe/v1/payment_intents/{}/cancel", text(&given_up, "/provider_reference"));
    till.fault(&path, json!("drop_after")).await;
    assert_eq!(till.change(&given_up, "cancel", &json!({})).await.status, 202);
    assert_eq!(look(&till, SOON).await, 1);
    assert_status(&till, &given_up, "cancelled").await;
}

#[actix_web::test]
async fn a_checkout_whose_completion_was_lost_is_executed_once() {
    let till = quiet().await;
    for (fault, lines) in [("drop_after", 1), ("drop_before", 2)] {
        let payment = till.paypal(&json!({})).await;
        till.choose(&payment, "approve").await;
        let order = text(&payment, "/checkout_reference");
        till.fault(&format!("/paypal/v2/checkout/orders/{order}/capture"), json!(fault)).await;
        let answer = till.change(&payment, "complete", &json!({})).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(look(&till, SOON).await, 1, "{fault}");
        assert_status(&till, &payment, "captured").await;
        assert_eq!(till.ledger(Provider::Paypal).await, vec![line("charge", "10.00"); lines]);
    }
}

#[actix_web::test]
async fn nothing_is_no_evidence_too_early_and_braintree_is_not_asked_again() {
    let till = quiet().await;
    till.fault("/braintree/merchants", json!("drop_before")).await;
    let order = till.order(Provider::Braintree, &json!({"currency": "USD", "nonce": "fake-valid-nonce"}));
    let payment = unknown(&till, &order).await;
    assert_eq!(look(&till, SOON).await, 1);
    assert_status(&till, &payment, "unknown").await;
    assert_eq!(look(&till, SOON + SOON).await, 0, "the next look is a minute later");
    for due in [TimeDelta::seconds(80), TimeDelta::seconds(400)] {
        assert_eq!(look(&till, due).await, 1);
        assert_status(&till, &payment, "unknown").await;
    }
    // The regular look comes an hour later; one at ten minutes says that it is over.
    assert_eq!(look(&till, TimeDelta::minutes(9)).await, 0);
    assert_status(&till, &payment, "unknown").await;
    assert_eq!(look(&till, TimeDelta::seconds(606)).await, 1);
    let failed = till.read(&payment).await;
    assert_eq!((&failed["status"], &failed["failure"]["code"]), (&json!("failed"), &json!("not_found")));
    assert_eq!(till.ledger(Provider::Braintree).await, []);
}

#[actix_web::test]
async fn what_cannot_be_asked_is_asked_the_next_time_and_after_thirty_days_a_person_decides() {
    let till = quiet().await;
    till.fault("/stripe/v1/payment_intents", json!("drop_after")).await;
    let payment = unknown(&till, &till.stripe_order(&json!({}))).await;
    assert_eq!(pass(&till.pair, NO_PROXY, SOON).await, 1);
    assert_eq!(pass(&till.pair, NO_PROXY, SOON + SOON).await, 0);
    assert_eq!(pass(&till.pair, NO_PROXY, TimeDelta::days(31)).await, 1);
    assert_status(&till, &payment, "unknown").await;
    assert_eq!(look(&till, TimeDelta::days(400)).await, 0, "nobody looks any more");
}

#[actix_web::test]
async fn no_two_janitors_look_at_the_same() {
    let till = quiet().await;
    for _ in 0..5 {
        till.fault("/stripe/v1/payment_intents", json!("drop_after")).await;
        unknown(&till, &till.stripe_order(&json!({}))).await;
    }
    let before = till.arrived("GET /stripe/v1/payment_intents/search").await;
    let looks = futures_util::future::join3(look(&till, SOON), look(&till, SOON), look(&till, SOON));
    let (one, two, three) = looks.await;
    assert_eq!(one + two + three, 5);
    assert_eq!(till.arrived("GET /stripe/v1/payment_intents/search").await - before, 5);
    assert_eq!(till.ledger(Provider::Stripe).await.len(), 5);
}

#[actix_web::test]
async fn keys_are_forgotten_when_they_are_old_unless_what_they_began_is_open_and_unanswered() {
    let till = quiet().await;
    let database = till.pair.database.as_ref().unwrap();
    till.stripe(&json!({})).await;
    till.stripe(&json!({})).await;
    till.fault("/stripe/v1/payment_intents", json!("drop_after")).await;
    unknown(&till, &till.stripe_order(&json!({}))).await;
    let mut connection = database.connect();
    connection
        .batch_execute(
            "update idempotency_keys set created = now() - interval '2 days', answered = now() - interval '2 days'
             where id <> 1;
             update idempotency_keys set status = null, body = null, answered = null, leased_until = now()
             where id = (select max(id) from idempotency_keys)",
        )
        .unwrap();
    let domain = domain(&till.pair, TimeDelta::zero()).await;
    assert_eq!(forget(&domain).await.unwrap(), 1);
    assert_eq!(count(&mut connection, "select count(*) from idempotency_keys"), 2);
    assert_eq!(count(&mut connection, "select count(*) from idempotency_keys where status is null"), 1);
}

#[actix_web::test]
async fn an_answer_is_kept_from_when_it_was_given_however_long_it_took() {
    let till = quiet().await;
    let database = till.pair.database.as_ref().unwrap();
    let (key, order) = (unique("key"), till.stripe_order(&json!({})));
    let first = till.post("/payments/", &key, &order).await;
    assert_eq!(first.status, 201, "{first:?}");
    let mut connection = database.connect();
    let begun = |ago: &str| format!("update idempotency_keys set created = now() - interval '{ago}'");
    // It was gone on with twenty hours after it was begun, and answered then; ten hours later it is still asked for.
    connection.batch_execute(&begun("20 hours")).unwrap();
    for (ahead, forgotten) in [(10, 0), (23, 0), (25, 1)] {
        let domain = domain(&till.pair, TimeDelta::hours(ahead)).await;
        assert_eq!(forget(&domain).await.unwrap(), forgotten, "{ahead} hours after the answer");
        if forgotten == 0 {
            let again = till.post("/payments/", &key, &order).await;
            assert_eq!((again.status, &again.body), (201, &first.body));
        }
    }
    // What was answered before it was noted when is kept from its creation on.
    till.stripe(&json!({})).await;
    connection.batch_execute(&begun("25 hours")).unwrap();
    connection.batch_execute("update idempotency_keys set answered = null").unwrap();
    let domain = domain(&till.pair, TimeDelta::zero()).await;
    assert_eq!(forget(&domain).await.unwrap(), 1);
}
