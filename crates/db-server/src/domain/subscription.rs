//! Payments that a provider repeats, at whichever provider.

mod cancel;
mod change;
mod create;
mod stated;

use chrono::NaiveDate;
use diesel::PgConnection;
use wire::payment::Subscription;

pub use self::{
    cancel::cancel,
    change::change,
    create::{NewSubscription, Plan, create},
    stated::{Stated, apply},
};
use super::{Domain, DomainError};
use crate::{
    crypt::EncryptionKeys,
    domain::paymethod::{Chargeable, chargeable},
    store::{
        Listed, Page,
        id::{BuyerId, PaymentMethodId, SubscriptionId},
        payment_customer, payment_method,
        subscription::{self, SubscriptionChanges, SubscriptionFilter, SubscriptionRow},
    },
};

/// A subscription and who pays it.
#[derive(Clone, Debug)]
pub struct Subscribed {
    /// The row.
    pub row: SubscriptionRow,
    /// Who pays.
    pub buyer_id: BuyerId,
}

/// Reads a subscription; the provider is not asked.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn get(domain: &Domain, id: SubscriptionId) -> Result<Subscribed, DomainError> {
    let get = move |connection: &mut PgConnection| {
        let row = subscription::by_id(connection, id)?.ok_or(DomainError::NotFound)?;
        let buyer_id = payer(connection, row.payment_method_id)?;
        Ok(Subscribed { row, buyer_id })
    };
    domain.database.read(get).await
}

/// Reads one page of the subscriptions that the filter names; no provider is asked.
///
/// # Errors
/// What the database gives.
pub async fn list(
    domain: &Domain,
    filter: SubscriptionFilter,
    page: Page,
) -> Result<Listed<Subscribed>, DomainError> {
    let list = move |connection: &mut PgConnection| {
        let listed = subscription::list(connection, &filter, page)?;
        let ids: Vec<_> = listed.rows.iter().map(|row| row.payment_method_id).collect();
        let methods = payment_method::several(connection, &ids)?;
        let ids: Vec<_> = methods.iter().map(|method| method.customer_id).collect();
        let customers = payment_customer::several(connection, &ids)?;
        let whose = |row: SubscriptionRow| {
            let method = methods.iter().find(|method| method.id == row.payment_method_id);
            let customer = method.map(|method| method.customer_id);
            let customer = customers.iter().find(|one| Some(one.id) == customer);
            let buyer_id = customer.ok_or(DomainError::NotFound)?.buyer_id;
            Ok(Subscribed { row, buyer_id })
        };
        let rows: Result<_, DomainError> = listed.rows.into_iter().map(whose).collect();
        Ok(Listed { rows: rows?, total: listed.total })
    };
    domain.database.read(list).await
}

/// Who pays with a means of payment.
fn payer(connection: &mut PgConnection, id: PaymentMethodId) -> Result<BuyerId, DomainError> {
    let method = payment_method::by_id(connection, id)?.ok_or(DomainError::NotFound)?;
    let customer = payment_customer::by_id(connection, method.customer_id)?;
    Ok(customer.ok_or(DomainError::NotFound)?.buyer_id)
}

/// A means of payment that a request wants to have charged, with its buyer locked and not closed.
fn locked_chargeable(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    id: PaymentMethodId,
) -> Result<Chargeable, DomainError> {
    let buyer_id = chargeable(connection, keys, id)?.customer.buyer_id;
    super::customer::open_buyer(connection, buyer_id)?;
    // It may have been deleted until the buyer was locked.
    chargeable(connection, keys, id)
}

/// What a provider says about a subscription, as changes of its row.
fn changes_of(subscription: &Subscription) -> SubscriptionChanges {
    let status = crate::store::code::SubscriptionStatus::from(subscription.status);
    let next = subscription.next_billing.as_deref().and_then(date);
    SubscriptionChanges {
        status: Some(status),
        // Only an end changes whether it is active: a client may have switched it off here.
        active: status.has_ended().then_some(false),
        amount_minor: subscription.amount.map(|amount| Some(amount.minor_units)),
        currency: subscription.amount.map(|amount| Some(amount.currency.code().to_owned())),
        next_billing_date: if status.has_ended() { Some(None) } else { next.map(Some) },
        ..SubscriptionChanges::default()
    }
}

/// A day as `YYYY-MM-DD`; nothing when it is none.
fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

fn reference(subscription: &Subscription) -> Option<&str> {
    Some(&subscription.reference)
}
