//! What the server decides: resources, their rules, and the states that a transaction goes through.

pub mod api_client;
pub mod attempt;
pub mod braintree;
pub mod buyer;
pub mod charge;
mod clock;
pub mod closing;
pub mod customer;
pub mod delivery;
pub mod detached;
pub mod error;
pub mod failure;
mod hashing;
pub mod inbox;
pub mod ledger;
pub mod lifecycle;
pub mod notice;
pub mod payment;
pub mod payment_event;
pub mod paymethod;
pub mod pin;
pub mod plan;
pub mod product;
pub mod purchase;
pub mod reconcile;
pub mod reference;
pub mod seller;
pub mod stopping;
pub mod subscription;
pub mod transaction;
pub mod user;
pub mod webhook_endpoint;

use std::time::Duration;

use crate::{
    cache::Sealed, crypt::EncryptionKeys, database::Database, lookup::LookupKeys, settings::PaymentSettings,
};

pub use clock::Clock;
pub use error::DomainError;

/// What every decision may need.
pub struct Domain {
    /// Where things are kept.
    pub database: Database,
    /// Those who read a transaction at this moment.
    pub transactions: transaction::Reads,
    /// What has been read from there lately.
    pub cache: Sealed,
    /// What encrypts secrets at rest.
    pub keys: EncryptionKeys,
    /// What finds encrypted addresses.
    pub lookup: LookupKeys,
    /// How PINs are kept and guarded.
    pub pins: pin::Pins,
    /// What time it is.
    pub clock: Clock,
    /// What holds for payments at every provider.
    pub payments: PaymentSettings,
    /// The age at which nothing about a transaction changes any more.
    pub lockdown: Duration,
    /// Whether events may wait for a payment.
    pub waiting: inbox::Waiting,
    /// Whether the server is asked to stop.
    pub stopping: stopping::Stopping,
}
