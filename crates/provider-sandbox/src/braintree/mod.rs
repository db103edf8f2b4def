//! Braintree, under `/braintree`: transactions, customers, payment methods, plans, subscriptions, webhooks.
//!
//! Source: the official Python SDK and its tests, developer.paypal.com/braintree, and `../shared/spec/providers.md`.
//!
//! Money counts as moved when a transaction is submitted for settlement: from then on nobody has to do anything for it.
//! The ledger has the charge then, and a void with the same id when it is voided or its settlement declined. The
//! reference of a line is the order id; of a subscription's charge it is the subscription's id.

mod amount;
mod answer;
mod auth;
mod books;
mod changes;
mod client_api;
mod control;
mod customers;
mod instrument;
mod notification;
mod payment_methods;
mod plans;
mod processor;
mod refusal;
mod request_keys;
mod routes;
mod sale;
mod search;
mod settlement;
mod subscriptions;
mod three_d_secure;
mod transaction;
mod xml;

use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::Data;

pub(crate) use control::routes as control;
pub(crate) use routes::routes;

use books::{Books, Effects};

use crate::settings::BraintreeAccount;
use crate::shared::Shared;
use crate::waiting::{Decision, Payers, Undecided, Waiting};

/// The whole provider, shared by all its handlers.
pub(crate) struct Braintree {
    account: BraintreeAccount,
    shared: Data<Shared>,
    books: Mutex<Books>,
}

impl Braintree {
    pub(crate) fn new(account: BraintreeAccount, shared: Data<Shared>) -> Self {
        Self { account, shared, books: Mutex::default() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the books, and then writes the ledger and tells what there is to tell.
    fn perform<T>(&self, work: impl FnOnce(&mut Books) -> T) -> T {
        let mut books = self.books();
        let made = work(&mut books);
        let Effects { entries, notifications } = std::mem::take(&mut books.effects);
        drop(books);
        entries.into_iter().for_each(|entry| self.shared.ledger.record(entry));
        for notification in notifications {
            self.shared.deliveries.announce(notification.announcement(&self.account));
        }
        made
    }
}

impl Payers for Braintree {
    fn waiting(&self) -> Vec<Waiting> {
        three_d_secure::waiting(&self.books())
    }

    async fn decide(&self, id: &str, decision: Decision) -> Result<(), Undecided> {
        self.perform(|books| three_d_secure::decide(books, id, decision))
    }
}
