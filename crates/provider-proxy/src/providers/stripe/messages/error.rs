//! What Stripe answers instead of an object.

use actix_web::http::StatusCode;
use serde::Deserialize;

use super::{PaymentIntent, PaymentMethod};
use crate::providers::exchange::{Received, Unintelligible};

/// `{"error": {…}}`.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct ErrorBody {
    pub(in crate::providers::stripe) error: ErrorObject,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct ErrorObject {
    #[serde(rename = "type")]
    pub(in crate::providers::stripe) kind: String,
    #[serde(default)]
    pub(in crate::providers::stripe) code: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) decline_code: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) advice_code: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) message: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) param: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) payment_intent: Option<Box<PaymentIntent>>,
    #[serde(default)]
    pub(in crate::providers::stripe) payment_method: Option<Box<PaymentMethod>>,
}

impl ErrorBody {
    /// Reads it from a refusal.
    ///
    /// # Errors
    /// [`Unintelligible`] for an error page, say.
    pub(in crate::providers::stripe) fn read(received: &Received) -> Result<Self, Unintelligible> {
        received.json()
    }

    /// Whether there is no such object.
    pub(in crate::providers::stripe) fn is_missing(&self) -> bool {
        self.error.code.as_deref() == Some("resource_missing")
    }

    /// The error for a question that must be answered.
    pub(in crate::providers::stripe) fn unexpected(&self, status: StatusCode) -> Unintelligible {
        let code = self.error.code.as_deref().unwrap_or(&self.error.kind);
        Unintelligible::field("error", format!("status {}, {code}", status.as_u16()))
    }
}
