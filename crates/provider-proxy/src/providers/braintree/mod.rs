//! Braintree: XML over HTTP with the merchant's key pair, and webhooks signed with HMAC-SHA1.
//!
//! Source: the official Python SDK and its tests, and developer.paypal.com/braintree. `docs/providers/braintree.md` says
//! what each answer becomes, and from when on "not found" is evidence.

mod capture;
mod client;
mod config;
mod error;
mod lookup;
mod messages;
mod movements;
mod refund;
mod sale;
mod subscription;
mod table;
mod vault;
mod webhook;
mod xml;

use chassis::client::ClientError;
use wire::payment::{
    AttemptId, Authorize, CancelSubscription, Capture, Captured, ChallengeAnswer,
    ChangeSubscriptionPaymentMethod, ClientToken, ClientTokenRequest, CreateCustomer, Customer,
    DeletePaymentMethod, Deleted, Event, Found, HealthRequest, Healthy, ListMovements, Lookup, Movements,
    OperationName, Outcome, Payment, PaymentMethod, Provider, Refund, Refunded, StorePaymentMethod,
    Subscribe, Subscription, VerifyWebhook, Void, WebhookChallenge,
};

use self::{client::Client, messages::Accounts, webhook::Keys, xml::Written};
use super::{capability::Row, connect::Connect, posted::WallClock};
use crate::{credentials::Withheld, error::ProxyError};

pub use config::BraintreeSettings;

/// What Braintree offers here.
pub const CAPABILITIES: &[Row] = &[
    Row::yes(OperationName::ClientToken, ""),
    Row::yes(OperationName::CreateCustomer, ""),
    Row::yes(OperationName::StorePaymentMethod, "cards are verified; the token is the attempt"),
    Row::yes(OperationName::DeletePaymentMethod, "its subscriptions end with it"),
    Row::yes(
        OperationName::Authorize,
        "3-D Secure is done before, by the script on the payer's side; a sale without it is declined as three_d_secure",
    ),
    Row::yes(
        OperationName::Capture,
        "several captures of one payment need Braintree's multiple partial settlement",
    ),
    Row::yes(OperationName::Void, "also what is captured and not yet settled"),
    Row::yes(OperationName::Refund, "only once the payment is settling or settled"),
    Row::yes(OperationName::Lookup, "by attempt through Braintree's search"),
    Row::yes(OperationName::ListMovements, "a search by the time at which transactions were made"),
    Row::no(OperationName::StartCheckout, "there is no page of Braintree's"),
    Row::no(OperationName::CompleteCheckout, "there is no page of Braintree's"),
    Row::yes(OperationName::Subscribe, "the first charge is made at once, unless the plan has a trial"),
    Row::yes(OperationName::ChangeSubscriptionPaymentMethod, ""),
    Row::yes(OperationName::CancelSubscription, ""),
    Row::yes(OperationName::VerifyWebhook, ""),
    Row::yes(OperationName::AnswerWebhookChallenge, ""),
    Row::yes(OperationName::Health, ""),
];

/// Braintree's connector.
pub struct Braintree {
    client: Client,
    accounts: Accounts,
    require_three_d_secure: bool,
    api_request_keys: bool,
    keys: Keys,
    clock: WallClock,
}

impl Braintree {
    /// Makes the connector of one worker.
    ///
    /// # Errors
    /// [`ClientError`] when the certificate authority cannot be read.
    pub fn new(settings: &BraintreeSettings) -> Result<Self, ClientError> {
        Ok(Self {
            client: Client::new(settings)?,
            accounts: Accounts::new(&settings.merchant_accounts),
            require_three_d_secure: settings.require_three_d_secure,
            api_request_keys: settings.api_request_keys,
            keys: Keys::new(settings),
            clock: WallClock::default(),
        })
    }

    /// The same with a clock of a test's own.
    #[cfg(test)]
    fn at(mut self, clock: WallClock) -> Self {
        self.clock = clock;
        self
    }

    /// Names a request for at-most-once processing, where the account has that.
    fn keyed(&self, body: Written, attempt: AttemptId) -> Written {
        let key = self.api_request_keys.then(|| attempt.to_string());
        body.optional("api_request_key", key.as_deref())
    }
}

impl Connect for Braintree {
    const PROVIDER: Provider = Provider::Braintree;
    const CAPABILITIES: &'static [Row] = CAPABILITIES;
    // It is looked for among the payment's refunds first, which two requests can do at the same time.
    const REFUNDS_ARE_IDEMPOTENT: bool = false;

    fn withheld(&self) -> &Withheld {
        self.client.withheld()
    }

    async fn client_token(&self, request: &ClientTokenRequest) -> Result<Outcome<ClientToken>, ProxyError> {
        vault::client_token(self, request).await
    }

    async fn create_customer(&self, request: &CreateCustomer) -> Result<Outcome<Customer>, ProxyError> {
        vault::create_customer(self, request).await
    }

    async fn store_payment_method(
        &self,
        request: &StorePaymentMethod,
    ) -> Result<Outcome<PaymentMethod>, ProxyError> {
        vault::store_payment_method(self, request).await
    }

    async fn delete_payment_method(
        &self,
        request: &DeletePaymentMethod,
    ) -> Result<Outcome<Deleted>, ProxyError> {
        vault::delete_payment_method(self, request).await
    }

    async fn authorize(&self, request: &Authorize) -> Result<Outcome<Payment>, ProxyError> {
        sale::authorize(self, request).await
    }

    async fn capture(&self, request: &Capture) -> Result<Outcome<Captured>, ProxyError> {
        capture::capture(self, request).await
    }

    async fn void(&self, request: &Void) -> Result<Outcome<Payment>, ProxyError> {
        sale::void(self, request).await
    }

    async fn refund(&self, request: &Refund) -> Result<Outcome<Refunded>, ProxyError> {
        refund::refund(self, request).await
    }

    async fn lookup(&self, request: &Lookup) -> Result<Found, ProxyError> {
        lookup::lookup(self, request).await
    }

    async fn list_movements(&self, request: &ListMovements) -> Result<Movements, ProxyError> {
        movements::list(self, request).await
    }

    async fn subscribe(&self, request: &Subscribe) -> Result<Outcome<Subscription>, ProxyError> {
        subscription::subscribe(self, request).await
    }

    async fn change_subscription_payment_method(
        &self,
        request: &ChangeSubscriptionPaymentMethod,
    ) -> Result<Outcome<Subscription>, ProxyError> {
        subscription::change_payment_method(self, request).await
    }

    async fn cancel_subscription(
        &self,
        request: &CancelSubscription,
    ) -> Result<Outcome<Subscription>, ProxyError> {
        subscription::cancel(self, request).await
    }

    async fn verify_webhook(&self, request: &VerifyWebhook) -> Result<Event, ProxyError> {
        webhook::verify(self, request)
    }

    async fn answer_webhook_challenge(
        &self,
        request: &WebhookChallenge,
    ) -> Result<ChallengeAnswer, ProxyError> {
        webhook::answer(&self.keys, request)
    }

    async fn health(&self, _request: &HealthRequest) -> Result<Healthy, ProxyError> {
        lookup::health(self).await
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod upstream;
