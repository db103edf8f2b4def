//! Sales through the Solitude API's paths of Braintree, against the sandbox.

use integration_tests::in_process::{Pair, PairOptions, spawn_pair};
use serde_json::{Value, json};

use db_server::store::{
    id::ProductId,
    product_plan::{self, ProductPlanRow},
};

use super::{
    braintree_shop::{BraintreeShop, codes},
    schema::events,
    shop::text,
};

const PENDING: u64 = 0;
const CHECKED: u64 = 2;
const FAILED: u64 = 4;
const ERRORED: u64 = 7;

/// Says what a product costs, as `db-server plan set` does.
fn configure(pair: &Pair, product: &str, amount: Option<i64>, currency: &str, recurring: bool) {
    let id = product.trim_end_matches('/').rsplit('/').next().unwrap().parse().unwrap();
    let plan = ProductPlanRow {
        product_id: ProductId(id),
        amount_minor: amount,
        currency: currency.to_owned(),
        recurring,
    };
    product_plan::set(&mut pair.database.as_ref().unwrap().connect(), &plan).unwrap();
}

/// The one transaction that there is.
async fn only_transaction(shop: &BraintreeShop) -> Value {
    let list = shop.client.get("/generic/transaction/").await.json();
    assert_eq!(list["meta"]["total_count"], 1, "{list}");
    list["objects"][0].clone()
}

#[actix_web::test]
async fn a_sale_for_a_nonce_is_checked_and_known_by_the_attempt_at_braintree() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, path) = shop.product().await;
    let answer = shop.sell(&product, "5.00", "fake-valid-nonce").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["braintree"], json!({}));
    let generic = &body["mozilla"]["generic"];
    for (field, value) in [
        ("amount", json!("5.00")),
        ("currency", json!("USD")),
        ("status", json!(CHECKED)),
        ("status_reason", Value::Null),
        ("provider", json!(4)),
        ("type", json!(0)),
        ("seller_product", json!(path)),
        ("seller", json!(shop.seller)),
        ("buyer", Value::Null),
        ("relations", json!([])),
    ] {
        assert_eq!(generic[field], value, "{field}: {generic}");
    }
    assert!(generic["uid_support"].is_string(), "{generic}");
    assert_eq!(&shop.read(&text(generic, "/resource_uri")).await, generic);
    let local = &body["mozilla"]["braintree"];
    assert_eq!(
        (&local["kind"], &local["transaction"]),
        (&json!("submit_for_settlement"), &generic["resource_uri"])
    );
    for field in ["paymethod", "subscription", "next_billing_date", "billing_period_start_date"] {
        assert_eq!(local[field], Value::Null, "{field}");
    }
    assert_eq!(&shop.read(&text(local, "/resource_uri")).await, local);
    let ledger = shop.ledger().await;
    assert_eq!(
        (ledger.len(), &ledger[0]["kind"], &ledger[0]["amount"]),
        (1, &json!("charge"), &json!("5.00"))
    );
    assert_eq!(ledger[0]["id"], generic["uid_support"]);
    assert_eq!(ledger[0]["reference"].as_str().map(str::len), Some(36), "our attempt: {ledger:?}");
}

#[actix_web::test]
async fn a_sale_to_a_stored_card_is_its_buyers() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (card, (product, _)) = (shop.card().await, shop.product().await);
    let sale = json!({"product_id": product, "amount": "5", "paymethod": card});
    let answer = shop.client.post("/braintree/sale/", &sale).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let mozilla = &answer.json()["mozilla"];
    assert_eq!(mozilla["generic"]["buyer"], json!(shop.buyer_path));
    assert_eq!(mozilla["braintree"]["paymethod"], json!(card));
    let query = format!("/braintree/mozilla/transaction/?transaction__buyer__uuid={}", shop.buyer);
    assert_eq!(shop.client.get(&query).await.json(), json!([mozilla["braintree"]]));
}

#[actix_web::test]
async fn a_decline_is_told_with_braintrees_code_and_the_transaction_has_failed() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    let declined = shop.sell(&product, "2001.00", "fake-valid-nonce").await;
    assert_eq!(codes(&declined, "braintree", "__all__"), ["2001"]);
    assert_eq!(declined.json().as_object().unwrap().len(), 1);
    let failed = only_transaction(&shop).await;
    assert_eq!((&failed["status"], &failed["status_reason"]), (&json!(FAILED), &json!("2001")));
    assert_eq!(shop.ledger().await, Vec::<Value>::new());
    let seen: Vec<_> = events(&mut pair.database.as_ref().unwrap().connect())
        .iter()
        .map(|event| (event.actor.clone(), event.old, event.new))
        .collect();
    let client = pair.dummies.client_key.clone();
    assert_eq!(seen, [(client.clone(), None, 6), (client, Some(6), 4)]);
}

#[actix_web::test]
async fn what_the_gateway_rejects_for_its_cvv_is_told_under_cvv() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    let nonce = shop.nonce("4111111111111111", Some("200")).await;
    let rejected = shop.sell(&product, "5.00", &nonce).await;
    assert_eq!(codes(&rejected, "braintree", "cvv"), ["cvv"]);
    let failed = only_transaction(&shop).await;
    assert_eq!((&failed["status"], &failed["status_reason"]), (&json!(FAILED), &json!("cvv")));
}

#[actix_web::test]
async fn a_nonce_is_good_once_and_not_for_ever() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    let (once, ended) =
        (shop.nonce("4111111111111111", None).await, shop.nonce("4111111111111111", None).await);
    shop.expire(&ended).await;
    assert_eq!(shop.sell(&product, "5.00", &once).await.status, 200);
    for nonce in [once.as_str(), ended.as_str(), "fake-consumed-nonce", "no-such-nonce"] {
        let refused = shop.sell(&product, "6.00", nonce).await;
        assert_eq!(refused.status, 422, "{nonce}: {refused:?}");
        assert!(refused.json()["braintree"].is_object(), "{refused:?}");
    }
    assert_eq!(shop.ledger().await.len(), 1);
}

#[actix_web::test]
async fn what_is_wrong_is_told_before_braintree_hears_of_it() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    for amount in ["0", "0.00", "-1", "1.001", "1e3", "ten", "99999999.99"] {
        let answer = shop.sell(&product, amount, "fake-valid-nonce").await;
        assert_eq!(codes(&answer, "mozilla", "amount"), ["invalid"], "{amount}");
    }
    let unknown = shop.sell("nothing", "5.00", "fake-valid-nonce").await;
    assert_eq!(codes(&unknown, "mozilla", "product_id"), ["does_not_exist"]);
    let card = "/braintree/mozilla/paymethod/1/";
    for body in [
        json!({"product_id": product, "amount": "5.00", "nonce": "fake-valid-nonce", "paymethod": card}),
        json!({"product_id": product, "amount": "5.00"}),
    ] {
        let answer = shop.client.post("/braintree/sale/", &body).await;
        assert_eq!(codes(&answer, "mozilla", "__all__"), ["invalid"], "{body}");
    }
    let missing = shop.client.post("/braintree/sale/", &json!({})).await;
    for field in ["amount", "product_id"] {
        assert_eq!(codes(&missing, "mozilla", field), ["required"]);
    }
    let list = shop.client.get("/generic/transaction/").await.json();
    assert_eq!((&list["meta"]["total_count"], shop.ledger().await.len()), (&json!(0), 0));
}

#[actix_web::test]
async fn the_configured_amount_must_match_and_its_currency_is_that_of_the_sale() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, path) = shop.product().await;
    configure(&pair, &path, Some(1000), "EUR", false);
    let other = shop.sell(&product, "9.99", "fake-valid-nonce").await;
    assert_eq!(codes(&other, "mozilla", "amount"), ["invalid"]);
    let sold = shop.sell(&product, "10.00", "fake-valid-nonce").await;
    assert_eq!(sold.json()["mozilla"]["generic"]["currency"], "EUR", "{sold:?}");
}

#[actix_web::test]
async fn a_recurring_product_must_use_a_subscription() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, path) = shop.product().await;
    configure(&pair, &path, Some(1000), "USD", true);
    let sold = shop.sell(&product, "10.00", "fake-valid-nonce").await;
    assert_eq!(codes(&sold, "mozilla", "product_id"), ["invalid"]);
    configure(&pair, &path, Some(1000), "USD", false);
    let subscribed = shop.subscribe(&shop.card().await, &product).await;
    assert_eq!(codes(&subscribed, "mozilla", "plan"), ["invalid"]);
    assert_eq!(shop.ledger().await, Vec::<Value>::new());
}

#[actix_web::test]
async fn a_sale_of_unknown_outcome_is_pending_never_failed_and_settled_by_its_webhook() {
    let pair = PairOptions::default().db_settings("[proxy]\ntimeout = \"30s\"").spawn().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    shop.hold_webhooks().await;
    shop.fault("transactions", json!("drop_after")).await;
    let answer = shop.sell(&product, "5.00", "fake-valid-nonce").await;
    assert!([502, 504].contains(&answer.status), "{answer:?}");
    let error = &answer.json()["proxy_error"];
    assert_eq!((&error["outcome"], &error["target"]), (&json!("unknown"), &json!("braintree")), "{answer:?}");
    let pending = only_transaction(&shop).await;
    assert_eq!(error["transaction"], pending["resource_uri"]);
    assert_eq!((&pending["status"], &pending["status_reason"]), (&json!(PENDING), &json!("unknown")));
    let ledger = shop.ledger().await;
    assert_eq!(ledger.len(), 1, "Braintree has charged");

    let id = text(&ledger[0], "/id");
    shop.happen(&format!("transactions/{id}/settle"), &json!({})).await;
    let forms = shop.held("transaction_settled").await;
    assert_eq!(shop.hand_on(&forms[0]).await.status, 204);
    let checked = shop.read(&text(&pending, "/resource_uri")).await;
    assert_eq!((&checked["status"], &checked["uid_support"]), (&json!(CHECKED), &json!(id)), "{checked}");
}

#[actix_web::test]
async fn a_sale_that_never_reached_braintree_is_errored() {
    let proxy = "[providers.braintree]\nurl = \"http://127.0.0.1:1\"";
    let pair = PairOptions::default().proxy_settings(proxy).spawn().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    let answer = shop.sell(&product, "5.00", "fake-valid-nonce").await;
    assert_eq!(
        (answer.status, &answer.json()["proxy_error"]["outcome"]),
        (502, &json!("not_sent")),
        "{answer:?}"
    );
    assert_eq!(only_transaction(&shop).await["status"], ERRORED);
}

#[actix_web::test]
async fn a_settlement_that_is_declined_fails_the_sale_once() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (product, _) = shop.product().await;
    shop.hold_webhooks().await;
    let sold = shop.sell(&product, "4001.00", "fake-valid-nonce").await.json();
    let generic = &sold["mozilla"]["generic"];
    assert_eq!(generic["status"], CHECKED, "{sold}");
    shop.happen(&format!("transactions/{}/settlement_decline", text(generic, "/uid_support")), &json!({}))
        .await;
    let forms = shop.held("transaction_settlement_declined").await;
    assert_eq!(forms.len(), 1);
    for _ in 0..2 {
        let answer = shop.hand_on(&forms[0]).await;
        assert_eq!((answer.status, answer.text().as_str()), (204, ""), "{answer:?}");
        let failed = shop.read(&text(generic, "/resource_uri")).await;
        assert_eq!((&failed["status"], &failed["counter"]), (&json!(FAILED), &json!(2)), "{failed}");
        assert!(failed["status_reason"].is_string(), "{failed}");
    }
}
