//! Every operation that Braintree offers, through provider-proxy's connector against the sandbox's Braintree.

mod charges;
mod lost_answers;
mod stored;
mod webhooks;

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
        HealthRequest, LookupBy, Outcome, Payment, PaymentMethodKind, Provider, Refund, Refunded, Source,
        StorePaymentMethod, Subscribe, SubscriptionStatus, Token, VerifyWebhook, Void, WebhookChallenge,
        operations,
    },
};

use super::asking::{customer, look_up, payment_of, succeeded};

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
