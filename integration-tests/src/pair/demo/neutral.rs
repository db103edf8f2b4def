//! The neutral operations of provider-proxy, asked as db-server asks them: with an identity that its key has signed.

use actix_web::http::Method;
use serde_json::{Value, json};
use wire::{
    Money,
    payment::{AttemptId, Lookup, LookupBy, PaymentOperation, Provider, Refund, operations, payment_path},
};

use super::super::{
    PairError,
    running::Pair,
    steps::{Call, Called, Route, StepError, Steps},
};
use crate::client::Client;

/// All payments of the demonstration are in this currency.
pub(super) const CURRENCY: &str = "EUR";

/// Where payers would come back to.
pub(super) const SHOP: &str = "https://shop.example.test";

/// Asks for operations and tells each as a step.
pub(super) struct Neutral<'a> {
    steps: &'a mut Steps,
    proxy: Client,
    sandbox: Client,
    identity: String,
}

impl<'a> Neutral<'a> {
    /// At the pair's provider-proxy.
    ///
    /// # Errors
    /// [`PairError`] when db-server's settings do not say how it signs.
    pub(super) fn new(pair: &Pair, steps: &'a mut Steps) -> Result<Self, PairError> {
        let (proxy, sandbox) = (Client::unsigned(pair.provider_proxy()), Client::unsigned(pair.sandbox()));
        Ok(Self { steps, proxy, sandbox, identity: pair.identity()? })
    }

    /// Asks for one operation, whose outcome must be this one.
    ///
    /// # Errors
    /// [`StepError`] for any other answer.
    pub(super) async fn ask<O: PaymentOperation>(
        &mut self,
        provider: Provider,
        request: &O::Request,
        outcome: &str,
    ) -> Result<Called, StepError> {
        let called = self.call::<O>(provider, request).await?;
        called.check("/result/outcome", &json!(outcome))?;
        Ok(called)
    }

    /// Gives a part of a payment back, and tells it.
    ///
    /// # Errors
    /// [`StepError`] when the provider does not do it.
    pub(super) async fn refund(
        &mut self,
        provider: Provider,
        payment: &str,
        amount: Money,
    ) -> Result<(), StepError> {
        let request =
            Refund { attempt: AttemptId::new(), payment: payment.to_owned(), capture: None, amount };
        let refunded = self.call::<operations::Refund>(provider, &request).await?;
        let outcome = refunded.text("/result/outcome")?;
        if !["succeeded", "pending"].contains(&outcome.as_str()) {
            return Err(self.error::<operations::Refund>(provider, format!("the refund is {outcome}")));
        }
        refunded.check("/result/result/amount/minor_units", &json!(amount.minor_units))?;
        let refund = refunded.text("/result/result/reference")?;
        self.tell(&refunded, &[("refund", &refund), ("amount", &amount.decimal())]);
        Ok(())
    }

    /// Looks a payment up, which must have succeeded, and tells how much of it has been captured.
    ///
    /// # Errors
    /// [`StepError`] for anything else.
    pub(super) async fn look_up(
        &mut self,
        provider: Provider,
        payment: &str,
        amount: Money,
    ) -> Result<(), StepError> {
        let by = LookupBy::Payment { reference: payment.to_owned() };
        let request = Lookup { attempt: AttemptId::new(), by };
        let found = self.call::<operations::Lookup>(provider, &request).await?;
        found.check("/result/outcome/outcome", &json!("succeeded"))?;
        found.check("/result/outcome/result/captured", &json!(amount.minor_units))?;
        self.tell(&found, &[("payment", payment), ("captured", &amount.decimal())]);
        Ok(())
    }

    /// The payer approves what waits at a provider, and this is told.
    ///
    /// # Errors
    /// [`StepError`] when nothing of this id waits.
    pub(super) async fn approve(&mut self, provider: Provider, id: &str) -> Result<(), StepError> {
        let path = format!("/_sandbox/waiting/{provider}/{id}/approve");
        let approved = self.play(payer(provider), path, None, 200).await?;
        self.tell(&approved, &[("payment", id), ("payer", "approves")]);
        Ok(())
    }

    /// Plays somebody on the provider's side.
    ///
    /// # Errors
    /// [`StepError`] for any other status than the expected one.
    pub(super) async fn play(
        &self,
        route: Route,
        path: String,
        body: Option<Value>,
        expected: u16,
    ) -> Result<Called, StepError> {
        let (client, method) = (&self.sandbox, Method::POST);
        self.steps.call(Call { route, client, method, path, body, header: None, expected }).await
    }

    /// Makes a call of somebody else's.
    ///
    /// # Errors
    /// [`StepError`] for any other status than the expected one.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Called, StepError> {
        self.steps.call(call).await
    }

    /// Prints a line for a person.
    pub(super) fn say(&self, line: &str) {
        self.steps.say(line);
    }

    /// An error of the step that comes next.
    pub(super) fn failure(&self, request: &str, reason: String) -> StepError {
        self.steps.error(request, reason)
    }

    /// Tells a call and keeps it.
    pub(super) fn tell(&mut self, called: &Called, ids: &[(&str, &str)]) {
        self.steps.tell(called, ids);
    }

    /// Tells a payment that was made or waits for its payer, and what came of it so far.
    ///
    /// # Errors
    /// [`StepError`] when the answer does not name the payment.
    pub(super) fn tell_payment(&mut self, called: &Called, outcome: &str) -> Result<String, StepError> {
        let payment = called.text("/result/result/reference")?;
        self.tell(called, &[("payment", &payment), ("outcome", outcome)]);
        Ok(payment)
    }

    /// Tells a decline by its code and what may help.
    ///
    /// # Errors
    /// [`StepError`] when the answer does not say them.
    pub(super) fn tell_decline(&mut self, called: &Called) -> Result<(), StepError> {
        let code = called.text("/result/decline/code")?;
        let advice = called.text("/result/decline/advice")?;
        self.tell(called, &[("outcome", "declined"), ("code", &code), ("advice", &advice)]);
        Ok(())
    }

    fn error<O: PaymentOperation>(&self, provider: Provider, reason: String) -> StepError {
        self.steps.error(&format!("POST {}", payment_path::<O>(provider)), reason)
    }

    async fn call<O: PaymentOperation>(
        &self,
        provider: Provider,
        request: &O::Request,
    ) -> Result<Called, StepError> {
        let body = serde_json::to_value(request);
        let body = body.map_err(|error| self.error::<O>(provider, error.to_string()))?;
        let call = Call {
            route: asking(provider),
            client: &self.proxy,
            method: Method::POST,
            path: payment_path::<O>(provider),
            body: Some(body),
            header: Some(("Authorization", self.identity.clone())),
            expected: 200,
        };
        self.steps.call(call).await
    }
}

/// An amount in the demonstration's currency.
///
/// # Errors
/// [`StepError`] when it is no amount, which is a defect of the demonstration.
pub(super) fn money(steps: &Neutral<'_>, decimal: &str) -> Result<Money, StepError> {
    let currency = wire::Currency::parse(CURRENCY);
    let money = currency.and_then(|currency| Money::parse(decimal, currency));
    money.map_err(|error| steps.steps.error(decimal, error.to_string()))
}

fn asking(provider: Provider) -> Route {
    let to: &[&str] = match provider {
        Provider::Reference => &["provider-proxy", "reference"],
        Provider::Stripe => &["provider-proxy", "stripe"],
        Provider::Paypal => &["provider-proxy", "paypal"],
        Provider::Braintree => &["provider-proxy", "braintree"],
    };
    Route { from: "as db-server", to }
}

/// The payer at a provider's page.
pub(super) fn payer(provider: Provider) -> Route {
    let to: &[&str] = match provider {
        Provider::Reference => &["reference"],
        Provider::Stripe => &["stripe"],
        Provider::Paypal => &["paypal"],
        Provider::Braintree => &["braintree"],
    };
    Route { from: "payer", to }
}
