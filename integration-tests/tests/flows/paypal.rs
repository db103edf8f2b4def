//! Every operation of PayPal, through provider-proxy against the sandbox: what the payer is charged and gets back is
//! what was said, whatever goes wrong.

use actix_web::http::Method;
use data_encoding::BASE64;
use integration_tests::{
    client::{Answer, Client},
    in_process::{Dummies, Server, provider_proxy_settings, start_provider_proxy, start_sandbox},
};
use serde_json::{Value, json};
use wire::{
    Currency, Money, Reply,
    payment::{
        Advice, AttemptId, Authorize, Capture, Captured, Checkout, ClientTokenRequest, CompleteCheckout,
        CreateCustomer, DeletePaymentMethod, Event, EventKind, Found, Header, HealthRequest, Lookup,
        LookupBy, Outcome, Payment, PaymentMethod, PaymentOperation, Provider, Refund, Refunded, Source,
        StartCheckout, StorePaymentMethod, Token, VerifyWebhook, Void, operations, payment_path,
    },
};

/// provider-proxy, with PayPal played by a sandbox.
struct Desk {
    _sandbox: Server,
    _proxy: Server,
    sandbox: Client,
    proxy: Client,
}

impl Desk {
    fn open() -> Self {
        let dummies = Dummies::default();
        let sandbox = start_sandbox(&dummies);
        let mut settings = provider_proxy_settings(sandbox.url(), &dummies);
        // Who calls is no matter here.
        settings.remove("identity");
        let proxy = start_provider_proxy(settings);
        Self {
            sandbox: Client::unsigned(sandbox.url()),
            proxy: Client::unsigned(proxy.url()),
            _sandbox: sandbox,
            _proxy: proxy,
        }
    }

    async fn ask<O: PaymentOperation>(&self, request: &O::Request) -> Answer {
        let body = serde_json::to_value(request).unwrap();
        self.proxy.post(&payment_path::<O>(Provider::Paypal), &body).await
    }

    async fn perform<O: PaymentOperation>(&self, request: &O::Request) -> O::Answer {
        let answer = self.ask::<O>(request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        match serde_json::from_slice(&answer.body).unwrap() {
            Reply::Result(result) => result,
            _ => panic!("{answer:?}"),
        }
    }

    /// Asks the sandbox's own side.
    async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self.sandbox.request(method, &format!("/_sandbox{path}")).json(&body);
        let answer = request.answer().await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer.json()
    }

    async fn fault(&self, path: &str, fault: Value) {
        self.control(Method::POST, "/faults", json!([{"path": path, "method": "POST", "fault": fault}]))
            .await;
    }

    /// What the ledger says that an attempt has moved.
    async fn ledger(&self, attempt: AttemptId) -> Vec<(String, String)> {
        let lines = self.sandbox.get(&format!("/_sandbox/ledger?reference={attempt}")).await.json();
        let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
        lines.as_array().unwrap().iter().map(|line| (text(line, "kind"), text(line, "amount"))).collect()
    }

    /// Starts a checkout that must start.
    async fn start(&self, attempt: AttemptId, minor_units: i64, capture: bool) -> Checkout {
        let outcome = self.perform::<operations::StartCheckout>(&start(attempt, minor_units, capture)).await;
        let Outcome::Succeeded { result } = outcome else { panic!("{outcome:?}") };
        result
    }

    /// The payer chooses on PayPal's page.
    async fn choose(&self, order: &str, choice: &str) {
        let path = format!("/paypal/checkoutnow?token={order}&choice={choice}");
        let answer = self.sandbox.request(Method::POST, &path).answer().await;
        assert_eq!(answer.status, 303, "{answer:?}");
    }

    async fn complete(
        &self,
        attempt: AttemptId,
        order: &str,
        minor_units: i64,
        capture: bool,
    ) -> Outcome<Payment> {
        let request =
            CompleteCheckout { attempt, checkout: order.to_owned(), amount: euro(minor_units), capture };
        self.perform::<operations::CompleteCheckout>(&request).await
    }

    /// A checkout that is approved and completed.
    async fn paid(&self, attempt: AttemptId, minor_units: i64, capture: bool) -> Payment {
        let order = self.start(attempt, minor_units, capture).await.reference;
        self.choose(&order, "approve").await;
        let outcome = self.complete(attempt, &order, minor_units, capture).await;
        let Outcome::Succeeded { result } = outcome else { panic!("{outcome:?}") };
        result
    }

    async fn refund(&self, attempt: AttemptId, payment: &Payment, minor_units: i64) -> Outcome<Refunded> {
        let request = Refund {
            attempt,
            payment: payment.reference.clone(),
            capture: payment.captures.first().cloned(),
            amount: euro(minor_units),
        };
        self.perform::<operations::Refund>(&request).await
    }

    async fn capture(
        &self,
        attempt: AttemptId,
        payment: &Payment,
        minor_units: i64,
        last: bool,
    ) -> Outcome<Captured> {
        let request =
            Capture { attempt, payment: payment.reference.clone(), amount: euro(minor_units), last };
        self.perform::<operations::Capture>(&request).await
    }

    async fn void(&self, payment: &Payment) -> Outcome<Payment> {
        let request = Void { attempt: AttemptId::new(), payment: payment.reference.clone() };
        self.perform::<operations::Void>(&request).await
    }

    async fn look(&self, by: LookupBy) -> Found {
        self.perform::<operations::Lookup>(&Lookup { attempt: AttemptId::new(), by }).await
    }

    /// A payment as it is looked up.
    async fn seen(&self, reference: &str) -> Outcome<Payment> {
        match self.look(LookupBy::Payment { reference: reference.to_owned() }).await {
            Found::Payment { outcome } => outcome,
            other => panic!("{other:?}"),
        }
    }

    /// A stored card, which the payer filled in.
    async fn stored(&self, card: Value) -> PaymentMethod {
        let request =
            CreateCustomer { attempt: AttemptId::new(), reference: Some("buyer-1".into()), email: None };
        let customer = self.perform::<operations::CreateCustomer>(&request).await;
        let Outcome::Succeeded { result: customer } = customer else { panic!("{customer:?}") };
        let customer = customer.reference;
        let request = ClientTokenRequest { attempt: AttemptId::new(), customer: Some(customer.clone()) };
        let token = self.perform::<operations::ClientToken>(&request).await;
        let Outcome::Succeeded { result: token } = token else { panic!("{token:?}") };
        let nonce = token.token;
        let request = StorePaymentMethod { attempt: AttemptId::new(), customer, nonce: nonce.clone() };
        let early = self.perform::<operations::StorePaymentMethod>(&request).await;
        assert_eq!(early.name(), "rejected", "nothing is filled in: {early:?}");
        self.control(Method::POST, &format!("/paypal/setup-tokens/{}/card", nonce.expose()), card).await;
        let stored = self.perform::<operations::StorePaymentMethod>(&request).await;
        let Outcome::Succeeded { result } = stored else { panic!("{stored:?}") };
        let again = self.perform::<operations::StorePaymentMethod>(&request).await;
        assert_eq!(again, Outcome::Succeeded { result: result.clone() }, "the same attempt stores once");
        result
    }

    async fn authorize(&self, attempt: AttemptId, token: &Token, capture: bool) -> Outcome<Payment> {
        self.perform::<operations::Authorize>(&authorize(attempt, token, capture)).await
    }
}

fn euro(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

fn start(attempt: AttemptId, minor_units: i64, capture: bool) -> StartCheckout {
    StartCheckout {
        attempt,
        amount: euro(minor_units),
        capture,
        return_url: "https://shop.example/return".into(),
        cancel_url: "https://shop.example/cancel".into(),
        description: Some("A book".into()),
        product: None,
    }
}

fn authorize(attempt: AttemptId, token: &Token, capture: bool) -> Authorize {
    Authorize {
        attempt,
        amount: euro(1000),
        source: Source::PaymentMethod { token: token.clone(), customer: None },
        capture,
        description: None,
        return_url: Some("https://shop.example/return".into()),
        metadata: Default::default(),
    }
}

fn visa() -> Value {
    json!({"number": "4012888888881881", "expiry": "2030-12"})
}

fn charges(amounts: &[&str]) -> Vec<(String, String)> {
    amounts.iter().map(|amount| ("charge".to_owned(), (*amount).to_owned())).collect()
}

#[actix_web::test]
async fn a_checkout_is_approved_completed_once_and_refunded_in_parts() {
    let desk = Desk::open();
    let attempt = AttemptId::new();
    let order = desk.start(attempt, 1250, true).await;
    assert!(order.url.contains(&order.reference), "{}", order.url);
    let early = desk.complete(attempt, &order.reference, 1250, true).await;
    let Outcome::RequiresAction { action, .. } = early else { panic!("{early:?}") };
    assert_eq!(action.url.as_ref(), Some(&order.url), "the payer has not agreed");
    desk.choose(&order.reference, "approve").await;
    let paid = desk.complete(attempt, &order.reference, 1250, true).await;
    let Outcome::Succeeded { result: payment } = &paid else { panic!("{paid:?}") };
    assert_eq!((payment.amount, payment.captured, payment.attempt), (euro(1250), 1250, Some(attempt)));
    assert_eq!(desk.complete(attempt, &order.reference, 1250, true).await, paid, "a replayed return");
    assert_eq!(desk.complete(AttemptId::new(), &order.reference, 1250, true).await, paid);
    assert_eq!(desk.ledger(attempt).await, charges(&["12.50"]));
    let (first, second) = (AttemptId::new(), AttemptId::new());
    let part = desk.refund(first, payment, 250).await;
    let Outcome::Succeeded { result: part_result } = &part else { panic!("{part:?}") };
    assert_eq!((part_result.amount, part_result.attempt), (euro(250), Some(first)));
    assert_eq!(desk.refund(first, payment, 250).await, part, "the same attempt gives back once");
    let too_much = desk.refund(AttemptId::new(), payment, 1001).await;
    let Outcome::Rejected { rejection } = too_much else { panic!("{too_much:?}") };
    assert_eq!(rejection.errors[0].code, "REFUND_AMOUNT_EXCEEDED");
    assert_eq!(desk.refund(second, payment, 1000).await.name(), "succeeded");
    let none_left = desk.refund(AttemptId::new(), payment, 1).await;
    let Outcome::Rejected { rejection } = none_left else { panic!("{none_left:?}") };
    assert_eq!(rejection.errors[0].code, "CAPTURE_FULLY_REFUNDED");
    assert_eq!(desk.ledger(first).await, [("refund".to_owned(), "2.50".to_owned())]);
    let seen = desk.seen(&order.reference).await;
    assert_eq!(seen.result().unwrap().refunded, Some(1250));
    assert_eq!(desk.seen(&payment.captures[0]).await, seen, "by the capture as by the order");
    let by = |of| LookupBy::RefundAttempt { of, payment: order.reference.clone() };
    let found = desk.look(by(second)).await;
    assert!(matches!(found, Found::Refund { outcome: Outcome::Succeeded { .. } }), "{found:?}");
    assert_eq!(desk.look(by(AttemptId::new())).await, Found::Nothing);
    let reference = part_result.reference.clone();
    assert_eq!(desk.look(LookupBy::Refund { reference }).await, Found::Refund { outcome: part });
}

#[actix_web::test]
async fn a_checkout_of_another_amount_is_not_executed() {
    let desk = Desk::open();
    let attempt = AttemptId::new();
    let order = desk.start(attempt, 99, true).await.reference;
    desk.choose(&order, "approve").await;
    for (minor_units, capture) in [(9900, true), (99, false)] {
        let checkout = order.clone();
        let request = CompleteCheckout { attempt, checkout, amount: euro(minor_units), capture };
        let answer = desk.ask::<operations::CompleteCheckout>(&request).await;
        assert_eq!((answer.status, &answer.json()["error"]["kind"]), (422, &json!("invalid_request")));
    }
    assert_eq!(desk.ledger(attempt).await, []);
}

#[actix_web::test]
async fn an_authorization_is_captured_in_parts_and_what_is_left_given_up() {
    let desk = Desk::open();
    let attempt = AttemptId::new();
    let payment = desk.paid(attempt, 3000, false).await;
    assert_eq!((payment.status.as_str(), payment.captured, payment.voided), ("CREATED", 0, false));
    assert_eq!(desk.ledger(attempt).await, []);
    let (first, second) = (AttemptId::new(), AttemptId::new());
    let part = desk.capture(first, &payment, 1000, false).await;
    let Outcome::Succeeded { result } = &part else { panic!("{part:?}") };
    assert_eq!(result.amount, euro(1000));
    assert_eq!(desk.capture(first, &payment, 1000, false).await, part, "the same attempt takes once");
    let too_much = desk.capture(AttemptId::new(), &payment, 2001, false).await;
    assert_eq!(too_much.name(), "rejected");
    assert_eq!(desk.capture(second, &payment, 500, true).await.name(), "succeeded");
    let late = desk.capture(AttemptId::new(), &payment, 1, false).await;
    let Outcome::Rejected { rejection } = late else { panic!("{late:?}") };
    assert_eq!(rejection.errors[0].code, "AUTHORIZATION_ALREADY_CAPTURED");
    assert_eq!(desk.void(&payment).await.name(), "rejected");
    assert_eq!(desk.ledger(first).await, charges(&["10.00"]));
    assert_eq!(desk.ledger(second).await, charges(&["5.00"]));
    let seen = desk.seen(&payment.reference).await;
    let Outcome::Succeeded { result } = seen else { panic!("{seen:?}") };
    assert_eq!((result.captured, result.captures.len(), result.status.as_str()), (1500, 2, "CAPTURED"));
    // The last capture is meant when none is named.
    let request = Refund {
        attempt: AttemptId::new(),
        payment: payment.reference.clone(),
        capture: None,
        amount: euro(501),
    };
    assert_eq!(desk.perform::<operations::Refund>(&request).await.name(), "rejected");
    let request = Refund { amount: euro(500), ..request };
    assert_eq!(desk.perform::<operations::Refund>(&request).await.name(), "succeeded");
}

#[actix_web::test]
async fn an_authorization_is_given_up_and_then_takes_nothing() {
    let desk = Desk::open();
    let payment = desk.paid(AttemptId::new(), 3000, false).await;
    for _ in 0..2 {
        let voided = desk.void(&payment).await;
        let Outcome::Succeeded { result } = voided else { panic!("{voided:?}") };
        assert_eq!((result.voided, result.status.as_str()), (true, "VOIDED"));
    }
    assert!(desk.seen(&payment.reference).await.result().unwrap().voided);
    let late = desk.capture(AttemptId::new(), &payment, 1, false).await;
    let Outcome::Rejected { rejection } = late else { panic!("{late:?}") };
    assert_eq!(rejection.errors[0].code, "AUTHORIZATION_VOIDED");
}

#[actix_web::test]
async fn a_decline_and_something_pending_are_told_as_such() {
    let desk = Desk::open();
    let attempt = AttemptId::new();
    let order = desk.start(attempt, 1000, true).await.reference;
    desk.choose(&order, "declined").await;
    let outcome = desk.complete(attempt, &order, 1000, true).await;
    let Outcome::Declined { decline, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((decline.code.as_str(), decline.advice), ("INSTRUMENT_DECLINED", Advice::OtherMethod));
    assert_eq!(desk.ledger(attempt).await, []);
    // The payer chooses another one.
    desk.choose(&order, "echeck").await;
    let outcome = desk.complete(attempt, &order, 1000, true).await;
    let Outcome::Pending { result } = outcome else { panic!("{outcome:?}") };
    let refused = desk.refund(AttemptId::new(), &result, 1).await;
    assert_eq!(refused.name(), "rejected", "{refused:?}");
    let path = format!("/paypal/captures/{}/settle", result.captures[0]);
    desk.control(Method::POST, &path, json!({"status": "completed"})).await;
    assert_eq!(desk.seen(&order).await.name(), "succeeded");
    let slow = desk.refund(AttemptId::new(), &result, 1).await;
    assert_eq!(slow.name(), "pending", "{slow:?}");
}

#[actix_web::test]
async fn a_stored_card_is_charged_declined_authenticated_and_deleted() {
    let desk = Desk::open();
    let card = desk.stored(visa()).await;
    assert_eq!((card.brand.as_deref(), card.last4.as_deref()), (Some("visa"), Some("1881")));
    let attempt = AttemptId::new();
    let paid = desk.authorize(attempt, &card.token, true).await;
    assert_eq!((paid.name(), paid.result().unwrap().captured), ("succeeded", 1000), "{paid:?}");
    assert_eq!(desk.authorize(attempt, &card.token, true).await, paid, "the same attempt pays once");
    assert_eq!(desk.ledger(attempt).await, charges(&["10.00"]));
    let held = desk.authorize(AttemptId::new(), &card.token, false).await;
    assert_eq!((held.name(), held.result().unwrap().captured), ("succeeded", 0), "{held:?}");
    let mut poor = visa();
    poor["name"] = json!("CCREJECT-IF");
    let poor = desk.stored(poor).await;
    let declined = desk.authorize(AttemptId::new(), &poor.token, true).await;
    let Outcome::Declined { decline, .. } = declined else { panic!("{declined:?}") };
    assert_eq!((decline.code.as_str(), decline.advice), ("5120", Advice::Retry));
    let request = DeletePaymentMethod { attempt: AttemptId::new(), payment_method: card.token.clone() };
    assert_eq!(desk.perform::<operations::DeletePaymentMethod>(&request).await.name(), "succeeded");
    let gone = desk.authorize(AttemptId::new(), &card.token, true).await;
    assert_eq!(gone.name(), "rejected", "{gone:?}");
}

#[actix_web::test]
async fn a_card_that_asks_for_3d_secure_is_charged_once_its_owner_has_passed() {
    let desk = Desk::open();
    let card = desk.stored(json!({"number": "4000000000001091", "expiry": "2030-12"})).await;
    for (choice, name, lines) in [("approve", "succeeded", 1), ("declined", "declined", 0)] {
        let attempt = AttemptId::new();
        let outcome = desk.authorize(attempt, &card.token, true).await;
        let Outcome::RequiresAction { action, result } = outcome else { panic!("{outcome:?}") };
        assert!(action.url.unwrap().contains("flow=3ds"));
        assert_eq!(desk.ledger(attempt).await, []);
        desk.choose(&result.reference, choice).await;
        let outcome = desk.complete(attempt, &result.reference, 1000, true).await;
        assert_eq!(outcome.name(), name, "{outcome:?}");
        assert_eq!(desk.ledger(attempt).await.len(), lines);
    }
}

#[actix_web::test]
async fn an_answer_that_is_lost_is_found_again_and_nothing_is_done_twice() {
    for fault in ["drop_after", "truncate"] {
        let desk = Desk::open();
        let attempt = AttemptId::new();
        desk.fault("/paypal/v2/checkout/orders", json!(fault)).await;
        let lost = desk.perform::<operations::StartCheckout>(&start(attempt, 1000, true)).await;
        assert_eq!(lost.name(), "unknown", "{fault}: {lost:?}");
        let found = desk.look(LookupBy::PaymentAttempt { of: attempt }).await;
        let Found::Payment { outcome: Outcome::RequiresAction { result, .. } } = found else {
            panic!("{found:?}")
        };
        let order = desk.start(attempt, 1000, true).await.reference;
        assert_eq!(order, result.reference, "the same attempt is the same order");
        desk.choose(&order, "approve").await;
        desk.fault(&format!("/paypal/v2/checkout/orders/{order}/capture"), json!(fault)).await;
        let lost = desk.complete(attempt, &order, 1000, true).await;
        assert_eq!(lost.name(), "unknown", "{fault}: {lost:?}");
        let seen = desk.seen(&order).await;
        assert_eq!(seen.name(), "succeeded");
        assert_eq!(desk.complete(attempt, &order, 1000, true).await, seen);
        assert_eq!(desk.ledger(attempt).await, charges(&["10.00"]), "{fault}");
        let payment = seen.result().unwrap();
        let back = AttemptId::new();
        desk.fault("/paypal/v2/payments/captures", json!(fault)).await;
        assert_eq!(desk.refund(back, payment, 300).await.name(), "unknown");
        let by = LookupBy::RefundAttempt { of: back, payment: order.clone() };
        assert!(matches!(desk.look(by).await, Found::Refund { .. }));
        assert_eq!(desk.refund(back, payment, 300).await.name(), "succeeded");
        assert_eq!(desk.ledger(back).await.len(), 1, "{fault}");
    }
}

#[actix_web::test]
async fn what_never_arrived_is_not_found_and_can_be_sent_again() {
    let desk = Desk::open();
    let card = desk.stored(visa()).await;
    let attempt = AttemptId::new();
    desk.fault("/paypal/v2/checkout/orders", json!("drop_before")).await;
    assert_eq!(desk.authorize(attempt, &card.token, true).await.name(), "unknown");
    let question = || desk.look(LookupBy::PaymentAttempt { of: attempt });
    assert_eq!(question().await, Found::Nothing);
    assert_eq!(desk.authorize(attempt, &card.token, true).await.name(), "succeeded");
    let found = question().await;
    assert!(matches!(found, Found::Payment { outcome: Outcome::Succeeded { .. } }), "{found:?}");
    assert_eq!(desk.ledger(attempt).await, charges(&["10.00"]), "a question moves nothing");
}

#[actix_web::test]
async fn a_wrong_answer_of_paypal_is_typed_and_nothing_is_charged() {
    let desk = Desk::open();
    let html =
        json!({"body": "<html>Bad Gateway</html>", "status": 502, "headers": {"content-type": "text/html"}});
    for (fault, name) in [
        (html, "unknown"),
        (json!({"body": "", "status": 201}), "unknown"),
        (json!({"body": "{\"name\":\"INTERNAL_SERVER_ERROR\"}", "status": 200}), "unknown"),
        (json!({"redirect": "http://127.0.0.1:1/"}), "unknown"),
        (json!({"status": 503}), "unknown"),
        (
            json!({"body": "{\"name\":\"RATE_LIMIT_REACHED\"}", "status": 429, "headers": {"retry-after": "7"}}),
            "rejected",
        ),
    ] {
        let attempt = AttemptId::new();
        desk.fault("/paypal/v2/checkout/orders", fault.clone()).await;
        let outcome = desk.perform::<operations::StartCheckout>(&start(attempt, 1000, true)).await;
        assert_eq!(outcome.name(), name, "{fault}");
        if let Outcome::Rejected { rejection } = outcome {
            assert_eq!(rejection.retry_after.as_deref(), Some("7"));
        }
        assert_eq!(desk.ledger(attempt).await, []);
    }
}

#[actix_web::test]
async fn a_token_that_was_taken_back_is_replaced() {
    let desk = Desk::open();
    desk.start(AttemptId::new(), 1000, true).await;
    desk.control(Method::DELETE, "/paypal/tokens", Value::Null).await;
    desk.start(AttemptId::new(), 1000, true).await;
    let counts = desk.sandbox.get("/_sandbox/requests").await.json();
    assert_eq!(counts["counts"]["POST /paypal/v1/oauth2/token"], 2, "{counts}");
    let request = HealthRequest { attempt: AttemptId::new() };
    desk.perform::<operations::Health>(&request).await;
}

#[actix_web::test]
async fn what_paypal_does_not_offer_is_not_sent() {
    let desk = Desk::open();
    let request = wire::payment::CancelSubscription { attempt: AttemptId::new(), subscription: "I-1".into() };
    let answer = desk.ask::<operations::CancelSubscription>(&request).await;
    assert_eq!((answer.status, &answer.json()["error"]["kind"]), (501, &json!("unsupported")));
    assert_eq!(desk.sandbox.get("/_sandbox/requests").await.json()["total"], 0);
}

#[actix_web::test]
async fn a_webhook_is_believed_when_paypal_has_signed_it() {
    let desk = Desk::open();
    desk.control(Method::PUT, "/webhooks/handling", json!({"hold": true})).await;
    let (attempt, back) = (AttemptId::new(), AttemptId::new());
    let payment = desk.paid(attempt, 1000, true).await;
    desk.refund(back, &payment, 400).await;
    let dispute = format!("/paypal/captures/{}/dispute", payment.captures[0]);
    desk.control(Method::POST, &dispute, json!({"event": "created"})).await;
    let held = desk.sandbox.get("/_sandbox/webhooks").await.json()["held"].clone();
    let mut seen = Vec::new();
    for event in held.as_array().unwrap() {
        let path = format!("/_sandbox/webhooks/events/{}", event["event_id"].as_str().unwrap());
        let message = desk.sandbox.get(&path).await.json();
        let webhook = posted(&message, message["body"].as_str().unwrap());
        let event: Event = desk.perform::<operations::VerifyWebhook>(&webhook).await;
        seen.push((event.provider_kind.clone(), event.kind, event.attempt));
        if event.provider_kind == "PAYMENT.CAPTURE.COMPLETED" {
            assert_eq!(event.payment_reference.as_ref(), Some(&payment.reference));
            assert_eq!(event.payment.unwrap().result().unwrap().captured, 1000);
        }
        let changed = posted(&message, &message["body"].as_str().unwrap().replace("EUR", "USD"));
        let answer = desk.ask::<operations::VerifyWebhook>(&changed).await;
        assert_eq!((answer.status, &answer.json()["error"]["kind"]), (403, &json!("invalid_signature")));
    }
    assert_eq!(
        seen,
        [
            ("CHECKOUT.ORDER.APPROVED".to_owned(), EventKind::Payment, Some(attempt)),
            ("PAYMENT.CAPTURE.COMPLETED".to_owned(), EventKind::Payment, Some(attempt)),
            ("PAYMENT.CAPTURE.REFUNDED".to_owned(), EventKind::Refund, Some(back)),
            ("CUSTOMER.DISPUTE.CREATED".to_owned(), EventKind::Dispute, Some(attempt)),
        ]
    );
}

/// A message of the sandbox with another body, as db-server passes it on.
fn posted(message: &Value, body: &str) -> VerifyWebhook {
    let headers = message["headers"].as_array().unwrap().iter().map(|header| Header {
        name: header[0].as_str().unwrap().to_lowercase(),
        value: header[1].as_str().unwrap().to_owned(),
    });
    VerifyWebhook { headers: headers.collect(), body: BASE64.encode(body.as_bytes()) }
}
