//! The table `subscriptions`: payments that a provider repeats.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};

use super::{
    Listed, Page, StoreError, check_counter,
    code::{Provider, SubscriptionStatus},
    id::{BuyerId, PaymentCustomerId, PaymentMethodId, ProductId, SubscriptionId},
};
use crate::schema::{payment_customers, payment_methods, subscriptions};

/// A subscription.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = subscriptions, check_for_backend(Pg))]
pub struct SubscriptionRow {
    /// The key.
    pub id: SubscriptionId,
    /// What is charged.
    pub payment_method_id: PaymentMethodId,
    /// Which provider charges it.
    pub provider: Provider,
    /// The product that the plan stands for.
    pub product_id: Option<ProductId>,
    /// The provider's id of the plan.
    pub plan: String,
    /// The provider's id of the subscription.
    pub provider_id: String,
    /// How it stands at the provider.
    pub status: SubscriptionStatus,
    /// When the provider has said so in a webhook.
    pub stated: Option<DateTime<Utc>>,
    /// What is charged each time, in the currency's minor units; set if and only if the currency is.
    pub amount_minor: Option<i64>,
    /// The ISO 4217 code.
    pub currency: Option<String>,
    /// Whether it is charged, as far as we know.
    pub active: bool,
    /// When it is charged next.
    pub next_billing_date: Option<NaiveDate>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// A subscription to be recorded; the fields are [`SubscriptionRow`]'s.
#[expect(missing_docs, reason = "each field is documented in SubscriptionRow")]
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = subscriptions)]
pub struct NewSubscription {
    pub payment_method_id: PaymentMethodId,
    pub provider: Provider,
    pub product_id: Option<ProductId>,
    pub plan: String,
    pub provider_id: String,
    pub status: SubscriptionStatus,
    pub amount_minor: Option<i64>,
    pub currency: Option<String>,
    pub active: bool,
    pub next_billing_date: Option<NaiveDate>,
}

/// What changes; `None` stays as it is, `Some(None)` is unset.
#[expect(missing_docs, reason = "each field is documented in SubscriptionRow")]
#[derive(AsChangeset, Clone, Debug, Default)]
#[diesel(table_name = subscriptions)]
pub struct SubscriptionChanges {
    pub payment_method_id: Option<PaymentMethodId>,
    pub status: Option<SubscriptionStatus>,
    pub stated: Option<DateTime<Utc>>,
    pub amount_minor: Option<Option<i64>>,
    pub currency: Option<Option<String>>,
    pub active: Option<bool>,
    pub next_billing_date: Option<Option<NaiveDate>>,
}

impl SubscriptionChanges {
    /// Nothing but whether it is active.
    #[must_use]
    pub fn of_active(active: Option<bool>) -> Self {
        Self { active, ..Self::default() }
    }
}

/// Which subscriptions; `None` is all.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionFilter {
    /// Charged by this provider.
    pub provider: Option<Provider>,
    /// With this id at the provider.
    pub provider_id: Option<String>,
    /// To this means of payment.
    pub payment_method_id: Option<PaymentMethodId>,
    /// Of this customer.
    pub customer_id: Option<PaymentCustomerId>,
    /// Of this buyer.
    pub buyer_id: Option<BuyerId>,
    /// Of this product.
    pub product_id: Option<ProductId>,
    /// Of this plan.
    pub plan: Option<String>,
    /// Active or not.
    pub active: Option<bool>,
    /// Ended at the provider or not.
    pub ended: Option<bool>,
}

impl SubscriptionFilter {
    fn query(&self) -> subscriptions::BoxedQuery<'_, Pg> {
        let mut query = subscriptions::table.into_boxed();
        if let Some(provider) = self.provider {
            query = query.filter(subscriptions::provider.eq(provider));
        }
        if let Some(provider_id) = &self.provider_id {
            query = query.filter(subscriptions::provider_id.eq(provider_id));
        }
        if let Some(id) = self.payment_method_id {
            query = query.filter(subscriptions::payment_method_id.eq(id));
        }
        if let Some(customer_id) = self.customer_id {
            let wanted = payment_methods::table.filter(payment_methods::customer_id.eq(customer_id));
            query = query.filter(subscriptions::payment_method_id.eq_any(wanted.select(payment_methods::id)));
        }
        if let Some(buyer_id) = self.buyer_id {
            let wanted = payment_methods::table
                .inner_join(payment_customers::table)
                .filter(payment_customers::buyer_id.eq(buyer_id));
            query = query.filter(subscriptions::payment_method_id.eq_any(wanted.select(payment_methods::id)));
        }
        if let Some(product_id) = self.product_id {
            query = query.filter(subscriptions::product_id.eq(product_id));
        }
        if let Some(plan) = &self.plan {
            query = query.filter(subscriptions::plan.eq(plan));
        }
        if let Some(active) = self.active {
            query = query.filter(subscriptions::active.eq(active));
        }
        if let Some(ended) = self.ended {
            let over = [SubscriptionStatus::Cancelled, SubscriptionStatus::Expired];
            let has_ended = subscriptions::status.eq_any(over);
            query = if ended { query.filter(has_ended) } else { query.filter(diesel::dsl::not(has_ended)) };
        }
        query
    }
}

/// Records a subscription.
///
/// # Errors
/// [`StoreError`]; `subscriptions_payment_method_id_plan_key` when there is an active one of the same plan to the same
/// means of payment, `subscriptions_provider_provider_id_key` when it is recorded already.
pub fn insert(connection: &mut PgConnection, new: &NewSubscription) -> Result<SubscriptionRow, StoreError> {
    Ok(diesel::insert_into(subscriptions::table)
        .values(new)
        .returning(SubscriptionRow::as_returning())
        .get_result(connection)?)
}

/// Finds a subscription by its key.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(
    connection: &mut PgConnection,
    id: SubscriptionId,
) -> Result<Option<SubscriptionRow>, StoreError> {
    Ok(subscriptions::table.find(id).select(SubscriptionRow::as_select()).first(connection).optional()?)
}

/// Finds a subscription by the provider's id and locks its row until the database transaction ends.
///
/// # Errors
/// [`StoreError`].
pub fn by_provider_id_for_update(
    connection: &mut PgConnection,
    provider: Provider,
    provider_id: &str,
) -> Result<Option<SubscriptionRow>, StoreError> {
    let query = subscriptions::table
        .filter(subscriptions::provider.eq(provider).and(subscriptions::provider_id.eq(provider_id)));
    Ok(query.select(SubscriptionRow::as_select()).for_update().first(connection).optional()?)
}

/// The subscriptions with these keys, in no order.
///
/// # Errors
/// [`StoreError`].
pub fn several(
    connection: &mut PgConnection,
    ids: &[SubscriptionId],
) -> Result<Vec<SubscriptionRow>, StoreError> {
    let query = subscriptions::table.filter(subscriptions::id.eq_any(ids));
    Ok(query.select(SubscriptionRow::as_select()).load(connection)?)
}

/// How many subscriptions the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn count(connection: &mut PgConnection, filter: &SubscriptionFilter) -> Result<i64, StoreError> {
    Ok(filter.query().count().get_result(connection)?)
}

/// One page of the subscriptions that the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    connection: &mut PgConnection,
    filter: &SubscriptionFilter,
    page: Page,
) -> Result<Listed<SubscriptionRow>, StoreError> {
    let total = count(connection, filter)?;
    let rows = filter
        .query()
        .order(subscriptions::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(SubscriptionRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Changes a subscription, if its counter is the expected one.
///
/// # Errors
/// [`StoreError`]; `NotFound`, `Stale`, and `subscriptions_payment_method_id_plan_key`.
pub fn update(
    connection: &mut PgConnection,
    id: SubscriptionId,
    expected_counter: Option<i64>,
    changes: &SubscriptionChanges,
) -> Result<SubscriptionRow, StoreError> {
    let locked = subscriptions::table.find(id).select(subscriptions::counter).for_update();
    check_counter(expected_counter, locked.first(connection)?)?;
    Ok(diesel::update(subscriptions::table.find(id))
        .set((
            changes,
            subscriptions::modified.eq(now),
            subscriptions::counter.eq(subscriptions::counter + 1),
        ))
        .returning(SubscriptionRow::as_returning())
        .get_result(connection)?)
}
