//! `/paymethods/`: stored means of payment, as a client sees them, as the database holds them, and as the provider does.

use actix_web::http::Method;
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use integration_tests::in_process::Pair;
use serde_json::{Value, json};

use super::{
    buyer::assert_code,
    payers::{Payer, VISA, new_buyer},
    shop::text,
};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

/// Every row of a table, as Postgres writes it. There may be a condition behind the table.
pub fn rows(pair: &Pair, table: &str) -> Vec<String> {
    let query = format!("select t::text as row from (select * from {table}) t order by id");
    let rows = sql_query(query).load::<Row>(&mut pair.database.as_ref().unwrap().connect()).unwrap();
    rows.into_iter().map(|row| row.row).collect()
}

#[actix_web::test]
async fn a_card_is_stored_at_the_provider_and_shown_without_its_token() {
    let payer = Payer::new().await;
    let shown = payer.store("stripe", VISA).await;
    let mut expected = json!({
        "resource_pk": 1, "resource_uri": "/paymethods/1/", "provider": "stripe", "type": "card", "brand": "visa",
        "last4": "4242", "active": true, "buyer": payer.buyer, "counter": 0,
    });
    for field in ["expiry", "created", "modified"] {
        expected[field] = shown[field].clone();
    }
    assert_eq!(shown, expected);
    let expiry = text(&shown, "/expiry");
    assert!(expiry.len() == 7 && expiry.as_bytes()[4] == b'-', "{expiry}");
    assert_eq!(payer.read(&shown).await, shown);

    // The provider has it under its customer; here the token is neither shown nor in the database as it is.
    let row = rows(&payer.pair, "payment_methods").remove(0);
    assert!(row.contains("gAAAA") && !row.contains("pm_"), "{row}");
    assert!(!shown.to_string().contains("pm_"));
    let customer = rows(&payer.pair, "payment_customers").remove(0);
    let customer = customer.split(',').find(|part| part.starts_with("cus_")).unwrap();
    let kept = payer.stripe(Method::GET, &format!("payment_methods?customer={customer}"), &[]).await;
    assert_eq!(kept["data"].as_array().unwrap().len(), 1, "{kept}");
}

#[actix_web::test]
async fn a_buyer_is_made_known_to_each_provider_once() {
    let payer = Payer::new().await;
    let (one, two) = (payer.store("stripe", VISA).await, payer.store("stripe", "pm_card_mastercard").await);
    assert_ne!(one["resource_uri"], two["resource_uri"]);
    assert_eq!(payer.arrived("POST /stripe/v1/customers").await, 1);
    assert_eq!(rows(&payer.pair, "payment_customers").len(), 1);
}

#[actix_web::test]
async fn the_list_has_the_filters_provider_buyer_and_active_and_no_other() {
    let payer = Payer::new().await;
    let first = payer.store("stripe", VISA).await;
    let other =
        Payer { buyer: new_buyer(&payer.client).await, client: payer.client.clone(), pair: payer.pair };
    other.store("stripe", "pm_card_mastercard").await;
    let deleted = other.client.delete(&text(&first, "/resource_uri")).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    let uuid = text(&other.client.get(&other.buyer).await.json(), "/uuid");
    for (query, count) in [
        ("".to_owned(), 2),
        ("?provider=stripe".to_owned(), 2),
        ("?provider=braintree".to_owned(), 0),
        (format!("?buyer={}", other.buyer), 1),
        (format!("?buyer__uuid={uuid}"), 1),
        ("?active=false".to_owned(), 1),
        (format!("?active=true&provider=stripe&buyer={}", text(&first, "/buyer")), 0),
    ] {
        assert_eq!(other.count(&format!("/paymethods/{query}")).await, count, "{query}");
    }
    let unknown = other.client.get("/paymethods/?token=x").await;
    assert_eq!(
        (unknown.status, unknown.json()),
        (400, json!({"detail": "Incorrect query parameters: token"}))
    );
    assert_code(&other.client.get("/paymethods/?provider=bango").await, "provider", "invalid_choice");
    assert_code(&other.client.get("/paymethods/?active=maybe").await, "active", "invalid");
}

#[actix_web::test]
async fn what_is_deleted_is_gone_at_the_provider_first_and_stays_here_inactive() {
    let payer = Payer::new().await;
    let shown = payer.store("stripe", VISA).await;
    let uri = text(&shown, "/resource_uri");
    payer.fault("POST", "/stripe/v1/payment_methods", json!({"status": 500})).await;
    let failed = payer.client.delete(&uri).await;
    assert_eq!(
        (failed.status, &failed.json()["proxy_error"]["outcome"]),
        (502, &json!("unknown")),
        "{failed:?}"
    );
    assert_eq!(payer.read(&shown).await["active"], true);
    for _ in 0..2 {
        let deleted = payer.client.delete(&uri).await;
        assert_eq!((deleted.status, deleted.body.len()), (204, 0), "{deleted:?}");
        assert_eq!(payer.read(&shown).await["active"], false);
    }
    // The failed one, and one that succeeded: what is gone is not asked for again.
    assert_eq!(detached(&payer).await, 2);
    assert_eq!(payer.client.delete("/paymethods/99/").await.status, 404);
    let row = rows(&payer.pair, "payment_customers").remove(0);
    let customer = row.split(',').find(|part| part.starts_with("cus_")).unwrap();
    let kept = payer.stripe(Method::GET, &format!("payment_methods?customer={customer}"), &[]).await;
    assert_eq!(kept["data"], json!([]));
}

async fn detached(payer: &Payer) -> u64 {
    let requests = payer.pair.sandbox_client().get("/_sandbox/requests").await.json();
    let counts = requests["counts"].as_object().unwrap();
    counts.iter().filter(|(name, _)| name.contains("/detach")).filter_map(|(_, count)| count.as_u64()).sum()
}

#[actix_web::test]
async fn a_decline_is_told_with_what_may_help() {
    let payer = Payer::new().await;
    let declined = payer.ask_to_store("stripe", "pm_card_chargeDeclinedExpiredCard").await;
    assert_eq!(declined.status, 402, "{declined:?}");
    let body = declined.json();
    assert_eq!((&body["provider"], body["detail"].is_string()), (&json!("stripe"), true));
    assert_eq!(body["decline"]["advice"], "other_method", "{body}");
    assert!(body["decline"]["code"].is_string() && body["decline"]["message"].is_string(), "{body}");
    assert_eq!(payer.count("/paymethods/").await, 0);
}

#[actix_web::test]
async fn what_the_provider_finds_wrong_is_told_in_its_own_words_under_its_name() {
    let payer = Payer::new().await;
    let refused = payer.ask_to_store("stripe", "pm_of_nobody").await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let errors = refused.json();
    let first = errors["stripe"].as_object().unwrap().values().next().unwrap()[0].clone();
    assert!(first["code"].is_string() && first["message"].is_string(), "{errors}");
    assert_eq!(payer.count("/paymethods/").await, 0);
}

#[actix_web::test]
async fn wrong_fields_are_named_and_the_provider_is_not_asked() {
    let payer = Payer::new().await;
    let closed = new_buyer(&payer.client).await;
    assert_eq!(payer.client.post(&format!("{closed}close/"), &json!({})).await.status, 204);
    let (buyer, nonce) = (&payer.buyer, VISA);
    for (body, field, code) in [
        (json!({"buyer": buyer, "nonce": nonce}), "provider", "required"),
        (json!({"provider": "bango", "buyer": buyer, "nonce": nonce}), "provider", "invalid_choice"),
        (json!({"provider": "stripe", "nonce": nonce}), "buyer", "required"),
        (
            json!({"provider": "stripe", "buyer": "/generic/buyer/99/", "nonce": nonce}),
            "buyer",
            "does_not_exist",
        ),
        (json!({"provider": "stripe", "buyer": "/generic/seller/1/", "nonce": nonce}), "buyer", "invalid"),
        (json!({"provider": "stripe", "buyer": closed, "nonce": nonce}), "buyer", "invalid"),
        (json!({"provider": "stripe", "buyer": buyer}), "nonce", "required"),
        (json!({"provider": "stripe", "buyer": buyer, "nonce": "4242424242424242"}), "nonce", "card_number"),
        (
            json!({"provider": "stripe", "buyer": buyer, "nonce": nonce, "active": true}),
            "active",
            "unknown_field",
        ),
    ] {
        assert_code(&payer.client.post("/paymethods/", &body).await, field, code);
    }
    assert_eq!(payer.arrived("POST /stripe").await, 0);
    for method in [Method::PUT, Method::PATCH] {
        let answer = payer.client.request(method, "/paymethods/1/").json(&json!({})).answer().await;
        assert_eq!(answer.status, 405);
    }
}

#[actix_web::test]
async fn what_a_provider_does_not_offer_is_501_and_was_not_sent() {
    let payer = Payer::new().await;
    let answer = payer.ask_to_store("reference", "nonce").await;
    assert_eq!(answer.status, 501, "{answer:?}");
    let error = &answer.json()["proxy_error"];
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("unsupported"), &json!("not_sent")));
}

#[actix_web::test]
async fn a_lost_answer_is_unknown_and_the_same_request_again_stores_it_once() {
    let payer = Payer::new().await;
    payer.fault("POST", "/stripe/v1/payment_methods", json!("drop_after")).await;
    let unknown = payer.ask_to_store("stripe", VISA).await;
    assert_eq!(unknown.status, 502, "{unknown:?}");
    let error = &unknown.json()["proxy_error"];
    assert_eq!((&error["target"], &error["outcome"]), (&json!("stripe"), &json!("unknown")));
    assert_eq!(payer.count("/paymethods/").await, 0);
    payer.store("stripe", VISA).await;
    assert_eq!(payer.count("/paymethods/").await, 1);
    let attempts = rows(&payer.pair, "payment_attempts");
    let stored: Vec<_> = attempts.iter().filter(|row| row.contains("store_payment_method")).collect();
    assert!(stored.len() == 1 && stored[0].contains("succeeded"), "asked twice under one id: {stored:?}");
    assert!(attempts.iter().all(|row| !row.contains(VISA)), "a nonce is kept nowhere");
}

#[actix_web::test]
async fn a_provider_that_cannot_be_reached_was_sent_nothing_and_nothing_is_left_open() {
    let mut payer = Payer::new().await;
    payer.pair.sandbox.stop();
    let answer = payer.ask_to_store("stripe", VISA).await;
    let error = &answer.json()["proxy_error"];
    assert_eq!(
        (answer.status, &error["kind"], &error["outcome"]),
        (502, &json!("connect"), &json!("not_sent"))
    );
    let attempts = rows(&payer.pair, "payment_attempts");
    assert!(attempts.len() == 1 && attempts[0].contains("not_sent"), "{attempts:?}");
}

#[actix_web::test]
async fn two_identical_requests_at_once_make_one_customer_and_one_payment_method() {
    let payer = Payer::new().await;
    let asked = (0..6).map(|_| payer.ask_to_store("stripe", VISA));
    let answers = futures_util::future::join_all(asked).await;
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status)), "{answers:?}");
    assert!(answers.iter().any(|answer| answer.status == 201), "{answers:?}");
    assert_eq!(rows(&payer.pair, "payment_customers").len(), 1);
    let shown: Vec<Value> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| answer.json()["resource_pk"].clone())
        .collect();
    let rows = rows(&payer.pair, "payment_methods");
    assert_eq!(
        rows.len(),
        shown.iter().map(Value::to_string).collect::<std::collections::BTreeSet<_>>().len()
    );
    assert_eq!(payer.arrived("POST /stripe/v1/customers").await, 1);
}

#[actix_web::test]
async fn an_etag_saves_a_transfer() {
    let payer = Payer::new().await;
    let uri = text(&payer.store("stripe", VISA).await, "/resource_uri");
    for path in [uri.as_str(), "/paymethods/"] {
        let tag = payer.client.get(path).await.header("etag").unwrap().to_owned();
        let again = payer.client.request(Method::GET, path).header("If-None-Match", &tag).answer().await;
        assert_eq!(again.status, 304, "{path}");
    }
}
