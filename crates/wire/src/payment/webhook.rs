//! What a provider posts to `db-server` by itself, verified where the secret is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AttemptId, Outcome, Payment, Provider, Refunded, Subscription};

/// A webhook as it arrived, not yet believed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyWebhook {
    /// Its headers in their order, repeated ones repeated.
    pub headers: Vec<Header>,
    /// Its body, byte for byte, in base64 (RFC 4648, section 4).
    pub body: String,
}

/// One header.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// In lower case.
    pub name: String,
    /// As it arrived.
    pub value: String,
}

/// A webhook whose signature has been verified.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Event {
    /// Unique for the provider: a webhook that is delivered again has the same.
    pub id: String,
    /// Who says it.
    pub provider: Provider,
    /// What it is about, in our terms.
    pub kind: EventKind,
    /// The provider's own word for it, such as `payment_intent.succeeded`.
    pub provider_kind: String,
    /// When it happened, as the provider says it (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred: Option<String>,
    /// Our attempt that it is about, where the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// The provider's id of the payment that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_reference: Option<String>,
    /// How the payment stood when the provider wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Outcome<Payment>>,
    /// How the refund stood when the provider wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Outcome<Refunded>>,
    /// How the subscription stood when the provider wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Subscription>,
    /// What was posted, as JSON, without any credential.
    pub body: Value,
}

/// What a webhook is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A payment stands otherwise than before.
    Payment,
    /// A refund stands otherwise than before.
    Refund,
    /// The payer disputes a payment.
    Dispute,
    /// A subscription was charged.
    SubscriptionCharged,
    /// A subscription could not be charged.
    SubscriptionChargeFailed,
    /// A subscription has ended.
    SubscriptionCancelled,
    /// A subscription stands otherwise than before.
    Subscription,
    /// The provider tries whether its webhooks arrive.
    Check,
    /// Nothing that anything is done about.
    Other,
}

/// A question with which a provider checks that the address of its webhooks is ours.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookChallenge {
    /// The question, as it arrived.
    pub challenge: String,
}

/// The answer to a [`WebhookChallenge`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ChallengeAnswer {
    /// The text to answer with.
    pub verification: String,
}
