//! Every operation that Stripe offers, through provider-proxy's connector against the sandbox's Stripe.

use actix_web::http::Method;
use data_encoding::BASE64;
use integration_tests::{client::Client, in_process::Operator};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wire::{
    Currency, ErrorKind, Money, Reply,
    payment::{
        Advice, AttemptId, Authorize, CancelSubscription, Capture, ChangeSubscriptionPaymentMethod,
        ClientTokenRequest, CreateCustomer, DeletePaymentMethod, EventKind, Found, Header, HealthRequest,
        Lookup, LookupBy, Outcome, Payment, Provider, Refund, Source, StorePaymentMethod, Subscribe,
        SubscriptionStatus, VerifyWebhook, Void, operations,
    },
};

const INTENTS: &str = "/v1/payment_intents";

fn stripe() -> Operator {
    Operator::of(Provider::Stripe)
}

fn money(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

fn authorize(nonce: &str, capture: bool) -> Authorize {
    Authorize {
        attempt: AttemptId::new(),
        amount: money(1000),
        source: Source::Nonce { nonce: nonce.into() },
        capture,
        description: None,
        return_url: Some("https://shop.example.test/back".to_owned()),
        metadata: [("order".to_owned(), "6735".to_owned())].into(),
    }
}

async fn pay(operator: &Operator, nonce: &str, capture: bool) -> Payment {
    let request = authorize(nonce, capture);
    succeeded(operator.result::<operations::Authorize>(&request).await)
}

fn succeeded<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Succeeded { result } => result,
        other => panic!("expected a success, not {other:?}"),
    }
}

fn capture(payment: &str, minor_units: i64, last: bool) -> Capture {
    Capture { attempt: AttemptId::new(), payment: payment.to_owned(), amount: money(minor_units), last }
}

fn refund(payment: &str, minor_units: i64) -> Refund {
    Refund {
        attempt: AttemptId::new(),
        payment: payment.to_owned(),
        capture: None,
        amount: money(minor_units),
    }
}

async fn look_up(operator: &Operator, by: LookupBy) -> Found {
    operator.result::<operations::Lookup>(&Lookup { attempt: AttemptId::new(), by }).await
}

async fn payment_of(operator: &Operator, of: AttemptId) -> Outcome<Payment> {
    match look_up(operator, LookupBy::PaymentAttempt { of }).await {
        Found::Payment { outcome } => outcome,
        other => panic!("expected a payment, not {other:?}"),
    }
}

async fn customer(operator: &Operator) -> String {
    let request = CreateCustomer {
        attempt: AttemptId::new(),
        reference: Some("buyer:1".to_owned()),
        email: Some("jill@example.test".to_owned()),
    };
    succeeded(operator.result::<operations::CreateCustomer>(&request).await).reference
}

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
async fn a_payment_is_charged_once_however_often_it_is_asked_for() {
    let operator = stripe();
    let request = authorize("pm_card_visa", true);
    let first = succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!((first.amount, first.captured, first.attempt), (money(1000), 1000, Some(request.attempt)));
    assert_eq!(first.payment_method.as_ref().unwrap().last4.as_deref(), Some("4242"));
    let again = succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!(again, first);
    assert_eq!(operator.ledger(request.attempt).await, [("charge".to_owned(), "10.00 EUR".to_owned())]);
}

#[actix_web::test]
async fn an_authorization_is_captured_in_parts_and_refunded_in_parts() {
    let operator = stripe();
    let held = pay(&operator, "pm_card_visa", false).await;
    assert_eq!((held.captured, held.voided), (0, false));
    let (first, last) = (capture(&held.reference, 300, false), capture(&held.reference, 500, true));
    for request in [&first, &first, &last] {
        let captured = succeeded(operator.result::<operations::Capture>(request).await);
        assert_eq!((captured.amount, &captured.reference), (request.amount, &held.reference));
    }
    assert_eq!(operator.ledger(first.attempt).await, [("charge".to_owned(), "3.00 EUR".to_owned())]);
    assert_eq!(operator.ledger(last.attempt).await, [("charge".to_owned(), "5.00 EUR".to_owned())]);
    // Nothing is left of it.
    let more = operator.result::<operations::Capture>(&capture(&held.reference, 1, true)).await;
    assert!(matches!(more, Outcome::Rejected { .. }), "{more:?}");
    let request = refund(&held.reference, 200);
    for _ in 0..2 {
        let refunded = succeeded(operator.result::<operations::Refund>(&request).await);
        assert_eq!((refunded.amount, refunded.attempt), (money(200), Some(request.attempt)));
    }
    assert_eq!(operator.ledger(request.attempt).await, [("refund".to_owned(), "2.00 EUR".to_owned())]);
    let above = refund(&held.reference, 601);
    let outcome = operator.result::<operations::Refund>(&above).await;
    let Outcome::Rejected { rejection } = outcome else { panic!("{outcome:?}") };
    assert_eq!((rejection.status, rejection.errors[0].field.as_deref()), (400, Some("amount")));
    assert!(operator.ledger(above.attempt).await.is_empty());
    let found = look_up(&operator, LookupBy::Payment { reference: held.reference.clone() }).await;
    let Found::Payment { outcome } = found else { panic!("{found:?}") };
    let now = succeeded(outcome);
    assert_eq!((now.captured, now.refunded), (800, Some(200)));
}

#[actix_web::test]
async fn an_authorization_is_given_up_once_and_is_gone() {
    let operator = stripe();
    let held = pay(&operator, "pm_card_visa", false).await;
    for _ in 0..2 {
        // Each with an attempt of its own: what is given up stays so.
        let request = Void { attempt: AttemptId::new(), payment: held.reference.clone() };
        let gone = succeeded(operator.result::<operations::Void>(&request).await);
        assert!(gone.voided);
    }
    let outcome = operator.result::<operations::Capture>(&capture(&held.reference, 1000, true)).await;
    assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
    let paid = pay(&operator, "pm_card_visa", true).await;
    let request = Void { attempt: AttemptId::new(), payment: paid.reference };
    let outcome = operator.result::<operations::Void>(&request).await;
    assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
}

#[actix_web::test]
async fn a_declined_card_says_why_and_moves_nothing() {
    let operator = stripe();
    for (nonce, code, advice) in [
        ("pm_card_visa_chargeDeclined", "generic_decline", Advice::Retry),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds", Advice::Retry),
        ("pm_card_visa_chargeDeclinedStolenCard", "stolen_card", Advice::Never),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", Advice::OtherMethod),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", Advice::OtherMethod),
    ] {
        let request = authorize(nonce, true);
        let outcome = operator.result::<operations::Authorize>(&request).await;
        let Outcome::Declined { decline, result: Some(payment) } = outcome else { panic!("{outcome:?}") };
        assert_eq!((decline.code.as_str(), decline.advice, payment.captured), (code, advice, 0));
        assert!(operator.ledger(request.attempt).await.is_empty());
        assert!(matches!(payment_of(&operator, request.attempt).await, Outcome::Declined { .. }));
    }
}

#[actix_web::test]
async fn a_payer_approves_or_declines_at_the_bank() {
    let operator = stripe();
    for (decision, is_paid) in [("approve", true), ("decline", false)] {
        let request = authorize("pm_card_authenticationRequired", true);
        let outcome = operator.result::<operations::Authorize>(&request).await;
        let Outcome::RequiresAction { action, result } = outcome else { panic!("{outcome:?}") };
        let page = action.url.unwrap();
        assert_eq!(Client::unsigned(operator.sandbox.url()).get(&page).await.status, 200);
        assert!(operator.ledger(request.attempt).await.is_empty());
        operator.decide(&result.reference, decision).await;
        let now = payment_of(&operator, request.attempt).await;
        match (is_paid, now) {
            (true, Outcome::Succeeded { result }) => assert_eq!(result.captured, 1000),
            (false, Outcome::Declined { decline, .. }) => {
                assert_eq!(decline.code, "payment_intent_authentication_failure");
            }
            (_, other) => panic!("{decision}: {other:?}"),
        }
        assert_eq!(operator.ledger(request.attempt).await.len(), usize::from(is_paid));
    }
}

#[actix_web::test]
async fn a_bank_debit_and_a_late_refund_are_pending_until_they_are_decided() {
    let operator = stripe();
    let mut request = authorize("pm_usBankAccount_success", true);
    request.amount.currency = Currency::parse("USD").unwrap();
    let outcome = operator.result::<operations::Authorize>(&request).await;
    let Outcome::Pending { result } = outcome else { panic!("{outcome:?}") };
    operator.decide(&result.reference, "approve").await;
    assert_eq!(succeeded(payment_of(&operator, request.attempt).await).captured, 1000);
    let paid = pay(&operator, "pm_card_pendingRefund", true).await;
    let request = refund(&paid.reference, 400);
    let outcome = operator.result::<operations::Refund>(&request).await;
    let Outcome::Pending { result } = outcome else { panic!("{outcome:?}") };
    operator.decide(&result.reference, "approve").await;
    let by = LookupBy::RefundAttempt { of: request.attempt, payment: paid.reference.clone() };
    let found = look_up(&operator, by).await;
    let Found::Refund { outcome } = found else { panic!("{found:?}") };
    assert_eq!(succeeded(outcome).amount, money(400));
    let found = look_up(&operator, LookupBy::Refund { reference: result.reference }).await;
    assert!(matches!(found, Found::Refund { outcome: Outcome::Succeeded { .. } }), "{found:?}");
}

#[actix_web::test]
async fn an_answer_that_was_lost_is_unknown_and_a_lookup_or_the_same_attempt_finds_it() {
    let operator = stripe();
    for fault in [json!("drop_after"), json!("truncate")] {
        let request = authorize("pm_card_visa", true);
        operator.fault(INTENTS, &fault).await;
        let outcome = operator.result::<operations::Authorize>(&request).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{fault}: {outcome:?}");
        let found = succeeded(payment_of(&operator, request.attempt).await);
        let again = succeeded(operator.result::<operations::Authorize>(&request).await);
        assert_eq!(again.reference, found.reference);
        assert_eq!(operator.ledger(request.attempt).await.len(), 1, "{fault}");
    }
    // What never arrived is unknown just as well, and is found nowhere.
    for fault in [
        json!("drop_before"),
        json!({"status": 503}),
        json!({"body": "<html>"}),
        json!({"redirect": "http://127.0.0.1:1/"}),
    ] {
        let request = authorize("pm_card_visa", true);
        operator.fault(INTENTS, &fault).await;
        let outcome = operator.result::<operations::Authorize>(&request).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{fault}: {outcome:?}");
        assert_eq!(
            look_up(&operator, LookupBy::PaymentAttempt { of: request.attempt }).await,
            Found::Nothing
        );
        succeeded(operator.result::<operations::Authorize>(&request).await);
        assert_eq!(operator.ledger(request.attempt).await.len(), 1, "{fault}");
    }
}

#[actix_web::test]
async fn a_lookup_does_not_depend_on_the_search_index() {
    let operator = stripe();
    let lag = json!({"lag_seconds": 3600});
    assert_eq!(operator.sandbox_client().put("/_sandbox/stripe/search", &lag).await.status, 204);
    let request = authorize("pm_card_visa", true);
    succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!(succeeded(payment_of(&operator, request.attempt).await).captured, 1000);
    assert_eq!(operator.arrived("GET", INTENTS).await, 1);
}

#[actix_web::test]
async fn an_attempt_that_was_used_for_something_else_is_never_a_clean_no() {
    let operator = stripe();
    let request = authorize("pm_card_visa", true);
    let paid = succeeded(operator.result::<operations::Authorize>(&request).await);
    let other = Authorize { amount: money(999), ..request.clone() };
    let outcome = operator.result::<operations::Authorize>(&other).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    let other = Refund { attempt: request.attempt, ..refund(&paid.reference, 100) };
    let outcome = operator.result::<operations::Refund>(&other).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(operator.ledger(request.attempt).await.len(), 1);
}

#[actix_web::test]
async fn two_requests_of_one_attempt_at_once_charge_once() {
    let operator = stripe();
    let request = authorize("pm_card_visa", true);
    let hold = operator.sandbox_client().post("/_sandbox/stripe/interference", &json!({"hold": true})).await;
    assert_eq!(hold.status, 200);
    let first = operator.result::<operations::Authorize>(&request);
    let second = async {
        operator.sandbox_client().get("/_sandbox/stripe/interference/held").await;
        let outcome = operator.result::<operations::Authorize>(&request).await;
        operator.sandbox_client().post("/_sandbox/stripe/release", &Value::Null).await;
        outcome
    };
    let (first, second) = tokio::join!(first, second);
    succeeded(first);
    assert!(matches!(second, Outcome::Unknown { .. }), "{second:?}");
    assert_eq!(operator.ledger(request.attempt).await.len(), 1);
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
