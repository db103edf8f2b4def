//! What a provider says about charges that it made of subscriptions, by itself; and about sales that are no payments,
//! which were made before a sale was one.

mod verdict;

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::PgConnection;
use uuid::Uuid;
use wire::payment::{Event, EventKind, Subscription};

use self::verdict::{Verdict, advance};
use super::{Domain, DomainError, notice};
use crate::store::{
    Listed, Page, buyer,
    code::{Provider, TransactionType},
    id::ProviderChargeId,
    payment_customer::{self, PaymentCustomerRow},
    payment_method, product,
    provider_charge::{
        self, NewProviderCharge, ProviderChargeChanges, ProviderChargeFilter, ProviderChargeRow,
    },
    subscription::{self, SubscriptionFilter, SubscriptionRow},
    transaction::{self, NewTransaction, TransactionRow},
};

/// By what the changes are decided.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The age at which nothing about a transaction changes any more.
    pub lockdown: Duration,
    /// What time it is.
    pub now: DateTime<Utc>,
}

impl Rules {
    /// Those of this moment.
    #[must_use]
    pub fn of(domain: &Domain) -> Self {
        Self { lockdown: domain.lockdown, now: domain.clock.now() }
    }
}

/// What a provider says about a transaction, as a client sees it.
#[derive(Debug)]
pub struct Charge {
    /// The row.
    pub row: ProviderChargeRow,
    /// The currency of the transaction.
    pub currency: Option<String>,
}

/// Reads one record.
///
/// # Errors
/// [`DomainError::NotFound`] for one that this provider does not have, and what the database gives.
pub async fn get(domain: &Domain, provider: Provider, id: ProviderChargeId) -> Result<Charge, DomainError> {
    let get = move |connection: &mut PgConnection| {
        let row = provider_charge::by_id(connection, id)?.filter(|row| row.provider == provider);
        complete(connection, row.into_iter().collect())?.pop().ok_or(DomainError::NotFound)
    };
    domain.database.read(get).await
}

/// Reads one page of the records that the filter names.
///
/// # Errors
/// What the database gives.
pub async fn list(
    domain: &Domain,
    filter: ProviderChargeFilter,
    page: Page,
) -> Result<Listed<Charge>, DomainError> {
    let list = move |connection: &mut PgConnection| {
        let listed = provider_charge::list(connection, &filter, page)?;
        Ok(Listed { rows: complete(connection, listed.rows)?, total: listed.total })
    };
    domain.database.read(list).await
}

fn complete(connection: &mut PgConnection, rows: Vec<ProviderChargeRow>) -> Result<Vec<Charge>, DomainError> {
    let ids: Vec<_> = rows.iter().map(|row| row.transaction_id).collect();
    let mut currencies = transaction::currencies(connection, &ids)?;
    let charge = |row: ProviderChargeRow| Charge { currency: currencies.remove(&row.transaction_id), row };
    Ok(rows.into_iter().map(charge).collect())
}

/// Locks who pays for a subscription until the database transaction ends. A charge that is recorded refers to the buyer,
/// and whoever concludes what was asked of the provider locks the buyer before the subscription.
///
/// # Errors
/// What the database gives.
pub fn lock_payer(
    connection: &mut PgConnection,
    provider: Provider,
    said: &Subscription,
) -> Result<(), DomainError> {
    let filter = SubscriptionFilter {
        provider: Some(provider),
        provider_id: Some(said.reference.clone()),
        ..SubscriptionFilter::default()
    };
    let found = subscription::list(connection, &filter, Page { limit: 1, offset: 0 })?;
    let Some(row) = found.rows.first() else { return Ok(()) };
    if let Some(customer) = payer(connection, row)? {
        buyer::by_id_for_update(connection, customer.buyer_id)?;
    }
    Ok(())
}

/// A charge of a subscription, of which a verified event tells, becomes a transaction, once. Events may come in any
/// order and more than once: what is known changes nothing, and what is decided stays. What else an event says about a
/// subscription is passed over, though the last charge may be in it.
///
/// # Errors
/// What the database gives.
pub fn of_subscription(
    connection: &mut PgConnection,
    event: &Event,
    row: &SubscriptionRow,
    rules: Rules,
) -> Result<(), DomainError> {
    let is_charge =
        matches!(event.kind, EventKind::SubscriptionCharged | EventKind::SubscriptionChargeFailed);
    let (Some(outcome), Some(said), true) = (&event.payment, &event.subscription, is_charge) else {
        return Ok(());
    };
    let Some(verdict) = Verdict::of(outcome) else { return Ok(()) };
    let known = by_reference(connection, row.provider, verdict.reference.as_ref())?;
    let transaction = match known {
        Some(known) => advance(connection, known, &verdict, rules)?,
        None => insert(connection, row, &verdict)?,
    };
    match provider_charge::of_transaction(connection, transaction.id)? {
        Some(charge) => refresh(connection, &charge, event, said),
        None => record(connection, event, (said, row), &transaction),
    }
}

/// A charge that is no payment of ours and of which the provider knows more by now: that of a subscription, or a sale
/// that was made before a sale was a payment, which is found by its attempt alone while its outcome is not known. False
/// when there is no such transaction here.
///
/// # Errors
/// What the database gives.
pub fn of_payment(connection: &mut PgConnection, event: &Event, rules: Rules) -> Result<bool, DomainError> {
    let provider = Provider::from(event.provider);
    let verdict = event.payment.as_ref().and_then(Verdict::of);
    let reference = verdict.as_ref().and_then(|verdict| verdict.reference.as_ref());
    let mut known = by_reference(connection, provider, reference.or(event.payment_reference.as_ref()))?;
    if let (None, Some(attempt)) = (&known, event.attempt)
        && let Some(id) = provider_charge::transaction_of_attempt(connection, provider, attempt.uuid())?
    {
        known = transaction::by_id_for_update(connection, id)?;
    }
    let is_here = known.is_some();
    if let (Some(known), Some(verdict)) = (known, verdict) {
        advance(connection, known, &verdict, rules)?;
    }
    Ok(is_here)
}

/// The transaction under the provider's id, locked until the database transaction ends.
fn by_reference(
    connection: &mut PgConnection,
    provider: Provider,
    reference: Option<&String>,
) -> Result<Option<TransactionRow>, DomainError> {
    let Some(reference) = reference else { return Ok(None) };
    match transaction::by_uid_support(connection, provider, reference)? {
        Some(row) => Ok(transaction::by_id_for_update(connection, row.id)?),
        None => Ok(None),
    }
}

fn payer(
    connection: &mut PgConnection,
    row: &SubscriptionRow,
) -> Result<Option<PaymentCustomerRow>, DomainError> {
    let Some(method) = payment_method::by_id(connection, row.payment_method_id)? else { return Ok(None) };
    Ok(payment_customer::by_id(connection, method.customer_id)?)
}

fn insert(
    connection: &mut PgConnection,
    row: &SubscriptionRow,
    verdict: &Verdict,
) -> Result<TransactionRow, DomainError> {
    let customer = payer(connection, row)?;
    let product = match row.product_id {
        Some(id) => product::by_id(connection, id)?,
        None => None,
    };
    let new = NewTransaction {
        uuid: format!("solitude:{}", Uuid::new_v4()),
        amount_minor: verdict.amount.map(|amount| amount.minor_units),
        currency: verdict.amount.map(|amount| amount.currency.code().to_owned()),
        buyer_id: customer.map(|customer| customer.buyer_id),
        seller_id: product.as_ref().map(|product| product.seller_id),
        product_id: row.product_id,
        provider: Some(row.provider),
        kind: TransactionType::Payment,
        status: verdict.status,
        status_reason: verdict.reason.clone(),
        uid_support: verdict.reference.clone(),
        ..NewTransaction::default()
    };
    Ok(transaction::insert(connection, &new, &actor(Some(row.provider)))?)
}

fn record(
    connection: &mut PgConnection,
    event: &Event,
    (said, row): (&Subscription, &SubscriptionRow),
    transaction: &TransactionRow,
) -> Result<(), DomainError> {
    let new = NewProviderCharge {
        transaction_id: transaction.id,
        provider: row.provider,
        payment_method_id: Some(row.payment_method_id),
        subscription_id: Some(row.id),
        kind: notice::reason(&event.provider_kind),
        billing_period_start_date: date(said.period_start.as_deref()),
        billing_period_end_date: date(said.period_end.as_deref()),
        next_billing_date: date(said.next_billing.as_deref()),
        next_billing_period_amount_minor: said.amount.map(|amount| amount.minor_units),
    };
    provider_charge::insert(connection, &new)?;
    Ok(())
}

/// What the provider says now about the charge that it has told of before.
fn refresh(
    connection: &mut PgConnection,
    charge: &ProviderChargeRow,
    event: &Event,
    said: &Subscription,
) -> Result<(), DomainError> {
    let kind = notice::reason(&event.provider_kind);
    let next_billing_date = date(said.next_billing.as_deref());
    if charge.kind == kind && charge.next_billing_date == next_billing_date {
        return Ok(());
    }
    let changes = ProviderChargeChanges {
        kind: Some(kind),
        billing_period_start_date: Some(date(said.period_start.as_deref())),
        billing_period_end_date: Some(date(said.period_end.as_deref())),
        next_billing_date: Some(next_billing_date),
        next_billing_period_amount_minor: Some(said.amount.map(|amount| amount.minor_units)),
    };
    provider_charge::update(connection, charge.id, &changes)?;
    Ok(())
}

/// The name under which the audit events of webhooks are written.
fn actor(provider: Option<Provider>) -> String {
    format!("provider:{}", provider.map_or("unknown", Provider::name))
}

/// A day as a provider writes it; none when it is no day.
fn date(text: Option<&str>) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text?, "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests;
