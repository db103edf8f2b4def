//! What recurs: prices, subscriptions and their invoices.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Expandable, Page};

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Price {
    pub(in crate::providers::stripe) currency: String,
    #[serde(default)]
    pub(in crate::providers::stripe) unit_amount: Option<i64>,
    pub(in crate::providers::stripe) product: String,
    #[serde(default)]
    pub(in crate::providers::stripe) recurring: Option<Recurring>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Recurring {
    pub(in crate::providers::stripe) interval: String,
    pub(in crate::providers::stripe) interval_count: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Subscription {
    pub(in crate::providers::stripe) id: String,
    pub(in crate::providers::stripe) status: String,
    #[serde(default)]
    pub(in crate::providers::stripe) cancel_at_period_end: bool,
    pub(in crate::providers::stripe) items: Page<SubscriptionItem>,
    #[serde(default)]
    pub(in crate::providers::stripe) latest_invoice: Option<Expandable<Invoice>>,
    #[serde(default)]
    pub(in crate::providers::stripe) metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct SubscriptionItem {
    pub(in crate::providers::stripe) price: Price,
    #[serde(default)]
    pub(in crate::providers::stripe) quantity: Option<i64>,
    #[serde(default)]
    pub(in crate::providers::stripe) current_period_start: Option<i64>,
    #[serde(default)]
    pub(in crate::providers::stripe) current_period_end: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Invoice {
    pub(in crate::providers::stripe) amount_due: i64,
    pub(in crate::providers::stripe) currency: String,
    #[serde(default)]
    pub(in crate::providers::stripe) status: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) billing_reason: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) hosted_invoice_url: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) payments: Option<Page<InvoicePayment>>,
    #[serde(default)]
    pub(in crate::providers::stripe) parent: Option<InvoiceParent>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct InvoicePayment {
    pub(in crate::providers::stripe) payment: PaymentOfInvoice,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct PaymentOfInvoice {
    #[serde(default)]
    pub(in crate::providers::stripe) payment_intent: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct InvoiceParent {
    #[serde(default)]
    pub(in crate::providers::stripe) subscription_details: Option<SubscriptionDetails>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct SubscriptionDetails {
    pub(in crate::providers::stripe) subscription: String,
    #[serde(default)]
    pub(in crate::providers::stripe) metadata: Option<BTreeMap<String, String>>,
}
