//! Everything that the merchant has at Braintree, in memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::customers::Customer;
use super::instrument::{self, Fixed, Instrument, Nonce};
use super::notification::Notification;
use super::payment_methods::PaymentMethod;
use super::plans::Plan;
use super::request_keys::Used;
use super::subscriptions::Subscription;
use super::three_d_secure::Verification;
use super::transaction::Transaction;
use crate::ledger::{Entry, Kind};
use crate::provider::Provider;

/// The books of one merchant.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) control_panel: ControlPanel,
    pub(super) customers: BTreeMap<String, Customer>,
    pub(super) payment_methods: BTreeMap<String, PaymentMethod>,
    /// In the order in which they were made.
    pub(super) transactions: Vec<Transaction>,
    pub(super) plans: BTreeMap<String, Plan>,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    pub(super) request_keys: BTreeMap<String, Used>,
    pub(super) verifications: BTreeMap<String, Verification>,
    /// What the client API has issued.
    nonces: BTreeMap<String, Nonce>,
    consumed: BTreeSet<String>,
    /// What is still to be written into the ledger and told.
    pub(super) effects: Effects,
}

/// What a merchant switches in the Control Panel.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ControlPanel {
    /// How long an equal sale is refused as a duplicate, in seconds; 0 switches the check off.
    pub(super) duplicate_window: u32,
    /// Whether `api_request_key` is known to this account.
    pub(super) api_request_keys: bool,
    /// Whether a security code that does not match is rejected.
    pub(super) cvv_rules: bool,
}

impl Default for ControlPanel {
    fn default() -> Self {
        Self { duplicate_window: 30, api_request_keys: false, cvv_rules: true }
    }
}

/// What a change brings about outside of the books.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) entries: Vec<Entry>,
    pub(super) notifications: VecDeque<Notification>,
}

impl Effects {
    /// Notes a movement of money.
    pub(super) fn record(&mut self, kind: Kind, transaction: &Transaction) {
        self.entries.push(Entry {
            provider: Provider::Braintree,
            kind,
            id: transaction.id.clone(),
            amount: transaction.account.show(transaction.amount),
            currency: transaction.account.currency.to_owned(),
            reference: transaction.reference(),
            at: Utc::now(),
        });
    }

    /// Notes something to tell.
    pub(super) fn tell(&mut self, notification: Notification) {
        self.notifications.push_back(notification);
    }
}

/// Why a nonce stands for nothing.
pub(super) enum NonceFault {
    Unknown,
    Consumed,
    InvalidNumber,
}

impl Books {
    /// What stands behind a nonce; an issued one is good once.
    pub(super) fn take_nonce(&mut self, nonce: &str) -> Result<Nonce, NonceFault> {
        match instrument::fixed(nonce) {
            Some(Fixed::Good(known)) => return Ok(*known),
            Some(Fixed::Consumed) => return Err(NonceFault::Consumed),
            Some(Fixed::InvalidNumber) => return Err(NonceFault::InvalidNumber),
            None => {}
        }
        if self.consumed.contains(nonce) {
            return Err(NonceFault::Consumed);
        }
        let found = self.nonces.remove(nonce).ok_or(NonceFault::Unknown)?;
        self.consumed.insert(nonce.to_owned());
        Ok(found)
    }

    /// A new nonce for an instrument.
    pub(super) fn issue(&mut self, content: Nonce) -> String {
        let nonce = format!("tokencc_{}", uuid::Uuid::new_v4().simple());
        self.nonces.insert(nonce.clone(), content);
        nonce
    }

    /// An issued nonce, without using it.
    pub(super) fn nonce_mut(&mut self, nonce: &str) -> Option<&mut Nonce> {
        self.nonces.get_mut(nonce)
    }

    /// A nonce ends with a time; a test does not wait for it.
    pub(super) fn expire(&mut self, nonce: &str) -> bool {
        self.nonces.remove(nonce).is_some()
    }

    pub(super) fn transaction(&self, id: &str) -> Option<&Transaction> {
        self.transactions.iter().find(|transaction| transaction.id == id)
    }

    pub(super) fn transaction_mut(&mut self, id: &str) -> Option<&mut Transaction> {
        self.transactions.iter_mut().find(|transaction| transaction.id == id)
    }

    /// An earlier sale that makes this one a duplicate: same amount, order and card, shortly before, and successful.
    ///
    /// Source: developer.paypal.com/braintree, "Duplicate Transaction Checking".
    pub(super) fn is_duplicate(&self, sale: &Transaction, now: DateTime<Utc>) -> bool {
        let window = i64::from(self.control_panel.duplicate_window);
        self.transactions.iter().any(|earlier| {
            earlier.kind == sale.kind
                && earlier.is_successful()
                && earlier.amount == sale.amount
                && earlier.account.id == sale.account.id
                && earlier.order_id == sale.order_id
                && is_same(earlier.instrument.as_ref(), sale.instrument.as_ref())
                && (now - earlier.created).num_seconds() < window
        })
    }
}

fn is_same(one: Option<&Instrument>, other: Option<&Instrument>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one.is_same(other))
}

/// An id as Braintree makes them: eight characters in lower case.
pub(super) fn new_id() -> String {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(8);
    id
}
