//! What is done around every operation, whichever connector performs it.

use std::{cell::RefCell, sync::Arc};

use serde_json::{Value, json};
use wire::{
    Currency, ErrorKind, Money,
    payment::{
        Advice, Authorize, Capture, Captured, ClientToken, ClientTokenRequest, Decline, Payment, Refund,
        Refunded, Rejection, Subscribe, Subscription, SubscriptionStatus,
    },
};

use super::*;
use crate::policy::{Limits, RefundLedger};

/// A connector that answers as it is told, and counts how often it is asked.
#[derive(Default)]
struct Told {
    refund: RefCell<Vec<Result<Outcome<Refunded>, ProxyError>>>,
    payment: RefCell<Vec<Outcome<Payment>>>,
    asked: RefCell<usize>,
    withheld: Withheld,
}

impl Connect for Told {
    const PROVIDER: Provider = Provider::Stripe;
    const CAPABILITIES: &'static [Row] = &[
        Row::yes(OperationName::ClientToken, ""),
        Row::yes(OperationName::Authorize, ""),
        Row::yes(OperationName::Capture, ""),
        Row::yes(OperationName::Refund, ""),
        Row::yes(OperationName::Subscribe, ""),
        Row::yes(OperationName::Void, "but it has no method"),
    ];

    fn withheld(&self) -> &Withheld {
        &self.withheld
    }

    async fn client_token(&self, _: &ClientTokenRequest) -> Result<Outcome<ClientToken>, ProxyError> {
        Ok(Outcome::Succeeded { result: ClientToken { token: "a \"dummy\" secret".into() } })
    }

    async fn authorize(&self, _: &Authorize) -> Result<Outcome<Payment>, ProxyError> {
        *self.asked.borrow_mut() += 1;
        Ok(self.payment.borrow_mut().remove(0))
    }

    async fn capture(&self, request: &Capture) -> Result<Outcome<Captured>, ProxyError> {
        let amount = Money { minor_units: request.amount.minor_units - 1, ..request.amount };
        let result =
            Captured { reference: "c".into(), status: "p".into(), amount, settlement_declined: false };
        Ok(Outcome::Pending { result })
    }

    async fn refund(&self, _: &Refund) -> Result<Outcome<Refunded>, ProxyError> {
        *self.asked.borrow_mut() += 1;
        self.refund.borrow_mut().remove(0)
    }

    async fn subscribe(&self, request: &Subscribe) -> Result<Outcome<Subscription>, ProxyError> {
        let amount = request.amount.filter(|amount| amount.minor_units < 500);
        let result = Subscription {
            reference: "s".into(),
            status: SubscriptionStatus::Active,
            provider_status: "active".into(),
            amount,
            period_start: None,
            period_end: None,
            next_billing: None,
            first_payment: None,
        };
        Ok(Outcome::Succeeded { result })
    }
}

const ATTEMPT: &str = "0192f0c1-8f5e-7abc-8def-0123456789ab";

fn money(minor_units: i64, code: &str) -> Money {
    Money { minor_units, currency: Currency::parse(code).unwrap() }
}

fn payment(amount: Money, captured: i64) -> Payment {
    Payment {
        reference: "p".into(),
        attempt: None,
        status: "s".into(),
        amount,
        captured,
        settlement_declined: 0,
        refunded: None,
        voided: false,
        captures: Vec::new(),
        payment_method: None,
    }
}

async fn ask(
    connector: &Told,
    operation: OperationName,
    body: Value,
    gate: &Gate<'_>,
) -> Result<Value, ErrorKind> {
    let reply = perform(connector, operation, body.to_string().as_bytes(), gate).await;
    let reply: Value = serde_json::from_slice(&reply.map_err(|error| error.failure().kind)?).unwrap();
    Ok(reply["result"].clone())
}

async fn authorize(outcome: Outcome<Payment>, capture: bool) -> Result<Value, ErrorKind> {
    let connector = Told::default();
    connector.payment.borrow_mut().push(outcome);
    let body = json!({
        "attempt": ATTEMPT, "amount": {"minor_units": 500, "currency": "EUR"},
        "source": {"nonce": {"nonce": "n"}}, "capture": capture,
    });
    ask(&connector, OperationName::Authorize, body, &Gate::open()).await
}

#[actix_web::test]
async fn an_answer_about_another_amount_is_never_a_success() {
    let euro = |minor_units| money(minor_units, "EUR");
    for (amount, captured, capture, is_same) in [
        (euro(500), 500, true, true),
        (euro(500), 0, false, true),
        (euro(499), 499, true, false),
        (euro(5000), 5000, true, false),
        (money(500, "USD"), 500, true, false),
        (euro(500), 0, true, false),
        (euro(500), 499, true, false),
        (euro(500), 501, false, false),
        (euro(500), -1, false, false),
    ] {
        let answer = authorize(Outcome::Succeeded { result: payment(amount, captured) }, capture).await;
        let expected = if is_same { Ok("succeeded".into()) } else { Err(ErrorKind::Integrity) };
        assert_eq!(answer.map(|answer| answer["outcome"].clone()), expected, "{amount} {captured}");
    }
    let pending = Outcome::Pending { result: payment(euro(500), 0) };
    assert!(authorize(pending, true).await.is_ok(), "what is pending need not be captured");
    let pending = Outcome::Pending { result: payment(euro(400), 0) };
    assert_eq!(authorize(pending, true).await, Err(ErrorKind::Integrity));
    let decline = Decline { code: "c".into(), message: "m".into(), advice: Advice::Never };
    let declined = Outcome::Declined { decline, result: Some(payment(euro(1), 0)) };
    assert!(authorize(declined, true).await.is_ok(), "nothing was moved");
}

#[actix_web::test]
async fn a_capture_and_a_subscription_say_the_amount_that_was_asked() {
    let connector = Told::default();
    let capture = json!({
        "attempt": ATTEMPT, "payment": "p", "amount": {"minor_units": 5, "currency": "EUR"}, "last": true,
    });
    let gate = Gate::open();
    let answer = ask(&connector, OperationName::Capture, capture, &gate).await;
    assert_eq!(answer, Err(ErrorKind::Integrity));
    for (amount, is_same) in [(Some(400), true), (Some(600), false), (None, true)] {
        let amount = amount.map(|minor_units| json!({"minor_units": minor_units, "currency": "EUR"}));
        let body = json!({"attempt": ATTEMPT, "payment_method": "t", "plan": "p", "amount": amount});
        assert_eq!(ask(&connector, OperationName::Subscribe, body, &gate).await.is_ok(), is_same);
    }
}

#[actix_web::test]
async fn no_answer_holds_a_secret_even_if_a_connector_lets_one_through() {
    let mut connector = Told::default();
    connector.withheld.add("a \"dummy\" secret");
    let answer =
        ask(&connector, OperationName::ClientToken, json!({"attempt": ATTEMPT}), &Gate::open()).await;
    assert_eq!(answer.unwrap()["result"]["token"], "[withheld]");
}

#[actix_web::test]
async fn what_has_no_row_or_no_method_is_unsupported() {
    let connector = Told::default();
    let gate = Gate::open();
    let body = json!({"attempt": ATTEMPT, "payment": "p"});
    for operation in [OperationName::Void, OperationName::Health, OperationName::Lookup] {
        let answer = ask(&connector, operation, body.clone(), &gate).await;
        assert_eq!(answer, Err(ErrorKind::Unsupported), "{operation}");
    }
}

/// Limits of one refund in an hour, in a folder that goes away with them.
struct Limited {
    _folder: tempfile::TempDir,
    limits: Limits,
    refunds: Arc<RefundLedger>,
}

impl Limited {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let refunds = Arc::new(RefundLedger::open(Some(&folder.path().join("refunds"))).unwrap());
        let largest = Some([(Currency::parse("EUR").unwrap(), 1000)].into());
        let limits = Limits { refunds_per_hour: Some(1), largest_payment: largest, ..Limits::default() };
        Self { _folder: folder, limits, refunds }
    }

    fn gate(&self) -> Gate<'_> {
        Gate { caller: Some("db-server"), limits: &self.limits, refunds: &self.refunds }
    }
}

fn refund(payment: &str) -> Value {
    json!({"attempt": ATTEMPT, "payment": payment, "amount": {"minor_units": 5, "currency": "EUR"}})
}

#[actix_web::test]
async fn a_refund_gives_its_place_back_only_when_it_evidently_moved_nothing() {
    let refunded = |minor_units| Refunded {
        reference: "r".into(),
        attempt: None,
        status: "s".into(),
        amount: money(minor_units, "EUR"),
    };
    let decline = Decline { code: "c".into(), message: "m".into(), advice: Advice::Never };
    let timeout = || chassis::client::ExchangeError::Timeout { after: std::time::Duration::from_secs(1) };
    let cases: [(Result<Outcome<Refunded>, ProxyError>, bool); 9] = [
        (Ok(Outcome::Succeeded { result: refunded(5) }), false),
        (Ok(Outcome::Succeeded { result: refunded(6) }), false),
        (Ok(Outcome::Pending { result: refunded(5) }), false),
        (Ok(Outcome::Unknown { reason: "x".into() }), false),
        (Ok(Outcome::Declined { decline, result: None }), true),
        (Ok(Outcome::Rejected { rejection: Rejection::default() }), true),
        (Err(ProxyError::Exchange { target: "stripe", source: timeout() }), false),
        (Err(ProxyError::UnexpectedStatus { target: "stripe", status: 500 }), false),
        (Err(ProxyError::NotConfigured { target: "stripe" }), true),
    ];
    for (answer, is_free) in cases {
        let shown = format!("{answer:?}");
        let limited = Limited::new();
        let connector = Told::default();
        connector.refund.borrow_mut().extend([answer, Ok(Outcome::Unknown { reason: "x".into() })]);
        drop(ask(&connector, OperationName::Refund, refund("p"), &limited.gate()).await);
        let next = ask(&connector, OperationName::Refund, refund("q"), &limited.gate()).await;
        let expected = if is_free { Ok("unknown".into()) } else { Err(ErrorKind::Policy) };
        assert_eq!(next.map(|answer| answer["outcome"].clone()), expected, "{shown}");
        assert_eq!(*connector.asked.borrow(), if is_free { 2 } else { 1 }, "a refusal sends nothing");
    }
}

#[actix_web::test]
async fn the_same_refund_again_is_sent_again_and_counts_once() {
    let limited = Limited::new();
    let connector = Told::default();
    let unknown = || Ok(Outcome::Unknown { reason: "x".into() });
    connector.refund.borrow_mut().extend([unknown(), unknown(), unknown()]);
    for _ in 0..2 {
        assert!(ask(&connector, OperationName::Refund, refund("p"), &limited.gate()).await.is_ok());
    }
    let answer = ask(&connector, OperationName::Refund, refund("q"), &limited.gate()).await;
    assert_eq!(answer, Err(ErrorKind::Policy), "the attempt of another refund is no licence");
}

#[actix_web::test]
async fn a_payment_above_its_limit_is_not_sent() {
    let limited = Limited::new();
    let connector = Told::default();
    let body = |minor_units: i64| {
        json!({
            "attempt": ATTEMPT, "amount": {"minor_units": minor_units, "currency": "EUR"},
            "source": {"nonce": {"nonce": "n"}}, "capture": false,
        })
    };
    let answer = ask(&connector, OperationName::Authorize, body(1001), &limited.gate()).await;
    assert_eq!((answer, *connector.asked.borrow()), (Err(ErrorKind::Policy), 0));
    connector.payment.borrow_mut().push(Outcome::Unknown { reason: "x".into() });
    assert!(ask(&connector, OperationName::Authorize, body(1000), &limited.gate()).await.is_ok());
}
