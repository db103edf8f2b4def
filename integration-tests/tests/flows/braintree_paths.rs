//! The Solitude API's paths of Braintree: tokens, buyers and cards, against the sandbox.

use actix_web::http::Method;
use integration_tests::in_process::{PairOptions, spawn_pair};
use serde_json::{Value, json};

use super::{
    braintree_shop::{BraintreeShop, codes},
    shop::{created, text, unique},
};

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[actix_web::test]
async fn a_token_is_generated_for_braintrees_script() {
    let pair = spawn_pair().await;
    let answer = pair.client().post("/braintree/token/generate/", &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!text(&answer.json(), "/token").is_empty());
    assert_eq!(names(&answer.json()), ["token"]);
}

#[actix_web::test]
async fn a_buyer_becomes_known_at_braintree_once() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let customer = shop.customer().await;
    assert_eq!(names(&customer), ["braintree", "mozilla"]);
    assert_eq!(names(&customer["braintree"]), ["created_at", "id", "updated_at"]);
    assert!(customer["braintree"]["created_at"].is_string(), "{customer}");
    let mozilla = &customer["mozilla"];
    assert_eq!(mozilla["braintree_id"], customer["braintree"]["id"]);
    assert_eq!(mozilla["buyer"], json!(shop.buyer_path));
    assert_eq!((&mozilla["active"], &mozilla["counter"]), (&json!(true), &json!(0)));
    assert_eq!(mozilla["id"], mozilla["resource_pk"]);
    assert_eq!(&shop.read(&text(mozilla, "/resource_uri")).await, mozilla);

    let again = shop.client.post("/braintree/customer/", &json!({"uuid": shop.buyer})).await;
    assert_eq!(codes(&again, "mozilla", "uuid"), ["already_exists"]);
    let nobody = shop.client.post("/braintree/customer/", &json!({"uuid": "nobody"})).await;
    assert_eq!(codes(&nobody, "mozilla", "uuid"), ["does_not_exist"]);
    let missing = shop.client.post("/braintree/customer/", &json!({})).await;
    assert_eq!(codes(&missing, "mozilla", "uuid"), ["required"]);
}

#[actix_web::test]
async fn a_card_is_verified_and_kept_and_is_seen_in_both_apis() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let customer = shop.customer().await;
    let stored = created(shop.store("fake-valid-visa-nonce").await);
    assert_eq!(names(&stored["braintree"]), ["created_at", "token", "updated_at"]);
    let mozilla = &stored["mozilla"];
    assert_eq!(mozilla["provider_id"], stored["braintree"]["token"]);
    assert_eq!(mozilla["braintree_buyer"], customer["mozilla"]["resource_uri"]);
    assert_eq!((&mozilla["truncated_id"], &mozilla["type"]), (&json!("1881"), &json!(1)));
    assert!(text(mozilla, "/type_name").eq_ignore_ascii_case("visa"), "{mozilla}");
    assert_eq!(mozilla["active"], true);
    assert_eq!(&shop.read(&text(mozilla, "/resource_uri")).await, mozilla);

    let neutral = shop.client.get("/paymethods/").await.json();
    assert_eq!(neutral["objects"][0]["last4"], "1881", "{neutral}");
    assert_eq!(neutral["objects"][0]["provider"], "braintree", "{neutral}");
}

#[actix_web::test]
async fn what_is_wrong_with_a_card_is_told_by_whoever_knows_it() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    assert_eq!(codes(&shop.store("fake-valid-nonce").await, "mozilla", "buyer_uuid"), ["does_not_exist"]);
    shop.customer().await;
    let nobody = json!({"buyer_uuid": "nobody", "nonce": "fake-valid-nonce"});
    let nobody = shop.client.post("/braintree/paymethod/", &nobody).await;
    assert_eq!(codes(&nobody, "mozilla", "buyer_uuid"), ["does_not_exist"]);

    let consumed = shop.store("fake-consumed-nonce").await;
    assert_eq!(consumed.status, 422, "{consumed:?}");
    assert!(consumed.json()["braintree"].is_object(), "{consumed:?}");
    let ended = shop.nonce("4111111111111111", None).await;
    shop.expire(&ended).await;
    let ended = shop.store(&ended).await;
    assert!(ended.status == 422 && ended.json()["braintree"].is_object(), "{ended:?}");

    let declined = shop.store("fake-processor-declined-visa-nonce").await;
    assert_eq!(codes(&declined, "braintree", "__all__").len(), 1);
    let wrong_cvv = shop.nonce("4111111111111111", Some("200")).await;
    assert_eq!(codes(&shop.store(&wrong_cvv).await, "braintree", "cvv"), ["cvv"]);
    assert_eq!(shop.client.get("/braintree/mozilla/paymethod/").await.json(), json!([]));
}

#[actix_web::test]
async fn a_buyer_has_as_many_cards_as_the_settings_say() {
    let pair = PairOptions::default().db_settings("[payments]\nmax_methods = 1").spawn().await;
    let shop = BraintreeShop::open(&pair).await;
    let card = shop.card().await;
    let second = shop.store("fake-valid-mastercard-nonce").await;
    assert_eq!(codes(&second, "mozilla", "buyer_uuid"), ["max_size"]);
    let deleted = shop.client.post("/braintree/paymethod/delete/", &json!({"paymethod": card})).await;
    assert_eq!((deleted.status, deleted.text().as_str()), (204, ""));
    assert_eq!(shop.read(&card).await["active"], false);
    created(shop.store("fake-valid-mastercard-nonce").await);
}

#[actix_web::test]
async fn a_card_that_is_not_there_or_not_braintrees_is_named() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    for (path, code) in [
        ("/braintree/mozilla/paymethod/999/", "does_not_exist"),
        ("/paymethods/1/", "invalid"),
        ("/braintree/mozilla/buyer/1/", "invalid"),
        ("1", "invalid"),
    ] {
        let answer = shop.client.post("/braintree/paymethod/delete/", &json!({"paymethod": path})).await;
        assert_eq!(codes(&answer, "mozilla", "paymethod"), [code], "{path}");
    }
    let stripe = json!({"buyer": shop.buyer_path, "provider": "stripe", "nonce": "pm_card_visa"});
    let stripe = created(shop.client.post("/paymethods/", &stripe).await);
    let path = format!("/braintree/mozilla/paymethod/{}/", stripe["resource_pk"]);
    assert_eq!(shop.client.get(&path).await.status, 404);
    let (product, _) = shop.product().await;
    let sale = json!({"product_id": product, "amount": "5.00", "paymethod": path});
    let sale = shop.client.post("/braintree/sale/", &sale).await;
    assert_eq!(codes(&sale, "mozilla", "paymethod"), ["does_not_exist"]);
}

#[actix_web::test]
async fn the_lists_are_plain_arrays_with_strict_filters() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let card = shop.card().await;
    let buyer = text(&shop.read(&card).await, "/braintree_buyer");
    let generic = &shop.buyer_path;
    for (query, count) in [
        ("/braintree/mozilla/buyer/".to_owned(), 1),
        (format!("/braintree/mozilla/buyer/?buyer={generic}&active=true"), 1),
        ("/braintree/mozilla/buyer/?active=0".to_owned(), 0),
        ("/braintree/mozilla/paymethod/".to_owned(), 1),
        (format!("/braintree/mozilla/paymethod/?braintree_buyer={buyer}&active=1"), 1),
        (format!("/braintree/mozilla/paymethod/?braintree_buyer__buyer__uuid={}", shop.buyer), 1),
        ("/braintree/mozilla/paymethod/?braintree_buyer__buyer__uuid=nobody".to_owned(), 0),
        (format!("/braintree/mozilla/subscription/?paymethod={card}"), 0),
        (format!("/braintree/mozilla/subscription/?paymethod__braintree_buyer={buyer}"), 0),
        (format!("/braintree/mozilla/subscription/?paymethod__braintree_buyer__buyer={generic}"), 0),
        ("/braintree/mozilla/subscription/?provider_id=x&seller_product=1&active=true".to_owned(), 0),
        ("/braintree/mozilla/transaction/?transaction__buyer__uuid=nobody".to_owned(), 0),
    ] {
        let answer = shop.client.get(&query).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        assert_eq!(answer.json().as_array().map(Vec::len), Some(count), "{query}: {answer:?}");
        let known = answer.header("ETag").unwrap();
        let again = shop.client.request(Method::GET, &query).header("If-None-Match", known).answer().await;
        assert_eq!(again.status, 304, "{query}");
    }
    for list in ["buyer", "paymethod", "subscription", "transaction"] {
        let answer = shop.client.get(&format!("/braintree/mozilla/{list}/?uuid=x")).await;
        assert_eq!(
            (answer.status, text(&answer.json(), "/detail").as_str()),
            (400, "Incorrect query parameters: uuid")
        );
    }
}

#[actix_web::test]
async fn only_whether_it_is_active_changes_and_only_at_the_version_that_is_expected() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let card = shop.card().await;
    let before = shop.client.get(&card).await;
    let version = before.header("ETag").unwrap().to_owned();
    let patched = shop.client.patch(&card, &json!({"active": false})).await;
    assert_eq!((patched.status, &patched.json()["active"]), (200, &json!(false)), "{patched:?}");
    assert_eq!(patched.json()["counter"], 1);
    let stale = shop.client.request(Method::PATCH, &card).header("If-Match", &version);
    assert_eq!(stale.json(&json!({"active": true})).answer().await.status, 412);
    let unknown = shop.client.patch(&card, &json!({"token": "x"})).await;
    assert_eq!(codes(&unknown, "mozilla", "token"), ["unknown_field"]);
    assert_eq!(shop.client.patch(&card, &before.json()).await.status, 200, "an answer may be sent back");
    assert_eq!(shop.client.put(&card, &json!({"active": true})).await.status, 405);
    assert_eq!(shop.client.delete(&card).await.status, 405);
    let missing = format!("/braintree/mozilla/buyer/{}/", unique("x").len() + 900);
    assert_eq!(shop.client.get(&missing).await.status, 404);
}

#[actix_web::test]
async fn an_inactive_card_is_not_charged() {
    let pair = spawn_pair().await;
    let shop = BraintreeShop::open(&pair).await;
    let (card, (product, _)) = (shop.card().await, shop.product().await);
    shop.client.patch(&card, &json!({"active": false})).await;
    let sale = json!({"product_id": product, "amount": "5.00", "paymethod": card});
    let sale = shop.client.post("/braintree/sale/", &sale).await;
    assert_eq!(codes(&sale, "mozilla", "paymethod"), ["invalid"]);
    assert_eq!(shop.ledger().await, Vec::<Value>::new());
}
