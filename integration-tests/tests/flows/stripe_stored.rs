//! What Stripe keeps for a payer, what it charges again and again, and what it tells by itself.

use actix_web::http::Method;
use data_encoding::BASE64;
use integration_tests::{client::Client, in_process::Operator};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wire::{
    ErrorKind, Reply,
    payment::{
        AttemptId, CancelSubscription, ChangeSubscriptionPaymentMethod, ClientTokenRequest,
        DeletePaymentMethod, EventKind, Header, HealthRequest, Outcome, Provider, Source, StorePaymentMethod,
        Subscribe, SubscriptionStatus, VerifyWebhook, operations,
    },
};

use super::{
    asking::{customer, succeeded},
    stripe::{authorize, money, pay, stripe},
};

async fn store(operator: &Operator, customer: &str, nonce: &str) -> wire::payment::Token {
    let (attempt, customer) = (AttemptId::new(), customer.to_owned());
    let request = StorePaymentMethod { attempt, customer, nonce: nonce.into() };
    succeeded(operator.result::<operations::StorePaymentMethod>(&request).await).token
}

/// Asks Stripe's own API at the sandbox for what db-server never asks.
async fn api(operator: &Operator, path: &str, form: &[(&str, &str)]) -> Value {
    let client = Client::unsigned(operator.sandbox.url());
    let key = format!("Bearer {}", operator.dummies.stripe.secret_key.expose_secret());
    let request = client.request(Method::POST, &format!("/stripe/v1/{path}")).form(form);
    let answer = request.header("Authorization", &key).answer().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn price(operator: &Operator) -> String {
    let product = api(operator, "products", &[("name", "Brick")]).await["id"].clone();
    let form = [
        ("product", product.as_str().unwrap()),
        ("unit_amount", "1000"),
        ("currency", "eur"),
        ("recurring[interval]", "month"),
    ];
    api(operator, "prices", &form).await["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_card_is_stored_charged_again_and_forgotten() {
    let operator = stripe();
    let owner = customer(&operator).await;
    let request = ClientTokenRequest { attempt: AttemptId::new(), customer: Some(owner.clone()) };
    let token = succeeded(operator.result::<operations::ClientToken>(&request).await).token;
    assert!(token.expose().starts_with("seti_"));
    let card = store(&operator, &owner, "pm_card_visa").await;
    let mut request = authorize("", true);
    request.source = Source::PaymentMethod { token: card.clone(), customer: Some(owner.clone()) };
    for _ in 0..2 {
        request.attempt = AttemptId::new();
        succeeded(operator.result::<operations::Authorize>(&request).await);
    }
    for was_gone in [false, true] {
        let request = DeletePaymentMethod { attempt: AttemptId::new(), payment_method: card.clone() };
        let deleted = succeeded(operator.result::<operations::DeletePaymentMethod>(&request).await);
        assert_eq!(deleted.was_gone, was_gone);
    }
    request.attempt = AttemptId::new();
    let outcome = operator.result::<operations::Authorize>(&request).await;
    assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
    let bad = StorePaymentMethod {
        attempt: AttemptId::new(),
        customer: owner,
        nonce: "pm_card_visa_chargeDeclined".into(),
    };
    let outcome = operator.result::<operations::StorePaymentMethod>(&bad).await;
    assert!(matches!(outcome, Outcome::Declined { .. }), "{outcome:?}");
}

#[actix_web::test]
async fn a_nonce_is_good_once_and_one_of_another_provider_never() {
    let operator = stripe();
    let form = [
        ("type", "card"),
        ("card[number]", "4242424242424242"),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2040"),
    ];
    let nonce = api(&operator, "payment_methods", &form).await["id"].as_str().unwrap().to_owned();
    pay(&operator, &nonce, true).await;
    for nonce in [nonce.as_str(), "fake-valid-nonce"] {
        let request = authorize(nonce, true);
        let outcome = operator.result::<operations::Authorize>(&request).await;
        let Outcome::Rejected { rejection } = outcome else { panic!("{outcome:?}") };
        assert!(!rejection.message.contains(nonce), "{rejection:?}");
        assert!(operator.ledger(request.attempt).await.is_empty());
    }
}

#[actix_web::test]
async fn a_subscription_begins_changes_its_card_and_ends() {
    let operator = stripe();
    let (owner, plan) = (customer(&operator).await, price(&operator).await);
    let card = store(&operator, &owner, "pm_card_visa").await;
    let request = Subscribe {
        attempt: AttemptId::new(),
        customer: Some(owner.clone()),
        payment_method: card,
        plan,
        amount: Some(money(700)),
    };
    let made = succeeded(operator.result::<operations::Subscribe>(&request).await);
    assert_eq!((made.status, made.amount), (SubscriptionStatus::Active, Some(money(700))));
    assert_eq!(made.first_payment.as_ref().unwrap().captured, 700);
    assert!(made.next_billing > made.period_start);
    let other = store(&operator, &owner, "pm_card_mastercard").await;
    let change = ChangeSubscriptionPaymentMethod {
        attempt: AttemptId::new(),
        subscription: made.reference.clone(),
        payment_method: other,
    };
    let changed = succeeded(operator.result::<operations::ChangeSubscriptionPaymentMethod>(&change).await);
    assert_eq!(changed.reference, made.reference);
    for _ in 0..2 {
        let end = CancelSubscription { attempt: AttemptId::new(), subscription: made.reference.clone() };
        let ended = succeeded(operator.result::<operations::CancelSubscription>(&end).await);
        assert_eq!((ended.status, ended.next_billing), (SubscriptionStatus::Cancelled, None));
    }
}

#[actix_web::test]
async fn a_subscription_whose_first_charge_is_not_through_says_so() {
    let operator = stripe();
    let (owner, plan) = (customer(&operator).await, price(&operator).await);
    let mut request = Subscribe {
        attempt: AttemptId::new(),
        customer: Some(owner.clone()),
        payment_method: store(&operator, &owner, "pm_card_chargeCustomerFail").await,
        plan,
        amount: None,
    };
    let outcome = operator.result::<operations::Subscribe>(&request).await;
    let Outcome::Declined { decline, result: Some(made) } = outcome else { panic!("{outcome:?}") };
    assert_eq!((decline.code.as_str(), made.status), ("generic_decline", SubscriptionStatus::Pending));
    request.attempt = AttemptId::new();
    request.payment_method = store(&operator, &owner, "pm_card_authenticationRequired").await;
    let outcome = operator.result::<operations::Subscribe>(&request).await;
    let Outcome::RequiresAction { action, .. } = outcome else { panic!("{outcome:?}") };
    let page = action.url.unwrap();
    let bank = Client::unsigned(operator.sandbox.url());
    assert_eq!(bank.request(Method::POST, &page).form(&[("decision", "approve")]).answer().await.status, 200);
    let again = operator.result::<operations::Subscribe>(&request).await;
    assert_eq!(succeeded_status(again), SubscriptionStatus::Pending, "asking again tells how it stood then");
}

fn succeeded_status(outcome: Outcome<wire::payment::Subscription>) -> SubscriptionStatus {
    outcome.result().unwrap().status
}

#[actix_web::test]
async fn what_stripe_tells_is_believed_by_its_signature_alone() {
    let operator = stripe();
    let held = operator.sandbox_client().put("/_sandbox/webhooks/handling", &json!({"hold": true})).await;
    assert_eq!(held.status, 200);
    let request = authorize("pm_card_visa", true);
    let paid = succeeded(operator.result::<operations::Authorize>(&request).await);
    let webhooks = operator.sandbox_client().get("/_sandbox/webhooks").await.json();
    let held = webhooks["held"].as_array().unwrap();
    let event = held.iter().find(|held| held["event"] == "payment_intent.succeeded").unwrap();
    let id = event["event_id"].as_str().unwrap();
    let message = operator.sandbox_client().get(&format!("/_sandbox/webhooks/events/{id}")).await.json();
    let header = |header: &Value| Header {
        name: header[0].as_str().unwrap().to_owned(),
        value: header[1].as_str().unwrap().to_owned(),
    };
    let headers: Vec<Header> = message["headers"].as_array().unwrap().iter().map(header).collect();
    let body = message["body"].as_str().unwrap();
    let posted =
        |body: &str| VerifyWebhook { headers: headers.clone(), body: BASE64.encode(body.as_bytes()) };
    let event = operator.result::<operations::VerifyWebhook>(&posted(body)).await;
    assert_eq!(
        (event.id.as_str(), event.kind, event.attempt),
        (id, EventKind::Payment, Some(request.attempt))
    );
    assert_eq!(event.payment_reference, Some(paid.reference));
    assert_eq!(succeeded(event.payment.unwrap()).captured, 1000);
    let forged = operator.ask::<operations::VerifyWebhook>(&posted(&body.replace("1000", "9000"))).await;
    let Reply::Error(failure) = forged else { panic!("{forged:?}") };
    assert_eq!(failure.kind, ErrorKind::InvalidSignature);
}

#[actix_web::test]
async fn a_wrong_key_is_not_healthy_and_is_told_to_nobody() {
    let operator = stripe();
    let request = HealthRequest { attempt: AttemptId::new() };
    operator.result::<operations::Health>(&request).await;
    let wrong =
        Operator::with_settings(Provider::Stripe, "[providers.stripe]\nsecret_key = 'sk_test_another-key'");
    let reply = wrong.ask::<operations::Health>(&request).await;
    let Reply::Error(failure) = reply else { panic!("{reply:?}") };
    assert_eq!(failure.kind, ErrorKind::Protocol);
    let outcome = wrong.result::<operations::Authorize>(&authorize("pm_card_visa", true)).await;
    let Outcome::Rejected { rejection } = outcome else { panic!("{outcome:?}") };
    assert_eq!(rejection.status, 401);
    assert!(!format!("{rejection:?}{failure:?}").contains("another-key"));
}
