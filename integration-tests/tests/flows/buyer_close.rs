//! Closing a buyer: what providers hold is given up first, and only if all of that succeeds the buyer is closed.

use actix_web::http::Method;
use integration_tests::client::Answer;
use serde_json::{Value, json};

use super::{
    payers::{Payer, VISA},
    paymethods::rows,
    shop::text,
};

/// A buyer with two cards and two subscriptions.
struct Customer {
    payer: Payer,
    cards: [Value; 2],
    subscriptions: [Value; 2],
}

impl Customer {
    async fn new() -> Self {
        let payer = Payer::new().await;
        let address = json!({"email": "jo@example.test"});
        assert_eq!(payer.client.patch(&payer.buyer, &address).await.status, 200);
        let cards = [payer.store("stripe", VISA).await, payer.store("stripe", "pm_card_mastercard").await];
        let plan = payer.stripe_plan().await;
        let subscriptions =
            [payer.subscribe(&cards[0], &plan).await, payer.subscribe(&cards[1], &plan).await];
        Self { payer, cards, subscriptions }
    }

    async fn close(&self) -> Answer {
        self.payer.client.post(&format!("{}close/", self.payer.buyer), &json!({})).await
    }

    async fn buyer(&self) -> Value {
        self.payer.client.get(&self.payer.buyer).await.json()
    }

    /// The statuses of the subscriptions at Stripe.
    async fn there(&self) -> Vec<String> {
        let mut found = Vec::new();
        for subscription in &self.subscriptions {
            let path = format!("subscriptions/{}", text(subscription, "/provider_id"));
            found.push(text(&self.payer.stripe(Method::GET, &path, &[]).await, "/status"));
        }
        found
    }

    /// How many cards Stripe keeps of the buyer.
    async fn kept(&self) -> usize {
        let row = rows(&self.payer.pair, "payment_customers").remove(0);
        let customer = row.split(',').find(|part| part.starts_with("cus_")).unwrap();
        let kept = self.payer.stripe(Method::GET, &format!("payment_methods?customer={customer}"), &[]).await;
        kept["data"].as_array().unwrap().len()
    }

    async fn fault(&self, method: &str, path: &str, fault: Value, times: u32) {
        let body = json!([{"method": method, "path": path, "fault": fault, "times": times}]);
        let answer = self.payer.pair.sandbox_client().post("/_sandbox/faults", &body).await;
        assert!(answer.status < 300, "{answer:?}");
    }
}

#[track_caller]
fn assert_as_before(buyer: &Value, before: &Value) {
    assert_eq!(buyer, before, "the buyer is as before");
    assert_eq!((&buyer["active"], &buyer["email"]), (&json!(true), &json!("jo@example.test")));
}

#[actix_web::test]
async fn subscriptions_are_cancelled_and_payment_methods_deleted_before_a_buyer_is_closed() {
    let customer = Customer::new().await;
    let closed = customer.close().await;
    assert_eq!((closed.status, closed.body.len()), (204, 0), "{closed:?}");
    assert_eq!((customer.there().await, customer.kept().await), (vec!["canceled".to_owned(); 2], 0));
    let payer = &customer.payer;
    assert_eq!(payer.count("/subscriptions/?active=true").await, 0);
    assert_eq!(payer.count("/paymethods/?active=true").await, 0);
    let buyer = customer.buyer().await;
    assert_eq!((&buyer["active"], &buyer["email"]), (&json!(false), &Value::Null));
    assert!(text(&buyer, "/uuid").starts_with("anonymised-uuid:"));
    assert_eq!(customer.close().await.status, 404);
}

#[actix_web::test]
async fn a_buyer_is_not_closed_while_a_provider_does_not_give_up_what_it_holds() {
    for fault in [json!({"status": 500}), json!({"status": 400}), json!("drop_before"), json!("drop_after")] {
        let customer = Customer::new().await;
        let before = customer.buyer().await;
        customer.fault("DELETE", "/stripe/v1/subscriptions", fault.clone(), 1).await;
        let failed = customer.close().await;
        assert_eq!((failed.status, failed.json()["detail"].is_string()), (500, true), "{fault}: {failed:?}");
        assert_as_before(&customer.buyer().await, &before);
        assert_eq!((customer.kept().await, customer.payer.count("/paymethods/?active=true").await), (2, 2));
        let closed = customer.close().await;
        assert_eq!(closed.status, 204, "{fault}: {closed:?}");
        assert_eq!((customer.there().await, customer.kept().await), (vec!["canceled".to_owned(); 2], 0));
    }
}

#[actix_web::test]
async fn what_was_given_up_before_a_failure_is_recorded_as_such() {
    let customer = Customer::new().await;
    let before = customer.buyer().await;
    customer.fault("POST", "/stripe/v1/payment_methods", json!({"status": 503}), 1).await;
    assert_eq!(customer.close().await.status, 500);
    assert_as_before(&customer.buyer().await, &before);
    for subscription in &customer.subscriptions {
        assert_eq!(customer.payer.read(subscription).await["status"], "cancelled");
    }
    assert_eq!(customer.there().await, vec!["canceled".to_owned(); 2]);
    for card in &customer.cards {
        assert_eq!(customer.payer.read(card).await["active"], true, "no card was deleted");
    }
    assert_eq!(customer.close().await.status, 204);
    // Nothing is asked for twice that was known to be given up.
    assert_eq!(customer.payer.arrived("DELETE /stripe/v1/subscriptions").await, 2);
}

#[actix_web::test]
async fn a_buyer_is_not_closed_while_provider_proxy_is_away() {
    let mut customer = Customer::new().await;
    let before = customer.buyer().await;
    customer.payer.pair.provider_proxy.stop();
    assert_eq!(customer.close().await.status, 500);
    assert_as_before(&customer.buyer().await, &before);
    assert_eq!(customer.payer.count("/subscriptions/?active=true").await, 2);
}

#[actix_web::test]
async fn a_buyer_of_whom_no_provider_knows_is_closed_without_any() {
    let mut payer = Payer::new().await;
    payer.pair.provider_proxy.stop();
    let closed = payer.client.post(&format!("{}close/", payer.buyer), &json!({})).await;
    assert_eq!(closed.status, 204, "{closed:?}");
}

#[actix_web::test]
async fn nothing_can_be_added_to_a_buyer_who_is_closed() {
    let customer = Customer::new().await;
    assert_eq!(customer.close().await.status, 204);
    let answer = customer.payer.ask_to_store("stripe", VISA).await;
    super::buyer::assert_code(&answer, "buyer", "invalid");
}
