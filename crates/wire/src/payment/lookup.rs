//! Asking a provider what became of something; changes nothing.

use serde::{Deserialize, Serialize};

use super::{AttemptId, Outcome, Payment, Refunded};

/// Asks what the provider knows.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// Our id of this question, not of what is asked for.
    pub attempt: AttemptId,
    /// What is asked for.
    pub by: LookupBy,
}

/// By what something is looked up.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LookupBy {
    /// The attempt that may have made a payment.
    PaymentAttempt {
        /// That attempt.
        of: AttemptId,
    },
    /// The attempt that may have made a refund of a payment.
    RefundAttempt {
        /// That attempt.
        of: AttemptId,
        /// The provider's id of the payment.
        payment: String,
    },
    /// The provider's id of a payment.
    Payment {
        /// The id.
        reference: String,
    },
    /// The provider's id of a refund.
    Refund {
        /// The id.
        reference: String,
    },
}

/// What the provider knows.
///
/// "Not found" by an attempt is no evidence while the provider may still be busy with it or its index is behind:
/// `docs/providers` says for each provider from when on it is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Found {
    /// A payment, and how it stands.
    Payment {
        /// How it stands.
        outcome: Outcome<Payment>,
    },
    /// A refund, and how it stands.
    Refund {
        /// How it stands.
        outcome: Outcome<Refunded>,
    },
    /// The provider knows no such thing now.
    Nothing,
}
