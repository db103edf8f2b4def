//! The reference provider ("zippy"): JSON over HTTP, signed with OAuth 1.0a (RFC 5849), and notices signed with
//! HMAC-SHA256.
//!
//! Source: `docs/` and `lib/notices.js` of Mozilla's zippy.

mod client;
mod config;
mod error;
mod messages;
mod notice;

use chassis::client::ClientError;
use serde_json::Value;
use wire::{
    Operation, Reply,
    payment::{OperationName, Provider},
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
    shape::{self, ShapeError},
};

pub use config::ReferenceSettings;
pub use wire::reference::NAME;

/// What the reference provider offers here.
pub const CAPABILITIES: &[Row] = &[
    Row::no(OperationName::ClientToken, ""),
    Row::no(OperationName::CreateCustomer, ""),
    Row::no(OperationName::StorePaymentMethod, ""),
    Row::no(OperationName::DeletePaymentMethod, ""),
    Row::no(OperationName::Authorize, ""),
    Row::no(OperationName::Capture, ""),
    Row::no(OperationName::Void, ""),
    Row::no(OperationName::Refund, ""),
    Row::no(OperationName::Lookup, ""),
    Row::no(OperationName::StartCheckout, ""),
    Row::no(OperationName::CompleteCheckout, ""),
    Row::no(OperationName::Subscribe, ""),
    Row::no(OperationName::ChangeSubscriptionPaymentMethod, ""),
    Row::no(OperationName::CancelSubscription, ""),
    Row::no(OperationName::VerifyWebhook, ""),
    Row::no(OperationName::AnswerWebhookChallenge, ""),
    Row::no(OperationName::Health, ""),
];

/// The reference provider's connector.
pub struct Reference {
    client: Client,
    notice_keys: NoticeKeys,
}

impl Reference {
    /// Makes the connector of one worker.
    ///
    /// # Errors
    /// [`ClientError`] when the certificate authority cannot be read.
    pub fn new(settings: &ReferenceSettings) -> Result<Self, ClientError> {
        Ok(Self { client: Client::new(settings)?, notice_keys: settings.notice_keys.clone() })
    }

    /// Performs one of the provider's own operations: onboarding, and what [`reference::Start`] starts.
    pub(super) async fn perform_own(&self, operation: &str, body: &[u8]) -> Result<Answer, ProxyError> {
        let answer = match operation {
            reference::CreateSeller::NAME => self.run::<reference::CreateSeller>(body).await,
            reference::GetSeller::NAME => self.run::<reference::GetSeller>(body).await,
            reference::UpdateSeller::NAME => self.run::<reference::UpdateSeller>(body).await,
            reference::CreateProduct::NAME => self.run::<reference::CreateProduct>(body).await,
            reference::GetProduct::NAME => self.run::<reference::GetProduct>(body).await,
            reference::UpdateProduct::NAME => self.run::<reference::UpdateProduct>(body).await,
            reference::GetTerms::NAME => self.run::<reference::GetTerms>(body).await,
            reference::UpdateTerms::NAME => self.run::<reference::UpdateTerms>(body).await,
            reference::Start::NAME => self.run::<reference::Start>(body).await,
            _ => Err(Error::Operation),
        };
        Ok(answer?)
    }

    pub(super) fn verify_webhook(&self, body: &[u8]) -> Result<Answer, ProxyError> {
        let posted: reference::SignedNotice = shape::from_slice(body).map_err(Error::Request)?;
        let notice = notice::verify(&self.notice_keys, &posted.signed_notice).map_err(Error::Notice)?;
        Ok(Answer { status: 200, reply: Reply::Result(into_value(&notice)?) })
    }

    async fn run<O: Message>(&self, body: &[u8]) -> Result<Answer, Error> {
        let request: O::Request = shape::from_slice(body).map_err(Error::Request)?;
        match self.client.send(O::call(&request)?).await? {
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
}

/// The provider has acted by now, so a failure here is never one before anything was sent.
fn into_value<T: serde::Serialize>(value: &T) -> Result<Value, Error> {
    serde_json::to_value(value)
        .map_err(|_| Error::Answer(ShapeError::field(".", "cannot be passed on as JSON")))
}

/// A notice as anybody may post it, and the same as the provider would sign it.
#[cfg(fuzzing)]
pub(crate) fn fuzz_notice(bytes: &[u8]) {
    let mut keys = NoticeKeys::default();
    keys.insert(0, "dummy-notice-key".into());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert!(notice::verify(&keys, text).is_err(), "nobody has signed it");
    drop(notice::read(text));
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) mod upstream;
