//! Transaction Search v1.

use serde::Deserialize;

use crate::providers::paypal::amount::Amount;

/// `GET /v1/reporting/transactions`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TransactionPage {
    pub(crate) transaction_details: Vec<Transaction>,
    /// Nothing found is no page.
    pub(crate) total_pages: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) transaction_info: TransactionInfo,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TransactionInfo {
    pub(crate) transaction_id: String,
    #[serde(default)]
    pub(crate) paypal_reference_id: Option<String>,
    /// `ODR`, `TXN`, `SUB` or `PAP`.
    #[serde(default)]
    pub(crate) paypal_reference_id_type: Option<String>,
    pub(crate) transaction_event_code: String,
    pub(crate) transaction_initiation_date: String,
    pub(crate) transaction_amount: Amount,
    #[serde(default)]
    pub(crate) fee_amount: Option<Amount>,
    pub(crate) transaction_status: String,
    #[serde(default)]
    pub(crate) custom_field: Option<String>,
}
