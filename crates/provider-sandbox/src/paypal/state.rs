//! What PayPal knows: its account, its books, and the calls that are under way.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};

use super::effects::Effects;
use super::once::Key;
use super::order::Order;
use super::payment::{Authorization, Capture, Refund};
use super::reporting::Reporting;
use super::token::Tokens;
use super::vault::{PaymentToken, SetupToken};
use crate::settings::PaypalAccount;
use crate::shared::Shared;

/// The whole provider, shared by all its handlers.
pub(crate) struct Paypal {
    pub(super) account: PaypalAccount,
    pub(super) shared: Data<Shared>,
    books: Mutex<Books>,
}

/// Everything that was created, by id.
#[derive(Default)]
pub(super) struct Books {
    pub(super) tokens: Tokens,
    pub(super) keys: HashMap<(&'static str, String), Key>,
    pub(super) orders: BTreeMap<String, Order>,
    pub(super) authorizations: BTreeMap<String, Authorization>,
    pub(super) captures: BTreeMap<String, Capture>,
    pub(super) refunds: BTreeMap<String, Refund>,
    pub(super) setup_tokens: BTreeMap<String, SetupToken>,
    pub(super) payment_tokens: BTreeMap<String, PaymentToken>,
    /// The invoice ids that stand on a payment.
    pub(super) invoices: HashSet<String>,
    pub(super) reporting: Reporting,
    /// How far the clock was put forward.
    skew: TimeDelta,
}

impl Paypal {
    pub(crate) fn new(account: PaypalAccount, shared: Data<Shared>) -> Self {
        Self { account, shared, books: Mutex::default() }
    }

    /// The books, locked: never held over an await.
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the books, and then tells the ledger and the endpoints what came of it.
    pub(super) fn act<T>(&self, work: impl FnOnce(&mut Books, &mut Effects) -> T) -> T {
        let mut effects = Effects::default();
        let result = work(&mut self.books(), &mut effects);
        effects.tell(self);
        result
    }
}

impl Books {
    /// PayPal's clock.
    pub(super) fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.skew
    }

    /// Puts PayPal's clock forward.
    pub(super) fn advance(&mut self, seconds: u32) {
        self.skew += TimeDelta::seconds(seconds.into());
    }
}

const CAPITALS: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPRSTUVWXY";

/// An id of capitals and digits.
pub(super) fn random_id(length: usize) -> String {
    let mut bytes = vec![0; length];
    if let Err(error) = getrandom::fill(&mut bytes) {
        log::error!("no random bytes: {error}");
    }
    bytes.iter().map(|byte| char::from(CAPITALS[usize::from(byte % 32)])).collect()
}

/// A time as PayPal writes it.
pub(super) fn written(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
