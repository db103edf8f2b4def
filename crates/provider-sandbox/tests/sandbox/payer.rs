//! The payer and the signed notice.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::callback;
use crate::consumer::{Consumer, NOTICE_SECRET};

async fn pay(consumer: &Consumer, started: &Value, body: Value) -> (u16, Value) {
    let path = format!("/reference/transactions/{}/pay", started["token"].as_str().unwrap());
    let (status, answer) = consumer.control("POST", &path, Some(body)).await;
    (status.as_u16(), answer)
}

async fn notify(consumer: &Consumer, started: &Value) -> (u16, Value) {
    let path = format!("/reference/transactions/{}/notify", started["token"].as_str().unwrap());
    let (status, answer) = consumer.control("POST", &path, None).await;
    (status.as_u16(), answer)
}

async fn status_of(consumer: &Consumer, started: &Value) -> Value {
    consumer.get(started["resource_uri"].as_str().unwrap()).await.1["status"].clone()
}

/// What was signed, once the signature has been checked.
fn verified(signed_notice: &str) -> &str {
    let (text, signature) = signed_notice.split_once("&sig=1:").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(NOTICE_SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    assert_eq!(HEXLOWER.encode(&mac.finalize().into_bytes()), signature);
    text
}

#[actix_web::test]
async fn a_success_posts_a_signed_notice_to_the_success_callback() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let (url, posted) = callback::start(200);
    let started = consumer.start_purchase(&url).await;
    let (status, answer) = pay(&consumer, &started, json!({"outcome": "success"})).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["transaction"]["status"], "COMPLETED");
    assert_eq!(answer["notice"]["url"], format!("{url}/success"));
    assert_eq!(answer["notice"]["status"], 200);
    let [(path, notice)] = &posted.all()[..] else { panic!("one notice") };
    assert_eq!(
        (path.as_str(), answer["notice"]["signed_notice"].as_str()),
        ("/success", Some(notice.as_str()))
    );
    let expected = "ext_transaction_id=solitude%3A1%20%26%C3%A9&price=0.99&currency=EUR";
    assert_eq!(verified(notice), expected);
    assert_eq!(status_of(&consumer, &started).await, "COMPLETED");
}

#[actix_web::test]
async fn a_failure_posts_its_code_to_the_error_callback() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let (url, posted) = callback::start(200);
    let started = consumer.start_purchase(&url).await;
    let (status, answer) = pay(&consumer, &started, json!({"outcome": "CC_ERROR"})).await;
    assert_eq!((status, &answer["transaction"]["status"]), (200, &json!("FAILED")));
    let [(path, notice)] = &posted.all()[..] else { panic!("one notice") };
    assert_eq!(path, "/error");
    let expected = "ext_transaction_id=solitude%3A1%20%26%C3%A9&error=CC_ERROR&price=0.99&currency=EUR";
    assert_eq!(verified(notice), expected);
}

#[actix_web::test]
async fn a_notice_can_say_another_amount_than_was_asked() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let (url, posted) = callback::start(409);
    let started = consumer.start_purchase(&url).await;
    let body = json!({"outcome": "success", "price": "9.99", "currency": "USD"});
    let (status, answer) = pay(&consumer, &started, body).await;
    assert_eq!((status, &answer["notice"]["status"]), (200, &json!(409)), "the callback's answer is shown");
    assert!(verified(&posted.all()[0].1).ends_with("&price=9.99&currency=USD"));
    assert_eq!(answer["transaction"]["price"], "0.99");
}

#[actix_web::test]
async fn a_transaction_is_paid_once_but_notified_as_often_as_asked() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let (url, posted) = callback::start(200);
    let started = consumer.start_purchase(&url).await;
    let (status, answer) = notify(&consumer, &started).await;
    assert_eq!((status, posted.all().len()), (409, 0), "{answer}");
    pay(&consumer, &started, json!({"outcome": "success"})).await;
    for outcome in ["success", "CC_ERROR"] {
        let (status, answer) = pay(&consumer, &started, json!({"outcome": outcome})).await;
        assert_eq!((status, posted.all().len()), (409, 1), "{answer}");
    }
    assert_eq!(status_of(&consumer, &started).await, "COMPLETED");
    let (status, answer) = notify(&consumer, &started).await;
    assert_eq!((status, &answer["notice"]["status"]), (200, &json!(200)));
    let all = posted.all();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0], all[1]);
}

#[actix_web::test]
async fn a_callback_that_does_not_answer_is_a_null_and_the_payment_stands() {
    let consumer = Consumer::start();
    consumer.stock().await;
    // Bound and dropped again: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let started = consumer.start_purchase(&format!("http://{free}")).await;
    let (status, answer) = pay(&consumer, &started, json!({"outcome": "success"})).await;
    assert_eq!((status, &answer["notice"]["status"]), (200, &Value::Null));
    assert_eq!(status_of(&consumer, &started).await, "COMPLETED");
}

#[actix_web::test]
async fn a_callback_on_another_host_is_refused_and_nothing_is_paid() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let started = consumer.start_purchase("http://callback.example").await;
    let (status, answer) = pay(&consumer, &started, json!({"outcome": "CC_ERROR"})).await;
    assert_eq!((status, &answer["code"]), (409, &json!("InvalidArgument")));
    let problem = answer["message"]["callback_error_url"].as_str().unwrap();
    assert!(problem.contains("loopback"), "{problem}");
    assert_eq!(status_of(&consumer, &started).await, "STARTED");
}

#[actix_web::test]
async fn an_unknown_token_or_a_senseless_outcome_is_refused() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let (url, posted) = callback::start(200);
    let started = consumer.start_purchase(&url).await;
    assert_eq!(pay(&consumer, &json!({"token": "0"}), json!({"outcome": "success"})).await.0, 404);
    assert_eq!(notify(&consumer, &json!({"token": "0"})).await.0, 404);
    assert_eq!(pay(&consumer, &started, json!({"outcome": ""})).await.0, 409);
    assert_eq!(pay(&consumer, &started, json!({"outcome": "success", "tip": "1"})).await.0, 400);
    assert_eq!(posted.all(), []);
}
