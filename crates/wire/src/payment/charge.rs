//! Moving money: authorize, capture, void and refund.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AttemptId, PaymentMethod, Token};
use crate::Money;

/// Asks the payer's bank for an amount, and takes it at once when `capture` says so.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// How much; more than nothing.
    pub amount: Money,
    /// What is charged.
    pub source: Source,
    /// Whether the amount is taken at once.
    pub capture: bool,
    /// What the payer reads on a statement or receipt, where the provider has room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where the payer comes back to after an action such as 3-D Secure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Kept by the provider where it can, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// What is charged.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// What the provider's script on the payer's side gave; good once.
    Nonce {
        /// The nonce.
        nonce: Token,
    },
    /// A stored means of payment.
    PaymentMethod {
        /// What stands for it at the provider.
        token: Token,
        /// The provider's id of the payer that it belongs to, where the provider asks for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
}

/// A payment as the provider has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Payment {
    /// The provider's id.
    pub reference: String,
    /// The attempt that made it, where the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// The provider's own word for its state.
    pub status: String,
    /// The amount that was authorized, as the provider says it.
    pub amount: Money,
    /// How much of it has been captured, in minor units of the same currency; without what did not come in after all.
    pub captured: i64,
    /// How much was captured and did not come in after all, because its settlement was declined: in minor units of the
    /// same currency.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub settlement_declined: i64,
    /// How much has been refunded, in minor units of the same currency, where the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded: Option<i64>,
    /// Whether the authorization has been given up, by us, by the provider or by time.
    #[serde(default)]
    pub voided: bool,
    /// The provider's ids of the captures, in their order; a refund names one of them where the provider asks for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<String>,
    /// What was charged, where the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<PaymentMethod>,
}

impl Payment {
    /// How much has ever been captured, in minor units, whether it came in or not.
    #[must_use]
    pub const fn taken(&self) -> i64 {
        self.captured.saturating_add(self.settlement_declined)
    }
}

const fn is_nothing(amount: &i64) -> bool {
    *amount == 0
}

/// Takes an authorized amount or a part of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// The provider's id of the payment.
    pub payment: String,
    /// How much; at most what is left.
    pub amount: Money,
    /// Whether this is the last one: what is left is given up.
    pub last: bool,
}

/// What a capture made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Captured {
    /// The provider's id of the capture; that of the payment where captures have none of their own.
    pub reference: String,
    /// The provider's own word for its state.
    pub status: String,
    /// How much was taken by this capture, as the provider says it.
    pub amount: Money,
    /// Whether it was taken and did not come in after all, because its settlement was declined.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settlement_declined: bool,
}

/// Gives up an authorization of which nothing has been captured.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Void {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// The provider's id of the payment.
    pub payment: String,
}

/// Gives money back.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// The provider's id of the payment.
    pub payment: String,
    /// The provider's id of the capture, where one payment has several; the last one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<String>,
    /// How much; at most what was captured and not yet refunded.
    pub amount: Money,
}

/// What a refund made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Refunded {
    /// The provider's id of the refund.
    pub reference: String,
    /// The attempt that made it, where the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// The provider's own word for its state.
    pub status: String,
    /// How much, as the provider says it.
    pub amount: Money,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_did_not_come_in_is_told_where_there_is_any() {
        let amount = json!({"minor_units": 500, "currency": "EUR"});
        let mut payment =
            json!({"reference": "p", "status": "s", "amount": amount, "captured": 200, "voided": false});
        let mut captured = json!({"reference": "c", "status": "s", "amount": amount});
        let read: (Payment, Captured) =
            serde_json::from_value(json!([payment.clone(), captured.clone()])).unwrap();
        assert_eq!((read.0.taken(), read.1.settlement_declined), (200, false));
        assert_eq!(serde_json::to_value(&read).unwrap(), json!([payment.clone(), captured.clone()]));
        payment["settlement_declined"] = json!(300);
        captured["settlement_declined"] = json!(true);
        let read: (Payment, Captured) =
            serde_json::from_value(json!([payment.clone(), captured.clone()])).unwrap();
        assert_eq!((read.0.taken(), read.1.settlement_declined), (500, true));
        assert_eq!(serde_json::to_value(&read).unwrap(), json!([payment, captured]));
    }
}
