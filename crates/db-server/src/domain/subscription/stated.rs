//! What a provider states about a subscription by itself, in any order.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use wire::payment::{Provider, Subscription};

use super::changes_of;
use crate::{
    domain::DomainError,
    store::{
        code::SubscriptionStatus,
        subscription::{self, SubscriptionChanges, SubscriptionRow},
    },
};

/// What came of a statement.
#[derive(Clone, Debug)]
pub enum Stated {
    /// The subscription is now as stated, or what we hold is newer.
    Known(SubscriptionRow),
    /// There is no such subscription here, or not yet.
    NotHere,
}

/// Applies what a provider states about a subscription. The same statement again changes nothing.
///
/// # Errors
/// What the database gives.
pub fn apply(
    connection: &mut PgConnection,
    provider: Provider,
    said: &Subscription,
    occurred: Option<DateTime<Utc>>,
) -> Result<Stated, DomainError> {
    let found = subscription::by_provider_id_for_update(connection, provider.into(), &said.reference)?;
    let Some(row) = found else { return Ok(Stated::NotHere) };
    // A later statement is noted even when it says the same, so that an earlier one that comes late is known for one.
    let same = says_nothing_new(&row, said) && (occurred.is_none() || occurred == row.stated);
    if same || !supersedes(&row, said, occurred) {
        return Ok(Stated::Known(row));
    }
    let changes = SubscriptionChanges { stated: occurred, ..changes_of(said) };
    Ok(Stated::Known(subscription::update(connection, row.id, None, &changes)?))
}

/// Whether a statement is to be believed over what we hold. An end is final, and of two statements the later one counts.
fn supersedes(row: &SubscriptionRow, said: &Subscription, occurred: Option<DateTime<Utc>>) -> bool {
    let ends = SubscriptionStatus::from(said.status).has_ended();
    if row.status.has_ended() {
        return false;
    }
    match (row.stated, occurred) {
        (Some(before), Some(now)) if now < before => ends,
        _ => true,
    }
}

fn says_nothing_new(row: &SubscriptionRow, said: &Subscription) -> bool {
    let changes = changes_of(said);
    let same_amount = changes.amount_minor.is_none_or(|amount| amount == row.amount_minor)
        && changes.currency.is_none_or(|currency| currency == row.currency);
    let same_billing = changes.next_billing_date.is_none_or(|next| next == row.next_billing_date);
    let same_active = changes.active.is_none_or(|active| active == row.active);
    changes.status == Some(row.status) && same_amount && same_billing && same_active
}

#[cfg(test)]
mod tests;
