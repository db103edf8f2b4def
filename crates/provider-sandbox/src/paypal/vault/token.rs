//! What is stored, and the tokens that stand for it.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::paypal::{
    error::Refusal,
    instrument::{Card, Context, PAYER_ID},
    payment::link,
    state::{Books, random_id},
};

/// What is to be stored or is stored.
#[derive(Clone, Debug)]
pub(in crate::paypal) enum Stored {
    /// A card whose fields the payer has still to fill in.
    EmptyCard,
    Card(Card),
    Wallet,
}

/// A means of payment that the payer has to approve.
#[derive(Clone, Debug)]
pub(in crate::paypal) struct SetupToken {
    pub(super) id: String,
    pub(in crate::paypal) status: &'static str,
    pub(in crate::paypal) stored: Stored,
    pub(super) customer: Customer,
    pub(in crate::paypal) context: Context,
}

/// A stored means of payment.
#[derive(Clone, Debug)]
pub(in crate::paypal) struct PaymentToken {
    pub(in crate::paypal) id: String,
    pub(super) stored: Stored,
    pub(super) customer: Customer,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Customer {
    pub(super) id: Option<String>,
    merchant_customer_id: Option<String>,
}

impl Books {
    /// The card of a payment token.
    pub(in crate::paypal) fn stored_card(&self, id: &str) -> Result<Card, Refusal> {
        match self.payment_tokens.get(id).map(|token| &token.stored) {
            Some(Stored::Card(card)) => Ok(card.clone()),
            _ => Err(Refusal::issue("VAULT_ID_NOT_FOUND").at("/payment_source/card/vault_id", "")),
        }
    }

    /// Checks that a payment token is a PayPal account.
    pub(in crate::paypal) fn stored_wallet(&self, id: &str) -> Result<(), Refusal> {
        match self.payment_tokens.get(id).map(|token| &token.stored) {
            Some(Stored::Wallet) => Ok(()),
            _ => Err(Refusal::issue("VAULT_ID_NOT_FOUND").at("/payment_source/paypal/vault_id", "")),
        }
    }
}

impl Stored {
    fn show(&self) -> Value {
        match self {
            Self::EmptyCard => json!({"card": {}}),
            Self::Card(card) => json!({"card": card.show()}),
            Self::Wallet => json!({"paypal": {
                "email_address": "payer@example.com", "payer_id": PAYER_ID, "account_id": PAYER_ID,
                "name": {"given_name": "Pay", "surname": "Er"},
            }}),
        }
    }
}

impl Customer {
    /// With an id of PayPal's own when none is known.
    pub(super) fn known(asked: Option<&Self>) -> Self {
        let mut customer = asked.cloned().unwrap_or_default();
        customer.id.get_or_insert_with(|| random_id(10));
        customer
    }

    fn show(&self) -> Value {
        let mut shown = json!({"id": self.id});
        if let Some(own) = &self.merchant_customer_id {
            shown["merchant_customer_id"] = json!(own);
        }
        shown
    }
}

impl SetupToken {
    pub(super) fn show(&self, base: &str) -> Value {
        let path = format!("{base}/v3/vault/setup-tokens/{}", self.id);
        let mut links = vec![link(&path, "self", "GET")];
        match self.status {
            "PAYER_ACTION_REQUIRED" => {
                let page = format!("{base}/agreements/approve?approval_session_id={}", self.id);
                links.insert(0, link(&page, "approve", "GET"));
            }
            _ => links.push(link(&format!("{base}/v3/vault/payment-tokens"), "confirm", "POST")),
        }
        json!({
            "id": self.id, "status": self.status, "customer": self.customer.show(),
            "payment_source": self.stored.show(), "links": links,
        })
    }
}

impl PaymentToken {
    pub(in crate::paypal) fn show(&self, base: &str) -> Value {
        let path = format!("{base}/v3/vault/payment-tokens/{}", self.id);
        json!({
            "id": self.id, "customer": self.customer.show(), "payment_source": self.stored.show(),
            "links": [link(&path, "self", "GET"), link(&path, "delete", "DELETE")],
        })
    }
}
