//! Stripe's answers, as far as this connector reads them.
//!
//! Source: Stripe's API reference, version 2026-10-28, and the types of its official libraries.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use wire::payment::{AttemptId, PaymentMethodKind};

use crate::{
    providers::exchange::{Received, Unintelligible},
    shape,
};

/// An object of Stripe's, which says what it is.
pub(super) trait Shape: DeserializeOwned {
    /// Its `object`.
    const OBJECT: &'static str;

    /// Reads it from a success. One with an error inside is none.
    ///
    /// # Errors
    /// [`Unintelligible`].
    fn read(received: &Received) -> Result<Self, Unintelligible> {
        Self::from_value(received.value()?)
    }

    /// Reads it from JSON.
    ///
    /// # Errors
    /// [`Unintelligible`].
    fn from_value(value: Value) -> Result<Self, Unintelligible> {
        if value.get("object").and_then(Value::as_str) != Some(Self::OBJECT) {
            return Err(Unintelligible::field("object", format!("expected {}", Self::OBJECT)));
        }
        Ok(shape::from_value(value)?)
    }
}

macro_rules! shapes {
    ($($name:ident: $object:literal,)+) => {
        $(impl Shape for $name {
            const OBJECT: &'static str = $object;
        })+
    };
}

shapes! {
    PaymentIntent: "payment_intent",
    Charge: "charge",
    Refund: "refund",
    Customer: "customer",
    PaymentMethod: "payment_method",
    SetupIntent: "setup_intent",
    Price: "price",
    Subscription: "subscription",
    Invoice: "invoice",
    Dispute: "dispute",
    Balance: "balance",
    Event: "event",
}

/// An object, or only its id where nobody asked for more.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Expandable<T> {
    Id(String),
    Object(Box<T>),
}

impl<T> Expandable<T> {
    pub(super) fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

/// One page of a list or of a search.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

impl<T: DeserializeOwned> Shape for Page<T> {
    const OBJECT: &'static str = "list";

    fn from_value(value: Value) -> Result<Self, Unintelligible> {
        match value.get("object").and_then(Value::as_str) {
            Some("list" | "search_result") => Ok(shape::from_value(value)?),
            _ => Err(Unintelligible::field("object", "expected list")),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: i64,
    #[serde(default)]
    pub(super) amount_received: i64,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) client_secret: Option<String>,
    #[serde(default)]
    pub(super) last_payment_error: Option<ErrorObject>,
    #[serde(default)]
    pub(super) latest_charge: Option<Expandable<Charge>>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) next_action: Option<NextAction>,
    #[serde(default)]
    pub(super) payment_method: Option<Expandable<PaymentMethod>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct NextAction {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) redirect_to_url: Option<Redirect>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Redirect {
    pub(super) url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Charge {
    #[serde(default)]
    pub(super) amount_refunded: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) failure_reason: Option<String>,
    #[serde(default)]
    pub(super) metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) payment_intent: Option<Expandable<PaymentIntent>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) created: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct PaymentMethod {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) card: Option<Card>,
    #[serde(default)]
    pub(super) customer: Option<String>,
    #[serde(default)]
    pub(super) created: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Card {
    pub(super) brand: String,
    pub(super) last4: String,
    pub(super) exp_month: u8,
    pub(super) exp_year: u16,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct SetupIntent {
    pub(super) client_secret: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Price {
    pub(super) currency: String,
    #[serde(default)]
    pub(super) unit_amount: Option<i64>,
    pub(super) product: String,
    #[serde(default)]
    pub(super) recurring: Option<Recurring>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Recurring {
    pub(super) interval: String,
    pub(super) interval_count: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) cancel_at_period_end: bool,
    pub(super) items: Page<SubscriptionItem>,
    #[serde(default)]
    pub(super) latest_invoice: Option<Expandable<Invoice>>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct SubscriptionItem {
    pub(super) price: Price,
    #[serde(default)]
    pub(super) quantity: Option<i64>,
    #[serde(default)]
    pub(super) current_period_start: Option<i64>,
    #[serde(default)]
    pub(super) current_period_end: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Invoice {
    pub(super) amount_due: i64,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) billing_reason: Option<String>,
    #[serde(default)]
    pub(super) hosted_invoice_url: Option<String>,
    #[serde(default)]
    pub(super) payments: Option<Page<InvoicePayment>>,
    #[serde(default)]
    pub(super) parent: Option<InvoiceParent>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct InvoicePayment {
    pub(super) payment: PaymentOfInvoice,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct PaymentOfInvoice {
    #[serde(default)]
    pub(super) payment_intent: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct InvoiceParent {
    #[serde(default)]
    pub(super) subscription_details: Option<SubscriptionDetails>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct SubscriptionDetails {
    pub(super) subscription: String,
    #[serde(default)]
    pub(super) metadata: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Dispute {
    #[serde(default)]
    pub(super) payment_intent: Option<Expandable<PaymentIntent>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Balance {}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) created: i64,
    pub(super) data: EventData,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct EventData {
    pub(super) object: Value,
}

/// `{"error": {…}}`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: ErrorObject,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ErrorObject {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) decline_code: Option<String>,
    #[serde(default)]
    pub(super) advice_code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) param: Option<String>,
    #[serde(default)]
    pub(super) payment_intent: Option<Box<PaymentIntent>>,
    #[serde(default)]
    pub(super) payment_method: Option<Box<PaymentMethod>>,
}

impl ErrorBody {
    /// Reads it from a refusal.
    ///
    /// # Errors
    /// [`Unintelligible`] for an error page, say.
    pub(super) fn read(received: &Received) -> Result<Self, Unintelligible> {
        received.json()
    }

    /// Whether there is no such object.
    pub(super) fn is_missing(&self) -> bool {
        self.error.code.as_deref() == Some("resource_missing")
    }

    /// The error for a question that must be answered.
    pub(super) fn unexpected(&self, status: StatusCode) -> Unintelligible {
        let code = self.error.code.as_deref().unwrap_or(&self.error.kind);
        Unintelligible::field("error", format!("status {}, {code}", status.as_u16()))
    }
}

impl PaymentMethod {
    /// What it is, in our words.
    pub(super) fn to_wire(&self) -> wire::payment::PaymentMethod {
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

/// Seconds since 1970 as RFC 3339.
pub(super) fn rfc3339(seconds: i64) -> Option<String> {
    DateTime::<Utc>::from_timestamp(seconds, 0).map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Our attempt, as the object's metadata has it.
pub(super) fn attempt(metadata: &BTreeMap<String, String>) -> Option<AttemptId> {
    metadata.get(ATTEMPT)?.parse().ok()
}

/// The name of our attempt in the metadata.
pub(super) const ATTEMPT: &str = "attempt";
