//! Payment Method Tokens v3.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `POST /v3/vault/setup-tokens`.
#[derive(Debug, Serialize)]
pub(crate) struct NewSetupToken {
    payment_source: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Customer>,
}

impl NewSetupToken {
    /// For a card that the payer fills in.
    pub(crate) fn card(customer: Option<&str>) -> Self {
        let known = |id: &str| Customer { merchant_customer_id: Some(id.to_owned()) };
        Self { payment_source: json!({"card": {}}), customer: customer.map(known) }
    }
}

/// `POST /v3/vault/payment-tokens`.
#[derive(Debug, Serialize)]
pub(crate) struct NewPaymentToken {
    payment_source: Value,
}

impl NewPaymentToken {
    /// Of a setup token.
    pub(crate) fn of(setup_token: &str) -> Self {
        Self { payment_source: json!({"token": {"id": setup_token, "type": "SETUP_TOKEN"}}) }
    }
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Customer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merchant_customer_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SetupToken {
    pub(crate) id: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PaymentToken {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) customer: Customer,
    pub(crate) payment_source: StoredSource,
}

/// What is stored: one of them.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredSource {
    pub(crate) card: Option<StoredCard>,
    pub(crate) paypal: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StoredCard {
    #[serde(default)]
    pub(crate) brand: Option<String>,
    #[serde(default)]
    pub(crate) last_digits: Option<String>,
    /// `YYYY-MM`.
    #[serde(default)]
    pub(crate) expiry: Option<String>,
}
