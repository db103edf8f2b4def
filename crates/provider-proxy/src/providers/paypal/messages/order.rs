//! Orders v2.

use serde::{Deserialize, Serialize};

use super::{Authorization, Capture, Link, Refund};
use crate::providers::paypal::amount::Amount;

/// What an order is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Intent {
    Capture,
    Authorize,
}

impl Intent {
    /// Of whether the amount is taken at once.
    pub(crate) const fn of(capture: bool) -> Self {
        if capture { Self::Capture } else { Self::Authorize }
    }

    /// The last segment of the path that executes such an order.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Authorize => "authorize",
        }
    }
}

/// How an order stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum OrderStatus {
    Created,
    Saved,
    Approved,
    Voided,
    Completed,
    PayerActionRequired,
}

impl OrderStatus {
    /// PayPal's word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Saved => "SAVED",
            Self::Approved => "APPROVED",
            Self::Voided => "VOIDED",
            Self::Completed => "COMPLETED",
            Self::PayerActionRequired => "PAYER_ACTION_REQUIRED",
        }
    }
}

/// `POST /v2/checkout/orders`.
#[derive(Debug, Serialize)]
pub(crate) struct NewOrder {
    pub(crate) intent: Intent,
    pub(crate) purchase_units: [NewUnit; 1],
    pub(crate) payment_source: PaymentSource,
}

#[derive(Debug, Serialize)]
pub(crate) struct NewUnit {
    pub(crate) amount: Amount,
    pub(crate) custom_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invoice_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// What pays.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentSource {
    Card(PayingCard),
    Paypal(PayingWallet),
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct PayingCard {
    pub(crate) vault_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<Attributes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) experience_context: Option<Context>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct PayingWallet {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vault_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) experience_context: Option<Context>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Attributes {
    verification: Verification,
}

#[derive(Debug, Serialize)]
pub(crate) struct Verification {
    method: &'static str,
}

impl Verification {
    /// 3-D Secure where the payer's country asks for it.
    pub(crate) const fn when_required() -> Attributes {
        Attributes { verification: Self { method: "SCA_WHEN_REQUIRED" } }
    }
}

/// Where the payer comes back to.
#[derive(Debug, Serialize)]
pub(crate) struct Context {
    pub(crate) return_url: String,
    pub(crate) cancel_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shipping_preference: Option<&'static str>,
}

/// An order, as `Prefer: return=representation` gives it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) status: OrderStatus,
    pub(crate) intent: Intent,
    pub(crate) purchase_units: Vec<Unit>,
    #[serde(default)]
    pub(crate) links: Vec<Link>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Unit {
    pub(crate) amount: Amount,
    #[serde(default)]
    pub(crate) custom_id: Option<String>,
    #[serde(default)]
    pub(crate) payments: Payments,
}

/// What an order came to, oldest first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Payments {
    pub(crate) authorizations: Vec<Authorization>,
    pub(crate) captures: Vec<Capture>,
    pub(crate) refunds: Vec<Refund>,
}
