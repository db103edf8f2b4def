//! PayPal: Orders v2, Payments v2 and Payment Method Tokens v3 as JSON, with an access token (OAuth 2.0), and webhooks
//! signed with RSA.
//!
//! Source: PayPal's REST API reference (developer.paypal.com).

mod amount;
mod certificate;
mod charge;
mod checkout;
mod client;
mod config;
mod error;
mod lookup;
mod messages;
mod movements;
mod outcome;
mod vault;
mod webhook;

use actix_web::http::StatusCode;
use chassis::client::ClientError;
use wire::payment::{
    Authorize, Capture, Captured, Checkout, ClientToken, ClientTokenRequest, CompleteCheckout,
    CreateCustomer, Customer, DeletePaymentMethod, Deleted, Event, Found, HealthRequest, Healthy,
    ListMovements, Lookup, Movements, OperationName, Outcome, Payment, PaymentMethod, Provider, Refund,
    Refunded, StartCheckout, StorePaymentMethod, VerifyWebhook, Void,
};

use self::client::{Call, Client};
use super::{capability::Row, connect::Connect, exchange::Unintelligible, posted::WallClock};
use crate::{credentials::Withheld, error::ProxyError};

pub use config::PaypalSettings;
#[cfg(fuzzing)]
pub(crate) use webhook::read_event;

/// What PayPal offers here.
pub const CAPABILITIES: &[Row] = &[
    Row::yes(OperationName::ClientToken, "A setup token, which PayPal's card fields fill in."),
    Row::yes(
        OperationName::CreateCustomer,
        "Nothing is sent: PayPal knows the payer by our own name, as merchant_customer_id.",
    ),
    Row::yes(OperationName::StorePaymentMethod, "The nonce is a setup token that the payer has approved."),
    Row::yes(OperationName::DeletePaymentMethod, ""),
    Row::yes(
        OperationName::Authorize,
        "With a stored payment method; anything else goes through a checkout.",
    ),
    Row::yes(OperationName::Capture, "Partial and several, until one is the last."),
    Row::yes(OperationName::Void, "What is left of an authorization; not after the last capture."),
    Row::yes(
        OperationName::Refund,
        "Of the capture that is named, or else of the last one; partial and several.",
    ),
    Row::yes(
        OperationName::Lookup,
        "By order, capture and refund; by the attempt of an order for six hours; by that of a refund with its order.",
    ),
    Row::yes(
        OperationName::ListMovements,
        "The transaction search, which the app must be allowed; it is behind by up to three hours.",
    ),
    Row::yes(OperationName::StartCheckout, ""),
    Row::yes(OperationName::CompleteCheckout, ""),
    Row::no(OperationName::Subscribe, "PayPal's billing plans are not connected."),
    Row::no(OperationName::ChangeSubscriptionPaymentMethod, "PayPal's billing plans are not connected."),
    Row::no(OperationName::CancelSubscription, "PayPal's billing plans are not connected."),
    Row::yes(OperationName::VerifyWebhook, ""),
    Row::no(OperationName::AnswerWebhookChallenge, "PayPal asks no such question."),
    Row::yes(OperationName::Health, ""),
];

/// PayPal's connector.
pub struct Paypal {
    client: Client,
    webhook_ids: Vec<String>,
    certificate_host: String,
}

impl Paypal {
    /// Makes the connector of one worker.
    ///
    /// # Errors
    /// [`ClientError`] when the certificate authority cannot be read.
    pub fn new(settings: &PaypalSettings) -> Result<Self, ClientError> {
        Self::with_clock(settings, WallClock::default())
    }

    fn with_clock(settings: &PaypalSettings, clock: WallClock) -> Result<Self, ClientError> {
        Ok(Self {
            client: Client::new(settings, clock)?,
            webhook_ids: settings.webhook_ids.clone(),
            certificate_host: settings.certificate_host.clone(),
        })
    }
}

impl Connect for Paypal {
    const PROVIDER: Provider = Provider::Paypal;
    const CAPABILITIES: &'static [Row] = CAPABILITIES;

    fn withheld(&self) -> &Withheld {
        self.client.withheld()
    }

    async fn client_token(&self, request: &ClientTokenRequest) -> Result<Outcome<ClientToken>, ProxyError> {
        vault::client_token(&self.client, request).await
    }

    async fn create_customer(&self, request: &CreateCustomer) -> Result<Outcome<Customer>, ProxyError> {
        Ok(vault::create_customer(request))
    }

    async fn store_payment_method(
        &self,
        request: &StorePaymentMethod,
    ) -> Result<Outcome<PaymentMethod>, ProxyError> {
        vault::store(&self.client, request).await
    }

    async fn delete_payment_method(
        &self,
        request: &DeletePaymentMethod,
    ) -> Result<Outcome<Deleted>, ProxyError> {
        vault::delete(&self.client, request).await
    }

    async fn authorize(&self, request: &Authorize) -> Result<Outcome<Payment>, ProxyError> {
        checkout::authorize(&self.client, request).await
    }

    async fn capture(&self, request: &Capture) -> Result<Outcome<Captured>, ProxyError> {
        charge::capture(&self.client, request).await
    }

    async fn void(&self, request: &Void) -> Result<Outcome<Payment>, ProxyError> {
        charge::void(&self.client, request).await
    }

    async fn refund(&self, request: &Refund) -> Result<Outcome<Refunded>, ProxyError> {
        charge::refund(&self.client, request).await
    }

    async fn lookup(&self, request: &Lookup) -> Result<Found, ProxyError> {
        lookup::lookup(&self.client, request).await
    }

    async fn list_movements(&self, request: &ListMovements) -> Result<Movements, ProxyError> {
        movements::list(&self.client, request).await
    }

    async fn start_checkout(&self, request: &StartCheckout) -> Result<Outcome<Checkout>, ProxyError> {
        checkout::start(&self.client, request).await
    }

    async fn complete_checkout(&self, request: &CompleteCheckout) -> Result<Outcome<Payment>, ProxyError> {
        checkout::complete(&self.client, request).await
    }

    async fn verify_webhook(&self, request: &VerifyWebhook) -> Result<Event, ProxyError> {
        webhook::verify(&self.client, &self.webhook_ids, &self.certificate_host, request).await
    }

    /// Reads an order that cannot be there: PayPal takes our token and says so.
    async fn health(&self, _request: &HealthRequest) -> Result<Healthy, ProxyError> {
        let call = Call::get("/v2/checkout/orders/HEALTH".into());
        self.client
            .read(call, |received| match received.status {
                StatusCode::NOT_FOUND => {
                    error::Refusal::read(received)?;
                    Ok(Healthy {})
                }
                _ => Err(Unintelligible::field(".", "PayPal does not take our credentials")),
            })
            .await
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod upstream;
