//! Stripe, under `/stripe`: payment intents, refunds, customers, payment methods, setup intents, subscriptions.
//!
//! Source: Stripe's API reference, "Error codes", "Idempotent requests", "Test cards" and "Webhooks", and what the
//! official SDK reads. One account with one secret key; its state is in memory.

mod balance;
mod books;
mod cards;
mod catalog;
mod charge;
mod control;
mod currency;
mod customer;
mod dispute;
mod door;
mod error;
mod event;
mod form;
mod idempotency;
mod invoice;
mod payer;
mod payment_intent;
mod payment_method;
mod refund;
mod routes;
mod search;
mod setup_intent;
mod shelf;
mod subscription;

use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::{self, Data, ServiceConfig};
use chrono::Utc;
use serde_json::Value;

use crate::settings::StripeAccount;
use crate::shared::Shared;
use books::{Books, Call, Origin};
pub(crate) use control::routes as control;
use error::Failure;
use idempotency::Keys;
use routes::Operation;

/// The whole provider, shared by all its handlers.
pub(crate) struct Stripe {
    account: StripeAccount,
    shared: Data<Shared>,
    books: Mutex<Books>,
    keys: Mutex<Keys>,
    control: control::Control,
}

impl Stripe {
    pub(crate) fn new(account: StripeAccount, shared: Data<Shared>) -> Self {
        let (books, keys, control) = Default::default();
        Self { account, shared, books, keys, control }
    }

    /// The books, locked: never held over an await.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Executes an operation; tells its events and writes its lines of the ledger, also when it was refused.
    fn execute(&self, operation: Operation, call: &mut Call, expand: &[String]) -> Result<Value, Failure> {
        let mut books = self.books();
        let result = operation(&mut books, call);
        let effects = books.effects();
        let result = result.and_then(|mut shown| books.expand(&mut shown, expand).map(|()| shown));
        drop(books);
        self.tell(effects);
        result
    }

    /// Does what no request asked for: a person or the passing of time did.
    fn by_itself<T>(&self, work: impl FnOnce(&mut Books, &Origin) -> T) -> T {
        let origin = Origin {
            now: Utc::now(),
            request_id: None,
            idempotency_key: None,
            version: door::ACCOUNT_VERSION.to_owned(),
            pages: format!("{}/stripe/pages", self.shared.root()),
        };
        let mut books = self.books();
        let result = work(&mut books, &origin);
        let effects = books.effects();
        drop(books);
        self.tell(effects);
        result
    }

    fn tell(&self, effects: books::Effects) {
        effects.lines.into_iter().for_each(|line| self.shared.ledger.record(line));
        for event in effects.events {
            self.shared.deliveries.announce(event.announcement(self.account.webhook_secret.clone()));
        }
    }
}

/// The provider's own paths, under `/stripe`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::scope("/pages").configure(payer::routes)).default_service(web::to(door::answer));
}
