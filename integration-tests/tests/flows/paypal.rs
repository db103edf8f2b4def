//! Every operation of PayPal, through provider-proxy against the sandbox: what the payer is charged and gets back is
//! what was said, whatever goes wrong.

mod lost_answers;
mod payments;
mod webhooks;

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
