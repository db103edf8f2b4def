//! Payers and what they pay with.

use serde::Deserialize;
use wire::payment::PaymentMethodKind;

use super::rfc3339;

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Customer {
    pub(in crate::providers::stripe) id: String,
    pub(in crate::providers::stripe) created: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct PaymentMethod {
    pub(in crate::providers::stripe) id: String,
    #[serde(rename = "type")]
    pub(in crate::providers::stripe) kind: String,
    #[serde(default)]
    pub(in crate::providers::stripe) card: Option<Card>,
    #[serde(default)]
    pub(in crate::providers::stripe) customer: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) created: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Card {
    pub(in crate::providers::stripe) brand: String,
    pub(in crate::providers::stripe) last4: String,
    pub(in crate::providers::stripe) exp_month: u8,
    pub(in crate::providers::stripe) exp_year: u16,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct SetupIntent {
    pub(in crate::providers::stripe) client_secret: Option<String>,
}

impl PaymentMethod {
    /// What it is, in our words.
    pub(in crate::providers::stripe) fn to_wire(&self) -> wire::payment::PaymentMethod {
        let card = self.card.as_ref();
        wire::payment::PaymentMethod {
            token: self.id.as_str().into(),
            kind: if self.kind == "card" { PaymentMethodKind::Card } else { PaymentMethodKind::Other },
            brand: card.map(|card| card.brand.clone()),
            last4: card.map(|card| card.last4.clone()),
            expiry_month: card.map(|card| card.exp_month),
            expiry_year: card.map(|card| card.exp_year),
            created: self.created.and_then(rfc3339),
            modified: None,
        }
    }
}
