//! What a provider has taken and given back, as its own list has it; changes nothing.

use serde::{Deserialize, Serialize};

use super::AttemptId;
use crate::Money;

/// Asks for one page of the movements of a time.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ListMovements {
    /// Our id of this question.
    pub attempt: AttemptId,
    /// The first instant (RFC 3339, section 5.6).
    pub from: String,
    /// The first instant that is too late.
    pub to: String,
    /// Where the page before has ended: its `next`, as it was given. None asks for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One page. One without movements may have a next one.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Movements {
    /// In no order that matters. What came to nothing (declined, voided, failed) is not among them.
    pub movements: Vec<Movement>,
    /// What to ask for the next page with; none after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Money that was taken or given back, or is about to be.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Movement {
    /// Which way it went.
    pub kind: MovementKind,
    /// The provider's id of the movement: of the capture, where captures have ids, of the charge, or of the refund.
    pub reference: String,
    /// The provider's id of the payment, as [`super::Payment::reference`] has it, where the list says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// The attempt that made it or its payment, where the list says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// How much; of a refund, too, more than nothing.
    pub amount: Money,
    /// What the provider keeps of it, in minor units of the same currency, where the list says it; less than nothing
    /// for a fee that is given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<i64>,
    /// How it stands.
    pub status: MovementStatus,
    /// When it was made (RFC 3339), by the provider's clock.
    pub at: String,
}

/// Which way money went.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// From the payer.
    Charge,
    /// Back to the payer.
    Refund,
}

/// How a movement stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementStatus {
    /// The provider did it.
    Succeeded,
    /// The provider will say later.
    Pending,
}
