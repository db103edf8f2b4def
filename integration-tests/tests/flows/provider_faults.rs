//! What happens when the provider, or the way to it, goes wrong; above all what is said about the outcome.

use integration_tests::{
    client::{Answer, Client},
    in_process::{
        Dummies, Pair, PairOptions, db_server_settings, provider_proxy_settings, spawn_pair, start_db_server,
        start_provider_proxy,
    },
};
use serde_json::{Value, json};

use super::shop::{Shop, created, post_notice, signed_notice, text};

const PENDING: u64 = 0;
const COMPLETED: u64 = 1;
const STARTED: u64 = 6;

/// A pair whose provider-proxy waits a short while only, so that a test need not wait long.
async fn impatient_pair() -> Pair {
    PairOptions::default().proxy_settings("[providers.reference]\ntimeout = '300ms'").spawn().await
}

async fn refused_start(pair: &Pair, fault: Value) -> (Shop, Value, Answer) {
    let shop = Shop::open(pair).await;
    let transaction = shop.transaction().await;
    shop.fault("/transactions", fault).await;
    let answer = shop.start(&text(&transaction, "/uuid")).await;
    (shop, transaction, answer)
}

fn proxy_error<'a>(body: &'a Value, field: &str) -> &'a Value {
    &body["proxy_error"][field]
}

#[actix_web::test]
async fn a_provider_that_does_not_answer_in_time_leaves_the_outcome_unknown() {
    let pair = impatient_pair().await;
    let (shop, transaction, answer) = refused_start(&pair, json!({"delay_ms": 3000, "after": true})).await;
    let body = answer.json();
    assert_eq!(answer.status, 504, "{answer:?}");
    assert_eq!(
        body["proxy_error"],
        json!({"target": "reference", "kind": "timeout", "status": 500, "outcome": "unknown"})
    );
    let unknown = shop.read(&transaction).await;
    assert_eq!((&unknown["status"], &unknown["status_reason"]), (&json!(PENDING), &json!("unknown")));
}

#[actix_web::test]
async fn a_connection_that_is_dropped_after_the_work_was_done_leaves_the_outcome_unknown() {
    for fault in ["drop_after", "drop_before", "truncate"] {
        let pair = spawn_pair().await;
        let (shop, transaction, answer) = refused_start(&pair, json!(fault)).await;
        assert_eq!(answer.status, 502, "{fault}: {answer:?}");
        assert_eq!(proxy_error(&answer.json(), "kind"), "protocol", "{fault}");
        assert_eq!(proxy_error(&answer.json(), "outcome"), "unknown", "{fault}");
        assert_eq!(shop.read(&transaction).await["status"], PENDING, "{fault}");
    }
}

#[actix_web::test]
async fn a_transaction_whose_start_went_unanswered_is_completed_by_its_notice() {
    let pair = spawn_pair().await;
    let (shop, transaction, answer) = refused_start(&pair, json!("drop_after")).await;
    assert_eq!(answer.status, 502);
    let uuid = text(&transaction, "/uuid");
    let payload = format!("ext_transaction_id={uuid}&price=0.99&currency=EUR");
    let posted = post_notice(&pair, &signed_notice(&pair, &payload)).await;
    assert_eq!(posted.status, 200, "{posted:?}");
    assert_eq!(shop.read(&transaction).await["status"], COMPLETED);
}

#[actix_web::test]
async fn a_provider_that_cannot_be_reached_was_sent_nothing_and_the_transaction_is_as_it_was() {
    let mut pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    pair.sandbox.stop();
    let answer = shop.start(&text(&transaction, "/uuid")).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert_eq!(
        answer.json()["proxy_error"],
        json!({"target": "reference", "kind": "connect", "status": 500, "outcome": "not_sent"})
    );
    assert!(text(&answer.json(), "/detail").contains("Proxy returned: 500 from: reference"));
    let back = shop.read(&transaction).await;
    assert_eq!((&back["status"], &back["provider"]), (&json!(STARTED), &Value::Null));
}

#[actix_web::test]
async fn a_provider_proxy_that_is_down_was_sent_nothing() {
    let mut pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    pair.provider_proxy.stop();
    let answer = shop.start(&text(&transaction, "/uuid")).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert_eq!(
        answer.json()["proxy_error"],
        json!({"target": "provider-proxy", "kind": "connect", "status": null, "outcome": "not_sent"})
    );
    assert_eq!(shop.read(&transaction).await["status"], STARTED);
}

#[actix_web::test]
async fn wrong_credentials_are_the_providers_refusal_and_nothing_is_started() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    let wrong = Dummies { consumer_secret: "dummy-wrong-secret".into(), ..pair.dummies.clone() };
    let table = provider_proxy_settings(pair.sandbox.url(), &wrong);
    let proxy = start_provider_proxy(table);
    let database = pair.database.as_ref().unwrap();
    let table = db_server_settings(&database.socket_folder(), database.name(), proxy.url(), &pair.dummies);
    let db_server = start_db_server(table);
    let client = Client::signed(db_server.url(), &pair.dummies.client_key, &pair.dummies.client_secret);
    let body = shop.start_body(&text(&transaction, "/uuid"));
    let answer = client.post("/provider/reference/transactions/", &body).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(answer.json()["error_message"].is_string(), "{answer:?}");
    assert!(!answer.text().contains("dummy-wrong-secret"));
    let back = shop.read(&transaction).await;
    assert_eq!((&back["status"], &back["provider"]), (&json!(STARTED), &Value::Null));
}

#[actix_web::test]
async fn a_refusal_lets_the_client_mend_its_request_and_start_again() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    let mut body = shop.start_body(&text(&transaction, "/uuid"));
    body["pay_method"] = json!("SHELLS");
    let answer = shop.client.post("/provider/reference/transactions/", &body).await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert_eq!(shop.read(&transaction).await["status"], STARTED);
    created(shop.start(&text(&transaction, "/uuid")).await);
}

#[actix_web::test]
async fn a_providers_own_error_page_is_passed_on_with_its_status_and_the_outcome_stays_unknown() {
    let pair = spawn_pair().await;
    let fault = json!({"body": "<html>maintenance</html>", "status": 503, "headers": {"Retry-After": "7"}});
    let (shop, transaction, answer) = refused_start(&pair, fault).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    let body = answer.json();
    assert_eq!(body, json!({"error_message": "<html>maintenance</html>", "outcome": "unknown"}));
    assert_eq!(answer.header("Retry-After"), Some("7"));
    assert_eq!(shop.read(&transaction).await["status"], PENDING);
}

#[actix_web::test]
async fn an_answer_that_is_no_answer_leaves_the_outcome_unknown() {
    for fault in [
        json!({"body": "<html>welcome</html>", "status": 200}),
        json!({"body": "", "status": 201}),
        json!({"body": "{}", "status": 201}),
        json!({"redirect": "http://127.0.0.1:1/elsewhere"}),
    ] {
        let pair = spawn_pair().await;
        let (shop, transaction, answer) = refused_start(&pair, fault.clone()).await;
        assert_eq!(answer.status, 502, "{fault}: {answer:?}");
        assert_eq!(proxy_error(&answer.json(), "outcome"), "unknown", "{fault}");
        assert!(!answer.text().contains("elsewhere"), "{answer:?}");
        assert_eq!(shop.read(&transaction).await["status"], PENDING, "{fault}");
    }
}

#[actix_web::test]
async fn a_seller_that_was_created_without_an_answer_is_linked_when_the_client_repeats_itself() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let seller = created(shop.client.post("/generic/seller/", &json!({"uuid": "second"})).await);
    let body = json!({
        "seller": seller["resource_uri"], "uuid": "second-reference", "name": "Second",
        "email": "second@example.test", "status": "ACTIVE",
    });
    shop.fault("/sellers", json!("drop_after")).await;
    let lost = shop.client.post("/provider/reference/sellers/", &body).await;
    assert_eq!((lost.status, proxy_error(&lost.json(), "outcome")), (502, &json!("unknown")));
    let again = created(shop.client.post("/provider/reference/sellers/", &body).await);
    assert_eq!(again["reference"]["uuid"], "second-reference");
}
