//! What became of an attempt whose answer nobody has got, and what is done at most once.

use super::*;

#[actix_web::test]
async fn an_answer_that_was_lost_is_unknown_and_the_attempt_finds_what_came_of_it() {
    let operator = braintree();
    let merchant = format!("/merchants/{}/transactions", operator.dummies.braintree.merchant_id);
    for fault in [json!("drop_after"), json!("truncate")] {
        let request = authorize(CARD, 1000, true);
        operator.fault(&merchant, &fault).await;
        let outcome = operator.result::<operations::Authorize>(&request).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{fault}: {outcome:?}");
        let found = succeeded(payment_of(&operator, request.attempt).await);
        // Asked again it is a duplicate, and the first one is the answer.
        let again = succeeded(operator.result::<operations::Authorize>(&request).await);
        assert_eq!((found.captured, &again), (1000, &found));
        assert_eq!(operator.ledger(request.attempt).await.len(), 1, "{fault}");
    }
    for fault in [json!("drop_before"), json!({"status": 503}), json!({"body": "<html>"})] {
        let request = authorize(CARD, 1000, true);
        operator.fault(&merchant, &fault).await;
        let outcome = operator.result::<operations::Authorize>(&request).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{fault}: {outcome:?}");
        let by = LookupBy::PaymentAttempt { of: request.attempt };
        assert_eq!(look_up(&operator, by).await, Found::Nothing, "{fault}");
        succeeded(operator.result::<operations::Authorize>(&request).await);
        assert_eq!(operator.ledger(request.attempt).await.len(), 1, "{fault}");
    }
}

#[actix_web::test]
async fn an_older_attempt_is_not_charged_again_when_braintree_has_forgotten_it() {
    let operator = braintree();
    panel(&operator, json!({"duplicate_window": 0})).await;
    let token = store(&operator, CARD).await;
    let mut request = authorize(CARD, 1000, true);
    request.source = Source::PaymentMethod { token, customer: None };
    request.attempt = older();
    let first = succeeded(operator.result::<operations::Authorize>(&request).await);
    let again = succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!(first, again);
    assert_eq!(operator.ledger(request.attempt).await.len(), 1);
}

#[actix_web::test]
async fn a_nonce_that_its_own_attempt_has_consumed_gives_that_payment() {
    let operator = braintree();
    let nonce = nonce(&operator, json!({"number": "4111111111111111"})).await;
    let request = authorize(&nonce, 1000, true);
    let first = succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!(succeeded(operator.result::<operations::Authorize>(&request).await), first);
    let other = authorize(&nonce, 1000, true);
    let outcome = operator.result::<operations::Authorize>(&other).await;
    assert_eq!(codes(outcome), code(Some("payment_method_nonce"), "91564"));
}

#[actix_web::test]
async fn an_account_with_request_keys_does_each_request_at_most_once() {
    let settings = "[providers.braintree]\napi_request_keys = true";
    let operator = Operator::with_settings(Provider::Braintree, settings);
    let request = authorize(CARD, 1000, true);
    let refused = operator.result::<operations::Authorize>(&request).await;
    assert_eq!(codes(refused), code(Some("api_request_key"), "915231"));
    panel(&operator, json!({"api_request_keys": true, "duplicate_window": 0})).await;
    let merchant = format!("/merchants/{}/transactions", operator.dummies.braintree.merchant_id);
    operator.fault(&merchant, &json!("drop_after")).await;
    let outcome = operator.result::<operations::Authorize>(&request).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    let sold = succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!(operator.ledger(request.attempt).await.len(), 1);
    succeeded(void(&operator, &sold.reference).await);
}

#[actix_web::test]
async fn a_shop_can_require_that_the_payer_proves_to_be_the_payer() {
    let settings = "[providers.braintree]\nrequire_three_d_secure = true";
    let operator = Operator::with_settings(Provider::Braintree, settings);
    let request = authorize(CARD, 1000, true);
    let outcome = operator.result::<operations::Authorize>(&request).await;
    let Outcome::Declined { decline, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((decline.code.as_str(), decline.advice), ("three_d_secure", Advice::Retry));
    let first = nonce(&operator, json!({"number": "4000000000001091"})).await;
    let token = ClientTokenRequest { attempt: AttemptId::new(), customer: None };
    let token = succeeded(operator.result::<operations::ClientToken>(&token).await).token;
    let token: Value = serde_json::from_slice(&BASE64.decode(token.expose().as_bytes()).unwrap()).unwrap();
    let path = format!(
        "/braintree/merchants/{}/client_api/v1/payment_methods/{first}/three_d_secure/lookup",
        operator.dummies.braintree.merchant_id
    );
    let asked = json!({"authorizationFingerprint": token["authorizationFingerprint"], "amount": "10.00"});
    let found = operator.sandbox_client().post(&path, &asked).await.json();
    let page = found["lookup"]["acsUrl"].as_str().unwrap();
    assert_eq!(Client::unsigned("").get(page).await.status, 200);
    operator.decide(found["lookup"]["md"].as_str().unwrap(), "approve").await;
    let proven = authorize(found["paymentMethod"]["nonce"].as_str().unwrap(), 1000, true);
    succeeded(operator.result::<operations::Authorize>(&proven).await);
}
