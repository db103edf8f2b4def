//! Payers and their stored means of payment.

use serde::{Deserialize, Serialize};

use super::{AttemptId, Token};

/// Asks for what the provider's script on the payer's side starts with.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTokenRequest {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// The provider's id of the payer, when the payer has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
}

/// What the provider's script on the payer's side starts with.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ClientToken {
    /// The token; it is meant for the payer's browser.
    pub token: Token,
}

/// Makes a payer known at the provider.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CreateCustomer {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// Our own name of the payer, kept by the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The payer's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A payer at the provider.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Customer {
    /// The provider's id.
    pub reference: String,
    /// When it was made, as the provider says it (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When it was changed, as the provider says it (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

/// Keeps a means of payment for later.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StorePaymentMethod {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// The provider's id of the payer.
    pub customer: String,
    /// What the provider's script on the payer's side gave for it; good once.
    pub nonce: Token,
}

/// A stored means of payment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PaymentMethod {
    /// What stands for it at the provider.
    pub token: Token,
    /// What it is.
    pub kind: PaymentMethodKind,
    /// The card's brand in the provider's words, such as `visa`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The last four digits of a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
    /// The month in which the card ends, 1 to 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_month: Option<u8>,
    /// The year in which the card ends, four digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_year: Option<u16>,
    /// When it was stored, as the provider says it (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When it was changed, as the provider says it (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

/// What a means of payment is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethodKind {
    /// A credit or debit card.
    Card,
    /// An account at PayPal.
    Paypal,
    /// Anything else.
    Other,
}

/// Makes the provider forget a stored means of payment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeletePaymentMethod {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// What stands for it at the provider.
    pub payment_method: Token,
}

/// It is gone; one that was gone before is as good.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Deleted {
    /// Whether the provider did not know it any more.
    #[serde(default)]
    pub was_gone: bool,
}
