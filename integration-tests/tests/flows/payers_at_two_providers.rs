//! The same paths for whichever provider: a buyer who pays at Braintree, and at Stripe as well.

use serde_json::{Value, json};

use super::{
    braintree_shop::{BraintreeShop, codes},
    buyer::assert_code,
    payers::{Payer, VISA, below},
    shop::text,
};

const CARD: &str = "fake-valid-visa-nonce";

/// A buyer, and a shop whose products have plans at Braintree.
async fn payer() -> (Payer, BraintreeShop) {
    let payer = Payer::new().await;
    let shop = BraintreeShop::open(&payer.pair).await;
    (payer, shop)
}

#[actix_web::test]
async fn a_card_is_kept_by_braintree_and_seen_on_its_own_paths_too() {
    let (payer, _) = payer().await;
    let shown = payer.store("braintree", CARD).await;
    assert_eq!(
        (&shown["provider"], &shown["type"], &shown["active"]),
        (&json!("braintree"), &json!("card"), &json!(true))
    );
    assert_eq!(text(&shown, "/last4").len(), 4);
    let there = payer.client.get("/braintree/mozilla/paymethod/").await.json();
    assert_eq!(there.as_array().unwrap().len(), 1, "{there}");
    assert_eq!((&there[0]["truncated_id"], &there[0]["active"]), (&shown["last4"], &json!(true)));

    let uri = text(&shown, "/resource_uri");
    assert_eq!(payer.client.delete(&uri).await.status, 204);
    let there = payer.client.get("/braintree/mozilla/paymethod/").await.json()[0].clone();
    assert_eq!(there["active"], false);
    let again = payer.client.patch(&text(&there, "/resource_uri"), &json!({"active": true})).await;
    assert_code(&again, "active", "invalid");
}

#[actix_web::test]
async fn braintree_declines_and_finds_fault_in_its_own_words() {
    let (payer, _) = payer().await;
    let declined = payer.ask_to_store("braintree", "fake-processor-declined-visa-nonce").await;
    assert_eq!(declined.status, 402, "{declined:?}");
    let body = declined.json();
    assert_eq!(
        (&body["provider"], body["decline"]["code"].is_string()),
        (&json!("braintree"), true),
        "{body}"
    );
    let consumed = payer.ask_to_store("braintree", "fake-consumed-nonce").await;
    assert_eq!(consumed.status, 422, "{consumed:?}");
    assert!(consumed.json()["braintree"].is_object(), "{consumed:?}");
    assert_eq!(payer.count("/paymethods/").await, 0);
}

#[actix_web::test]
async fn a_subscription_is_started_moved_and_cancelled_at_braintree() {
    let (payer, shop) = payer().await;
    let (plan, product) = shop.subscribable("10.00").await;
    let (card, other) =
        (payer.store("braintree", CARD).await, payer.store("braintree", "fake-valid-mastercard-nonce").await);
    let shown = payer.subscribe(&card, &plan).await;
    assert_eq!(
        (&shown["provider"], &shown["status"], &shown["plan"]),
        (&json!("braintree"), &json!("active"), &json!(plan))
    );
    assert_eq!(
        (&shown["amount"], &shown["currency"], &shown["seller_product"]),
        (&json!("10.00"), &json!("USD"), &json!(product))
    );
    let change = json!({"paymethod": other["resource_uri"]});
    let changed = payer.client.patch(&text(&shown, "/resource_uri"), &change).await;
    assert_eq!((changed.status, &changed.json()["paymethod"]), (200, &other["resource_uri"]), "{changed:?}");
    let ended = payer.client.post(&below(&shown, "cancel/"), &json!({})).await;
    assert_eq!((ended.status, &ended.json()["status"]), (200, &json!("cancelled")), "{ended:?}");
    let there = payer.client.get("/braintree/mozilla/subscription/").await.json();
    assert_eq!((there.as_array().unwrap().len(), &there[0]["active"]), (1, &json!(false)), "{there}");
}

#[actix_web::test]
async fn a_plan_that_is_none_is_told_in_braintrees_words() {
    let (payer, _) = payer().await;
    let card = payer.store("braintree", CARD).await;
    let body = json!({"paymethod": card["resource_uri"], "plan": "of-nobody"});
    let refused = payer.client.post("/subscriptions/", &body).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let fields = refused.json()["braintree"].as_object().unwrap().clone();
    let field = fields.keys().next().unwrap();
    assert!(!codes(&refused, "braintree", field).is_empty());
}

#[actix_web::test]
async fn a_payment_method_of_another_provider_is_refused_without_asking_either() {
    let (payer, shop) = payer().await;
    let (plan, _) = shop.subscribable("10.00").await;
    let (card, stripes) = (payer.store("braintree", CARD).await, payer.store("stripe", VISA).await);
    let shown = payer.subscribe(&card, &plan).await;
    let change = json!({"paymethod": stripes["resource_uri"]});
    assert_code(&payer.client.patch(&text(&shown, "/resource_uri"), &change).await, "paymethod", "invalid");
    let body = json!({"paymethod": stripes["resource_uri"], "plan": plan, "provider": "braintree"});
    assert_code(&payer.client.post("/subscriptions/", &body).await, "paymethod", "invalid");
    assert_eq!(payer.count("/subscriptions/").await, 1);
}

#[actix_web::test]
async fn a_buyer_is_closed_only_when_both_providers_have_given_up_what_they_hold() {
    let (payer, shop) = payer().await;
    let (plan, _) = shop.subscribable("10.00").await;
    let cards = [payer.store("braintree", CARD).await, payer.store("stripe", VISA).await];
    let subscriptions = [
        payer.subscribe(&cards[0], &plan).await,
        payer.subscribe(&cards[1], &payer.stripe_plan().await).await,
    ];
    let close = async || payer.client.post(&format!("{}close/", payer.buyer), &json!({})).await;
    shop.fault("payment_methods", json!({"status": 500})).await;
    let failed = close().await;
    assert_eq!(failed.status, 500, "{failed:?}");
    assert!(text(&failed.json(), "/detail").contains("braintree"), "{failed:?}");
    let buyer = payer.client.get(&payer.buyer).await.json();
    assert_eq!((&buyer["active"], text(&buyer, "/uuid").starts_with("anonymised")), (&json!(true), false));
    for subscription in &subscriptions {
        assert_eq!(payer.read(subscription).await["status"], "cancelled");
    }
    let closed = close().await;
    assert_eq!(closed.status, 204, "{closed:?}");
    for card in &cards {
        assert_eq!(payer.read(card).await["active"], false);
    }
    assert_eq!(payer.client.get(&payer.buyer).await.json()["email"], Value::Null);
}
