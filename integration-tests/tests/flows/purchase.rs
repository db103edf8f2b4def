//! A purchase through client, db-server, provider-proxy and the reference provider.

use integration_tests::in_process::spawn_pair;
use serde_json::json;

use super::shop::{Shop, created, text, unique};

const PENDING: u64 = 0;
const COMPLETED: u64 = 1;
const FAILED: u64 = 4;

#[actix_web::test]
async fn a_purchase_completes_when_the_payer_confirms() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    let started = created(shop.start(&text(&transaction, "/uuid")).await);
    assert_eq!(started["status"], "STARTED");

    let pending = shop.read(&transaction).await;
    assert_eq!((&pending["status"], &pending["provider"]), (&json!(PENDING), &json!(2)));
    assert_eq!(pending["uid_pay"], started["resource_pk"]);

    let paid = shop.pay(&text(&started, "/token"), &json!({"outcome": "success"})).await;
    assert_eq!(paid["notice"]["status"], 200);
    assert_eq!(shop.read(&transaction).await["status"], COMPLETED);
}

#[actix_web::test]
async fn a_purchase_that_the_payers_bank_refuses_fails_with_the_providers_code() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    let started = created(shop.start(&text(&transaction, "/uuid")).await);
    shop.pay(&text(&started, "/token"), &json!({"outcome": "CC_ERROR"})).await;
    let failed = shop.read(&transaction).await;
    assert_eq!((&failed["status"], &failed["status_reason"]), (&json!(FAILED), &json!("CC_ERROR")));
}

#[actix_web::test]
async fn a_transaction_may_be_created_after_it_was_started_as_mozillas_webpay_does() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let uuid = unique("webpay");
    let started = created(shop.start(&uuid).await);
    let body = json!({
        "uuid": uuid, "status": PENDING, "provider": 2, "seller": shop.seller, "seller_product": shop.product,
        "amount": "0.99", "currency": "EUR",
    });
    let transaction = created(shop.client.post("/generic/transaction/", &body).await);
    shop.pay(&text(&started, "/token"), &json!({"outcome": "success"})).await;
    assert_eq!(shop.read(&transaction).await["status"], COMPLETED);
}

#[actix_web::test]
async fn every_change_of_status_is_an_audit_event_with_its_author() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    let started = created(shop.start(&text(&transaction, "/uuid")).await);
    shop.pay(&text(&started, "/token"), &json!({"outcome": "success"})).await;
    let events = super::schema::events(&mut pair.database.as_ref().unwrap().connect());
    let client = pair.dummies.client_key.as_str();
    let seen: Vec<_> = events.iter().map(|event| (event.actor.as_str(), event.old, event.new)).collect();
    assert_eq!(seen, [(client, None, 6), (client, Some(6), 0), ("provider:reference", Some(0), 1)]);
}

#[actix_web::test]
async fn a_price_other_than_the_transactions_amount_is_refused_before_the_provider_hears_of_it() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    for (field, value) in [("price", "9.99"), ("currency", "USD")] {
        let mut body = shop.start_body(&text(&transaction, "/uuid"));
        body[field] = json!(value);
        let answer = shop.client.post("/provider/reference/transactions/", &body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.json()[field].is_array(), "{answer:?}");
    }
    assert_eq!(shop.arrived("POST /transactions").await, 0);
}

#[actix_web::test]
async fn a_transaction_that_has_been_started_is_not_started_twice() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    created(shop.start(&text(&transaction, "/uuid")).await);
    let again = shop.start(&text(&transaction, "/uuid")).await;
    assert_eq!(again.status, 409, "{again:?}");
    assert_eq!(shop.arrived("POST /transactions").await, 1);
}

#[actix_web::test]
async fn what_the_provider_refuses_comes_back_with_its_status_and_message() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let body = json!({
        "seller": shop.seller, "uuid": "other", "name": "A Seller", "email": "seller@example.test",
        "status": "ACTIVE", "agreement": "not a date",
    });
    let answer = shop.client.post("/provider/reference/sellers/", &body).await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
}

#[actix_web::test]
async fn the_reference_links_are_listed_and_read_with_what_the_provider_holds() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let seller = shop.client.get(&shop.reference_seller).await.json();
    assert_eq!(seller["reference"]["name"], "A Seller");
    assert_eq!(seller["seller"], json!(shop.seller));

    let uuid = text(&shop.client.get(&shop.seller).await.json(), "/uuid");
    for (query, count) in [(format!("?seller__uuid={uuid}"), 1), ("?seller__uuid=nobody".to_owned(), 0)] {
        let list = shop.client.get(&format!("/provider/reference/sellers/{query}")).await;
        assert_eq!(list.json()["meta"]["total_count"], count, "{list:?}");
    }
    let list = shop.client.get("/provider/reference/products/?seller_product__external_id=none").await;
    assert_eq!(list.json()["meta"]["total_count"], 0, "{list:?}");
    let wrong = shop.client.get("/provider/reference/products/?external_id=none").await;
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json()["detail"], "Incorrect query parameters: external_id");
    assert_eq!(shop.client.delete(&shop.reference_seller).await.status, 403);
}

#[actix_web::test]
async fn a_seller_is_changed_at_the_provider() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let body = json!({"name": "Renamed", "email": "seller@example.test", "status": "ACTIVE"});
    let changed = shop.client.put(&shop.reference_seller, &body).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let read = shop.client.get(&shop.reference_seller).await.json();
    assert_eq!(read["reference"]["name"], "Renamed");
}
