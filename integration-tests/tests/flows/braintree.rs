//! Every operation that Braintree offers, through provider-proxy's connector against the sandbox's Braintree.

use actix_web::http::Method;
use data_encoding::BASE64;
use integration_tests::{client::Client, in_process::Operator};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use uuid::{NoContext, Timestamp, Uuid};
use wire::{
    Currency, ErrorKind, Money, Reply,
    payment::{
        Advice, AttemptId, Authorize, CancelSubscription, Capture, Captured, ChangeSubscriptionPaymentMethod,
        ClientTokenRequest, CreateCustomer, DeletePaymentMethod, Event, EventKind, Found, Header,
        HealthRequest, Lookup, LookupBy, Outcome, Payment, PaymentMethodKind, Provider, Refund, Refunded,
        Source, StorePaymentMethod, Subscribe, SubscriptionStatus, Token, VerifyWebhook, Void,
        WebhookChallenge, operations,
    },
};

const CARD: &str = "fake-valid-nonce";

fn braintree() -> Operator {
    Operator::of(Provider::Braintree)
}

fn money(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("USD").unwrap() }
}

fn authorize(nonce: &str, minor_units: i64, capture: bool) -> Authorize {
    Authorize {
        attempt: AttemptId::new(),
        amount: money(minor_units),
        source: Source::Nonce { nonce: nonce.into() },
        capture,
        description: Some("Magic Unicorn".to_owned()),
        return_url: None,
        metadata: [("order".to_owned(), "6735".to_owned())].into(),
    }
}

fn succeeded<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Succeeded { result } => result,
        other => panic!("expected a success, not {other:?}"),
    }
}

/// The fields and codes of a rejection.
fn codes<T: std::fmt::Debug>(outcome: Outcome<T>) -> Vec<(Option<String>, String)> {
    match outcome {
        Outcome::Rejected { rejection } => {
            rejection.errors.into_iter().map(|error| (error.field, error.code)).collect()
        }
        other => panic!("expected a rejection, not {other:?}"),
    }
}

fn code(field: Option<&str>, code: &str) -> Vec<(Option<String>, String)> {
    vec![(field.map(str::to_owned), code.to_owned())]
}

async fn sell(operator: &Operator, minor_units: i64, capture: bool) -> Payment {
    let request = authorize(CARD, minor_units, capture);
    succeeded(operator.result::<operations::Authorize>(&request).await)
}

/// A payment that has been settled.
async fn settled(operator: &Operator, minor_units: i64) -> Payment {
    let payment = sell(operator, minor_units, true).await;
    happen(operator, &format!("transactions/{}/settle", payment.reference), &Value::Null).await;
    payment
}

/// Has something happen at Braintree.
async fn happen(operator: &Operator, what: &str, body: &Value) {
    let answer = operator.sandbox_client().post(&format!("/_sandbox/braintree/{what}"), body).await;
    assert_eq!(answer.status, 204, "{what}: {answer:?}");
}

async fn panel(operator: &Operator, panel: Value) {
    let answer = operator.sandbox_client().put("/_sandbox/braintree/control_panel", &panel).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn nonce(operator: &Operator, card: Value) -> String {
    let answer = operator.sandbox_client().post("/_sandbox/braintree/nonces", &card).await;
    answer.json()["nonce"].as_str().unwrap().to_owned()
}

async fn capture(operator: &Operator, payment: &str, minor_units: i64, last: bool) -> Outcome<Captured> {
    operator.result::<operations::Capture>(&capturing(payment, minor_units, last)).await
}

fn capturing(payment: &str, minor_units: i64, last: bool) -> Capture {
    Capture { attempt: AttemptId::new(), payment: payment.to_owned(), amount: money(minor_units), last }
}

fn refunding(payment: &str, minor_units: i64) -> Refund {
    let amount = money(minor_units);
    Refund { attempt: AttemptId::new(), payment: payment.to_owned(), capture: None, amount }
}

async fn void(operator: &Operator, payment: &str) -> Outcome<Payment> {
    let request = Void { attempt: AttemptId::new(), payment: payment.to_owned() };
    operator.result::<operations::Void>(&request).await
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

async fn payment(operator: &Operator, reference: &str) -> Payment {
    match look_up(operator, LookupBy::Payment { reference: reference.to_owned() }).await {
        Found::Payment { outcome } => succeeded(outcome),
        other => panic!("expected a payment, not {other:?}"),
    }
}

async fn refund_of(operator: &Operator, of: AttemptId, payment: &str) -> Outcome<Refunded> {
    match look_up(operator, LookupBy::RefundAttempt { of, payment: payment.to_owned() }).await {
        Found::Refund { outcome } => outcome,
        other => panic!("expected a refund, not {other:?}"),
    }
}

fn lines(kinds: &[(&str, &str)]) -> Vec<(String, String)> {
    kinds.iter().map(|(kind, amount)| ((*kind).to_owned(), format!("{amount} USD"))).collect()
}

async fn customer(operator: &Operator) -> String {
    let request = CreateCustomer {
        attempt: AttemptId::new(),
        reference: Some("buyer:1".to_owned()),
        email: Some("jill@example.test".to_owned()),
    };
    succeeded(operator.result::<operations::CreateCustomer>(&request).await).reference
}

async fn store(operator: &Operator, nonce: &str) -> Token {
    let customer = customer(operator).await;
    let request = StorePaymentMethod { attempt: AttemptId::new(), customer, nonce: nonce.into() };
    succeeded(operator.result::<operations::StorePaymentMethod>(&request).await).token
}

/// An attempt that was made a minute ago (RFC 9562, 5.7).
fn older() -> AttemptId {
    let seconds = u64::try_from(chrono::Utc::now().timestamp() - 60).unwrap();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0)).try_into().unwrap()
}

#[actix_web::test]
async fn a_sale_is_authorized_captured_and_in_the_ledger_once() {
    let operator = braintree();
    operator.result::<operations::Health>(&HealthRequest { attempt: AttemptId::new() }).await;
    let request = authorize(CARD, 1050, true);
    let sold = succeeded(operator.result::<operations::Authorize>(&request).await);
    assert_eq!((sold.status.as_str(), sold.captured), ("submitted_for_settlement", 1050));
    assert_eq!((sold.amount, sold.attempt), (money(1050), Some(request.attempt)));
    assert_eq!(operator.ledger(request.attempt).await, lines(&[("charge", "10.50")]));
    assert_eq!(succeeded(payment_of(&operator, request.attempt).await), sold);
}

#[actix_web::test]
async fn a_currency_has_its_merchant_account_and_its_decimals() {
    let operator = braintree();
    let mut yen = authorize(CARD, 120, true);
    yen.amount.currency = Currency::parse("JPY").unwrap();
    succeeded(operator.result::<operations::Authorize>(&yen).await);
    assert_eq!(operator.ledger(yen.attempt).await, [("charge".to_owned(), "120 JPY".to_owned())]);
    let mut krona = authorize(CARD, 100, true);
    krona.amount.currency = Currency::parse("SEK").unwrap();
    let Reply::Error(failure) = operator.ask::<operations::Authorize>(&krona).await else { panic!() };
    assert_eq!(failure.kind, ErrorKind::InvalidRequest);
    assert!(operator.ledger(krona.attempt).await.is_empty());
}

#[actix_web::test]
async fn a_merchant_account_of_another_currency_is_an_integrity_error() {
    let settings = "[providers.braintree.merchant_accounts]\nUSD = \"sandbox_eur\"";
    let operator = Operator::with_settings(Provider::Braintree, settings);
    let request = authorize(CARD, 1000, true);
    let Reply::Error(failure) = operator.ask::<operations::Authorize>(&request).await else { panic!() };
    assert_eq!(failure.kind, ErrorKind::Integrity);
}

#[actix_web::test]
async fn declines_have_braintree_s_codes_and_move_nothing() {
    let operator = braintree();
    let cvv = nonce(&operator, json!({"number": "4111111111111111", "cvv": "200"})).await;
    for (nonce, minor_units, code, advice) in [
        (CARD, 200_100, "2001", Advice::Retry),
        (CARD, 200_400, "2004", Advice::OtherMethod),
        (CARD, 201_400, "2014", Advice::Never),
        (CARD, 300_000, "3000", Advice::Retry),
        (CARD, 500_100, "application_incomplete", Advice::Never),
        ("fake-processor-declined-visa-nonce", 1000, "2000", Advice::Retry),
        ("fake-gateway-rejected-fraud-nonce", 1000, "fraud", Advice::Never),
        (&cvv, 1000, "cvv", Advice::Retry),
    ] {
        let request = authorize(nonce, minor_units, true);
        let outcome = operator.result::<operations::Authorize>(&request).await;
        let Outcome::Declined { decline, result } = outcome.clone() else { panic!("{code}: {outcome:?}") };
        assert_eq!((decline.code.as_str(), decline.advice), (code, advice));
        assert_eq!(result.unwrap().captured, 0, "{code}");
        assert_eq!(payment_of(&operator, request.attempt).await, outcome, "{code}");
        assert!(operator.ledger(request.attempt).await.is_empty(), "{code}");
    }
}

#[actix_web::test]
async fn requests_that_are_wrong_are_rejected_field_by_field() {
    let operator = braintree();
    let expired = nonce(&operator, json!({"number": "4111111111111111"})).await;
    let gone = operator.sandbox_client().delete(&format!("/_sandbox/braintree/nonces/{expired}")).await;
    assert_eq!(gone.status, 204);
    for (nonce, expected) in [
        ("fake-consumed-nonce", code(Some("payment_method_nonce"), "91564")),
        (expired.as_str(), code(Some("payment_method_nonce"), "91565")),
        ("fake-luhn-invalid-nonce", code(Some("number"), "81715")),
    ] {
        let request = authorize(nonce, 1000, true);
        assert_eq!(codes(operator.result::<operations::Authorize>(&request).await), expected, "{nonce}");
    }
    let mut stranger = authorize(CARD, 1000, true);
    stranger.source = Source::PaymentMethod { token: "stranger".into(), customer: None };
    let outcome = operator.result::<operations::Authorize>(&stranger).await;
    assert_eq!(codes(outcome), code(Some("payment_method_token"), "91518"));
}

#[actix_web::test]
async fn a_payment_is_captured_once_for_less() {
    let operator = braintree();
    let sold = sell(&operator, 1000, false).await;
    assert_eq!((sold.status.as_str(), sold.captured), ("authorized", 0));
    assert_eq!(codes(capture(&operator, &sold.reference, 1001, true).await), code(Some("amount"), "91522"));
    let request = capturing(&sold.reference, 600, true);
    let first = succeeded(operator.result::<operations::Capture>(&request).await);
    let again = succeeded(operator.result::<operations::Capture>(&request).await);
    assert_eq!((&first.reference, &first), (&sold.reference, &again));
    assert_eq!(codes(capture(&operator, &sold.reference, 400, true).await), code(None, "91507"));
    let now = payment(&operator, &sold.reference).await;
    assert_eq!((now.amount, now.captured), (money(1000), 600));
    assert_eq!(operator.ledger(sold.attempt.unwrap()).await, lines(&[("charge", "6.00")]));
}

#[actix_web::test]
async fn a_payment_is_captured_and_refunded_in_parts() {
    let operator = braintree();
    let sold = sell(&operator, 1000, false).await;
    let part = capturing(&sold.reference, 400, false);
    let first = succeeded(operator.result::<operations::Capture>(&part).await);
    let again = succeeded(operator.result::<operations::Capture>(&part).await);
    assert_eq!(first, again);
    assert_eq!(operator.ledger(part.attempt).await, lines(&[("charge", "4.00")]));
    assert_eq!(codes(capture(&operator, &sold.reference, 700, false).await), code(Some("amount"), "91522"));
    let last = capturing(&sold.reference, 500, true);
    let second = succeeded(operator.result::<operations::Capture>(&last).await);
    assert_eq!(succeeded(operator.result::<operations::Capture>(&last).await), second);
    assert_eq!(codes(capture(&operator, &sold.reference, 100, true).await), code(None, "915103"));
    let now = payment(&operator, &sold.reference).await;
    assert_eq!((now.amount, now.captured, now.refunded), (money(1000), 900, Some(0)));
    assert_eq!(now.captures, [first.reference.clone(), second.reference.clone()]);
    for part in &now.captures {
        happen(&operator, &format!("transactions/{part}/settle"), &Value::Null).await;
    }
    let mut named = refunding(&sold.reference, 400);
    named.capture = Some(first.reference.clone());
    succeeded(operator.result::<operations::Refund>(&named).await);
    // Without a name the last part is meant.
    let unnamed = refunding(&sold.reference, 500);
    succeeded(operator.result::<operations::Refund>(&unnamed).await);
    assert_eq!(payment(&operator, &sold.reference).await.refunded, Some(900));
}

#[actix_web::test]
async fn a_refund_is_made_once_and_never_above_what_was_captured() {
    let operator = braintree();
    let sold = settled(&operator, 1000).await;
    let request = refunding(&sold.reference, 400);
    let first = succeeded(operator.result::<operations::Refund>(&request).await);
    let again = succeeded(operator.result::<operations::Refund>(&request).await);
    assert_eq!((first.amount, first.attempt, &first), (money(400), Some(request.attempt), &again));
    assert_eq!(operator.ledger(request.attempt).await, lines(&[("refund", "4.00")]));
    assert_eq!(succeeded(refund_of(&operator, request.attempt, &sold.reference).await), first);
    let found = look_up(&operator, LookupBy::Refund { reference: first.reference.clone() }).await;
    assert_eq!(found, Found::Refund { outcome: Outcome::Succeeded { result: first } });
    let above = operator.result::<operations::Refund>(&refunding(&sold.reference, 601)).await;
    assert_eq!(codes(above), code(Some("amount"), "91521"));
    succeeded(operator.result::<operations::Refund>(&refunding(&sold.reference, 600)).await);
    let nothing_left = operator.result::<operations::Refund>(&refunding(&sold.reference, 1)).await;
    assert_eq!(codes(nothing_left), code(None, "91512"));
    assert_eq!(payment(&operator, &sold.reference).await.refunded, Some(1000));
    let missing = operator.result::<operations::Refund>(&refunding("nothing", 1)).await;
    assert!(matches!(missing, Outcome::Rejected { ref rejection } if rejection.status == 404), "{missing:?}");
}

#[actix_web::test]
async fn before_it_is_settled_a_payment_is_voided_and_not_refunded() {
    let operator = braintree();
    let sold = sell(&operator, 1000, true).await;
    let refused = operator.result::<operations::Refund>(&refunding(&sold.reference, 1000)).await;
    assert_eq!(codes(refused), code(None, "91506"));
    assert!(succeeded(void(&operator, &sold.reference).await).voided);
    assert!(succeeded(void(&operator, &sold.reference).await).voided);
    let reference = sold.attempt.unwrap();
    assert_eq!(operator.ledger(reference).await, lines(&[("charge", "10.00"), ("void", "10.00")]));
    let sold = settled(&operator, 1100).await;
    assert_eq!(codes(void(&operator, &sold.reference).await), code(None, "91504"));
}

#[actix_web::test]
async fn a_refund_can_be_declined() {
    let operator = braintree();
    let sold = settled(&operator, 900_000).await;
    let request = refunding(&sold.reference, 200_400);
    let outcome = operator.result::<operations::Refund>(&request).await;
    let Outcome::Declined { decline, .. } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(decline.code, "2004");
    assert_eq!(refund_of(&operator, request.attempt, &sold.reference).await, outcome);
    assert!(operator.ledger(request.attempt).await.is_empty());
}

#[actix_web::test]
async fn an_authorization_that_time_has_ended_is_given_up() {
    let operator = braintree();
    let sold = sell(&operator, 1000, false).await;
    happen(&operator, &format!("transactions/{}/expire", sold.reference), &Value::Null).await;
    let now = payment(&operator, &sold.reference).await;
    assert_eq!((now.status.as_str(), now.voided), ("authorization_expired", true));
    assert_eq!(codes(capture(&operator, &sold.reference, 1000, true).await), code(None, "91507"));
}

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

#[actix_web::test]
async fn a_payer_s_card_is_stored_charged_and_forgotten() {
    let operator = braintree();
    let request = CreateCustomer { attempt: AttemptId::new(), reference: None, email: None };
    let first = succeeded(operator.result::<operations::CreateCustomer>(&request).await);
    assert_eq!(succeeded(operator.result::<operations::CreateCustomer>(&request).await), first);
    let customer = first.reference;
    let asked = ClientTokenRequest { attempt: AttemptId::new(), customer: Some(customer.clone()) };
    succeeded(operator.result::<operations::ClientToken>(&asked).await);
    let nonce = nonce(&operator, json!({"number": "4012888888881881"})).await;
    let request = StorePaymentMethod {
        attempt: AttemptId::new(),
        customer: customer.clone(),
        nonce: nonce.as_str().into(),
    };
    let card = succeeded(operator.result::<operations::StorePaymentMethod>(&request).await);
    assert_eq!((card.kind, card.last4.as_deref()), (PaymentMethodKind::Card, Some("1881")));
    let again = succeeded(operator.result::<operations::StorePaymentMethod>(&request).await);
    assert_eq!(again.token, card.token);
    let mut sale = authorize(CARD, 1000, true);
    sale.source = Source::PaymentMethod { token: card.token.clone(), customer: Some(customer) };
    let sold = succeeded(operator.result::<operations::Authorize>(&sale).await);
    assert_eq!(sold.payment_method.unwrap().token, card.token);
    for was_gone in [false, true] {
        let request = DeletePaymentMethod { attempt: AttemptId::new(), payment_method: card.token.clone() };
        let deleted = succeeded(operator.result::<operations::DeletePaymentMethod>(&request).await);
        assert_eq!(deleted.was_gone, was_gone);
    }
}

#[actix_web::test]
async fn a_card_that_is_not_verified_is_not_stored() {
    let operator = braintree();
    let cvv = nonce(&operator, json!({"number": "4111111111111111", "cvv": "200"})).await;
    for (nonce, code) in [("fake-processor-declined-visa-nonce", "2000"), (cvv.as_str(), "cvv")] {
        let customer = customer(&operator).await;
        let request = StorePaymentMethod { attempt: AttemptId::new(), customer, nonce: nonce.into() };
        let outcome = operator.result::<operations::StorePaymentMethod>(&request).await;
        let Outcome::Declined { decline, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(decline.code, code);
    }
    let request =
        StorePaymentMethod { attempt: AttemptId::new(), customer: "nobody".to_owned(), nonce: CARD.into() };
    let outcome = operator.result::<operations::StorePaymentMethod>(&request).await;
    assert_eq!(codes(outcome), code(Some("customer_id"), "93105"));
}

/// A plan of five dollars a month; gives its id.
async fn plan(operator: &Operator) -> String {
    let account = &operator.dummies.braintree;
    let keys = format!("{}:{}", account.public_key, account.private_key.expose_secret());
    let client = operator.sandbox_client();
    let answer = client
        .request(Method::POST, &format!("/braintree/merchants/{}/plans", account.merchant_id))
        .header("Authorization", &format!("Basic {}", BASE64.encode(keys.as_bytes())))
        .header("X-ApiVersion", "6")
        .raw(b"<plan><id>monthly</id><name>Monthly</name><price>5.00</price></plan>", "application/xml")
        .answer()
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    "monthly".to_owned()
}

fn subscribing(payment_method: Token, plan: String, minor_units: i64) -> Subscribe {
    let amount = Some(money(minor_units));
    Subscribe { attempt: AttemptId::new(), customer: None, payment_method, plan, amount }
}

#[actix_web::test]
async fn a_subscription_is_started_once_changed_and_cancelled_once() {
    let operator = braintree();
    let (plan, token) = (plan(&operator).await, store(&operator, CARD).await);
    let request = subscribing(token.clone(), plan.clone(), 700);
    let made = succeeded(operator.result::<operations::Subscribe>(&request).await);
    assert_eq!((made.status, made.amount), (SubscriptionStatus::Active, Some(money(700))));
    assert_eq!(made.first_payment.as_ref().unwrap().captured, 700);
    assert_eq!(succeeded(operator.result::<operations::Subscribe>(&request).await), made);
    assert_eq!(operator.ledger(request.attempt).await, lines(&[("charge", "7.00")]));
    let other = store(&operator, "fake-valid-mastercard-nonce").await;
    let change = ChangeSubscriptionPaymentMethod {
        attempt: AttemptId::new(),
        subscription: made.reference.clone(),
        payment_method: other,
    };
    succeeded(operator.result::<operations::ChangeSubscriptionPaymentMethod>(&change).await);
    for _ in 0..2 {
        let request = CancelSubscription { attempt: AttemptId::new(), subscription: made.reference.clone() };
        let ended = succeeded(operator.result::<operations::CancelSubscription>(&request).await);
        assert_eq!(ended.status, SubscriptionStatus::Cancelled);
    }
    let declined = subscribing(token.clone(), plan, 200_100);
    let outcome = operator.result::<operations::Subscribe>(&declined).await;
    let Outcome::Declined { decline, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(decline.code, "2001");
    let unknown = subscribing(token, "none".to_owned(), 700);
    let outcome = operator.result::<operations::Subscribe>(&unknown).await;
    assert_eq!(codes(outcome), code(Some("plan_id"), "91904"));
    // A plan's own price.
    let token = store(&operator, CARD).await;
    let mut own = subscribing(token, "monthly".to_owned(), 1);
    own.amount = None;
    let made = succeeded(operator.result::<operations::Subscribe>(&own).await);
    assert_eq!(made.amount, Some(money(500)));
}

async fn hold(operator: &Operator) {
    let held = json!({"hold": true});
    let answer = operator.sandbox_client().put("/_sandbox/webhooks/handling", &held).await;
    assert_eq!(answer.status, 200);
}

/// Everything that was told since `hold`, as it was posted.
async fn told(operator: &Operator) -> Vec<VerifyWebhook> {
    let client = operator.sandbox_client();
    let office = client.get("/_sandbox/webhooks").await.json();
    let mut webhooks = Vec::new();
    for event in office["held"].as_array().unwrap() {
        let id = event["event_id"].as_str().unwrap();
        let message = client.get(&format!("/_sandbox/webhooks/events/{id}")).await.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let header = |pair: &Value| Header { name: text(&pair[0]), value: text(&pair[1]) };
        webhooks.push(VerifyWebhook {
            headers: message["headers"].as_array().unwrap().iter().map(header).collect(),
            body: BASE64.encode(text(&message["body"]).as_bytes()),
        });
    }
    webhooks
}

async fn events(operator: &Operator) -> Vec<Event> {
    let mut events = Vec::new();
    for webhook in told(operator).await {
        events.push(operator.result::<operations::VerifyWebhook>(&webhook).await);
    }
    events
}

#[actix_web::test]
async fn what_happens_at_braintree_is_told_and_believed() {
    let operator = braintree();
    hold(&operator).await;
    let sold = settled(&operator, 1000).await;
    let refund = refunding(&sold.reference, 400);
    let refunded = succeeded(operator.result::<operations::Refund>(&refund).await);
    let decline = format!("transactions/{}/settlement_decline", refunded.reference);
    happen(&operator, &decline, &Value::Null).await;
    let dispute = format!("transactions/{}/dispute", sold.reference);
    happen(&operator, &dispute, &json!({"kind": "opened"})).await;
    happen(&operator, "check", &json!({})).await;
    let events = events(&operator).await;
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Payment, EventKind::Refund, EventKind::Dispute, EventKind::Check]);
    assert_eq!((events[0].attempt, events[1].attempt), (sold.attempt, Some(refund.attempt)));
    assert!(matches!(events[0].payment, Some(Outcome::Succeeded { .. })));
    assert!(matches!(events[1].refund, Some(Outcome::Declined { .. })));
    for event in &events[..3] {
        assert_eq!(event.payment_reference.as_ref(), Some(&sold.reference));
    }
}

#[actix_web::test]
async fn what_happens_to_a_subscription_is_told_and_believed() {
    let operator = braintree();
    let (plan, token) = (plan(&operator).await, store(&operator, CARD).await);
    hold(&operator).await;
    let request = subscribing(token, plan, 700);
    let made = succeeded(operator.result::<operations::Subscribe>(&request).await);
    let charge = format!("subscriptions/{}/charge", made.reference);
    happen(&operator, &charge, &json!({"declined": 2001})).await;
    let cancel = CancelSubscription { attempt: AttemptId::new(), subscription: made.reference };
    succeeded(operator.result::<operations::CancelSubscription>(&cancel).await);
    let events = events(&operator).await;
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    let expected = [
        EventKind::SubscriptionCharged,
        EventKind::SubscriptionChargeFailed,
        EventKind::Subscription,
        EventKind::SubscriptionCancelled,
    ];
    assert_eq!(kinds, expected);
    assert!(events.iter().all(|event| event.attempt == Some(request.attempt)));
    assert!(matches!(events[1].payment, Some(Outcome::Declined { .. })));
    assert_eq!(events[1].subscription.as_ref().unwrap().status, SubscriptionStatus::PastDue);
}

#[actix_web::test]
async fn an_old_a_future_and_a_forged_webhook_are_not_believed() {
    let operator = braintree();
    hold(&operator).await;
    for seconds_ago in [0, 24 * 3600, 26 * 3600, -200, -400] {
        happen(&operator, "check", &json!({"seconds_ago": seconds_ago})).await;
    }
    let webhooks = told(&operator).await;
    for (webhook, believed) in webhooks.iter().zip([true, true, false, true, false]) {
        let reply = operator.ask::<operations::VerifyWebhook>(webhook).await;
        match reply {
            Reply::Result(_) => assert!(believed),
            Reply::Error(failure) => {
                assert!(!believed, "{failure}");
                assert_eq!(failure.kind, ErrorKind::InvalidSignature);
            }
            Reply::Refused(answer) => panic!("{answer:?}"),
        }
    }
    let mut forged = webhooks[0].clone();
    let body = String::from_utf8(BASE64.decode(forged.body.as_bytes()).unwrap()).unwrap();
    forged.body = BASE64.encode(body.replace("bt_payload=", "bt_payload=A").as_bytes());
    let Reply::Error(failure) = operator.ask::<operations::VerifyWebhook>(&forged).await else { panic!() };
    assert_eq!(failure.kind, ErrorKind::InvalidSignature);
    let challenge = WebhookChallenge { challenge: "20f9f8ed05f77439fe955c977e4c8a53".to_owned() };
    let answer = operator.result::<operations::AnswerWebhookChallenge>(&challenge).await;
    let public = &operator.dummies.braintree.public_key;
    assert!(answer.verification.starts_with(&format!("{public}|")), "{}", answer.verification);
}
