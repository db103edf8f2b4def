//! Money that Braintree took and could not settle: it is taken back on our books.

use diesel::PgConnection;
use serde_json::{Value, json};
use wire::payment::Provider;

use super::{
    ledger::assert_sound,
    payment_events::events,
    shop::text,
    till::{Till, line},
};

/// Buys at Braintree, in dollars.
async fn buy(till: &Till, amount: &str, capture: bool) -> Value {
    let fields =
        json!({"currency": "USD", "nonce": "fake-valid-nonce", "amount": amount, "capture": capture});
    till.pay(&till.order(Provider::Braintree, &fields)).await
}

/// The settlement of a transaction of Braintree's ends, so or so, and Braintree has told it.
async fn settles(till: &Till, reference: &str, how: &str) {
    let sandbox = till.pair.sandbox_client();
    let path = format!("/_sandbox/braintree/transactions/{reference}/{how}");
    let answer = sandbox.post(&path, &json!({})).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let told = sandbox.get("/_sandbox/webhooks?wait=true").await.json();
    let deliveries = told["deliveries"].as_array().unwrap();
    assert!(deliveries.iter().all(|delivery| delivery["status"] == 200), "{told}");
}

fn connection(till: &Till) -> PgConnection {
    till.pair.database.as_ref().unwrap().connect()
}

/// Types of the events that were told of a payment.
async fn told(till: &Till) -> Vec<String> {
    events(&till.client, "").await.iter().map(|event| text(event, "/type")).collect()
}

async fn balances(till: &Till) -> Value {
    let answer = till.client.get("/ledger/balances/").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["objects"].as_array().unwrap().iter().map(|one| one["balance"].clone()).collect()
}

#[actix_web::test]
async fn a_settlement_that_is_declined_takes_the_capture_back_once() {
    let till = Till::open().await;
    let twice = json!({"copies": 2});
    let handled = till.pair.sandbox_client().put("/_sandbox/webhooks/handling", &twice).await;
    assert_eq!(handled.status, 200, "{handled:?}");
    // The sandbox declines the settlement of this amount.
    let payment = buy(&till, "4001.00", true).await;
    assert_eq!((&payment["status"], &payment["captured_amount"]), (&json!("captured"), &json!("4001.00")));
    settles(&till, &text(&payment, "/provider_reference"), "settle").await;
    let failed = till.read(&payment).await;
    assert_eq!((&failed["status"], &failed["captured_amount"]), (&json!("failed"), &json!("0.00")));
    let failure = json!({"code": "4001", "message": "Settlement Declined"});
    assert_eq!((&failed["failure"], &failed["decline"]), (&failure, &Value::Null));
    let transaction = till.transaction(&payment).await;
    assert_eq!((&transaction["status"], &transaction["status_reason"]), (&json!(4), &json!("4001")));
    let expected = ["payment.created", "payment.captured", "payment.failed", "payment.settlement_declined"];
    assert_eq!(told(&till).await, expected);
    // A hold and a capture, and what the capture posted to the provider and the seller taken back.
    assert_eq!(assert_sound(&mut connection(&till)), (1, 8));
    let nothing = balances(&till).await;
    assert!(nothing.as_array().unwrap().iter().all(|balance| balance == "0.00"), "{nothing}");
    for (what, body) in
        [("refunds", json!({"amount": "1.00"})), ("capture", json!({})), ("cancel", json!({}))]
    {
        assert_eq!(till.change(&payment, what, &body).await.status, 409, "{what}");
    }
    let ledger = till.ledger(Provider::Braintree).await;
    assert_eq!(ledger, [line("charge", "4001.00"), line("void", "4001.00")]);
}

#[actix_web::test]
async fn a_settlement_of_one_capture_that_is_declined_leaves_the_others() {
    let till = Till::open().await;
    let payment = buy(&till, "10.00", false).await;
    for amount in ["3.00", "2.00"] {
        let answer = till.change(&payment, "capture", &json!({"amount": amount})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let captures = till.read(&payment).await["captures"].clone();
    settles(&till, captures[0].as_str().unwrap(), "settlement_decline").await;
    let less = till.read(&payment).await;
    assert_eq!((&less["status"], &less["captured_amount"]), (&json!("captured"), &json!("2.00")));
    assert_eq!((&less["failure"], &less["captures"]), (&Value::Null, &captures));
    assert_eq!(told(&till).await.last().unwrap(), "payment.settlement_declined");
    // What did not come in was submitted all the same: no more than the rest can be.
    assert_eq!(till.change(&payment, "capture", &json!({"amount": "5.01"})).await.status, 422);
    let rest = till.change(&payment, "capture", &json!({"amount": "5.00"})).await;
    assert_eq!((rest.status, &rest.json()["captured_amount"]), (200, &json!("7.00")), "{rest:?}");
    settles(&till, captures[1].as_str().unwrap(), "settlement_decline").await;
    assert_eq!(till.read(&payment).await["captured_amount"], "5.00");
    assert_sound(&mut connection(&till));
}

#[actix_web::test]
async fn a_refund_that_was_made_before_the_settlement_was_declined_has_gone_out_all_the_same() {
    let till = Till::open().await;
    let payment = buy(&till, "10.00", true).await;
    let reference = text(&payment, "/provider_reference");
    settles(&till, &reference, "settling").await;
    let refund = till.change(&payment, "refunds", &json!({"amount": "3.00"})).await;
    assert_eq!(refund.status, 201, "{refund:?}");
    settles(&till, &reference, "settlement_decline").await;
    let failed = till.read(&payment).await;
    let amounts = (&failed["captured_amount"], &failed["refunded_amount"]);
    assert_eq!((&failed["status"], amounts), (&json!("failed"), (&json!("0.00"), &json!("3.00"))));
    assert_eq!(till.refunds(&payment).await[0]["status"], "succeeded");
    assert_sound(&mut connection(&till));
    assert_eq!(balances(&till).await, json!(["0.00", "0.00", "3.00", "-3.00"]));
}
