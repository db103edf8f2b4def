//! Stripe's answers, as far as this connector reads them.
//!
//! Source: Stripe's API reference, version 2026-10-28, and the types of its official libraries.

mod customer;
mod error;
mod payment;
mod subscription;

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use wire::payment::AttemptId;

use crate::{
    providers::exchange::{Received, Unintelligible},
    shape,
};

pub(super) use customer::{Customer, PaymentMethod, SetupIntent};
pub(super) use error::{ErrorBody, ErrorObject};
pub(super) use payment::{BalanceTransaction, Dispute, ListedCharge, PaymentIntent, Refund};
pub(super) use subscription::{Invoice, Price, Subscription};

use payment::Charge;

/// An object of Stripe's, which says what it is.
pub(in crate::providers::stripe) trait Shape: DeserializeOwned {
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
pub(in crate::providers::stripe) enum Expandable<T> {
    Id(String),
    Object(Box<T>),
}

impl<T> Expandable<T> {
    pub(in crate::providers::stripe) fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

/// One page of a list or of a search.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Page<T> {
    pub(in crate::providers::stripe) data: Vec<T>,
    #[serde(default)]
    pub(in crate::providers::stripe) has_more: bool,
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
pub(in crate::providers::stripe) struct Balance {}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct Event {
    pub(in crate::providers::stripe) id: String,
    #[serde(rename = "type")]
    pub(in crate::providers::stripe) kind: String,
    pub(in crate::providers::stripe) created: i64,
    pub(in crate::providers::stripe) data: EventData,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::providers::stripe) struct EventData {
    pub(in crate::providers::stripe) object: Value,
}

/// Seconds since 1970 as RFC 3339.
pub(in crate::providers::stripe) fn rfc3339(seconds: i64) -> Option<String> {
    DateTime::<Utc>::from_timestamp(seconds, 0).map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Our attempt, as the object's metadata has it.
pub(in crate::providers::stripe) fn attempt(metadata: &BTreeMap<String, String>) -> Option<AttemptId> {
    metadata.get(ATTEMPT)?.parse().ok()
}

/// The name of our attempt in the metadata.
pub(in crate::providers::stripe) const ATTEMPT: &str = "attempt";
