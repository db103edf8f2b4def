//! Stripe: payments, refunds, customers, payment methods and subscriptions through its API, and its webhooks.

mod amount;
mod client;
mod config;
mod customer;
mod error;
mod lookup;
mod messages;
mod movements;
mod payment;
mod subscription;
mod webhook;

use chassis::{client::ClientError, settings::SecretString};
use wire::payment::{
    Authorize, CancelSubscription, Capture, Captured, ChangeSubscriptionPaymentMethod, ClientToken,
    ClientTokenRequest, CreateCustomer, Customer, DeletePaymentMethod, Deleted, Event, Found, HealthRequest,
    Healthy, ListMovements, Lookup, Movements, OperationName, Outcome, Payment, PaymentMethod, Provider,
    Refund, Refunded, StorePaymentMethod, Subscribe, Subscription, VerifyWebhook, Void,
};

use super::{capability::Row, connect::Connect, exchange::Unintelligible, posted::WallClock};
use crate::{credentials::Withheld, error::ProxyError};
use client::{Call, Client};

pub use config::StripeSettings;

/// What Stripe offers here.
pub const CAPABILITIES: &[Row] = &[
    Row::yes(OperationName::ClientToken, "The client secret of a SetupIntent."),
    Row::yes(OperationName::CreateCustomer, ""),
    Row::yes(OperationName::StorePaymentMethod, "Attaches it to the customer; the bank is asked."),
    Row::yes(OperationName::DeletePaymentMethod, "Detaches it from its customer."),
    Row::yes(OperationName::Authorize, "One PaymentIntent; 3-D Secure is an action."),
    Row::yes(OperationName::Capture, "Several, where the card allows it."),
    Row::yes(OperationName::Void, "Of an authorization of which nothing was captured."),
    Row::yes(OperationName::Refund, ""),
    Row::yes(OperationName::Lookup, "By id and by attempt."),
    Row::yes(
        OperationName::ListMovements,
        "The lists of charges and refunds; a charge is dated by its authorization, and has all that was captured of it.",
    ),
    Row::no(OperationName::StartCheckout, "The payer stays with the merchant: `authorize`."),
    Row::no(OperationName::CompleteCheckout, "The payer stays with the merchant: `authorize`."),
    Row::yes(OperationName::Subscribe, "Needs the customer; the plan is a price."),
    Row::yes(OperationName::ChangeSubscriptionPaymentMethod, ""),
    Row::yes(OperationName::CancelSubscription, ""),
    Row::yes(OperationName::VerifyWebhook, ""),
    Row::no(OperationName::AnswerWebhookChallenge, "It asks no such question."),
    Row::yes(OperationName::Health, ""),
];

/// Stripe's connector.
pub struct Stripe {
    client: Client,
    webhook_secrets: Vec<SecretString>,
    clock: WallClock,
}

impl Stripe {
    /// Makes the connector of one worker.
    ///
    /// # Errors
    /// [`ClientError`] when the certificate authority cannot be read.
    pub fn new(settings: &StripeSettings) -> Result<Self, ClientError> {
        Ok(Self {
            client: Client::new(settings)?,
            webhook_secrets: settings.webhook_secrets.clone(),
            clock: WallClock::default(),
        })
    }
}

impl Connect for Stripe {
    const PROVIDER: Provider = Provider::Stripe;
    const CAPABILITIES: &'static [Row] = CAPABILITIES;

    fn withheld(&self) -> &Withheld {
        self.client.withheld()
    }

    async fn client_token(&self, request: &ClientTokenRequest) -> Result<Outcome<ClientToken>, ProxyError> {
        self.make_client_token(request).await
    }

    async fn create_customer(&self, request: &CreateCustomer) -> Result<Outcome<Customer>, ProxyError> {
        self.make_customer(request).await
    }

    async fn store_payment_method(
        &self,
        request: &StorePaymentMethod,
    ) -> Result<Outcome<PaymentMethod>, ProxyError> {
        self.attach(request).await
    }

    async fn delete_payment_method(
        &self,
        request: &DeletePaymentMethod,
    ) -> Result<Outcome<Deleted>, ProxyError> {
        self.detach(request).await
    }

    async fn authorize(&self, request: &Authorize) -> Result<Outcome<Payment>, ProxyError> {
        self.authorize_payment(request).await
    }

    async fn capture(&self, request: &Capture) -> Result<Outcome<Captured>, ProxyError> {
        self.capture_payment(request).await
    }

    async fn void(&self, request: &Void) -> Result<Outcome<Payment>, ProxyError> {
        self.void_payment(request).await
    }

    async fn refund(&self, request: &Refund) -> Result<Outcome<Refunded>, ProxyError> {
        self.refund_payment(request).await
    }

    async fn lookup(&self, request: &Lookup) -> Result<Found, ProxyError> {
        self.look_up(request).await
    }

    async fn list_movements(&self, request: &ListMovements) -> Result<Movements, ProxyError> {
        self.movements(request).await
    }

    async fn subscribe(&self, request: &Subscribe) -> Result<Outcome<Subscription>, ProxyError> {
        self.start_subscription(request).await
    }

    async fn change_subscription_payment_method(
        &self,
        request: &ChangeSubscriptionPaymentMethod,
    ) -> Result<Outcome<Subscription>, ProxyError> {
        self.change_method(request).await
    }

    async fn cancel_subscription(
        &self,
        request: &CancelSubscription,
    ) -> Result<Outcome<Subscription>, ProxyError> {
        self.end_subscription(request).await
    }

    async fn verify_webhook(&self, request: &VerifyWebhook) -> Result<Event, ProxyError> {
        self.verify(request)
    }

    /// `GET /v1/balance`: the cheapest question that is answered to our key alone.
    async fn health(&self, _: &HealthRequest) -> Result<Healthy, ProxyError> {
        let balance = self.client.read::<messages::Balance>(Call::get("/v1/balance")).await?;
        let missing = || payment::unexpected(Unintelligible::field("object", "expected balance"));
        balance.map(|_| Healthy {}).ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests;
