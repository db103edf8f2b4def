//! What the routes of operations list and refuse, and what of it is written down.

use wire::payment::{OperationName, ProviderList};

use super::*;

#[actix_web::test]
async fn every_provider_is_listed_with_what_it_offers() {
    let proxy = Running::start(SETTINGS);
    let (status, _, body) = proxy.send(Method::GET, "/v1/providers", b"").await;
    assert_eq!(status, 200);
    let list: ProviderList = serde_json::from_value(body).unwrap();
    let states: Vec<_> =
        list.providers.iter().map(|state| (state.provider.name(), state.configured)).collect();
    assert_eq!(states, [("reference", true), ("stripe", false), ("paypal", false), ("braintree", false)]);
    for state in &list.providers {
        let named: Vec<_> = state.operations.iter().map(|row| row.operation).collect();
        assert_eq!(named, OperationName::ALL);
    }
    proxy.stop().await;
    let proxy = Running::start(&guarded());
    assert_eq!(proxy.send(Method::GET, "/v1/providers", b"").await.0, 401);
    proxy.stop().await;
}

#[actix_web::test]
async fn what_a_provider_does_not_offer_is_unsupported_whatever_is_asked() {
    let proxy = Running::start(SETTINGS);
    for body in [json!({}), json!({"attempt": 1}), json!("x")] {
        let (status, failure) = proxy.failure("/v1/reference/refund", &body).await;
        assert_eq!(
            (status, failure.kind, failure.target.as_str()),
            (501, ErrorKind::Unsupported, "reference")
        );
        assert_eq!(failure.message, "The provider does not offer refund.");
    }
    proxy.stop().await;
}

/// The reference provider's purchase of this much.
fn purchase(minor_units: i64) -> Value {
    json!({
        "product_id": "p1", "region": "1", "carrier": "x", "price": {"minor_units": minor_units, "currency": "EUR"},
        "pay_method": "CARD", "callback_success_url": "https://a.test/", "callback_error_url": "https://a.test/",
        "success_url": "https://a.test/", "error_url": "https://a.test/", "ext_transaction_id": "x",
    })
}

#[actix_web::test]
async fn what_the_settings_do_not_allow_is_a_403_and_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let audit = folder.path().join("audit.log");
    let settings =
        SETTINGS.replace("realm =", "operations = [\"start_transaction\", \"get_seller\"]\nrealm =");
    let settings = format!(
        "{settings}[passthrough]\naudit_file = {audit:?}\n[policy]\n\
         operations = [\"reference/start_transaction\", \"reference/refund\", \"webhooks/*\"]\n\
         [policy.largest_payment]\nEUR = \"1.00\"\n"
    );
    let proxy = Running::start(&settings);
    let asked = [
        ("get_seller", json!({"reference_id": "s1"}), 403, ErrorKind::Policy),
        ("refund", json!({}), 403, ErrorKind::Policy),
        ("start_transaction", purchase(101), 403, ErrorKind::Policy),
        ("start_transaction", purchase(100), 500, ErrorKind::Connect),
    ];
    for (operation, body, status, kind) in asked {
        let (got, failure) = proxy.failure(&format!("/v1/reference/{operation}"), &body).await;
        assert_eq!((got, failure.kind), (status, kind), "{operation}");
    }
    let odd = format!("/v1/reference/{}", "4111111111111111");
    assert_eq!(proxy.failure(&odd, &json!({})).await.1.kind, ErrorKind::Policy);
    proxy.audit.flush().unwrap();
    proxy.stop().await;
    let text = std::fs::read_to_string(&audit).unwrap();
    let refused: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["event"] == "policy_refused")
        .collect();
    let shown: Vec<_> =
        refused.iter().map(|line| (line["operation"].as_str(), line["limit"].as_str())).collect();
    assert_eq!(
        shown,
        [
            (Some("reference/get_seller"), Some("operation")),
            (Some("reference/refund"), Some("operation")),
            (Some("reference/start_transaction"), Some("largest_payment")),
            (Some("…"), Some("operation")),
        ],
        "{text}"
    );
    assert!(refused.iter().all(|line| line["request_id"].as_str().is_some_and(|id| !id.is_empty())));
}

#[actix_web::test]
async fn a_webhook_that_does_not_verify_is_a_403_and_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let audit = folder.path().join("audit.log");
    let proxy = Running::start(&format!("{SETTINGS}[passthrough]\naudit_file = {audit:?}\n"));
    let body =
        json!({"headers": [], "body": data_encoding::BASE64.encode(b"signed_notice=x%26sig%3D0%3A00")});
    let (status, failure) = proxy.failure("/v1/reference/verify_webhook", &body).await;
    assert_eq!((status, failure.kind), (403, ErrorKind::InvalidSignature));
    proxy.audit.flush().unwrap();
    proxy.stop().await;
    let text = std::fs::read_to_string(&audit).unwrap();
    assert!(text.contains("\"event\":\"signature_refused\",\"of\":\"reference\""), "{text}");
}

#[actix_web::test]
async fn a_file_of_refunds_that_cannot_be_used_has_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("refunds");
    let settings = format!("{SETTINGS}[policy]\nrefunds_per_hour = 1\nstate_file = {state:?}\n");
    let first = Application::build(read(&settings)).unwrap();
    let second = Application::build(read(&settings)).err().unwrap();
    assert_eq!(second.exit(), Exit::Unavailable);
    drop(first);
    std::fs::write(&state, "nonsense\n").unwrap();
    assert_eq!(Application::build(read(&settings)).err().unwrap().exit(), Exit::Data);
    let nowhere = settings.replace("refunds\"", "no/such/folder\"");
    let error = Application::build(read(&nowhere)).err().unwrap();
    assert_eq!(error.exit(), Exit::CannotWrite);
    assert!(error.to_string().starts_with("policy.state_file: "), "{error}");
}
