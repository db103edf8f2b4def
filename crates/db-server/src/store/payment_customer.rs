//! The table `payment_customers`: which of our buyers a provider knows, and by which id.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};

use super::{
    Listed, Page, StoreError, check_counter,
    code::Provider,
    id::{BuyerId, PaymentCustomerId},
};
use crate::schema::payment_customers;

/// A buyer that a provider knows.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = payment_customers, check_for_backend(Pg))]
pub struct PaymentCustomerRow {
    /// The key.
    pub id: PaymentCustomerId,
    /// Our buyer.
    pub buyer_id: BuyerId,
    /// Which provider.
    pub provider: Provider,
    /// The provider's id of the customer.
    pub provider_id: String,
    /// Whether the customer may buy.
    pub active: bool,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// A customer to be recorded; the fields are [`PaymentCustomerRow`]'s.
#[expect(missing_docs, reason = "each field is documented in PaymentCustomerRow")]
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = payment_customers)]
pub struct NewPaymentCustomer {
    pub buyer_id: BuyerId,
    pub provider: Provider,
    pub provider_id: String,
}

/// What changes; `None` stays as it is.
#[derive(AsChangeset, Clone, Debug, Default)]
#[diesel(table_name = payment_customers)]
pub struct PaymentCustomerChanges {
    /// Whether the customer may buy.
    pub active: Option<bool>,
}

impl PaymentCustomerChanges {
    /// Nothing but whether it is active.
    #[must_use]
    pub const fn of_active(active: Option<bool>) -> Self {
        Self { active }
    }
}

/// Which customers; `None` is all.
#[derive(Clone, Debug, Default)]
pub struct PaymentCustomerFilter {
    /// Of this provider.
    pub provider: Option<Provider>,
    /// Of this buyer.
    pub buyer_id: Option<BuyerId>,
    /// Active or not.
    pub active: Option<bool>,
}

impl PaymentCustomerFilter {
    fn query(&self) -> payment_customers::BoxedQuery<'_, Pg> {
        let mut query = payment_customers::table.into_boxed();
        if let Some(provider) = self.provider {
            query = query.filter(payment_customers::provider.eq(provider));
        }
        if let Some(buyer_id) = self.buyer_id {
            query = query.filter(payment_customers::buyer_id.eq(buyer_id));
        }
        if let Some(active) = self.active {
            query = query.filter(payment_customers::active.eq(active));
        }
        query
    }
}

/// Records a customer.
///
/// # Errors
/// [`StoreError`]; `payment_customers_buyer_id_provider_key` when the buyer is known there already.
pub fn insert(
    connection: &mut PgConnection,
    new: &NewPaymentCustomer,
) -> Result<PaymentCustomerRow, StoreError> {
    Ok(diesel::insert_into(payment_customers::table)
        .values(new)
        .returning(PaymentCustomerRow::as_returning())
        .get_result(connection)?)
}

/// Finds a customer by its key.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(
    connection: &mut PgConnection,
    id: PaymentCustomerId,
) -> Result<Option<PaymentCustomerRow>, StoreError> {
    let query = payment_customers::table.find(id).select(PaymentCustomerRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Finds what a provider knows of a buyer.
///
/// # Errors
/// [`StoreError`].
pub fn of_buyer(
    connection: &mut PgConnection,
    buyer_id: BuyerId,
    provider: Provider,
) -> Result<Option<PaymentCustomerRow>, StoreError> {
    let query = payment_customers::table
        .filter(payment_customers::buyer_id.eq(buyer_id).and(payment_customers::provider.eq(provider)));
    Ok(query.select(PaymentCustomerRow::as_select()).first(connection).optional()?)
}

/// The customers with these keys, in no order.
///
/// # Errors
/// [`StoreError`].
pub fn several(
    connection: &mut PgConnection,
    ids: &[PaymentCustomerId],
) -> Result<Vec<PaymentCustomerRow>, StoreError> {
    let query = payment_customers::table.filter(payment_customers::id.eq_any(ids));
    Ok(query.select(PaymentCustomerRow::as_select()).load(connection)?)
}

/// One page of the customers that the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    connection: &mut PgConnection,
    filter: &PaymentCustomerFilter,
    page: Page,
) -> Result<Listed<PaymentCustomerRow>, StoreError> {
    let total = filter.query().count().get_result(connection)?;
    let rows = filter
        .query()
        .order(payment_customers::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(PaymentCustomerRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Changes a customer, if its counter is the expected one.
///
/// # Errors
/// [`StoreError`]; `NotFound` and `Stale`.
pub fn update(
    connection: &mut PgConnection,
    id: PaymentCustomerId,
    expected_counter: Option<i64>,
    changes: &PaymentCustomerChanges,
) -> Result<PaymentCustomerRow, StoreError> {
    let locked = payment_customers::table.find(id).select(payment_customers::counter).for_update();
    check_counter(expected_counter, locked.first(connection)?)?;
    Ok(diesel::update(payment_customers::table.find(id))
        .set((
            changes,
            payment_customers::modified.eq(now),
            payment_customers::counter.eq(payment_customers::counter + 1),
        ))
        .returning(PaymentCustomerRow::as_returning())
        .get_result(connection)?)
}
