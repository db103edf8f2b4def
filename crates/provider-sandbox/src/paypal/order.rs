//! An order as it is asked for, kept and shown.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::amount::{Amount, Written};
use super::error::Refusal;
use super::instrument::{Context, Instrument, PAYER_ID, WrittenSource};
use super::payment::link;
use super::state::{Books, random_id, written};

/// `POST /v2/checkout/orders`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WrittenOrder {
    intent: Option<String>,
    purchase_units: Option<Vec<WrittenUnit>>,
    pub(super) payment_source: Option<WrittenSource>,
    application_context: Option<Context>,
}

#[derive(Clone, Debug, Deserialize)]
struct WrittenUnit {
    reference_id: Option<String>,
    amount: Option<Written>,
    description: Option<String>,
    custom_id: Option<String>,
    invoice_id: Option<String>,
    soft_descriptor: Option<String>,
}

/// What an order is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Intent {
    Capture,
    Authorize,
}

impl Intent {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Capture => "CAPTURE",
            Self::Authorize => "AUTHORIZE",
        }
    }
}

/// How an order stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Status {
    Created,
    Approved,
    Voided,
    Completed,
    PayerActionRequired,
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Approved => "APPROVED",
            Self::Voided => "VOIDED",
            Self::Completed => "COMPLETED",
            Self::PayerActionRequired => "PAYER_ACTION_REQUIRED",
        }
    }
}

/// What the payer pays with, which decides how it ends.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Funding {
    /// Money that is there.
    #[default]
    Instant,
    /// A bank that says no.
    Declined,
    /// A bank transfer that takes days.
    Echeck,
    /// Money that PayPal looks at first.
    Review,
}

/// An order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) intent: Intent,
    pub(super) status: Status,
    pub(super) units: Vec<Unit>,
    pub(super) instrument: Option<Instrument>,
    pub(super) funding: Funding,
    pub(super) context: Context,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
}

/// One part of an order, with what was paid of it by id.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) reference_id: String,
    pub(super) amount: Amount,
    description: Option<String>,
    pub(super) custom_id: Option<String>,
    pub(super) invoice_id: Option<String>,
    soft_descriptor: Option<String>,
    pub(super) authorizations: Vec<String>,
    pub(super) captures: Vec<String>,
    pub(super) refunds: Vec<String>,
}

/// The most parts of an order.
const MOST_UNITS: usize = 10;

impl Order {
    /// Checks what is asked for.
    pub(super) fn read(asked: &WrittenOrder, books: &Books) -> Result<Self, Refusal> {
        let intent = match asked.intent.as_deref() {
            None => return Err(Refusal::missing("/intent")),
            Some("CAPTURE") => Intent::Capture,
            Some("AUTHORIZE") => Intent::Authorize,
            Some(other) => return Err(Refusal::invalid("/intent", other)),
        };
        let asked_units = asked.purchase_units.as_deref().unwrap_or_default();
        if asked_units.is_empty() {
            return Err(Refusal::missing("/purchase_units"));
        }
        if asked_units.len() > MOST_UNITS {
            return Err(Refusal::issue("INVALID_ARRAY_MAX_ITEMS").at("/purchase_units", ""));
        }
        let mut units: Vec<Unit> = Vec::new();
        for (index, unit) in asked_units.iter().enumerate() {
            let unit = Unit::read(unit, index)?;
            if units.iter().any(|other| other.reference_id == unit.reference_id) {
                return Err(
                    Refusal::issue("DUPLICATE_REFERENCE_ID").at("/purchase_units", &unit.reference_id)
                );
            }
            units.push(unit);
        }
        let source = asked.payment_source.as_ref();
        let context = source
            .and_then(|source| match (&source.card, &source.paypal) {
                (Some(card), _) => card.experience_context.clone(),
                (None, Some(wallet)) => wallet.experience_context.clone(),
                (None, None) => None,
            })
            .or_else(|| asked.application_context.clone())
            .unwrap_or_default();
        let now = books.now();
        Ok(Self {
            id: random_id(17),
            intent,
            status: if source.is_some() { Status::PayerActionRequired } else { Status::Created },
            units,
            instrument: Instrument::read(source, books)?,
            funding: Funding::default(),
            context,
            created: now,
            updated: now,
        })
    }

    /// Whether the payer is asked for 3-D Secure rather than for approval.
    pub(super) fn asks_for_authentication(&self) -> bool {
        self.status == Status::PayerActionRequired && matches!(self.instrument, Some(Instrument::Card(_)))
    }

    /// Whether the payer's word is waited for.
    pub(super) fn waits(&self) -> bool {
        matches!(self.status, Status::Created | Status::PayerActionRequired)
    }

    pub(super) fn show(&self, books: &Books, base: &str) -> Value {
        let units: Vec<Value> = self.units.iter().map(|unit| unit.show(books, base)).collect();
        let mut shown = json!({
            "id": self.id, "intent": self.intent.name(), "status": self.status.name(),
            "purchase_units": units, "create_time": written(self.created),
            "links": self.links(base),
        });
        if self.updated != self.created {
            shown["update_time"] = json!(written(self.updated));
        }
        if let Some(instrument) = self.instrument.as_ref().filter(|_| !self.waits() || self.has_card()) {
            shown["payment_source"] = instrument.show();
        }
        if matches!(self.status, Status::Approved | Status::Completed) && !self.has_card() {
            shown["payer"] = json!({
                "payer_id": PAYER_ID, "email_address": "payer@example.com",
                "name": {"given_name": "Pay", "surname": "Er"}, "address": {"country_code": "DE"},
            });
        }
        shown
    }

    /// What `return=minimal` gives: of an order that was paid, with the payments.
    pub(super) fn show_minimal(&self, books: &Books, base: &str) -> Value {
        let mut shown = self.show(books, base);
        let paid = self.status == Status::Completed;
        if let Some(fields) = shown.as_object_mut() {
            fields.retain(|name, _| {
                matches!(name.as_str(), "id" | "status" | "links" | "payment_source")
                    || paid && matches!(name.as_str(), "purchase_units" | "payer")
            });
        }
        for unit in shown.get_mut("purchase_units").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(fields) = unit.as_object_mut() {
                fields.retain(|name, _| matches!(name.as_str(), "reference_id" | "payments"));
            }
        }
        shown
    }

    fn has_card(&self) -> bool {
        matches!(self.instrument, Some(Instrument::Card(_)))
    }

    /// The page on which the payer agrees, or passes 3-D Secure.
    pub(super) fn payer_page(&self, base: &str) -> String {
        if self.asks_for_authentication() {
            format!("{base}/webapps/helios?action=verify&flow=3ds&token={}", self.id)
        } else {
            format!("{base}/checkoutnow?token={}", self.id)
        }
    }

    fn links(&self, base: &str) -> Vec<Value> {
        let path = format!("{base}/v2/checkout/orders/{}", self.id);
        let mut links = vec![link(&path, "self", "GET")];
        let pay = if self.intent == Intent::Capture { "capture" } else { "authorize" };
        match self.status {
            Status::Created => {
                links.push(link(&self.payer_page(base), "approve", "GET"));
                links.push(link(&path, "update", "PATCH"));
                links.push(link(&format!("{path}/{pay}"), pay, "POST"));
            }
            Status::PayerActionRequired => links.push(link(&self.payer_page(base), "payer-action", "GET")),
            Status::Approved => {
                links.push(link(&path, "update", "PATCH"));
                links.push(link(&format!("{path}/{pay}"), pay, "POST"));
            }
            Status::Completed | Status::Voided => {}
        }
        links
    }
}

impl Unit {
    fn read(asked: &WrittenUnit, index: usize) -> Result<Self, Refusal> {
        let at = format!("/purchase_units/{index}");
        let amount = Amount::read(asked.amount.as_ref(), &format!("{at}/amount"))?;
        for (name, value, most) in [
            ("reference_id", &asked.reference_id, 256),
            ("description", &asked.description, 127),
            ("custom_id", &asked.custom_id, 255),
            ("invoice_id", &asked.invoice_id, 127),
            ("soft_descriptor", &asked.soft_descriptor, 22),
        ] {
            bounded(&format!("{at}/{name}"), value.as_deref(), most)?;
        }
        Ok(Self {
            reference_id: asked.reference_id.clone().unwrap_or_else(|| "default".to_owned()),
            amount,
            description: asked.description.clone(),
            custom_id: asked.custom_id.clone(),
            invoice_id: asked.invoice_id.clone(),
            soft_descriptor: asked.soft_descriptor.clone(),
            authorizations: Vec::new(),
            captures: Vec::new(),
            refunds: Vec::new(),
        })
    }

    fn show(&self, books: &Books, base: &str) -> Value {
        let mut shown = json!({
            "reference_id": self.reference_id, "amount": self.amount.show(),
            "payee": {"email_address": "merchant@example.com", "merchant_id": "C7CYMKZDG8D6E"},
        });
        for (name, value) in [
            ("description", &self.description),
            ("custom_id", &self.custom_id),
            ("invoice_id", &self.invoice_id),
            ("soft_descriptor", &self.soft_descriptor),
        ] {
            if let Some(value) = value {
                shown[name] = json!(value);
            }
        }
        let authorizations =
            shown_all(&self.authorizations, |id| Some(books.authorizations.get(id)?.show(base)));
        let captures = shown_all(&self.captures, |id| Some(books.captures.get(id)?.show(base)));
        let refunds = shown_all(&self.refunds, |id| Some(books.refunds.get(id)?.show(base)));
        for (name, list) in [("authorizations", authorizations), ("captures", captures), ("refunds", refunds)]
        {
            if !list.is_empty() {
                shown["payments"][name] = Value::Array(list);
            }
        }
        shown
    }
}

fn shown_all(ids: &[String], show: impl Fn(&String) -> Option<Value>) -> Vec<Value> {
    ids.iter().filter_map(show).collect()
}

/// Checks the length of a text, in characters.
pub(super) fn bounded(pointer: &str, text: Option<&str>, most: usize) -> Result<(), Refusal> {
    match text {
        Some(text) if text.is_empty() || text.chars().count() > most => {
            Err(Refusal::issue("INVALID_STRING_LENGTH").at(pointer, text))
        }
        _ => Ok(()),
    }
}
