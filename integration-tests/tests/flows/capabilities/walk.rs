//! Asks one provider for its operations, and keeps which.

use std::{cell::RefCell, collections::BTreeSet};

use data_encoding::BASE64;
use integration_tests::{
    client::Client,
    in_process::{Dummies, Server, provider_proxy_settings, start_provider_proxy, start_sandbox},
    settings::merge,
};
use serde_json::{Value, json};
use wire::{
    Currency, Money, Reply,
    payment::{
        AttemptId, Authorize, CancelSubscription, Capture, ChangeSubscriptionPaymentMethod,
        ClientTokenRequest, CompleteCheckout, CreateCustomer, DeletePaymentMethod, Event, Found, Header,
        HealthRequest, ListMovements, Lookup, LookupBy, MovementKind, OperationName, Outcome, Payment,
        PaymentOperation, Provider, ProviderList, Refund, Source, StartCheckout, StorePaymentMethod,
        Subscribe, Token, VerifyWebhook, Void, operations, payment_path,
    },
};

/// provider-proxy and the sandbox, and what one provider has been asked for.
pub(super) struct Walk {
    provider: Provider,
    pub(super) sandbox: Client,
    pub(super) proxy: Client,
    pub(super) dummies: Dummies,
    asked: RefCell<BTreeSet<OperationName>>,
    _servers: [Server; 2],
}

impl Walk {
    /// Webhooks go to provider-proxy itself, which does not take them: the sandbox keeps them all the same.
    pub(super) async fn of(provider: Provider) -> Self {
        let dummies = Dummies::default();
        let sandbox = start_sandbox(&dummies);
        let mut settings = provider_proxy_settings(sandbox.url(), &dummies);
        // On a loopback address requests need no token then.
        settings.remove("identity");
        let checkout =
            format!("[providers.reference.checkout]\ncallback_url = \"{}/callback\"", sandbox.url());
        merge(&mut settings, checkout.parse().unwrap());
        let proxy = start_provider_proxy(settings);
        let walk = Self {
            provider,
            sandbox: Client::unsigned(sandbox.url()),
            proxy: Client::unsigned(proxy.url()),
            dummies,
            asked: RefCell::default(),
            _servers: [sandbox, proxy],
        };
        if provider != Provider::Reference {
            let url = format!("{}/services/status/", walk._servers[1].url());
            walk.play("/_sandbox/webhooks", json!({"provider": provider, "url": url})).await;
        }
        walk
    }

    /// Asks for an operation, whose answer must be of its type.
    pub(super) async fn ask<O: PaymentOperation>(&self, request: &O::Request) -> O::Answer {
        self.asked.borrow_mut().insert(O::NAME);
        let path = payment_path::<O>(self.provider);
        let answer = self.proxy.post(&path, &serde_json::to_value(request).unwrap()).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        match serde_json::from_slice(&answer.body) {
            Ok(Reply::Result(result)) => result,
            _ => panic!("{path}: {answer:?}"),
        }
    }

    /// Asks for an operation that must succeed, or be pending at the provider.
    async fn succeed<O, T>(&self, request: &O::Request) -> T
    where
        O: PaymentOperation<Answer = Outcome<T>>,
        T: Clone + std::fmt::Debug,
    {
        match self.ask::<O>(request).await {
            Outcome::Succeeded { result } | Outcome::Pending { result } => result,
            other => panic!("{} {}: {other:?}", self.provider, O::NAME),
        }
    }

    /// Does something on the sandbox's own side.
    pub(super) async fn play(&self, path: &str, body: Value) -> Value {
        let answer = self.sandbox.post(path, &body).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    async fn requests(&self) -> u64 {
        self.sandbox.get("/_sandbox/requests").await.json()["total"].as_u64().unwrap()
    }

    /// Asks for what the table denies and compares the table with what was asked.
    pub(super) async fn finish(self) {
        let list: ProviderList = serde_json::from_slice(&self.proxy.get("/v1/providers").await.body).unwrap();
        let state = list.providers.iter().find(|state| state.provider == self.provider).unwrap();
        assert!(state.configured);
        let offered: BTreeSet<_> =
            state.operations.iter().filter(|row| row.supported).map(|row| row.operation).collect();
        assert_eq!(*self.asked.borrow(), offered, "every row that says yes has been asked for, and no other");
        let before = self.requests().await;
        for row in state.operations.iter().filter(|row| !row.supported) {
            let path = format!("/v1/{}/{}", self.provider, row.operation);
            let answer = self.proxy.post(&path, &json!({"attempt": attempt()})).await;
            assert_eq!(
                (answer.status, &answer.json()["error"]["kind"]),
                (501, &json!("unsupported")),
                "{path}"
            );
        }
        assert_eq!(self.requests().await, before, "what is not offered is not sent");
    }

    pub(super) async fn authorize(&self, source: Source, capture: bool) -> Payment {
        let request = Authorize {
            attempt: attempt(),
            amount: money(1000),
            source,
            capture,
            description: None,
            return_url: None,
            metadata: [].into(),
        };
        self.succeed::<operations::Authorize, _>(&request).await
    }

    pub(super) async fn capture(&self, payment: &Payment) -> String {
        let request = Capture {
            attempt: attempt(),
            payment: payment.reference.clone(),
            amount: money(600),
            last: true,
        };
        self.succeed::<operations::Capture, _>(&request).await.reference
    }

    pub(super) async fn refund(&self, payment: &str, capture: Option<String>) {
        let request = Refund { attempt: attempt(), payment: payment.to_owned(), capture, amount: money(150) };
        let refunded = self.succeed::<operations::Refund, _>(&request).await;
        assert_eq!(refunded.amount, money(150));
    }

    /// Looks a payment up, of which this much has been captured.
    pub(super) async fn look_up(&self, payment: &str, captured: i64) {
        let by = LookupBy::Payment { reference: payment.to_owned() };
        match self.ask::<operations::Lookup>(&Lookup { attempt: attempt(), by }).await {
            Found::Payment { outcome } => assert_eq!(outcome.result().unwrap().captured, captured),
            other => panic!("{other:?}"),
        }
    }

    /// Lists the charges and refunds of today, which come to these minor units.
    pub(super) async fn list(&self, charged: i64, refunded: i64) {
        let day = chrono::Utc::now().date_naive();
        let time = |days: i64| format!("{}T00:00:00Z", day + chrono::TimeDelta::days(days));
        let mut request = ListMovements { attempt: attempt(), from: time(-1), to: time(2), cursor: None };
        let mut sums = [0, 0];
        loop {
            let page = self.ask::<operations::ListMovements>(&request).await;
            for one in page.movements {
                sums[usize::from(one.kind == MovementKind::Refund)] += one.amount.minor_units;
            }
            let Some(next) = page.next else { break };
            request.cursor = Some(next);
        }
        assert_eq!(sums, [charged, refunded]);
    }

    pub(super) async fn health(&self) {
        self.ask::<operations::Health>(&HealthRequest { attempt: attempt() }).await;
    }

    pub(super) async fn client_token(&self, customer: Option<String>) -> Token {
        let request = ClientTokenRequest { attempt: attempt(), customer };
        self.succeed::<operations::ClientToken, _>(&request).await.token
    }

    pub(super) async fn customer(&self) -> String {
        let request = CreateCustomer {
            attempt: attempt(),
            reference: Some("payer-1".into()),
            email: Some("a@b.test".into()),
        };
        self.succeed::<operations::CreateCustomer, _>(&request).await.reference
    }

    pub(super) async fn store(&self, customer: &str, nonce: impl Into<Token>) -> Token {
        let request =
            StorePaymentMethod { attempt: attempt(), customer: customer.to_owned(), nonce: nonce.into() };
        self.succeed::<operations::StorePaymentMethod, _>(&request).await.token
    }

    pub(super) async fn delete(&self, payment_method: Token) {
        let request = DeletePaymentMethod { attempt: attempt(), payment_method };
        self.succeed::<operations::DeletePaymentMethod, _>(&request).await;
    }

    pub(super) async fn void(&self, payment: &Payment) {
        let request = Void { attempt: attempt(), payment: payment.reference.clone() };
        assert!(self.succeed::<operations::Void, _>(&request).await.voided);
    }

    /// Starts a subscription, moves it to another payment method and ends it.
    pub(super) async fn subscribe(&self, customer: &str, first: Token, second: Token, plan: &str) {
        let request = Subscribe {
            attempt: attempt(),
            customer: Some(customer.to_owned()),
            payment_method: first,
            plan: plan.to_owned(),
            amount: None,
        };
        let subscription = self.succeed::<operations::Subscribe, _>(&request).await.reference;
        let change = ChangeSubscriptionPaymentMethod {
            attempt: attempt(),
            subscription: subscription.clone(),
            payment_method: second,
        };
        self.succeed::<operations::ChangeSubscriptionPaymentMethod, _>(&change).await;
        let cancel = CancelSubscription { attempt: attempt(), subscription };
        self.succeed::<operations::CancelSubscription, _>(&cancel).await;
    }

    /// Has the last event verified that the sandbox has posted.
    pub(super) async fn webhook(&self) {
        let told = self.sandbox.get("/_sandbox/webhooks?wait=true").await.json();
        let last = told["deliveries"].as_array().unwrap().last().expect("an event has been posted").clone();
        let path = format!("/_sandbox/webhooks/events/{}", last["event_id"].as_str().unwrap());
        let message = self.sandbox.get(&path).await.json();
        let headers: Vec<(String, String)> = serde_json::from_value(message["headers"].clone()).unwrap();
        let event = self.verify(headers, message["body"].as_str().unwrap()).await;
        assert_eq!(event.provider, self.provider);
        assert!(!event.id.is_empty());
    }

    pub(super) async fn verify(&self, headers: Vec<(String, String)>, body: &str) -> Event {
        let headers = headers.into_iter().map(|(name, value)| Header { name: name.to_lowercase(), value });
        let body = BASE64.encode(body.as_bytes());
        self.ask::<operations::VerifyWebhook>(&VerifyWebhook { headers: headers.collect(), body }).await
    }

    /// Starts a checkout, plays its payer, and completes it.
    pub(super) async fn check_out(&self, product: Option<String>) -> Payment {
        let request = StartCheckout {
            attempt: attempt(),
            amount: money(1000),
            capture: true,
            return_url: "https://shop.example.test/back".into(),
            cancel_url: "https://shop.example.test/cancelled".into(),
            description: None,
            product,
        };
        let checkout = self.succeed::<operations::StartCheckout, _>(&request).await.reference;
        self.play(&format!("/_sandbox/waiting/{}/{checkout}/approve", self.provider), json!({})).await;
        let (attempt, amount) = (attempt(), money(1000));
        let request = CompleteCheckout { attempt, checkout, amount, capture: true };
        let payment = self.succeed::<operations::CompleteCheckout, _>(&request).await;
        assert_eq!(payment.captured, 1000);
        payment
    }
}

pub(super) fn attempt() -> AttemptId {
    AttemptId::new()
}

fn money(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

pub(super) fn stored(token: &Token, customer: &str) -> Source {
    Source::PaymentMethod { token: token.clone(), customer: Some(customer.to_owned()) }
}
