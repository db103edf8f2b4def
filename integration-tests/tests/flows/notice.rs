//! The provider's signed notice: what is believed, what is not, and what it changes.

use integration_tests::{client::Client, in_process::spawn_pair};
use serde_json::{Value, json};

use super::shop::{Shop, created, post_notice, text, unique};

const PENDING: u64 = 0;
const COMPLETED: u64 = 1;

async fn started(shop: &Shop) -> (Value, String) {
    let transaction = shop.transaction().await;
    let started = created(shop.start(&text(&transaction, "/uuid")).await);
    (transaction, text(&started, "/token"))
}

#[actix_web::test]
async fn a_notice_that_comes_twice_changes_nothing_the_second_time() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let (transaction, token) = started(&shop).await;
    shop.pay(&token, &json!({"outcome": "success"})).await;
    let first = shop.read(&transaction).await;
    let again = shop.notify_again(&token).await;
    assert_eq!(again["notice"]["status"], 200);
    assert_eq!(shop.read(&transaction).await, first);
}

#[actix_web::test]
async fn a_notice_that_was_tampered_with_is_refused_and_changes_nothing() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let (failed, token) = started(&shop).await;
    let genuine = text(&shop.pay(&token, &json!({"outcome": "CC_ERROR"})).await, "/notice/signed_notice");
    let before = shop.read(&failed).await;
    let (other, _) = started(&shop).await;
    let other_uuid = text(&other, "/uuid");
    let (payload, signature) = genuine.rsplit_once("&sig=").unwrap();
    for forged in [
        genuine.replace("error=CC_ERROR&", ""),
        format!("ext_transaction_id={other_uuid}&sig={signature}"),
        payload.to_owned(),
        format!("{payload}&sig=0:{}", "0".repeat(64)),
        format!("{payload}&sig=7{signature}"),
        format!("{payload}&price=0.01&sig={signature}"),
        String::new(),
        "sig=0:00".to_owned(),
    ] {
        let answer = post_notice(&pair, &forged).await;
        assert_eq!(answer.status, 403, "{forged}: {answer:?}");
    }
    assert_eq!(shop.read(&failed).await, before);
    assert_eq!(shop.read(&other).await["status"], PENDING);
}

#[actix_web::test]
async fn a_notice_about_a_transaction_that_is_not_here_yet_is_to_be_tried_again() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let uuid = unique("later");
    let token = text(&created(shop.start(&uuid).await), "/token");
    let paid = shop.pay(&token, &json!({"outcome": "success"})).await;
    assert_eq!(paid["notice"]["status"], 404);

    let body = json!({
        "uuid": uuid, "provider": 2, "seller": shop.seller, "seller_product": shop.product, "amount": "0.99",
        "currency": "EUR",
    });
    let transaction = created(shop.client.post("/generic/transaction/", &body).await);
    assert_eq!(shop.notify_again(&token).await["notice"]["status"], 200);
    assert_eq!(shop.read(&transaction).await["status"], COMPLETED);
}

#[actix_web::test]
async fn a_notice_about_another_amount_is_an_integrity_error_and_changes_nothing() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    for (price, currency) in [("0.98", "EUR"), ("0.99", "USD")] {
        let (transaction, token) = started(&shop).await;
        let payment = json!({"outcome": "success", "price": price, "currency": currency});
        let paid = shop.pay(&token, &payment).await;
        assert_eq!(paid["notice"]["status"], 409, "{paid}");
        assert_eq!(shop.read(&transaction).await["status"], PENDING);
    }
}

#[actix_web::test]
async fn a_completed_transaction_is_not_failed_by_a_later_notice() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let (transaction, token) = started(&shop).await;
    let uri = text(&transaction, "/resource_uri");
    assert_eq!(shop.client.patch(&uri, &json!({"status": COMPLETED})).await.status, 200);
    let paid = shop.pay(&token, &json!({"outcome": "CC_ERROR"})).await;
    assert_ne!(paid["notice"]["status"], 200, "{paid}");
    assert_eq!(shop.read(&transaction).await["status"], COMPLETED);
}

#[actix_web::test]
async fn a_client_that_was_sent_a_notice_can_ask_whether_it_is_genuine() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let (_, token) = started(&shop).await;
    let genuine = text(&shop.pay(&token, &json!({"outcome": "success"})).await, "/notice/signed_notice");
    for (notice, result) in [(genuine.clone(), "OK"), (genuine.replace("0.99", "0.01"), "FAIL")] {
        let answer = shop.client.post("/provider/reference/notices/", &json!({"qs": notice})).await;
        assert_eq!((answer.status, &answer.json()["result"]), (200, &json!(result)), "{answer:?}");
    }
    let unsigned = Client::unsigned(pair.db_server.url());
    let answer = unsigned.post("/provider/reference/notices/", &json!({"qs": genuine})).await;
    assert_eq!(answer.status, 401);
}

#[actix_web::test]
async fn a_notice_is_not_lost_while_provider_proxy_is_down() {
    let mut pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let (transaction, token) = started(&shop).await;
    pair.provider_proxy.stop();
    let paid = shop.pay(&token, &json!({"outcome": "success"})).await;
    assert_eq!(paid["notice"]["status"], 502, "the provider is to try again: {paid}");
    assert_eq!(shop.read(&transaction).await["status"], PENDING);
}
