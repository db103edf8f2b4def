//! The closed set of providers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A payment provider, by the name that settings, paths and errors have for it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Mozilla's reference provider ("zippy").
    Reference,
    /// Stripe.
    Stripe,
    /// PayPal.
    Paypal,
    /// Braintree.
    Braintree,
}

/// No provider has this name.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not a provider")]
pub struct UnknownProvider;

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 4] = [Self::Reference, Self::Stripe, Self::Paypal, Self::Braintree];

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
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

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        Self::ALL.into_iter().find(|provider| provider.name() == name).ok_or(UnknownProvider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_named_as_in_its_json() {
        for provider in Provider::ALL {
            assert_eq!(serde_json::to_value(provider).unwrap(), provider.name());
            assert_eq!(provider.name().parse(), Ok(provider));
        }
        assert_eq!("Stripe".parse::<Provider>(), Err(UnknownProvider));
    }
}
