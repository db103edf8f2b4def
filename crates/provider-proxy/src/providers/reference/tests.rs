//! Every operation against recorded answers.

use std::time::{SystemTime, UNIX_EPOCH};

use oauth1::AuthorizationHeader;
use serde_json::{Value, json};
use wire::ErrorKind;

use super::{
    upstream::{Arrived, KEY, SECRET, Upstream},
    *,
};

/// One operation: what is asked, what must arrive, and what the provider then says.
struct Case {
    operation: &'static str,
    request: Value,
    method: &'static str,
    path: &'static str,
    body: Value,
    status: u16,
    answer: &'static str,
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/", $name, ".json"))
    };
}

fn seller_cases() -> Vec<Case> {
    let seller =
        json!({"uuid": "seller:1", "name": "Jack", "email": "jack@example.test", "status": "ACTIVE"});
    let change = json!({"name": "Jacqueline", "status": "INACTIVE"});
    vec![
        Case {
            operation: "create_seller",
            request: seller.clone(),
            method: "POST",
            path: "/sellers",
            body: seller,
            status: 201,
            answer: fixture!("create_seller"),
        },
        Case {
            operation: "get_seller",
            request: json!({"reference_id": "seller:1"}),
            method: "GET",
            path: "/sellers/seller%3A1",
            body: Value::Null,
            status: 200,
            answer: fixture!("get_seller"),
        },
        Case {
            operation: "update_seller",
            request: json!({"reference_id": "seller:1", "fields": change}),
            method: "PUT",
            path: "/sellers/seller%3A1",
            body: change,
            status: 200,
            answer: fixture!("update_seller"),
        },
        Case {
            operation: "get_terms",
            request: json!({"reference_id": "seller:1"}),
            method: "GET",
            path: "/terms/seller%3A1",
            body: Value::Null,
            status: 200,
            answer: fixture!("get_terms"),
        },
        Case {
            operation: "update_terms",
            request: json!({"reference_id": "seller:1", "fields": {"agreement": "2013-11-19"}}),
            method: "PUT",
            path: "/terms/seller%3A1",
            body: json!({"agreement": "2013-11-19"}),
            status: 200,
            answer: fixture!("update_terms"),
        },
    ]
}

fn product_cases() -> Vec<Case> {
    let product = json!({
        "seller_id": "seller:1", "external_id": "external:1", "uuid": "product:1", "name": "Magic Unicorn"
    });
    vec![
        Case {
            operation: "create_product",
            request: product.clone(),
            method: "POST",
            path: "/products",
            body: product,
            status: 201,
            answer: fixture!("create_product"),
        },
        Case {
            operation: "get_product",
            request: json!({"reference_id": "product:1"}),
            method: "GET",
            path: "/products/product%3A1",
            body: Value::Null,
            status: 200,
            answer: fixture!("get_product"),
        },
        Case {
            operation: "update_product",
            request: json!({"reference_id": "product:1", "fields": {"name": "Unicorn"}}),
            method: "PUT",
            path: "/products/product%3A1",
            body: json!({"name": "Unicorn"}),
            status: 200,
            answer: fixture!("update_product"),
        },
    ]
}

/// A purchase of 0.99 EUR in our words.
fn purchase() -> Value {
    json!({
        "product_id": "product:1",
        "region": "123",
        "carrier": "USA_TMOBILE",
        "price": {"minor_units": 99, "currency": "EUR"},
        "pay_method": "OPERATOR",
        "callback_success_url": "https://client.example.test/callback/success",
        "callback_error_url": "https://client.example.test/callback/error",
        "success_url": "https://client.example.test/success",
        "error_url": "https://client.example.test/error",
        "ext_transaction_id": "solitude:1f"
    })
}

fn purchase_case() -> Case {
    let mut body = purchase();
    body["price"] = json!("0.99");
    body["currency"] = json!("EUR");
    Case {
        operation: "start_transaction",
        request: purchase(),
        method: "POST",
        path: "/transactions",
        body,
        status: 201,
        answer: fixture!("start_transaction"),
    }
}

async fn perform(upstream: &Upstream, operation: &str, request: &Value) -> Result<Answer, ProxyError> {
    upstream.connector().perform_own(operation, request.to_string().as_bytes(), &Gate::open()).await
}

/// Checks the signature as the provider does.
fn verify(upstream: &Upstream, arrived: &Arrived) -> AuthorizationHeader {
    let header = AuthorizationHeader::parse(arrived.header("authorization").unwrap()).unwrap();
    let url = format!("http://{}{}", upstream.address, arrived.target);
    header.verify(&arrived.method, &url, &SECRET.into(), &[]).unwrap();
    header
}

#[actix_web::test]
async fn every_operation_is_sent_signed_and_its_answer_is_passed_on() {
    let cases = seller_cases().into_iter().chain(product_cases()).chain([purchase_case()]);
    for case in cases {
        let upstream = Upstream::answering(case.status, case.answer);
        let answer = perform(&upstream, case.operation, &case.request).await.unwrap();
        let expected: Value = serde_json::from_str(case.answer).unwrap();
        assert_eq!(answer.status, case.status, "{}", case.operation);
        assert_eq!(answer.reply, Reply::Result(expected), "{}", case.operation);
        let arrived = upstream.arrived().remove(0);
        assert_eq!((arrived.method.as_str(), arrived.target.as_str()), (case.method, case.path));
        let body = serde_json::from_slice(&arrived.body).unwrap_or(Value::Null);
        assert_eq!(body, case.body, "{}", case.operation);
        assert_eq!(arrived.header("accept"), Some("application/json"));
        assert_eq!(arrived.header("content-type").is_some(), !case.body.is_null(), "{}", case.operation);
        let header = verify(&upstream, &arrived);
        assert_eq!((header.consumer_key(), header.realm()), (KEY, Some("solitude")));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(header.timestamp()) <= 5);
    }
}

#[actix_web::test]
async fn every_request_has_a_nonce_of_its_own() {
    let upstream = Upstream::answering(200, fixture!("get_seller"));
    let request = json!({"reference_id": "seller:1"});
    for _ in 0..3 {
        perform(&upstream, "get_seller", &request).await.unwrap();
    }
    let nonces: std::collections::BTreeSet<_> =
        upstream.arrived().iter().map(|arrived| verify(&upstream, arrived).nonce().to_owned()).collect();
    assert_eq!(nonces.len(), 3);
}

#[actix_web::test]
async fn an_encoded_id_is_signed_as_it_is_sent() {
    let upstream = Upstream::answering(200, fixture!("get_seller"));
    perform(&upstream, "get_seller", &json!({"reference_id": "a/b?c=d ü%"})).await.unwrap();
    let arrived = upstream.arrived().remove(0);
    assert_eq!(arrived.target, "/sellers/a%2Fb%3Fc%3Dd%20%C3%BC%25");
    verify(&upstream, &arrived);
}

#[actix_web::test]
async fn what_is_no_request_of_the_operation_is_never_sent() {
    let upstream = Upstream::answering(200, fixture!("get_seller"));
    let mut free = purchase();
    free["price"]["minor_units"] = json!(0);
    let mut negative = purchase();
    negative["price"]["minor_units"] = json!(-99);
    let mut without = purchase();
    without.as_object_mut().unwrap().remove("region");
    for (operation, request, field) in [
        ("get_seller", json!({}), "reference_id"),
        ("get_seller", json!({"reference_id": 1}), "reference_id"),
        ("get_seller", json!({"reference_id": ".."}), "reference_id"),
        ("update_terms", json!({"reference_id": "", "fields": {}}), "reference_id"),
        ("get_product", json!({"reference_id": "a/../b"}), "reference_id"),
        ("create_seller", json!({"status": "GONE"}), "status"),
        ("create_seller", json!({"url": "https://elsewhere.test"}), "url"),
        ("start_transaction", free, "price.minor_units"),
        ("start_transaction", negative, "price.minor_units"),
        ("start_transaction", without, "region"),
    ] {
        let failure = perform(&upstream, operation, &request).await.unwrap_err().failure();
        assert_eq!(failure.kind, ErrorKind::InvalidRequest, "{operation} {request}");
        assert!(failure.message.contains(field), "{operation}: {}", failure.message);
    }
    let failure = perform(&upstream, "delete_seller", &json!({})).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::UnknownOperation);
    assert!(upstream.arrived().is_empty());
}

#[actix_web::test]
async fn a_purchase_of_another_price_or_currency_is_no_success() {
    let good: Value = serde_json::from_str(fixture!("start_transaction")).unwrap();
    for (field, value) in [
        ("price", json!("9.99")),
        ("price", json!("0.990")),
        ("price", json!("")),
        ("price", json!(99)),
        ("price", Value::Null),
        ("currency", json!("USD")),
        ("currency", json!("eur")),
        ("currency", Value::Null),
    ] {
        let mut answer = good.clone();
        answer[field] = value.clone();
        let upstream = Upstream::answering(201, &answer.to_string());
        let failure = perform(&upstream, "start_transaction", &purchase()).await.unwrap_err().failure();
        assert_eq!(failure.kind, ErrorKind::Integrity, "{field} {value}");
        assert!(
            failure.message.contains("price or currency differs from the 0.99 EUR"),
            "{}",
            failure.message
        );
    }
    let mut number = good;
    number["price"] = json!(0.99);
    let upstream = Upstream::answering(201, &number.to_string());
    assert!(perform(&upstream, "start_transaction", &purchase()).await.is_ok());
}

#[actix_web::test]
async fn a_purchase_without_a_token_is_no_success() {
    let mut answer: Value = serde_json::from_str(fixture!("start_transaction")).unwrap();
    answer.as_object_mut().unwrap().remove("token");
    let upstream = Upstream::answering(201, &answer.to_string());
    let failure = perform(&upstream, "start_transaction", &purchase()).await.unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::Protocol);
    assert!(failure.message.contains("token"), "{}", failure.message);
}

#[actix_web::test]
async fn a_notice_is_verified_without_asking_the_provider() {
    let upstream = Upstream::answering(200, "{}");
    let connector = upstream.connector();
    let signed =
        "ext_transaction_id=tx-1&sig=0:80e33dff11b36ef456801d1cf2544352a5acf2fb5c1f8405ae6034ca980bacf6";
    let posted = json!({"signed_notice": signed}).to_string();
    let answer = connector.verify_notice(posted.as_bytes()).unwrap();
    assert_eq!((answer.status, answer.reply), (200, Reply::Result(json!({"ext_transaction_id": "tx-1"}))));
    let forged = posted.replace("tx-1", "tx-2");
    let failure = connector.verify_notice(forged.as_bytes()).unwrap_err().failure();
    assert_eq!((failure.kind, failure.message.as_str()), (ErrorKind::InvalidSignature, "signature mismatch"));
    let failure = connector.verify_notice(br#"{"notice": ""}"#).unwrap_err().failure();
    assert_eq!(failure.kind, ErrorKind::InvalidRequest);
    assert!(upstream.arrived().is_empty());
}
