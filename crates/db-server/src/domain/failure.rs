//! What has failed, for whoever watches.

use super::{Domain, DomainError};
use crate::store::{
    Listed, Page,
    failure::{self, FailedStatus, FailedTransaction},
};

/// The latest failed transaction of each product, newest first.
///
/// # Errors
/// What the database gives.
pub async fn transactions(domain: &Domain, page: Page) -> Result<Listed<FailedTransaction>, DomainError> {
    domain.database.read(move |connection| Ok(failure::transactions(connection, page)?)).await
}

/// The checks of products at Bango that found errors, newest first.
///
/// # Errors
/// What the database gives.
pub async fn statuses(domain: &Domain, page: Page) -> Result<Listed<FailedStatus>, DomainError> {
    domain.database.read(move |connection| Ok(failure::statuses(connection, page)?)).await
}
