//! The ledger, and what waits for a person.

use serde_json::{Value, json};

use crate::callback;
use crate::consumer::Consumer;

/// Starts a purchase and gives the provider's id of it.
async fn started(consumer: &Consumer) -> (String, callback::Posted) {
    consumer.stock().await;
    let (url, posted) = callback::start(200);
    let started = consumer.start_purchase(&url).await;
    (started["resource_pk"].as_str().unwrap().to_owned(), posted)
}

async fn ledger(consumer: &Consumer, query: &str) -> Value {
    let (status, entries) = consumer.control("GET", &format!("/ledger{query}"), None).await;
    assert_eq!(status, 200, "{entries}");
    entries
}

#[actix_web::test]
async fn what_waits_is_approved_once_and_its_charge_is_in_the_ledger() {
    let consumer = Consumer::start();
    let (id, posted) = started(&consumer).await;
    let (_, waiting) = consumer.control("GET", "/waiting", None).await;
    let text = "Payment of solitude:1 &é";
    let expected = json!([
        {"provider": "reference", "id": id, "text": text, "amount": "0.99", "currency": "EUR"},
    ]);
    assert_eq!(waiting, expected);
    assert_eq!(ledger(&consumer, "").await, json!([]));
    let path = format!("/waiting/reference/{id}/approve");
    assert_eq!(consumer.control("POST", &path, None).await.0, 200);
    assert_eq!(posted.all()[0].0, "/success");
    assert_eq!(consumer.control("GET", "/waiting", None).await.1, json!([]));
    assert_eq!(consumer.control("POST", &path, None).await.0, 404, "it does not wait any more");
    let mut entries = ledger(&consumer, "").await;
    assert!(entries[0]["at"].take().is_string());
    let charge = json!([{
        "provider": "reference", "kind": "charge", "id": id, "amount": "0.99", "currency": "EUR",
        "reference": "solitude:1 &é", "at": null,
    }]);
    assert_eq!(entries, charge);
}

#[actix_web::test]
async fn what_is_declined_is_in_no_ledger() {
    let consumer = Consumer::start();
    let (id, posted) = started(&consumer).await;
    assert_eq!(consumer.control("POST", &format!("/waiting/reference/{id}/decline"), None).await.0, 200);
    let [(path, notice)] = &posted.all()[..] else { panic!("one notice") };
    assert_eq!(path, "/error");
    assert!(notice.contains("&error=USER_CANCELLED&"), "{notice}");
    assert_eq!(ledger(&consumer, "").await, json!([]));
}

#[actix_web::test]
async fn only_lines_that_fit_are_shown() {
    let consumer = Consumer::start();
    let (id, _posted) = started(&consumer).await;
    consumer.control("POST", &format!("/waiting/reference/{id}/approve"), None).await;
    for (query, found) in [
        ("?provider=reference&kind=charge".to_owned(), 1),
        (format!("?id={id}&reference=solitude:1%20%26%C3%A9"), 1),
        ("?provider=stripe".to_owned(), 0),
        ("?kind=refund".to_owned(), 0),
        ("?reference=another".to_owned(), 0),
    ] {
        assert_eq!(ledger(&consumer, &query).await.as_array().unwrap().len(), found, "{query}");
    }
    assert_eq!(consumer.control("GET", "/ledger?provider=nobody", None).await.0, 400);
}

#[actix_web::test]
async fn a_decision_about_nothing_is_refused() {
    let consumer = Consumer::start();
    for path in ["reference/1/approve", "stripe/pi_1/decline", "paypal/1/approve", "braintree/1/approve"] {
        let (status, answer) = consumer.control("POST", &format!("/waiting/{path}"), None).await;
        assert_eq!((status.as_u16(), answer["detail"].is_string()), (404, true), "{path}");
    }
    let (status, _) = consumer.control("POST", "/waiting/reference/1/ponder", None).await;
    assert_eq!(status, 404);
}

#[actix_web::test]
async fn every_provider_meets_faults_under_its_own_path() {
    let consumer = Consumer::start();
    for provider in ["stripe", "paypal", "braintree"] {
        let path = format!("/{provider}/any/thing");
        let begins = format!("/{provider}/");
        consumer.ask_for(json!([{"method": "POST", "path": begins, "fault": {"status": 503}}])).await;
        assert_eq!(consumer.get("/sellers").await.0, 200, "another provider's call does not meet it");
        assert_eq!(consumer.send("POST", &path, None, None).await.0, 503);
        assert_ne!(consumer.send("POST", &path, None, None).await.0, 503);
        assert_eq!(consumer.arrivals(&format!("POST {path}")).await, 2);
    }
}
