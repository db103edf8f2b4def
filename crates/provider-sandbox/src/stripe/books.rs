//! Everything that was created, and what follows from a request besides its answer.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::catalog::{Price, Product};
use super::charge::Charge;
use super::currency;
use super::customer::Customer;
use super::dispute::Dispute;
use super::error::Failure;
use super::event::Event;
use super::form::Params;
use super::invoice::Invoice;
use super::payment_intent::PaymentIntent;
use super::payment_method::PaymentMethod;
use super::refund::Refund;
use super::setup_intent::SetupIntent;
use super::shelf::{Object as _, Shelf};
use super::subscription::Subscription;
use crate::ledger::{Entry, Kind};
use crate::provider::Provider;

/// The state of the provider.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) customers: Shelf<Customer>,
    pub(super) payment_methods: Shelf<PaymentMethod>,
    pub(super) payment_intents: Shelf<PaymentIntent>,
    pub(super) setup_intents: Shelf<SetupIntent>,
    pub(super) charges: Shelf<Charge>,
    pub(super) refunds: Shelf<Refund>,
    pub(super) disputes: Shelf<Dispute>,
    pub(super) products: Shelf<Product>,
    pub(super) prices: Shelf<Price>,
    pub(super) subscriptions: Shelf<Subscription>,
    pub(super) invoices: Shelf<Invoice>,
    pub(super) events: Shelf<Event>,
    /// How long the search index is behind, in seconds.
    pub(super) search_lag: i64,
    effects: Effects,
}

/// What is told to others when the books are closed again.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Events, to be delivered.
    pub(super) events: Vec<Event>,
    /// Lines of the ledger.
    pub(super) lines: Vec<Entry>,
}

/// Who asks, when, and for what; what an object remembers of the request that made it.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) now: DateTime<Utc>,
    /// `Request-Id`; none when a person decided.
    pub(super) request_id: Option<String>,
    pub(super) idempotency_key: Option<String>,
    pub(super) version: String,
    /// Where the pages of the sandbox are, for the links in an answer.
    pub(super) pages: String,
}

impl Origin {
    /// Seconds since 1970.
    pub(super) fn seconds(&self) -> i64 {
        self.now.timestamp()
    }
}

/// One request that is being executed.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) origin: Origin,
    /// The id in the path; blank where there is none.
    pub(super) id: String,
    pub(super) params: Params,
}

impl Call {
    /// Refuses parameters that nobody has taken.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        std::mem::take(&mut self.params).finish()
    }
}

impl Books {
    /// Tells an event about an object.
    pub(super) fn happened(&mut self, origin: &Origin, kind: &'static str, object: Value) {
        let event = Event::new(origin, kind, object);
        self.effects.events.push(event.clone());
        self.events.add(event);
    }

    /// Writes a line of the ledger.
    pub(super) fn record(
        &mut self,
        origin: &Origin,
        kind: Kind,
        id: &str,
        money: (i64, &str),
        reference: Option<&str>,
    ) {
        let (amount, code) = money;
        let line = Entry {
            provider: Provider::Stripe,
            kind,
            id: id.to_owned(),
            amount: currency::decimal(amount, code),
            currency: code.to_ascii_uppercase(),
            reference: reference.or(origin.idempotency_key.as_deref()).unwrap_or_default().to_owned(),
            at: origin.now,
        };
        self.effects.lines.push(line);
    }

    /// What has happened since this was last asked.
    pub(super) fn effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    /// Puts objects in the places of their ids: `latest_invoice.payments`, or `data.customer` in a list.
    pub(super) fn expand(&self, value: &mut Value, paths: &[String]) -> Result<(), Failure> {
        for (index, path) in paths.iter().enumerate() {
            let parts: Vec<&str> = path.split('.').collect();
            if parts.len() > DEEPEST_EXPANSION {
                let message = format!("You cannot expand more than {DEEPEST_EXPANSION} levels of a property");
                return Err(Failure::invalid(message, format!("expand[{index}]")));
            }
            self.expand_path(value, &parts).ok_or_else(|| {
                let message = format!("This property cannot be expanded ({path}).");
                Failure::invalid(message, format!("expand[{index}]"))
            })?;
        }
        Ok(())
    }

    /// None where there is no such property or it cannot be expanded.
    fn expand_path(&self, value: &mut Value, path: &[&str]) -> Option<()> {
        let Some((&first, rest)) = path.split_first() else { return Some(()) };
        if let Value::Array(items) = value {
            return items.iter_mut().try_for_each(|item| self.expand_path(item, path));
        }
        let fields = value.as_object_mut()?;
        if let Some(Value::String(invoice)) = fields.get("id")
            && first == "payments"
            && invoice.starts_with("in_")
        {
            let payments = self.invoices.find(invoice)?.payments();
            fields.insert(first.to_owned(), payments);
        }
        let inner = fields.get_mut(first)?;
        match inner {
            Value::Null => Some(()),
            Value::String(id) => {
                *inner = self.show(id)?;
                self.expand_path(inner, rest)
            }
            Value::Object(_) | Value::Array(_)
                if first == "data" || first == "payments" || !rest.is_empty() =>
            {
                self.expand_path(inner, rest)
            }
            _ => None,
        }
    }

    /// The object of an id, whatever it is.
    pub(super) fn show(&self, id: &str) -> Option<Value> {
        match id.split_once('_')?.0 {
            "cus" => self.customers.find(id).map(|object| object.show()),
            "pm" => self.payment_methods.find(id).map(|object| object.show()),
            "pi" => self.payment_intents.find(id).map(|object| object.show()),
            "seti" => self.setup_intents.find(id).map(|object| object.show()),
            "ch" => self.charges.find(id).map(|object| object.show()),
            "re" => self.refunds.find(id).map(|object| object.show()),
            "prod" => self.products.find(id).map(|object| object.show()),
            "price" => self.prices.find(id).map(|object| object.show()),
            "sub" => self.subscriptions.find(id).map(|object| object.show()),
            "txn" => super::balance::show(self, id),
            "in" => self.invoices.find(id).map(|object| object.show()),
            _ => None,
        }
    }
}

/// How many levels may be expanded.
const DEEPEST_EXPANSION: usize = 4;

/// A new id such as `pi_3…`.
pub(super) fn new_id(prefix: &str) -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("{prefix}_{}", random.get(..24).unwrap_or(&random))
}

/// What a payer's browser may use of an intent.
pub(super) fn new_client_secret(id: &str) -> String {
    format!("{id}_secret_{}", Uuid::new_v4().simple())
}

/// What a deleted object is answered with.
pub(super) fn deleted(id: &str, object: &str) -> Value {
    json!({"id": id, "object": object, "deleted": true})
}
