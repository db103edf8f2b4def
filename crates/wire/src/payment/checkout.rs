//! Payments for which the payer goes to a page of the provider.

use serde::{Deserialize, Serialize};

use super::AttemptId;
use crate::Money;

/// Prepares a page of the provider on which the payer agrees to a payment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StartCheckout {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// How much; more than nothing.
    pub amount: Money,
    /// Whether the amount is taken as soon as the checkout is completed.
    pub capture: bool,
    /// Where the payer comes back to.
    pub return_url: String,
    /// Where the payer comes back to without having agreed.
    pub cancel_url: String,
    /// What the payer reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The provider's id of what is sold, where the provider keeps its own list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
}

/// A page that waits for the payer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Checkout {
    /// The provider's id of the checkout.
    pub reference: String,
    /// The provider's own word for its state.
    pub status: String,
    /// Where to send the payer.
    pub url: String,
}

/// Executes a payment that the payer has agreed to. Asked again, it gives what came of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CompleteCheckout {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// The provider's id of the checkout.
    pub checkout: String,
    /// What was asked for when it was started.
    pub amount: Money,
    /// Whether the amount is taken at once, as asked for when it was started.
    pub capture: bool,
}
