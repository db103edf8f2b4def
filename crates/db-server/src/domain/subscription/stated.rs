//! What a provider states about a subscription by itself, in any order.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use wire::payment::{Provider, Subscription};

use super::changes_of;
use crate::{
    domain::DomainError,
    store::{
        code::SubscriptionStatus,
        subscription::{self, SubscriptionChanges, SubscriptionFilter, SubscriptionRow},
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
    let mut changes = SubscriptionChanges { stated: occurred, ..changes_of(said) };
    if begins(&row, said) && !has_double(connection, &row)? {
        changes.active = Some(true);
    }
    Ok(Stated::Known(subscription::update(connection, row.id, None, &changes)?))
}

/// Whether a statement is to be believed over what we hold. An end is final; of two statements the later one counts; and
/// what has begun is not pending again because somebody says so late.
fn supersedes(row: &SubscriptionRow, said: &Subscription, occurred: Option<DateTime<Utc>>) -> bool {
    let status = SubscriptionStatus::from(said.status);
    if row.status.has_ended() {
        return false;
    }
    let begun = row.status != SubscriptionStatus::Pending;
    match (row.stated, occurred) {
        _ if status.has_ended() => true,
        (Some(before), Some(now)) if now < before => false,
        // Stripe's times are whole seconds, and a subscription begins within one.
        (Some(before), Some(now)) if now > before => true,
        _ => status != SubscriptionStatus::Pending || !begun,
    }
}

/// Whether its first charge is through now; it may have been declined at first.
fn begins(row: &SubscriptionRow, said: &Subscription) -> bool {
    row.status == SubscriptionStatus::Pending && said.status == wire::payment::SubscriptionStatus::Active
}

/// Whether another subscription of the same plan is charged to the same means of payment.
fn has_double(connection: &mut PgConnection, row: &SubscriptionRow) -> Result<bool, DomainError> {
    let same = SubscriptionFilter {
        payment_method_id: Some(row.payment_method_id),
        plan: Some(row.plan.clone()),
        active: Some(true),
        ..SubscriptionFilter::default()
    };
    let others = subscription::count(connection, &same)?;
    Ok(!row.active && others > 0)
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
