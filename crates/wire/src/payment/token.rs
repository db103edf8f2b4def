//! What stands at a provider for a means of payment.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A nonce or the token of a stored payment method: whoever has it and the provider's key can charge the payer, so no
/// `Debug` shows it.
#[derive(Clone, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// The text, to be sent or encrypted and never to be written down.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Token {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token([withheld])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_debug_shows_a_token() {
        assert_eq!(format!("{:?}", Token::from("dummy-token")), "Token([withheld])");
    }
}
