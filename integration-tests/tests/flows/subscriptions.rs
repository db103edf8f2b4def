//! `/subscriptions/`: payments that a provider repeats.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{
    buyer::assert_code,
    payers::{Payer, VISA, below, new_buyer},
    paymethods::rows,
    shop::{created, text, unique},
};

async fn refused(payer: &Payer, body: &Value, field: &str, code: &str) {
    assert_code(&payer.client.post("/subscriptions/", body).await, field, code);
}

#[actix_web::test]
async fn a_subscription_is_started_read_listed_and_cancelled() {
    let payer = Payer::new().await;
    let (card, plan) = (payer.store("stripe", VISA).await, payer.stripe_plan().await);
    let shown = payer.subscribe(&card, &plan).await;
    let mut expected = json!({
        "resource_pk": 1, "resource_uri": "/subscriptions/1/", "provider": "stripe", "plan": plan, "seller_product": null,
        "paymethod": card["resource_uri"], "buyer": payer.buyer, "status": "active", "active": true, "amount": "5.00",
        "currency": "EUR",
    });
    for field in ["provider_id", "next_billing", "created", "modified", "counter"] {
        expected[field] = shown[field].clone();
    }
    assert_eq!(shown, expected);
    assert!(text(&shown, "/next_billing").as_str() > &text(&shown, "/created")[..10]);
    let provider_id = text(&shown, "/provider_id");
    for (query, count) in [
        ("".to_owned(), 1),
        (format!("?provider_id={provider_id}&provider=stripe&plan={plan}"), 1),
        (format!("?buyer={}&paymethod={}", payer.buyer, text(&card, "/resource_uri")), 1),
        ("?active=false".to_owned(), 0),
        ("?seller_product=1".to_owned(), 0),
        ("?provider=braintree".to_owned(), 0),
    ] {
        assert_eq!(payer.count(&format!("/subscriptions/{query}")).await, count, "{query}");
    }
    assert_eq!(payer.client.get("/subscriptions/?staus=active").await.status, 400);

    for _ in 0..2 {
        let ended = payer.client.post(&below(&shown, "cancel/"), &json!({})).await;
        assert_eq!(ended.status, 200, "{ended:?}");
        let ended = ended.json();
        assert_eq!((&ended["status"], &ended["active"]), (&json!("cancelled"), &json!(false)));
    }
    assert_eq!(payer.arrived("DELETE /stripe/v1/subscriptions").await, 1);
    let there = payer.stripe(Method::GET, &format!("subscriptions/{provider_id}"), &[]).await;
    assert_eq!(there["status"], "canceled");
    assert_eq!(payer.client.post("/subscriptions/99/cancel/", &json!({})).await.status, 404);
    assert_eq!(payer.client.delete("/subscriptions/1/").await.status, 405);
}

#[actix_web::test]
async fn another_amount_than_the_plans_is_charged_when_it_is_asked_for() {
    let payer = Payer::new().await;
    let (card, plan) = (payer.store("stripe", VISA).await, payer.stripe_plan().await);
    let body = json!({"paymethod": card["resource_uri"], "plan": plan, "amount": "9.99", "currency": "EUR"});
    let shown = created(payer.client.post("/subscriptions/", &body).await);
    assert_eq!((&shown["amount"], &shown["currency"]), (&json!("9.99"), &json!("EUR")));
    let ledger = payer.pair.sandbox_client().get("/_sandbox/ledger?provider=stripe").await.json();
    assert_eq!((&ledger[0]["amount"], ledger.as_array().unwrap().len()), (&json!("9.99"), 1), "{ledger}");
}

#[actix_web::test]
async fn a_product_stands_for_the_plan_that_has_its_public_id() {
    let payer = Payer::new().await;
    let (card, plan) = (payer.store("stripe", VISA).await, payer.stripe_plan().await);
    let seller = created(payer.client.post("/generic/seller/", &json!({"uuid": unique("s")})).await);
    let product = json!({"seller": seller["resource_uri"], "external_id": "x", "public_id": plan});
    let product = created(payer.client.post("/generic/product/", &product).await);
    let body = json!({"paymethod": card["resource_uri"], "seller_product": product["resource_uri"]});
    let shown = created(payer.client.post("/subscriptions/", &body).await);
    assert_eq!((&shown["plan"], &shown["seller_product"]), (&json!(plan), &product["resource_uri"]));
    let list = format!("/subscriptions/?seller_product={}", text(&product, "/resource_uri"));
    assert_eq!(payer.count(&list).await, 1);
}

#[actix_web::test]
async fn wrong_fields_are_named_and_the_provider_is_not_asked() {
    let payer = Payer::new().await;
    let card = payer.store("stripe", VISA).await;
    let uri = &card["resource_uri"];
    let other = new_buyer(&payer.client).await;
    let gone = payer.store("stripe", "pm_card_mastercard").await;
    assert_eq!(payer.client.delete(&text(&gone, "/resource_uri")).await.status, 204);
    for (body, field, code) in [
        (json!({"plan": "p"}), "paymethod", "required"),
        (json!({"paymethod": "/paymethods/99/", "plan": "p"}), "paymethod", "does_not_exist"),
        (json!({"paymethod": "/generic/buyer/1/", "plan": "p"}), "paymethod", "invalid"),
        (json!({"paymethod": gone["resource_uri"], "plan": "p"}), "paymethod", "invalid"),
        (json!({"paymethod": uri}), "plan", "required"),
        (json!({"paymethod": uri, "plan": "p", "seller_product": "/generic/product/1/"}), "plan", "invalid"),
        (
            json!({"paymethod": uri, "seller_product": "/generic/product/99/"}),
            "seller_product",
            "does_not_exist",
        ),
        (json!({"paymethod": uri, "plan": "p", "provider": "braintree"}), "paymethod", "invalid"),
        (json!({"paymethod": uri, "plan": "p", "buyer": other}), "paymethod", "invalid"),
        (json!({"paymethod": uri, "plan": "p", "amount": "0.00", "currency": "EUR"}), "amount", "invalid"),
        (json!({"paymethod": uri, "plan": "p", "amount": "-1.00", "currency": "EUR"}), "amount", "invalid"),
        (json!({"paymethod": uri, "plan": "p", "amount": "1.999", "currency": "EUR"}), "amount", "invalid"),
        (json!({"paymethod": uri, "plan": "p", "amount": "1.00"}), "currency", "required"),
        (json!({"paymethod": uri, "plan": "p", "amount": "1.00", "currency": "XYZ"}), "currency", "invalid"),
        (json!({"paymethod": uri, "plan": "p", "status": "active"}), "status", "unknown_field"),
    ] {
        refused(&payer, &body, field, code).await;
    }
    assert_eq!(payer.arrived("POST /stripe/v1/subscriptions").await, 0);
}

#[actix_web::test]
async fn a_payer_who_asks_twice_does_not_pay_twice() {
    let payer = Payer::new().await;
    let (card, plan) = (payer.store("stripe", VISA).await, payer.stripe_plan().await);
    let first = payer.subscribe(&card, &plan).await;
    let body = json!({"paymethod": card["resource_uri"], "plan": plan});
    refused(&payer, &body, "plan", "not_unique").await;
    assert_eq!(payer.client.post(&below(&first, "cancel/"), &json!({})).await.status, 200);
    payer.subscribe(&card, &plan).await;
    assert_eq!(payer.arrived("POST /stripe/v1/subscriptions").await, 2);
}

#[actix_web::test]
async fn a_lost_answer_is_unknown_and_the_same_request_again_makes_one_subscription() {
    let payer = Payer::new().await;
    let (card, plan) = (payer.store("stripe", VISA).await, payer.stripe_plan().await);
    payer.fault("POST", "/stripe/v1/subscriptions", json!("drop_after")).await;
    let body = json!({"paymethod": card["resource_uri"], "plan": plan});
    let unknown = payer.client.post("/subscriptions/", &body).await;
    assert_eq!((unknown.status, &unknown.json()["proxy_error"]["outcome"]), (502, &json!("unknown")));
    assert_eq!(payer.count("/subscriptions/").await, 0);

    // Another request about the same would be a second subscription.
    let dearer =
        json!({"paymethod": card["resource_uri"], "plan": plan, "amount": "9.99", "currency": "EUR"});
    let other = payer.client.post("/subscriptions/", &dearer).await;
    assert_eq!(other.status, 409, "{other:?}");
    assert!(text(&other.json(), "/detail").contains("Repeat that one first"));
    // And the buyer is not closed, nor anything given up, while a subscription may be charged.
    let closed = payer.client.post(&format!("{}close/", payer.buyer), &json!({})).await;
    assert_eq!(closed.status, 409, "{closed:?}");
    assert_eq!(payer.read(&card).await["active"], true);

    let again = created(payer.client.post("/subscriptions/", &body).await);
    assert_eq!(payer.count("/subscriptions/").await, 1);
    let there = payer.stripe(Method::GET, "subscriptions", &[]).await;
    assert_eq!(there["data"].as_array().unwrap().len(), 1, "{there}");
    assert_eq!(there["data"][0]["id"], again["provider_id"]);
}

#[actix_web::test]
async fn a_declined_first_charge_is_402_and_leaves_no_active_subscription() {
    let payer = Payer::new().await;
    let plan = payer.stripe_plan().await;
    let card = payer.store("stripe", "pm_card_chargeCustomerFail").await;
    let body = json!({"paymethod": card["resource_uri"], "plan": plan});
    let declined = payer.client.post("/subscriptions/", &body).await;
    assert_eq!((declined.status, &declined.json()["provider"]), (402, &json!("stripe")), "{declined:?}");
    assert_eq!(payer.count("/subscriptions/?active=true").await, 0);
}

#[actix_web::test]
async fn the_coming_charges_are_made_to_another_payment_method_of_the_same_buyer_and_provider() {
    let payer = Payer::new().await;
    let (card, plan) = (payer.store("stripe", VISA).await, payer.stripe_plan().await);
    let other = payer.store("stripe", "pm_card_mastercard").await;
    let shown = payer.subscribe(&card, &plan).await;
    let uri = text(&shown, "/resource_uri");
    let stale = payer.client.request(Method::PATCH, &uri).header("If-Match", "\"1-99\"");
    assert_eq!(stale.json(&json!({"paymethod": other["resource_uri"]})).answer().await.status, 412);
    let changed = payer.client.patch(&uri, &json!({"paymethod": other["resource_uri"]})).await;
    assert_eq!((changed.status, &changed.json()["paymethod"]), (200, &other["resource_uri"]), "{changed:?}");
    // Both are there, and the old one can go now, the new one cannot.
    assert_eq!(payer.client.delete(&text(&other, "/resource_uri")).await.status, 409);
    assert_eq!(payer.client.delete(&text(&card, "/resource_uri")).await.status, 204);

    let stranger =
        Payer { buyer: new_buyer(&payer.client).await, client: payer.client.clone(), pair: payer.pair };
    let theirs = stranger.store("stripe", "pm_card_amex").await;
    let change = json!({"paymethod": theirs["resource_uri"]});
    assert_code(&stranger.client.patch(&uri, &change).await, "paymethod", "invalid");
    let change = json!({"paymethod": card["resource_uri"]});
    assert_code(&stranger.client.patch(&uri, &change).await, "paymethod", "invalid");
    assert_code(&stranger.client.patch(&uri, &json!({})).await, "paymethod", "required");
    assert_eq!(rows(&stranger.pair, "subscriptions").len(), 1);
}
