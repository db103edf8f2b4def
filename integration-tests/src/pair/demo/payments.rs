//! A client of `/payments/`: each request that moves money goes under a key of its own, and is told as a step.

use actix_web::http::Method;
use serde_json::{Value, json};
use wire::payment::Provider;

use super::super::{
    running::Pair,
    steps::{Call, Called, Route, StepError, Steps},
};
use crate::client::Client;

/// Where payers would come back to.
pub(super) const SHOP: &str = "https://shop.example.test";

const PAYMENTS: &str = "/payments/";
const OURS: Route = Route { from: "client", to: &["db-server"] };

/// Takes payments for one product.
pub(super) struct Payments<'a> {
    /// Where each request is told.
    pub(super) steps: &'a mut Steps,
    client: Client,
    sandbox: Client,
    product: String,
}

impl<'a> Payments<'a> {
    /// By the pair's own client, for this product.
    pub(super) fn new(pair: &Pair, steps: &'a mut Steps, product: String) -> Self {
        let (key, secret) = pair.client();
        let client = Client::signed(pair.db_server(), key, secret);
        Self { steps, client, sandbox: Client::unsigned(pair.sandbox()), product }
    }

    /// What is asked for to sell the product: `price` is an amount and its currency, `fields` say how it is paid.
    pub(super) fn order(&self, provider: Provider, price: (&str, &str), fields: Value) -> Value {
        let (amount, currency) = price;
        let mut order = json!({
            "provider": provider, "amount": amount, "currency": currency, "seller_product": self.product,
        });
        if let (Some(order), Value::Object(fields)) = (order.as_object_mut(), fields) {
            order.extend(fields);
        }
        order
    }

    /// Asks for a payment, which must be of this status then, and tells it.
    ///
    /// # Errors
    /// [`StepError`] for any other answer.
    pub(super) async fn pay(
        &mut self,
        provider: Provider,
        key: &str,
        order: &Value,
        outcome: &str,
    ) -> Result<Called, StepError> {
        let called = self.post(through(provider), PAYMENTS.to_owned(), key, order, 201).await?;
        self.tell_payment(&called, key, outcome)?;
        Ok(called)
    }

    /// Sends an order again under its key: the answer must be the first one, to the byte.
    ///
    /// # Errors
    /// [`StepError`] for any other answer.
    pub(super) async fn pay_again(
        &mut self,
        key: &str,
        order: &Value,
        first: &Called,
    ) -> Result<(), StepError> {
        let again = self.post(OURS, PAYMENTS.to_owned(), key, order, first.answer.status).await?;
        let replayed = again.header("idempotent-replayed")?;
        if replayed != "true" || again.answer.body != first.answer.body {
            let reason = format!("another answer than {:?}: {:?}", first.answer, again.answer);
            return Err(self.steps.error(PAYMENTS, reason));
        }
        let payment = again.text("/resource_uri")?;
        self.steps.tell(&again, &[("payment", &payment), ("key", key), ("answer", "the same bytes again")]);
        Ok(())
    }

    /// Asks for a payment that must be declined, and tells why it is and what may help.
    ///
    /// # Errors
    /// [`StepError`] for any other answer.
    pub(super) async fn decline(
        &mut self,
        provider: Provider,
        key: &str,
        order: &Value,
    ) -> Result<(), StepError> {
        let called = self.post(through(provider), PAYMENTS.to_owned(), key, order, 402).await?;
        self.tell_decline(&called, key)
    }

    /// The payer has come back from the provider's page, and the payment must be captured.
    ///
    /// # Errors
    /// [`StepError`] for any other answer.
    pub(super) async fn complete(
        &mut self,
        provider: Provider,
        payment: &str,
        key: &str,
    ) -> Result<(), StepError> {
        let path = format!("{payment}complete/");
        let called = self.post(through(provider), path, key, &json!({}), 200).await?;
        self.tell_payment(&called, key, "captured")
    }

    /// The payer has come back from the provider's page, and the payment must be declined.
    ///
    /// # Errors
    /// [`StepError`] for any other answer.
    pub(super) async fn complete_in_vain(
        &mut self,
        provider: Provider,
        payment: &str,
        key: &str,
    ) -> Result<(), StepError> {
        let path = format!("{payment}complete/");
        let called = self.post(through(provider), path, key, &json!({}), 402).await?;
        self.tell_decline(&called, key)
    }

    /// Takes a part of an authorization and gives up the rest.
    ///
    /// # Errors
    /// [`StepError`] when the provider does not do it.
    pub(super) async fn capture(
        &mut self,
        provider: Provider,
        payment: &str,
        key: &str,
        amount: &str,
    ) -> Result<(), StepError> {
        let (path, body) = (format!("{payment}capture/"), json!({"amount": amount, "last": true}));
        let called = self.post(through(provider), path, key, &body, 200).await?;
        called.check("/captured_amount", &json!(amount))?;
        self.tell_payment(&called, key, "captured")
    }

    /// Gives a part of a payment back, and tells it.
    ///
    /// # Errors
    /// [`StepError`] when the provider does not do it.
    pub(super) async fn refund(
        &mut self,
        provider: Provider,
        payment: &str,
        key: &str,
        amount: &str,
    ) -> Result<(), StepError> {
        let (path, body) = (format!("{payment}refunds/"), json!({"amount": amount}));
        let called = self.post(through(provider), path, key, &body, 201).await?;
        called.check("/status", &json!("succeeded"))?;
        called.check("/amount", &json!(amount))?;
        let currency = called.text("/currency")?;
        let refunded = format!("{amount} {currency}");
        self.steps.tell(&called, &[("payment", payment), ("key", key), ("refunded", &refunded)]);
        Ok(())
    }

    /// Reads what needs no provider; it is not told yet.
    ///
    /// # Errors
    /// [`StepError`] for any other status than 200.
    pub(super) async fn read(&self, path: String) -> Result<Called, StepError> {
        let (client, method) = (&self.client, Method::GET);
        let call = Call { route: OURS, client, method, path, body: None, header: None, expected: 200 };
        self.steps.call(call).await
    }

    /// Plays somebody on the provider's side, and tells what it does to a payment.
    ///
    /// # Errors
    /// [`StepError`] for any other status than the expected one.
    pub(super) async fn play(
        &mut self,
        route: Route,
        path: String,
        expected: u16,
        ids: &[(&str, &str)],
    ) -> Result<(), StepError> {
        let (client, method) = (&self.sandbox, Method::POST);
        let call = Call { route, client, method, path, body: None, header: None, expected };
        let played = self.steps.call(call).await?;
        self.steps.tell(&played, ids);
        Ok(())
    }

    async fn post(
        &self,
        route: Route,
        path: String,
        key: &str,
        body: &Value,
        expected: u16,
    ) -> Result<Called, StepError> {
        let (client, method) = (&self.client, Method::POST);
        let (body, header) = (Some(body.clone()), Some(("Idempotency-Key", key.to_owned())));
        self.steps.call(Call { route, client, method, path, body, header, expected }).await
    }

    fn tell_payment(&mut self, called: &Called, key: &str, outcome: &str) -> Result<(), StepError> {
        called.check("/status", &json!(outcome))?;
        let (payment, currency) = (called.text("/resource_uri")?, called.text("/currency")?);
        let captured = called.text("/captured_amount")?;
        let captured = format!("{captured} {currency}");
        let mut ids = vec![("payment", payment.as_str()), ("key", key), ("outcome", outcome)];
        if outcome == "captured" {
            ids.push(("amount", &captured));
        }
        self.steps.tell(called, &ids);
        Ok(())
    }

    fn tell_decline(&mut self, called: &Called, key: &str) -> Result<(), StepError> {
        called.check("/status", &json!("declined"))?;
        let payment = called.text("/resource_uri")?;
        let (code, advice) = (called.text("/decline/code")?, called.text("/decline/advice")?);
        let ids = [
            ("payment", &*payment),
            ("key", key),
            ("outcome", "declined"),
            ("code", &code),
            ("advice", &advice),
        ];
        self.steps.tell(called, &ids);
        Ok(())
    }
}

/// The payer at a provider's page.
pub(super) fn payer(provider: Provider) -> Route {
    Route { from: "payer", to: last(provider) }
}

/// Time that passes at a provider.
pub(super) fn time(provider: Provider) -> Route {
    Route { from: "time", to: last(provider) }
}

fn through(provider: Provider) -> Route {
    let to: &[&str] = match provider {
        Provider::Reference => &["db-server", "provider-proxy", "reference"],
        Provider::Stripe => &["db-server", "provider-proxy", "stripe"],
        Provider::Paypal => &["db-server", "provider-proxy", "paypal"],
        Provider::Braintree => &["db-server", "provider-proxy", "braintree"],
    };
    Route { from: "client", to }
}

fn last(provider: Provider) -> &'static [&'static str] {
    let Route { to, .. } = through(provider);
    &to[to.len() - 1..]
}
