//! The reference provider ("zippy"): JSON over HTTP, signed with OAuth 1.0a (RFC 5849), and notices signed with
//! HMAC-SHA256.
//!
//! Source: `docs/` and `lib/notices.js` of Mozilla's zippy.

mod client;
mod config;
mod error;
mod messages;
mod neutral;
mod notice;

use chassis::client::ClientError;
use serde_json::Value;
use wire::{
    Operation, Reply,
    payment::{
        Checkout, CompleteCheckout, Event, Found, HealthRequest, Healthy, Lookup, OperationName, Outcome,
        Payment, Provider, StartCheckout, VerifyWebhook,
    },
    reference,
};

use self::{
    client::{Client, Received},
    error::Error,
    messages::Message,
};
use super::{Answer, capability::Row, connect::Connect};
use crate::{
    credentials::{NoticeKeys, Withheld},
    error::ProxyError,
    policy::Gate,
    shape::{self, ShapeError},
};

pub use config::{CheckoutSettings, ReferenceSettings};
pub use wire::reference::NAME;

/// The names of the operations that only this provider has.
pub const OWN: [&str; 9] = [
    reference::CreateSeller::NAME,
    reference::GetSeller::NAME,
    reference::UpdateSeller::NAME,
    reference::CreateProduct::NAME,
    reference::GetProduct::NAME,
    reference::UpdateProduct::NAME,
    reference::GetTerms::NAME,
    reference::UpdateTerms::NAME,
    reference::Start::NAME,
];

/// What the reference provider offers here.
pub const CAPABILITIES: &[Row] = &[
    Row::no(OperationName::ClientToken, "The payer's browser needs none."),
    Row::no(OperationName::CreateCustomer, "It knows no payers."),
    Row::no(OperationName::StorePaymentMethod, "It stores none."),
    Row::no(OperationName::DeletePaymentMethod, "It stores none."),
    Row::no(OperationName::Authorize, "Only the payer starts a payment, on its page: `start_checkout`."),
    Row::no(OperationName::Capture, "What the payer agrees to is taken at once."),
    Row::no(OperationName::Void, "What the payer agrees to is taken at once."),
    Row::no(OperationName::Refund, "It gives nothing back."),
    Row::yes(OperationName::Lookup, "By the provider's id of a payment only."),
    Row::no(OperationName::ListMovements, "The provider's API has no list of transactions."),
    Row::yes(
        OperationName::StartCheckout,
        "`capture` is true, `product` is the provider's id of one; asked again, it starts another, and only the one that the payer agrees to is charged.",
    ),
    Row::yes(OperationName::CompleteCheckout, "Reads what the payer has done: pending until then."),
    Row::no(OperationName::Subscribe, "It repeats nothing."),
    Row::no(OperationName::ChangeSubscriptionPaymentMethod, "It repeats nothing."),
    Row::no(OperationName::CancelSubscription, "It repeats nothing."),
    Row::yes(OperationName::VerifyWebhook, "The signed notice."),
    Row::no(OperationName::AnswerWebhookChallenge, "It asks none."),
    Row::yes(OperationName::Health, "Asks for a transaction that is not there."),
];

/// The reference provider's connector.
pub struct Reference {
    client: Client,
    notice_keys: NoticeKeys,
    checkout: Option<CheckoutSettings>,
}

impl Reference {
    /// Makes the connector of one worker.
    ///
    /// # Errors
    /// [`ClientError`] when the certificate authority cannot be read.
    pub fn new(settings: &ReferenceSettings) -> Result<Self, ClientError> {
        Ok(Self {
            client: Client::new(settings)?,
            notice_keys: settings.notice_keys.clone(),
            checkout: settings.checkout.clone(),
        })
    }

    /// Performs one of the provider's own operations: onboarding, and what [`reference::Start`] starts.
    pub(super) async fn perform_own(
        &self,
        operation: &str,
        body: &[u8],
        gate: &Gate<'_>,
    ) -> Result<Answer, ProxyError> {
        match operation {
            reference::CreateSeller::NAME => self.run::<reference::CreateSeller>(body, gate).await,
            reference::GetSeller::NAME => self.run::<reference::GetSeller>(body, gate).await,
            reference::UpdateSeller::NAME => self.run::<reference::UpdateSeller>(body, gate).await,
            reference::CreateProduct::NAME => self.run::<reference::CreateProduct>(body, gate).await,
            reference::GetProduct::NAME => self.run::<reference::GetProduct>(body, gate).await,
            reference::UpdateProduct::NAME => self.run::<reference::UpdateProduct>(body, gate).await,
            reference::GetTerms::NAME => self.run::<reference::GetTerms>(body, gate).await,
            reference::UpdateTerms::NAME => self.run::<reference::UpdateTerms>(body, gate).await,
            reference::Start::NAME => self.run::<reference::Start>(body, gate).await,
            _ => Err(Error::Operation.into()),
        }
    }

    pub(super) fn verify_notice(&self, body: &[u8]) -> Result<Answer, ProxyError> {
        let posted: reference::SignedNotice = shape::from_slice(body).map_err(Error::Request)?;
        let notice = notice::verify(&self.notice_keys, &posted.signed_notice).map_err(Error::Notice)?;
        Ok(Answer { status: 200, reply: Reply::Result(into_value(&notice)?) })
    }

    async fn run<O: Message>(&self, body: &[u8], gate: &Gate<'_>) -> Result<Answer, ProxyError> {
        let request: O::Request = shape::from_slice(body).map_err(Error::Request)?;
        let call = O::call(&request)?;
        if let Some(amount) = O::amount(&request) {
            gate.payment(NAME, amount)?;
        }
        match self.client.send(call).await? {
            Received::Refused(answer) => Ok(Answer { status: answer.status, reply: Reply::Refused(answer) }),
            Received::Success { status, body } => {
                let answer: O::Answer = shape::from_value(body).map_err(Error::Answer)?;
                O::check(&request, &answer)?;
                Ok(Answer { status, reply: Reply::Result(into_value(&answer)?) })
            }
        }
    }
}

impl Connect for Reference {
    const PROVIDER: Provider = Provider::Reference;
    const CAPABILITIES: &'static [Row] = CAPABILITIES;

    fn withheld(&self) -> &Withheld {
        self.client.withheld()
    }

    async fn lookup(&self, request: &Lookup) -> Result<Found, ProxyError> {
        self.find(request).await
    }

    async fn start_checkout(&self, request: &StartCheckout) -> Result<Outcome<Checkout>, ProxyError> {
        self.start(request).await
    }

    async fn complete_checkout(&self, request: &CompleteCheckout) -> Result<Outcome<Payment>, ProxyError> {
        self.complete(request).await
    }

    async fn verify_webhook(&self, request: &VerifyWebhook) -> Result<Event, ProxyError> {
        self.verify(request)
    }

    async fn health(&self, request: &HealthRequest) -> Result<Healthy, ProxyError> {
        self.ask(request).await
    }
}

/// The provider has acted by now, so a failure here is never one before anything was sent.
fn into_value<T: serde::Serialize>(value: &T) -> Result<Value, Error> {
    serde_json::to_value(value)
        .map_err(|_| Error::Answer(ShapeError::field(".", "cannot be passed on as JSON")))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(in crate::providers) mod upstream;
