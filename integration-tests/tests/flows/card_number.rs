//! Nobody's card number belongs here: it is refused wherever a client puts it, kept nowhere and never logged.

use actix_web::http::Method;
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use integration_tests::{
    client::{Answer, Client},
    in_process::{Dummies, spawn_pair},
};
use serde_json::{Value, json};

use super::{
    buyer::assert_code,
    executables::Executables,
    shop::{Shop, created, text},
};

/// A published test number, as people write it.
const CARD: &str = "4111-1111 1111.1111";

/// Every place for a text: method, path, body, and the field that is to be named.
fn places(shop: &Shop, transaction: &str) -> Vec<(Method, String, Value, &'static str)> {
    let post = |path: &str, body: Value, field| (Method::POST, path.to_owned(), body, field);
    let patch = |path: &str, body: Value, field| (Method::PATCH, path.to_owned(), body, field);
    vec![
        post("/generic/buyer/", json!({"uuid": CARD}), "uuid"),
        post("/generic/buyer/", json!({"uuid": "b2", "locale": format!("x {CARD}")}), "locale"),
        post("/generic/buyer/", json!({"uuid": "b2", "email": "4111111111111111@example.test"}), "email"),
        post("/generic/buyer/", json!({"uuid": "b2", "pin": CARD}), "pin"),
        post("/generic/seller/", json!({"uuid": "４１１１１１１１１１１１１１１１"}), "uuid"),
        post("/generic/seller/", json!({"uuid": "s2", "note": CARD}), "note"),
        post("/generic/seller/", json!({"uuid": "s2", "active": [{"deep": [CARD]}]}), "active"),
        post("/generic/seller/", json!({"uuid": "s2", "bango": {CARD: 1}}), "bango"),
        post("/generic/seller/", json!({"uuid": "s2", "created": CARD}), "created"),
        post("/generic/seller/", json!({"uuid": "s2", CARD: 1}), "__all__"),
        post("/generic/product/", json!({"secret": CARD}), "secret"),
        post("/generic/product/", json!({"external_id": CARD}), "external_id"),
        post("/generic/product/", json!({"seller": format!("{}?{CARD}", shop.seller)}), "seller"),
        post("/generic/transaction/", json!({"notes": format!("paid with {CARD}, thanks")}), "notes"),
        post("/generic/transaction/", json!({"pay_url": "https://a.test/?pan=4111111111111111"}), "pay_url"),
        patch(transaction, json!({"notes": CARD}), "notes"),
        patch(transaction, json!({"status_reason": CARD}), "status_reason"),
        patch(transaction, json!({"amount": "1.00", "carrier": CARD}), "carrier"),
        post("/generic/verify_pin/", json!({"uuid": CARD, "pin": "1234"}), "uuid"),
        post("/paymethods/", json!({"provider": "stripe", "nonce": CARD}), "nonce"),
        post("/paymethods/", json!({"provider": "stripe", "number": CARD}), "number"),
        post("/subscriptions/", json!({"plan": CARD}), "plan"),
        post("/provider/reference/sellers/", json!({"name": CARD}), "name"),
        post("/provider/reference/transactions/", json!({"ext_transaction_id": CARD}), "ext_transaction_id"),
        post("/provider/reference/notices/", json!({"qs": format!("a={CARD}")}), "qs"),
    ]
}

async fn send(client: &Client, method: Method, path: &str, body: &Value) -> Answer {
    client.request(method, path).json(body).answer().await
}

#[actix_web::test]
async fn a_card_number_in_any_text_of_a_request_is_refused_and_stored_nowhere() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = text(&shop.transaction().await, "/resource_uri");
    let database = pair.database.as_ref().unwrap();
    let before = everything(&mut database.connect());
    for (method, path, body, field) in places(&shop, &transaction) {
        let answer = send(&shop.client, method, &path, &body).await;
        assert_code(&answer, field, "card_number");
        assert_eq!(answer.json()["mozilla"].as_object().unwrap().len(), 1, "{answer:?}");
        assert!(!answer.text().contains("1111"), "{answer:?}");
    }
    assert_eq!(everything(&mut database.connect()), before);
}

#[actix_web::test]
async fn a_card_number_in_a_query_is_refused() {
    let pair = spawn_pair().await;
    let client = pair.client();
    for (path, field) in [
        ("/generic/buyer/?uuid=4111111111111111", "uuid"),
        ("/generic/buyer/?email=4111-1111-1111-1111@example.test", "email"),
        ("/generic/seller/?uuid=4111%201111%201111%201111", "uuid"),
        ("/generic/transaction/?uiud=4111.1111.1111.1111", "uiud"),
        ("/generic/transaction/?4111111111111111=1", "__all__"),
    ] {
        let answer = client.get(path).await;
        assert_code(&answer, field, "card_number");
        assert!(!answer.text().contains("1111"), "{answer:?}");
    }
}

#[actix_web::test]
async fn ids_paths_and_amounts_of_our_own_making_are_no_card_numbers() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let seller = created(
        client.post("/generic/seller/", &json!({"uuid": "a1111111-1111-4111-8111-111111111111"})).await,
    );
    let uri = text(&seller, "/resource_uri");
    assert_eq!(client.put(&uri, &seller).await.status, 200, "an answer may be sent back");
    let dangling = json!({"seller": "/generic/seller/4111111111111111/"});
    let answer = client.post("/generic/transaction/", &dangling).await;
    assert_eq!((answer.status, answer.json()["seller"].is_array()), (400, true), "{answer:?}");
    let amount = json!({"amount": "4111111111111111", "currency": "EUR"});
    let answer = client.post("/generic/transaction/", &amount).await;
    assert_eq!((answer.status, answer.json()["amount"].is_array()), (400, true), "{answer:?}");
    assert_eq!(client.get("/generic/seller/?limit=4111111111111111").await.status, 400);
}

#[actix_web::test]
async fn no_log_line_at_any_level_holds_a_card_number() {
    for format in ["text", "json"] {
        let log = format!("[log]\nlevel = 'trace'\nformat = '{format}'\n");
        let running = Executables::start(&log, &log, Dummies::default()).await;
        let client = running.client();
        let sandbox = Client::unsigned(&running.sandbox.url);
        let shop = Shop::open_at(client.clone(), &running.db_server.url, sandbox).await;
        let transaction = text(&shop.transaction().await, "/resource_uri");
        for (method, path, body, _) in places(&shop, &transaction) {
            assert_eq!(send(&client, method, &path, &body).await.status, 422, "{path} {body}");
        }
        let odd = "/generic/seller/4111-1111-1111-1111/?4111-1111-1111-1111=1&uuid=4111-1111-1111-1111";
        let named = client.request(Method::GET, odd).header("Transaction-Id", "4111-1111-1111-1111");
        assert_eq!(named.header("X-Request-Id", "4111-1111-1111-1111").answer().await.status, 404);
        let malformed = client.request(Method::POST, "/generic/seller/");
        let malformed = malformed.raw(b"{\"uuid\": \"4111111111111111", "application/json").answer().await;
        assert_eq!(malformed.status, 400);
        for process in [&running.db_server, &running.provider_proxy, &running.sandbox].map(|r| &r.process) {
            for line in process.lines() {
                let digits: String = line.chars().filter(char::is_ascii_digit).collect();
                let wide = line.contains("１１１１");
                assert!(!wide && !digits.contains("4111111111111111"), "{}: {line}", process.name());
            }
        }
        // The check sees what it is meant to see.
        let lines = running.db_server.process.lines();
        assert!(lines.iter().any(|line| line.contains("422: wrong fields: notes")), "{lines:?}");
    }
}

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Text)]
    content: String,
}

/// Every row of the tables that requests write to.
pub fn everything(connection: &mut diesel::PgConnection) -> String {
    let tables = [
        "buyers",
        "sellers",
        "products",
        "transactions",
        "transaction_events",
        "reference_sellers",
        "reference_products",
        "payment_customers",
        "payment_methods",
        "subscriptions",
        "provider_charges",
        "webhook_events",
        "payment_attempts",
    ];
    let all = tables.map(|table| {
        let query = format!(
            "select coalesce(string_agg(t::text, chr(10) order by id), '') as content from {table} t"
        );
        let content: Content = sql_query(query).get_result(connection).unwrap();
        format!("{table}\n{}\n", content.content)
    });
    all.concat()
}
