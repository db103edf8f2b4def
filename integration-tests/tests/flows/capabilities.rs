//! Every row of every provider's table of capabilities, against the sandbox on real sockets.

use std::{cell::RefCell, collections::BTreeSet};

use actix_web::http::Method;
use data_encoding::BASE64;
use integration_tests::{
    client::Client,
    in_process::{Dummies, Server, provider_proxy_settings, start_provider_proxy, start_sandbox},
    settings::merge,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wire::{
    Currency, Money, Reply,
    payment::{
        AttemptId, Authorize, CancelSubscription, Capture, ChangeSubscriptionPaymentMethod,
        ClientTokenRequest, CompleteCheckout, CreateCustomer, DeletePaymentMethod, Event, Found, Header,
        HealthRequest, Lookup, LookupBy, OperationName, Outcome, Payment, PaymentOperation, Provider,
        ProviderList, Refund, Source, StartCheckout, StorePaymentMethod, Subscribe, Token, VerifyWebhook,
        Void, WebhookChallenge, operations, payment_path,
    },
};

/// provider-proxy and the sandbox, and what one provider has been asked for.
struct Walk {
    provider: Provider,
    sandbox: Client,
    proxy: Client,
    dummies: Dummies,
    asked: RefCell<BTreeSet<OperationName>>,
    _servers: [Server; 2],
}

impl Walk {
    /// Webhooks go to provider-proxy itself, which does not take them: the sandbox keeps them all the same.
    async fn of(provider: Provider) -> Self {
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
    async fn ask<O: PaymentOperation>(&self, request: &O::Request) -> O::Answer {
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
    async fn play(&self, path: &str, body: Value) -> Value {
        let answer = self.sandbox.post(path, &body).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    async fn requests(&self) -> u64 {
        self.sandbox.get("/_sandbox/requests").await.json()["total"].as_u64().unwrap()
    }

    /// Asks for what the table denies and compares the table with what was asked.
    async fn finish(self) {
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

    async fn authorize(&self, source: Source, capture: bool) -> Payment {
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

    async fn capture(&self, payment: &Payment) -> String {
        let request = Capture {
            attempt: attempt(),
            payment: payment.reference.clone(),
            amount: money(600),
            last: true,
        };
        self.succeed::<operations::Capture, _>(&request).await.reference
    }

    async fn refund(&self, payment: &str, capture: Option<String>) {
        let request = Refund { attempt: attempt(), payment: payment.to_owned(), capture, amount: money(150) };
        let refunded = self.succeed::<operations::Refund, _>(&request).await;
        assert_eq!(refunded.amount, money(150));
    }

    /// Looks a payment up, of which this much has been captured.
    async fn look_up(&self, payment: &str, captured: i64) {
        let by = LookupBy::Payment { reference: payment.to_owned() };
        match self.ask::<operations::Lookup>(&Lookup { attempt: attempt(), by }).await {
            Found::Payment { outcome } => assert_eq!(outcome.result().unwrap().captured, captured),
            other => panic!("{other:?}"),
        }
    }

    async fn health(&self) {
        self.ask::<operations::Health>(&HealthRequest { attempt: attempt() }).await;
    }

    async fn client_token(&self, customer: Option<String>) -> Token {
        let request = ClientTokenRequest { attempt: attempt(), customer };
        self.succeed::<operations::ClientToken, _>(&request).await.token
    }

    async fn customer(&self) -> String {
        let request = CreateCustomer {
            attempt: attempt(),
            reference: Some("payer-1".into()),
            email: Some("a@b.test".into()),
        };
        self.succeed::<operations::CreateCustomer, _>(&request).await.reference
    }

    async fn store(&self, customer: &str, nonce: impl Into<Token>) -> Token {
        let request =
            StorePaymentMethod { attempt: attempt(), customer: customer.to_owned(), nonce: nonce.into() };
        self.succeed::<operations::StorePaymentMethod, _>(&request).await.token
    }

    async fn delete(&self, payment_method: Token) {
        let request = DeletePaymentMethod { attempt: attempt(), payment_method };
        self.succeed::<operations::DeletePaymentMethod, _>(&request).await;
    }

    async fn void(&self, payment: &Payment) {
        let request = Void { attempt: attempt(), payment: payment.reference.clone() };
        assert!(self.succeed::<operations::Void, _>(&request).await.voided);
    }

    /// Starts a subscription, moves it to another payment method and ends it.
    async fn subscribe(&self, customer: &str, first: Token, second: Token, plan: &str) {
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
    async fn webhook(&self) {
        let told = self.sandbox.get("/_sandbox/webhooks?wait=true").await.json();
        let last = told["deliveries"].as_array().unwrap().last().expect("an event has been posted").clone();
        let path = format!("/_sandbox/webhooks/events/{}", last["event_id"].as_str().unwrap());
        let message = self.sandbox.get(&path).await.json();
        let headers: Vec<(String, String)> = serde_json::from_value(message["headers"].clone()).unwrap();
        let event = self.verify(headers, message["body"].as_str().unwrap()).await;
        assert_eq!(event.provider, self.provider);
        assert!(!event.id.is_empty());
    }

    async fn verify(&self, headers: Vec<(String, String)>, body: &str) -> Event {
        let headers = headers.into_iter().map(|(name, value)| Header { name: name.to_lowercase(), value });
        let body = BASE64.encode(body.as_bytes());
        self.ask::<operations::VerifyWebhook>(&VerifyWebhook { headers: headers.collect(), body }).await
    }

    /// Starts a checkout, plays its payer, and completes it.
    async fn check_out(&self, product: Option<String>) -> Payment {
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

fn attempt() -> AttemptId {
    AttemptId::new()
}

fn money(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

fn stored(token: &Token, customer: &str) -> Source {
    Source::PaymentMethod { token: token.clone(), customer: Some(customer.to_owned()) }
}

#[actix_web::test]
async fn stripe_offers_what_its_table_says_and_nothing_else() {
    let walk = Walk::of(Provider::Stripe).await;
    let bearer = format!("Bearer {}", walk.dummies.stripe.secret_key.expose_secret());
    let price =
        walk.sandbox.request(Method::POST, "/stripe/v1/prices").header("Authorization", &bearer).form(&[
            ("unit_amount", "500"),
            ("currency", "eur"),
            ("recurring[interval]", "month"),
            ("product_data[name]", "a plan"),
        ]);
    let plan = price.answer().await.json()["id"].as_str().unwrap().to_owned();
    walk.health().await;
    let customer = walk.customer().await;
    walk.client_token(Some(customer.clone())).await;
    let first = walk.store(&customer, "pm_card_visa").await;
    let second = walk.store(&customer, "pm_card_mastercard").await;
    let payment = walk.authorize(stored(&first, &customer), false).await;
    walk.capture(&payment).await;
    walk.refund(&payment.reference, None).await;
    walk.look_up(&payment.reference, 600).await;
    walk.void(&walk.authorize(stored(&first, &customer), false).await).await;
    walk.webhook().await;
    walk.subscribe(&customer, first.clone(), second, &plan).await;
    walk.delete(first).await;
    walk.finish().await;
}

#[actix_web::test]
async fn paypal_offers_what_its_table_says_and_nothing_else() {
    let walk = Walk::of(Provider::Paypal).await;
    walk.health().await;
    let customer = walk.customer().await;
    let setup = walk.client_token(Some(customer.clone())).await;
    let card = json!({"number": "4111111111111111", "expiry": "2031-12"});
    walk.play(&format!("/_sandbox/paypal/setup-tokens/{}/card", setup.expose()), card).await;
    let method = walk.store(&customer, setup).await;
    let payment = walk.authorize(stored(&method, &customer), false).await;
    let capture = walk.capture(&payment).await;
    walk.refund(&payment.reference, Some(capture)).await;
    walk.look_up(&payment.reference, 600).await;
    walk.void(&walk.authorize(stored(&method, &customer), false).await).await;
    let paid = walk.check_out(None).await;
    walk.refund(&paid.reference, None).await;
    walk.webhook().await;
    walk.delete(method).await;
    walk.finish().await;
}

#[actix_web::test]
async fn braintree_offers_what_its_table_says_and_nothing_else() {
    let walk = Walk::of(Provider::Braintree).await;
    let account = &walk.dummies.braintree;
    let pair = format!("{}:{}", account.public_key, account.private_key.expose_secret());
    let plan = "<plan><id>monthly</id><price>5.00</price><currency-iso-code>EUR</currency-iso-code>\
                <billing-frequency type=\"integer\">1</billing-frequency></plan>";
    let path = format!("/braintree/merchants/{}/plans", account.merchant_id);
    let made = walk
        .sandbox
        .request(Method::POST, &path)
        .header("Authorization", &format!("Basic {}", BASE64.encode(pair.as_bytes())))
        .header("X-ApiVersion", "6")
        .raw(plan.as_bytes(), "application/xml");
    assert_eq!(made.answer().await.status, 201);
    walk.health().await;
    let customer = walk.customer().await;
    walk.client_token(Some(customer.clone())).await;
    let first = walk.store(&customer, "fake-valid-nonce").await;
    let second = walk.store(&customer, "fake-valid-mastercard-nonce").await;
    let payment = walk.authorize(stored(&first, &customer), false).await;
    walk.capture(&payment).await;
    walk.play(&format!("/_sandbox/braintree/transactions/{}/settle", payment.reference), json!({})).await;
    walk.refund(&payment.reference, None).await;
    walk.look_up(&payment.reference, 600).await;
    walk.void(&walk.authorize(stored(&first, &customer), false).await).await;
    walk.subscribe(&customer, first.clone(), second, "monthly").await;
    walk.webhook().await;
    let challenge = WebhookChallenge { challenge: "0123456789abcdef0123".into() };
    let answer = walk.ask::<operations::AnswerWebhookChallenge>(&challenge).await;
    assert!(answer.verification.contains('|'));
    walk.delete(first).await;
    walk.finish().await;
}

#[actix_web::test]
async fn the_reference_provider_offers_what_its_table_says_and_nothing_else() {
    let walk = Walk::of(Provider::Reference).await;
    let own = async |operation: &str, body: Value| -> String {
        let answer = walk.proxy.post(&format!("/v1/reference/{operation}"), &body).await;
        assert_eq!(answer.status, 201, "{operation}: {answer:?}");
        answer.json()["result"]["resource_pk"].as_str().unwrap().to_owned()
    };
    let seller = json!({
        "uuid": "seller-1", "name": "a", "email": "a@b.test", "status": "ACTIVE", "agreement": "2026-01-02",
    });
    let seller = own("create_seller", seller).await;
    let product = json!({"seller_id": seller, "external_id": "x", "uuid": "product-1", "name": "a"});
    let product = own("create_product", product).await;
    walk.health().await;
    let payment = walk.check_out(Some(product)).await;
    walk.look_up(&payment.reference, 1000).await;
    let signed = {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let text = format!("ext_transaction_id={}", attempt());
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(walk.dummies.notice_key.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let sig = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
        format!("{text}&sig={}:{sig}", integration_tests::settings::NOTICE_KEY_ID)
    };
    let form =
        format!("signed_notice={}", signed.replace('=', "%3D").replace('&', "%26").replace(':', "%3A"));
    let event = walk.verify(Vec::new(), &form).await;
    assert_eq!(event.provider_kind, "success");
    walk.finish().await;
}
