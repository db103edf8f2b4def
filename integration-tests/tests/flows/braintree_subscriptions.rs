//! Subscriptions and webhooks through the Solitude API's paths of Braintree, against the sandbox.

use actix_web::http::Method;
use integration_tests::in_process::spawn_pair;
use serde_json::{Value, json};

use super::{
    braintree_shop::{BraintreeShop, codes, fields},
    shop::{created, text},
};

const CHECKED: u64 = 2;
const FAILED: u64 = 4;
const CHARGED: &str = "subscription_charged_successfully";
const NOT_CHARGED: &str = "subscription_charged_unsuccessfully";
const CANCELED: &str = "subscription_canceled";

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[actix_web::test]
async fn a_card_subscribes_to_a_product_once() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (card, (product, path)) = (shop.card().await, shop.subscribable("10.00").await);
    let started = created(shop.subscribe(&card, &product).await);
    let mozilla = &started["mozilla"];
    assert_eq!(started["braintree"]["id"], mozilla["provider_id"]);
    assert_eq!(
        (&started["braintree"]["status"], &started["braintree"]["price"]),
        (&json!("Active"), &json!("10.00"))
    );
    assert_eq!((&mozilla["paymethod"], &mozilla["seller_product"]), (&json!(card), &json!(path)));
    assert_eq!((&mozilla["active"], &mozilla["amount"]), (&json!(true), &json!("10.00")));
    assert_eq!(
        text(&shop.read(&text(mozilla, "/resource_uri")).await, "/provider_id"),
        text(mozilla, "/provider_id")
    );

    let again = shop.subscribe(&card, &product).await;
    assert_eq!(again.status, 422, "{again:?}");
    assert!(again.json()["mozilla"].is_object(), "{again:?}");
    assert_eq!(shop.ledger().await.len(), 1);
}

#[actix_web::test]
async fn what_is_wrong_with_a_subscription_is_named() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (card, (product, _)) = (shop.card().await, shop.product().await);
    assert_eq!(codes(&shop.subscribe(&card, "nothing").await, "mozilla", "plan"), ["does_not_exist"]);
    let nowhere = shop.subscribe("/braintree/mozilla/paymethod/999/", &product).await;
    assert_eq!(codes(&nowhere, "mozilla", "paymethod"), ["does_not_exist"]);
    // The product has no plan at Braintree.
    let unplanned = shop.subscribe(&card, &product).await;
    assert_eq!(unplanned.status, 422, "{unplanned:?}");
    assert!(unplanned.text().contains("91904"), "{unplanned:?}");
    for amount in ["0", "1.001", "-1"] {
        let body = json!({"paymethod": card, "plan": product, "amount": amount});
        let answer = shop.client.post("/braintree/subscription/", &body).await;
        assert_eq!(codes(&answer, "mozilla", "amount"), ["invalid"], "{amount}");
    }
    let nothing = json!({"subscription": "/braintree/mozilla/subscription/999/", "paymethod": card});
    for path in ["cancel/", "paymethod/change/"] {
        let mut body = nothing.clone();
        if path == "cancel/" {
            body.as_object_mut().unwrap().remove("paymethod");
        }
        let answer = shop.client.post(&format!("/braintree/subscription/{path}"), &body).await;
        assert_eq!(codes(&answer, "mozilla", "subscription"), ["does_not_exist"], "{path}");
    }
}

#[actix_web::test]
async fn a_subscription_is_charged_to_another_card_and_ended() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (card, (product, _)) = (shop.card().await, shop.subscribable("10.00").await);
    let other = text(&created(shop.store("fake-valid-mastercard-nonce").await), "/mozilla/resource_uri");
    let body = json!({"paymethod": card, "plan": product, "amount": "7.00"});
    let started = created(shop.client.post("/braintree/subscription/", &body).await);
    assert_eq!(started["mozilla"]["amount"], "7.00");
    let path = text(&started, "/mozilla/resource_uri");

    let body = json!({"paymethod": other, "subscription": path});
    let changed = shop.client.post("/braintree/subscription/paymethod/change/", &body).await;
    assert_eq!(
        (changed.status, &changed.json()["mozilla"]["paymethod"]),
        (200, &json!(other)),
        "{changed:?}"
    );

    for _ in 0..2 {
        let ended = shop.client.post("/braintree/subscription/cancel/", &json!({"subscription": path})).await;
        assert_eq!((ended.status, &ended.json()["mozilla"]["active"]), (200, &json!(false)), "{ended:?}");
        assert_eq!(ended.json()["braintree"]["id"], started["braintree"]["id"]);
    }
    let list = shop.client.get("/braintree/mozilla/subscription/?active=false").await.json();
    assert_eq!(list[0]["resource_uri"], json!(path));
}

#[actix_web::test]
async fn a_charge_that_is_handed_on_is_recorded_once_and_told_in_full() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    shop.hold_webhooks().await;
    let (card, (product, path)) = (shop.card().await, shop.subscribable("10.00").await);
    let started = created(shop.subscribe(&card, &product).await);
    let forms = shop.held(CHARGED).await;
    assert_eq!(forms.len(), 1);
    let mut first = None;
    for _ in 0..3 {
        let answer = shop.hand_on(&forms[0]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.json();
        assert_eq!(names(&body["mozilla"]), ["buyer", "paymethod", "product", "subscription", "transaction"]);
        assert_eq!(body["mozilla"]["buyer"]["uuid"], json!(shop.buyer));
        assert_eq!(body["mozilla"]["buyer"]["email"], "jill@example.test");
        assert_eq!(body["mozilla"]["paymethod"]["resource_uri"], json!(card));
        assert_eq!(body["mozilla"]["product"]["resource_uri"], json!(path));
        assert_eq!(body["mozilla"]["subscription"]["provider_id"], started["braintree"]["id"]);
        assert_eq!(body["braintree"]["kind"], CHARGED);
        assert_eq!(body["braintree"]["next_billing_period_amount"], "10.00");
        assert_eq!(body["braintree"]["next_billing_date"], started["braintree"]["next_billing_date"]);
        let transaction = &body["mozilla"]["transaction"];
        let generic = &transaction["generic"];
        assert_eq!((&generic["status"], &generic["amount"]), (&json!(CHECKED), &json!("10.00")), "{generic}");
        assert_eq!((&generic["provider"], &generic["buyer"]), (&json!(4), &json!(shop.buyer_path)));
        let local = &transaction["braintree"];
        assert_eq!((&local["kind"], &local["transaction"]), (&json!(CHARGED), &generic["resource_uri"]));
        assert_eq!(local["subscription"], started["mozilla"]["resource_uri"]);
        assert!(local["billing_period_start_date"].is_string() && local["next_billing_date"].is_string());
        assert_eq!(first.get_or_insert_with(|| transaction.clone()), transaction, "a replay changes nothing");
    }
    let list = shop.client.get("/generic/transaction/").await.json();
    assert_eq!(list["meta"]["total_count"], 1, "{list}");
}

#[actix_web::test]
async fn a_charge_that_came_to_the_open_address_first_is_told_and_not_recorded_again() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (card, (product, _)) = (shop.card().await, shop.subscribable("10.00").await);
    let started = created(shop.subscribe(&card, &product).await);
    shop.webhooks_have_arrived().await;
    let id = text(&started, "/braintree/id");
    shop.happen(&format!("subscriptions/{id}/charge"), &json!({})).await;
    shop.webhooks_have_arrived().await;
    let recorded = shop.client.get("/braintree/mozilla/transaction/").await.json();
    let newest = recorded[0].clone();
    assert_eq!(newest["kind"], CHARGED, "{recorded}");

    let form = shop.last_webhook(CHARGED).await;
    let told = shop.hand_on(&form).await;
    assert_eq!(
        (told.status, &told.json()["mozilla"]["transaction"]["braintree"]),
        (200, &newest),
        "{told:?}"
    );
    assert_eq!(shop.client.get("/braintree/mozilla/transaction/").await.json(), recorded);
}

#[actix_web::test]
async fn a_charge_that_fails_is_recorded_with_its_reason() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    shop.hold_webhooks().await;
    let (card, (product, _)) = (shop.card().await, shop.subscribable("10.00").await);
    let started = created(shop.subscribe(&card, &product).await);
    let id = text(&started, "/braintree/id");
    shop.happen(&format!("subscriptions/{id}/charge"), &json!({"declined": 2001})).await;
    let forms = shop.held(NOT_CHARGED).await;
    let answer = shop.hand_on(&forms[0]).await;
    assert_eq!(
        (answer.status, &answer.json()["braintree"]["kind"]),
        (200, &json!(NOT_CHARGED)),
        "{answer:?}"
    );
    let generic = &answer.json()["mozilla"]["transaction"]["generic"];
    assert_eq!(
        (&generic["status"], &generic["status_reason"]),
        (&json!(FAILED), &json!("2001")),
        "{generic}"
    );

    // Every charge is a transaction of its own.
    shop.happen(&format!("subscriptions/{id}/charge"), &json!({})).await;
    for form in shop.held(CHARGED).await {
        assert_eq!(shop.hand_on(&form).await.status, 200);
    }
    let list = shop.client.get("/braintree/mozilla/transaction/").await.json();
    assert_eq!(list.as_array().map(Vec::len), Some(3), "{list}");
}

#[actix_web::test]
async fn the_end_of_a_subscription_is_told_and_noted() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    shop.hold_webhooks().await;
    let (card, (product, _)) = (shop.card().await, shop.subscribable("10.00").await);
    let started = created(shop.subscribe(&card, &product).await);
    let path = text(&started, "/mozilla/resource_uri");
    shop.client.post("/braintree/subscription/cancel/", &json!({"subscription": path})).await;
    let forms = shop.held(CANCELED).await;
    let answer = shop.hand_on(&forms[0]).await;
    assert_eq!((answer.status, &answer.json()["braintree"]["kind"]), (200, &json!(CANCELED)), "{answer:?}");
    assert_eq!(answer.json()["mozilla"]["subscription"]["active"], false);
    assert_eq!(answer.json()["mozilla"]["transaction"], json!({}));
}

#[actix_web::test]
async fn what_is_not_acted_on_is_204_and_what_is_not_genuine_403() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    shop.hold_webhooks().await;
    shop.happen("check", &json!({})).await;
    let forms = shop.held("check").await;
    let answer = shop.hand_on(&forms[0]).await;
    assert_eq!((answer.status, answer.text().as_str()), (204, ""), "{answer:?}");

    let mut forged = fields(&forms[0]);
    forged["bt_payload"] = json!("PG5vdGlmaWNhdGlvbj48a2luZD5jaGVjazwva2luZD48L25vdGlmaWNhdGlvbj4=\n");
    let answer = shop.client.post("/braintree/webhook/", &forged).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    let answer = shop.client.post("/braintree/webhook/", &json!({})).await;
    for field in ["bt_signature", "bt_payload"] {
        assert_eq!(codes(&answer, "mozilla", field), ["required"]);
    }
}

#[actix_web::test]
async fn braintrees_own_form_is_taken_from_a_client_that_need_not_sign() {
    let pair = integration_tests::in_process::PairOptions::default()
        .db_settings("[auth]\nrequire_oauth = false")
        .spawn()
        .await;
    let shop = BraintreeShop::open(&pair).await;
    shop.hold_webhooks().await;
    shop.happen("check", &json!({})).await;
    let forms = shop.held("check").await;
    let client = integration_tests::client::Client::unsigned(pair.db_server.url());
    let request = client.request(Method::POST, "/braintree/webhook/");
    let answer = request.raw(forms[0].as_bytes(), "application/x-www-form-urlencoded").answer().await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

#[actix_web::test]
async fn a_challenge_is_answered_with_the_verification_string() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let answer = client.get("/braintree/webhook/?bt_challenge=0123456789abcdef0123").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let verification = answer.json().as_str().unwrap().to_owned();
    let (key, signature) = verification.split_once('|').unwrap();
    assert_eq!((key, signature.len()), (pair.dummies.braintree.public_key.as_str(), 40));
    let none = client.get("/braintree/webhook/").await;
    assert_eq!(codes(&none, "mozilla", "bt_challenge"), ["required"]);
    let wrong = client.get("/braintree/webhook/?bt_challenge=XYZ").await;
    assert_eq!(codes(&wrong, "mozilla", "bt_challenge"), ["invalid"]);
}
