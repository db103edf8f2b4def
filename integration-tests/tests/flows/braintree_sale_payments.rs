//! A sale is a payment: carried out once for each key, found again, looked at by the janitor, on the books.

use chrono::TimeDelta;
use diesel::{connection::SimpleConnection, insert_into, prelude::*};
use integration_tests::{
    client::Answer,
    in_process::{Pair, spawn_pair},
};
use serde_json::{Value, json};

use super::{
    braintree_shop::{BraintreeShop, codes},
    janitor::look,
    ledger::assert_sound,
    shop::{text, unique},
    till::post,
};

/// What Braintree says to a request with two errors.
const TWO_ERRORS: &str = "<api-error-response><errors><errors type=\"array\"/><transaction><errors type=\"array\">\
    <error><code>81528</code><attribute type=\"symbol\">amount</attribute><message>Amount is too large.</message></error>\
    <error><code>91513</code><attribute type=\"symbol\">merchant_account_id</attribute>\
    <message>Merchant account ID is invalid.</message></error></errors></transaction></errors>\
    <message>Amount is too large.\nMerchant account ID is invalid.</message></api-error-response>";

const CHECKED: u64 = 2;
const ERRORED: u64 = 7;

/// A sale under a key.
async fn sell(shop: &BraintreeShop, key: &str, product: &str, amount: &str) -> Answer {
    let body = json!({"product_id": product, "amount": amount, "nonce": "fake-valid-nonce"});
    post(&shop.client, "/braintree/sale/", key, &body).await
}

/// The payments that there are, newest first.
async fn payments(shop: &BraintreeShop) -> Vec<Value> {
    shop.client.get("/payments/").await.json()["objects"].as_array().unwrap().clone()
}

/// How many payments and entries the ledger has, which is sound.
fn books(pair: &Pair) -> (u64, i64) {
    assert_sound(&mut pair.database.as_ref().unwrap().connect())
}

#[actix_web::test]
async fn a_sale_that_is_sent_again_under_its_key_is_made_once_and_answered_byte_for_byte() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    let key = unique("key");
    let first = sell(&shop, &key, &product, "5.00").await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, None), "{first:?}");
    let again = sell(&shop, &key, &product, "5.00").await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("content-type"), first.header("content-type"));
    let other = sell(&shop, &key, &product, "6.00").await;
    assert_eq!((other.status, &other.json()["code"]), (422, &json!("idempotency_key")), "{other:?}");
    for wrong in ["", "a b", &"x".repeat(256)] {
        let refused = sell(&shop, wrong, &product, "5.00").await;
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!("idempotency_key")), "{wrong}");
    }
    assert_eq!(shop.ledger().await.len(), 1);
    assert_eq!(books(&pair), (1, 6));
}

#[actix_web::test]
async fn sales_without_a_key_are_made_each_time_and_listed_as_payments() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, path) = shop.product().await;
    let mut sold = Vec::new();
    for amount in ["5.00", "6.00"] {
        let answer = shop.sell(&product, amount, "fake-valid-nonce").await;
        assert_eq!((answer.status, answer.header("idempotent-replayed")), (200, None), "{answer:?}");
        sold.push(text(&answer.json(), "/mozilla/generic/resource_uri"));
    }
    let all = payments(&shop).await;
    assert_eq!(all.len(), 2);
    for (payment, (transaction, amount)) in all.iter().rev().zip(sold.iter().zip(["5.00", "6.00"])) {
        for (field, value) in [
            ("status", json!("captured")),
            ("amount", json!(amount)),
            ("captured_amount", json!(amount)),
            ("transaction", json!(transaction)),
            ("seller_product", json!(path)),
            ("provider", json!("braintree")),
        ] {
            assert_eq!(payment[field], value, "{field}: {payment}");
        }
    }
    assert_eq!((shop.ledger().await.len(), books(&pair)), (2, (2, 12)));
}

#[actix_web::test]
async fn every_error_of_a_rejected_sale_is_told_and_told_again_byte_for_byte() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    let headers = json!({"content-type": "application/xml"});
    shop.fault("transactions", json!({"status": 422, "headers": headers, "body": TWO_ERRORS})).await;
    let key = unique("key");
    let first = sell(&shop, &key, &product, "5.00").await;
    assert_eq!(codes(&first, "braintree", "amount"), ["81528"]);
    assert_eq!(codes(&first, "braintree", "merchant_account_id"), ["91513"]);
    let again = sell(&shop, &key, &product, "5.00").await;
    assert_eq!((again.status, &again.body), (422, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let payment = &payments(&shop).await[0];
    assert_eq!((&payment["status"], &payment["failure"]["code"]), (&json!("failed"), &json!("81528")));
    let failed = shop.read(&text(payment, "/transaction")).await;
    assert_eq!((&failed["status"], &failed["status_reason"]), (&json!(ERRORED), &json!("81528")), "{failed}");
    assert_eq!((shop.ledger().await.len(), books(&pair)), (0, (1, 0)));
}

#[actix_web::test]
async fn a_declined_sale_is_answered_the_same_under_its_key_and_nothing_is_booked() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    let key = unique("key");
    let first = sell(&shop, &key, &product, "2001.00").await;
    assert_eq!(codes(&first, "braintree", "__all__"), ["2001"]);
    let again = sell(&shop, &key, &product, "2001.00").await;
    assert_eq!((again.status, &again.body), (422, &first.body));
    assert_eq!(payments(&shop).await[0]["status"], "declined");
    assert_eq!((shop.ledger().await.len(), books(&pair)), (0, (1, 0)));
}

#[actix_web::test]
async fn a_sale_whose_answer_was_lost_is_found_by_the_janitor_and_booked() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    shop.hold_webhooks().await;
    shop.fault("transactions", json!("drop_after")).await;
    let key = unique("key");
    let lost = sell(&shop, &key, &product, "5.00").await;
    let error = lost.json()["proxy_error"].clone();
    assert_eq!((lost.status, &error["outcome"]), (502, &json!("unknown")), "{lost:?}");
    assert_eq!(payments(&shop).await[0]["status"], "unknown");
    assert_eq!(books(&pair), (1, 0));
    assert_eq!(look(&pair, TimeDelta::seconds(11)).await, 1);
    let found = &payments(&shop).await[0];
    assert_eq!((&found["status"], &found["transaction"]), (&json!("captured"), &error["transaction"]));
    let checked = shop.read(&text(&error, "/transaction")).await;
    let ledger = shop.ledger().await;
    assert_eq!((&checked["status"], &checked["uid_support"]), (&json!(CHECKED), &ledger[0]["id"]));
    assert_eq!((ledger.len(), books(&pair)), (1, (1, 6)));
    let again = sell(&shop, &key, &product, "5.00").await;
    assert_eq!((again.status, &again.body), (502, &lost.body), "a key has one answer");
}

/// Makes the one sale what sales were before they were payments: a transaction, and a charge with the attempt.
fn make_old(pair: &Pair, attempt: &str) {
    use db_server::schema::provider_charges::dsl;
    let connection = &mut pair.database.as_ref().unwrap().connect();
    connection
        .batch_execute(
            // Nobody may delete events.
            "set session_replication_role = replica; \
             delete from idempotency_keys; delete from payment_operations; delete from payment_events; \
             delete from provider_charges; delete from payments; \
             set session_replication_role = origin",
        )
        .unwrap();
    let values = (
        dsl::transaction_id.eq(1_i64),
        dsl::provider.eq(4_i16),
        dsl::kind.eq("submit_for_settlement"),
        dsl::attempt.eq(attempt.parse::<uuid::Uuid>().unwrap()),
    );
    insert_into(dsl::provider_charges).values(values).execute(connection).unwrap();
}

#[actix_web::test]
async fn a_sale_that_was_made_before_sales_were_payments_is_decided_by_its_webhook() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    shop.hold_webhooks().await;
    shop.fault("transactions", json!("drop_after")).await;
    let lost = shop.sell(&product, "5.00", "fake-valid-nonce").await;
    let transaction = text(&lost.json(), "/proxy_error/transaction");
    let ledger = shop.ledger().await;
    make_old(&pair, &text(&ledger[0], "/reference"));
    let id = text(&ledger[0], "/id");
    shop.happen(&format!("transactions/{id}/settle"), &json!({})).await;
    let forms = shop.held("transaction_settled").await;
    assert_eq!(shop.hand_on(&forms[0]).await.status, 204);
    let checked = shop.read(&transaction).await;
    assert_eq!((&checked["status"], &checked["uid_support"]), (&json!(CHECKED), &json!(id)), "{checked}");
    assert_eq!((payments(&shop).await.len(), books(&pair)), (0, (0, 0)));
}

/// Whoever was to answer died, and somebody else has settled what was asked.
fn forget_answers(pair: &Pair) {
    let forget = "update idempotency_keys \
                  set status = null, body = null, leased_until = now() - interval '1 second'";
    pair.database.as_ref().unwrap().connect().batch_execute(forget).unwrap();
}

#[actix_web::test]
async fn a_sale_that_somebody_else_has_settled_is_answered_from_what_is_kept() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    for amount in ["5.00", "2001.00"] {
        let key = unique("key");
        let first = sell(&shop, &key, &product, amount).await;
        forget_answers(&pair);
        let again = sell(&shop, &key, &product, amount).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{amount}");
    }
    let headers = json!({"content-type": "application/xml"});
    shop.fault("transactions", json!({"status": 422, "headers": headers, "body": TWO_ERRORS})).await;
    let key = unique("key");
    sell(&shop, &key, &product, "7.00").await;
    forget_answers(&pair);
    let again = sell(&shop, &key, &product, "7.00").await;
    assert_eq!(codes(&again, "braintree", "__all__"), ["81528"], "the first is kept");
    assert_eq!((shop.ledger().await.len(), books(&pair)), (1, (3, 6)));
}
