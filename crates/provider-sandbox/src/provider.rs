//! The providers that a sandbox plays.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Provider {
    /// The reference provider, at the root.
    Reference,
    /// Stripe, under `/stripe`.
    Stripe,
    /// PayPal, under `/paypal`.
    Paypal,
    /// Braintree, under `/braintree`.
    Braintree,
}

impl Provider {
    /// As it is written in paths and JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Stripe => "stripe",
            Self::Paypal => "paypal",
            Self::Braintree => "braintree",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
