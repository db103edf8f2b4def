//! Payments, refunds and disputes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ErrorObject, Expandable, PaymentMethod};

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct PaymentIntent {
    pub(in crate::providers::stripe) id: String,
    pub(in crate::providers::stripe) status: String,
    pub(in crate::providers::stripe) amount: i64,
    #[serde(default)]
    pub(in crate::providers::stripe) amount_received: i64,
    pub(in crate::providers::stripe) currency: String,
    #[serde(default)]
    pub(in crate::providers::stripe) client_secret: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) last_payment_error: Option<ErrorObject>,
    #[serde(default)]
    pub(in crate::providers::stripe) latest_charge: Option<Expandable<Charge>>,
    #[serde(default)]
    pub(in crate::providers::stripe) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(in crate::providers::stripe) next_action: Option<NextAction>,
    #[serde(default)]
    pub(in crate::providers::stripe) payment_method: Option<Expandable<PaymentMethod>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct NextAction {
    #[serde(rename = "type")]
    pub(in crate::providers::stripe) kind: String,
    #[serde(default)]
    pub(in crate::providers::stripe) redirect_to_url: Option<Redirect>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Redirect {
    pub(in crate::providers::stripe) url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Charge {
    #[serde(default)]
    pub(in crate::providers::stripe) amount_refunded: i64,
}

/// A charge as the list of charges has it.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct ListedCharge {
    pub(in crate::providers::stripe) id: String,
    pub(in crate::providers::stripe) status: String,
    pub(in crate::providers::stripe) amount: i64,
    pub(in crate::providers::stripe) amount_captured: i64,
    pub(in crate::providers::stripe) currency: String,
    pub(in crate::providers::stripe) created: i64,
    #[serde(default)]
    pub(in crate::providers::stripe) metadata: BTreeMap<String, String>,
    /// None for a charge that was made without an intent.
    #[serde(default)]
    pub(in crate::providers::stripe) payment_intent: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) balance_transaction: Option<Expandable<BalanceTransaction>>,
}

/// What a movement did to the account, in the account's currency.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct BalanceTransaction {
    pub(in crate::providers::stripe) amount: i64,
    pub(in crate::providers::stripe) currency: String,
    pub(in crate::providers::stripe) fee: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Refund {
    pub(in crate::providers::stripe) id: String,
    pub(in crate::providers::stripe) amount: i64,
    pub(in crate::providers::stripe) currency: String,
    pub(in crate::providers::stripe) status: String,
    #[serde(default)]
    pub(in crate::providers::stripe) failure_reason: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) created: Option<i64>,
    #[serde(default)]
    pub(in crate::providers::stripe) balance_transaction: Option<Expandable<BalanceTransaction>>,
    #[serde(default)]
    pub(in crate::providers::stripe) metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(in crate::providers::stripe) payment_intent: Option<Expandable<PaymentIntent>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Dispute {
    #[serde(default)]
    pub(in crate::providers::stripe) payment_intent: Option<Expandable<PaymentIntent>>,
}
