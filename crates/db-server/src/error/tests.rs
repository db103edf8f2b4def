use std::time::Duration;

use actix_web::body::to_bytes;
use chassis::client::ExchangeError;
use serde_json::Value;
use wire::{ErrorKind, ProviderAnswer, ProxyFailure};

use super::*;
use crate::field_errors::FieldError;

async fn told(error: impl Into<ApiError>) -> (u16, Value) {
    let response = error.into().error_response();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body()).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

fn failure(kind: ErrorKind) -> ProxyError {
    let failure = ProxyFailure { kind, target: "reference".into(), message: "10.0.0.1 refused".into() };
    ProxyError::Failure { status: kind.http_status(), failure }
}

#[actix_web::test]
async fn an_unauthenticated_caller_learns_nothing_and_is_told_the_scheme() {
    let response = ApiError::Unauthenticated.error_response();
    assert_eq!(response.headers().get(WWW_AUTHENTICATE).unwrap(), "OAuth");
    let (status, body) = told(ApiError::Unauthenticated).await;
    assert_eq!((status, body["detail"].is_string()), (401, true));
}

#[actix_web::test]
async fn errors_of_fields_are_400_by_field() {
    let (status, body) = told(FieldErrors::of("uuid", FieldError::invalid("taken"))).await;
    assert_eq!((status, body), (400, json!({"uuid": ["taken"]})));
}

#[actix_web::test]
async fn an_unknown_query_parameter_is_named() {
    let (status, body) = told(QueryError::Unknown(vec!["uiud".into()])).await;
    assert_eq!((status, body), (400, json!({"detail": "Incorrect query parameters: uiud"})));
}

#[actix_web::test]
async fn each_decision_of_the_domain_has_its_status() {
    for (error, status) in [
        (DomainError::NotFound, 404),
        (DomainError::Stale, 412),
        (DomainError::Conflict("x"), 409),
        (DomainError::Integrity("x"), 409),
        (DomainError::Store(StoreError::Interrupted), 500),
        (DomainError::Crypt(crate::crypt::CryptError::NotText), 500),
    ] {
        let (told, body) = told(error).await;
        assert_eq!((told, body["detail"].is_string()), (status, true));
    }
}

#[actix_web::test]
async fn a_body_that_cannot_be_read_is_the_clients_error() {
    for (error, status) in [
        (BodyError::NotAnObject, 400),
        (BodyError::Incomplete, 400),
        (BodyError::ContentType, 415),
        (BodyError::TooLarge, 413),
    ] {
        let (told, body) = told(error).await;
        assert_eq!((told, body["detail"].is_string()), (status, true));
    }
    let (status, body) = told(BodyError::DuplicateKey("uuid".into())).await;
    assert_eq!((status, body), (400, json!({"uuid": ["The key occurs more than once."]})));
}

#[actix_web::test]
async fn a_refusal_keeps_the_providers_status_and_message() {
    let refusal = |status, body| ProxyError::Refused(ProviderAnswer { status, body, retry_after: None });
    for (body, message) in [
        (json!({"code": "ResourceNotFound", "message": "no such seller"}), json!("no such seller")),
        (json!({"code": "InvalidArgument", "message": {"uuid": "taken"}}), json!({"uuid": "taken"})),
        (json!({"error": {"message": "something not found"}}), json!("something not found")),
        (json!({"unknown_error": "x"}), json!({"unknown_error": "x"})),
        (json!("<html>"), json!("<html>")),
    ] {
        let (status, told) = told(refusal(409, body)).await;
        assert_eq!((status, told), (409, json!({ "error_message": message })));
    }
    assert_eq!(told(refusal(302, json!(""))).await.0, 502);
}

#[actix_web::test]
async fn a_providers_own_failure_says_that_its_outcome_is_unknown_and_when_to_ask_again() {
    let refusal = |retry_after: &str| {
        let retry_after = Some(retry_after.to_owned());
        ApiError::Proxy(ProxyError::Refused(ProviderAnswer { status: 503, body: json!("busy"), retry_after }))
    };
    let told = told(refusal("7")).await;
    assert_eq!(told, (503, json!({"error_message": "busy", "outcome": "unknown"})));
    assert_eq!(refusal("7").error_response().headers().get(RETRY_AFTER).unwrap(), "7");
    let hostile = refusal("7\r\nX: y").error_response();
    assert_eq!((hostile.status().as_u16(), hostile.headers().get(RETRY_AFTER)), (503, None));
}

#[actix_web::test]
async fn a_proxy_error_names_status_target_and_outcome() {
    let (status, body) = told(failure(ErrorKind::Timeout)).await;
    assert_eq!(status, 504);
    let expected = json!({"target": "reference", "kind": "timeout", "status": 500, "outcome": "unknown"});
    assert_eq!(body["proxy_error"], expected);
    assert!(body["detail"].as_str().unwrap().starts_with("Proxy returned: 500 from: reference."));
    assert!(body["detail"].as_str().unwrap().contains("may have been carried out"));
}

#[actix_web::test]
async fn each_kind_of_proxy_error_has_its_status_and_hides_addresses() {
    for (kind, status, outcome) in [
        (ErrorKind::Connect, 502, "not_sent"),
        (ErrorKind::Tls, 502, "not_sent"),
        (ErrorKind::Timeout, 504, "unknown"),
        (ErrorKind::Protocol, 502, "unknown"),
        (ErrorKind::Internal, 502, "not_sent"),
        (ErrorKind::NotConfigured, 502, "not_sent"),
        (ErrorKind::InvalidRequest, 502, "not_sent"),
        (ErrorKind::UnknownOperation, 502, "not_sent"),
    ] {
        let (told, body) = told(failure(kind)).await;
        assert_eq!((told, body["proxy_error"]["outcome"].as_str()), (status, Some(outcome)), "{kind:?}");
        assert!(!body.to_string().contains("10.0.0.1"), "{body}");
    }
}

#[actix_web::test]
async fn a_proxy_that_is_down_is_the_target_itself() {
    let (status, body) = told(ProxyError::Unreachable(ExchangeError::Connect("refused".into()))).await;
    assert_eq!(status, 502);
    let expected =
        json!({"target": "provider-proxy", "kind": "connect", "status": null, "outcome": "not_sent"});
    assert_eq!(body["proxy_error"], expected);
    let timeout = ExchangeError::Timeout { after: Duration::from_secs(12) };
    assert_eq!(told(ProxyError::Unreachable(timeout)).await.0, 504);
}

#[test]
fn the_log_gets_the_chain_without_repetition() {
    let error = ApiError::from(failure(ErrorKind::Connect));
    assert_eq!(
        chain(&error),
        "Proxy returned: 500 from: reference: connect: reference: connect: 10.0.0.1 refused"
    );
}
