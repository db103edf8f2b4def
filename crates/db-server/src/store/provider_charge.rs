//! The table `provider_charges`: what a provider says about a transaction beyond what every transaction has.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};
use uuid::Uuid;

use super::{
    Listed, Page, StoreError,
    code::Provider,
    id::{PaymentMethodId, ProviderChargeId, SubscriptionId, TransactionId},
};
use crate::schema::{buyers, provider_charges, transactions};

/// What a provider said about a transaction.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = provider_charges, check_for_backend(Pg))]
pub struct ProviderChargeRow {
    /// The key.
    pub id: ProviderChargeId,
    /// About which transaction.
    pub transaction_id: TransactionId,
    /// Which provider.
    pub provider: Provider,
    /// What was charged, if it is stored.
    pub payment_method_id: Option<PaymentMethodId>,
    /// For which subscription.
    pub subscription_id: Option<SubscriptionId>,
    /// The provider's word for what happened.
    pub kind: String,
    /// The first day of the period that was paid for.
    pub billing_period_start_date: Option<NaiveDate>,
    /// Its last day.
    pub billing_period_end_date: Option<NaiveDate>,
    /// When the subscription is charged next.
    pub next_billing_date: Option<NaiveDate>,
    /// How much then, in minor units of the transaction's currency.
    pub next_billing_period_amount_minor: Option<i64>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
    /// Under which id the provider was asked for a sale that was made before a sale was a payment; none for what the
    /// provider began itself, and for payments, whose operations have it.
    pub attempt: Option<Uuid>,
}

/// What is to be recorded; the fields are [`ProviderChargeRow`]'s.
#[expect(missing_docs, reason = "each field is documented in ProviderChargeRow")]
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = provider_charges, treat_none_as_default_value = false)]
pub struct NewProviderCharge {
    pub transaction_id: TransactionId,
    pub provider: Provider,
    pub payment_method_id: Option<PaymentMethodId>,
    pub subscription_id: Option<SubscriptionId>,
    pub kind: String,
    pub billing_period_start_date: Option<NaiveDate>,
    pub billing_period_end_date: Option<NaiveDate>,
    pub next_billing_date: Option<NaiveDate>,
    pub next_billing_period_amount_minor: Option<i64>,
}

/// What changes; `None` stays as it is, `Some(None)` is unset.
#[expect(missing_docs, reason = "each field is documented in ProviderChargeRow")]
#[derive(AsChangeset, Clone, Debug, Default)]
#[diesel(table_name = provider_charges)]
pub struct ProviderChargeChanges {
    pub kind: Option<String>,
    pub billing_period_start_date: Option<Option<NaiveDate>>,
    pub billing_period_end_date: Option<Option<NaiveDate>>,
    pub next_billing_date: Option<Option<NaiveDate>>,
    pub next_billing_period_amount_minor: Option<Option<i64>>,
}

/// Which of them; `None` is all.
#[derive(Clone, Debug, Default)]
pub struct ProviderChargeFilter {
    /// Of this provider.
    pub provider: Option<Provider>,
    /// About transactions of the buyer with this uuid.
    pub buyer_uuid: Option<String>,
}

impl ProviderChargeFilter {
    fn query(&self) -> provider_charges::BoxedQuery<'_, Pg> {
        let mut query = provider_charges::table.into_boxed();
        if let Some(provider) = self.provider {
            query = query.filter(provider_charges::provider.eq(provider));
        }
        if let Some(uuid) = &self.buyer_uuid {
            let wanted = transactions::table.inner_join(buyers::table).filter(buyers::uuid.eq(uuid));
            query = query.filter(provider_charges::transaction_id.eq_any(wanted.select(transactions::id)));
        }
        query
    }
}

/// Records what a provider said.
///
/// # Errors
/// [`StoreError`]; `provider_charges_transaction_id_key` when there is a record of the transaction already.
pub fn insert(
    connection: &mut PgConnection,
    new: &NewProviderCharge,
) -> Result<ProviderChargeRow, StoreError> {
    Ok(diesel::insert_into(provider_charges::table)
        .values(new)
        .returning(ProviderChargeRow::as_returning())
        .get_result(connection)?)
}

/// Finds a record by its key.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(
    connection: &mut PgConnection,
    id: ProviderChargeId,
) -> Result<Option<ProviderChargeRow>, StoreError> {
    let query = provider_charges::table.find(id).select(ProviderChargeRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Finds the record of a transaction.
///
/// # Errors
/// [`StoreError`].
pub fn of_transaction(
    connection: &mut PgConnection,
    id: TransactionId,
) -> Result<Option<ProviderChargeRow>, StoreError> {
    let query = provider_charges::table.filter(provider_charges::transaction_id.eq(id));
    Ok(query.select(ProviderChargeRow::as_select()).first(connection).optional()?)
}

/// Finds the transaction that an attempt was made for, of sales that are no payments.
///
/// # Errors
/// [`StoreError`].
pub fn transaction_of_attempt(
    connection: &mut PgConnection,
    provider: Provider,
    attempt: Uuid,
) -> Result<Option<TransactionId>, StoreError> {
    let query = provider_charges::table
        .filter(provider_charges::attempt.eq(attempt).and(provider_charges::provider.eq(provider)));
    Ok(query.select(provider_charges::transaction_id).first(connection).optional()?)
}

/// One page of the records that the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    connection: &mut PgConnection,
    filter: &ProviderChargeFilter,
    page: Page,
) -> Result<Listed<ProviderChargeRow>, StoreError> {
    let total = filter.query().count().get_result(connection)?;
    let rows = filter
        .query()
        .order(provider_charges::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(ProviderChargeRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Changes a record.
///
/// # Errors
/// [`StoreError`]; `NotFound`.
pub fn update(
    connection: &mut PgConnection,
    id: ProviderChargeId,
    changes: &ProviderChargeChanges,
) -> Result<ProviderChargeRow, StoreError> {
    Ok(diesel::update(provider_charges::table.find(id))
        .set((
            changes,
            provider_charges::modified.eq(now),
            provider_charges::counter.eq(provider_charges::counter + 1),
        ))
        .returning(ProviderChargeRow::as_returning())
        .get_result(connection)?)
}
