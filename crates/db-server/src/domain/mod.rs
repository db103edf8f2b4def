//! What the server decides: resources, their rules, and the states that a transaction goes through.

pub mod api_client;
pub mod detached;
pub mod error;
pub mod lifecycle;
pub mod notice;
pub mod product;
pub mod purchase;
pub mod reference;
pub mod seller;
pub mod transaction;

use std::time::Duration;

use crate::{cache::Sealed, crypt::EncryptionKeys, database::Database};

pub use error::DomainError;

/// What every decision may need.
pub struct Domain {
    /// Where things are kept.
    pub database: Database,
    /// What has been read from there lately.
    pub cache: Sealed,
    /// What encrypts secrets at rest.
    pub keys: EncryptionKeys,
    /// The age at which nothing about a transaction changes any more.
    pub lockdown: Duration,
}
