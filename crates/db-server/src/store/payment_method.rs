//! The table `payment_methods`: what a provider keeps of our buyers' cards and accounts.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};

use super::{
    Listed, Page, StoreError, check_counter,
    code::{PaymentMethodType, Provider},
    id::{BuyerId, PaymentCustomerId, PaymentMethodId},
};
use crate::{
    crypt::Ciphertext,
    lookup::LookupHash,
    schema::{buyers, payment_customers, payment_methods},
};

/// A stored means of payment.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = payment_methods, check_for_backend(Pg))]
pub struct PaymentMethodRow {
    /// The key.
    pub id: PaymentMethodId,
    /// Whose it is.
    pub customer_id: PaymentCustomerId,
    /// Which provider keeps it.
    pub provider: Provider,
    /// What stands for it at the provider.
    pub token: Ciphertext,
    /// What it is.
    #[diesel(column_name = type_)]
    pub kind: PaymentMethodType,
    /// The card's brand in the provider's words.
    pub brand: Option<String>,
    /// The last four digits of a card.
    pub last4: Option<String>,
    /// The month in which the card ends, 1 to 12.
    pub expiry_month: Option<i16>,
    /// The year in which the card ends, four digits.
    pub expiry_year: Option<i16>,
    /// Whether it may be charged; not once the provider has forgotten it.
    pub active: bool,
    /// When the provider has forgotten it.
    pub deleted: Option<DateTime<Utc>>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// A means of payment to be recorded; the fields are [`PaymentMethodRow`]'s.
#[expect(missing_docs, reason = "each field is documented in PaymentMethodRow")]
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = payment_methods)]
pub struct NewPaymentMethod {
    pub customer_id: PaymentCustomerId,
    pub provider: Provider,
    pub token: Ciphertext,
    pub token_hash: LookupHash,
    #[diesel(column_name = type_)]
    pub kind: PaymentMethodType,
    pub brand: Option<String>,
    pub last4: Option<String>,
    pub expiry_month: Option<i16>,
    pub expiry_year: Option<i16>,
}

/// What changes; `None` stays as it is, `Some(None)` is unset.
#[derive(AsChangeset, Clone, Debug, Default)]
#[diesel(table_name = payment_methods)]
pub struct PaymentMethodChanges {
    /// Whether it may be charged.
    pub active: Option<bool>,
    /// When the provider has forgotten it.
    pub deleted: Option<Option<DateTime<Utc>>>,
}

impl PaymentMethodChanges {
    /// Nothing but whether it is active.
    #[must_use]
    pub const fn of_active(active: Option<bool>) -> Self {
        Self { active, deleted: None }
    }
}

/// Which means of payment; `None` is all.
#[derive(Clone, Debug, Default)]
pub struct PaymentMethodFilter {
    /// Kept by this provider.
    pub provider: Option<Provider>,
    /// Of this customer.
    pub customer_id: Option<PaymentCustomerId>,
    /// Of this buyer.
    pub buyer_id: Option<BuyerId>,
    /// Of the buyer with this uuid.
    pub buyer_uuid: Option<String>,
    /// Active or not.
    pub active: Option<bool>,
    /// Forgotten by the provider or not.
    pub deleted: Option<bool>,
}

impl PaymentMethodFilter {
    fn query(&self) -> payment_methods::BoxedQuery<'_, Pg> {
        let mut query = payment_methods::table.into_boxed();
        if let Some(provider) = self.provider {
            query = query.filter(payment_methods::provider.eq(provider));
        }
        if let Some(customer_id) = self.customer_id {
            query = query.filter(payment_methods::customer_id.eq(customer_id));
        }
        if let Some(buyer_id) = self.buyer_id {
            let wanted = payment_customers::table.filter(payment_customers::buyer_id.eq(buyer_id));
            query = query.filter(payment_methods::customer_id.eq_any(wanted.select(payment_customers::id)));
        }
        if let Some(uuid) = &self.buyer_uuid {
            let wanted = payment_customers::table.inner_join(buyers::table).filter(buyers::uuid.eq(uuid));
            query = query.filter(payment_methods::customer_id.eq_any(wanted.select(payment_customers::id)));
        }
        if let Some(active) = self.active {
            query = query.filter(payment_methods::active.eq(active));
        }
        if let Some(deleted) = self.deleted {
            query = query.filter(payment_methods::deleted.is_not_null().eq(deleted));
        }
        query
    }
}

/// Records a means of payment.
///
/// # Errors
/// [`StoreError`]; `payment_methods_provider_token_hash_key` when it is recorded already.
pub fn insert(connection: &mut PgConnection, new: &NewPaymentMethod) -> Result<PaymentMethodRow, StoreError> {
    Ok(diesel::insert_into(payment_methods::table)
        .values(new)
        .returning(PaymentMethodRow::as_returning())
        .get_result(connection)?)
}

/// Finds a means of payment by its key.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(
    connection: &mut PgConnection,
    id: PaymentMethodId,
) -> Result<Option<PaymentMethodRow>, StoreError> {
    let query = payment_methods::table.find(id).select(PaymentMethodRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Finds a means of payment by the hashes of its token, and whose it is.
///
/// # Errors
/// [`StoreError`].
pub fn by_token(
    connection: &mut PgConnection,
    provider: Provider,
    hashes: &[LookupHash],
) -> Result<Option<PaymentMethodRow>, StoreError> {
    let query = payment_methods::table
        .filter(payment_methods::provider.eq(provider).and(payment_methods::token_hash.eq_any(hashes)));
    Ok(query.select(PaymentMethodRow::as_select()).first(connection).optional()?)
}

/// The means of payment with these keys, in no order.
///
/// # Errors
/// [`StoreError`].
pub fn several(
    connection: &mut PgConnection,
    ids: &[PaymentMethodId],
) -> Result<Vec<PaymentMethodRow>, StoreError> {
    let query = payment_methods::table.filter(payment_methods::id.eq_any(ids));
    Ok(query.select(PaymentMethodRow::as_select()).load(connection)?)
}

/// How many means of payment the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn count(connection: &mut PgConnection, filter: &PaymentMethodFilter) -> Result<i64, StoreError> {
    Ok(filter.query().count().get_result(connection)?)
}

/// One page of the means of payment that the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    connection: &mut PgConnection,
    filter: &PaymentMethodFilter,
    page: Page,
) -> Result<Listed<PaymentMethodRow>, StoreError> {
    let total = count(connection, filter)?;
    let rows = filter
        .query()
        .order(payment_methods::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(PaymentMethodRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Changes a means of payment, if its counter is the expected one.
///
/// # Errors
/// [`StoreError`]; `NotFound` and `Stale`.
pub fn update(
    connection: &mut PgConnection,
    id: PaymentMethodId,
    expected_counter: Option<i64>,
    changes: &PaymentMethodChanges,
) -> Result<PaymentMethodRow, StoreError> {
    let locked = payment_methods::table.find(id).select(payment_methods::counter).for_update();
    check_counter(expected_counter, locked.first(connection)?)?;
    Ok(diesel::update(payment_methods::table.find(id))
        .set((
            changes,
            payment_methods::modified.eq(now),
            payment_methods::counter.eq(payment_methods::counter + 1),
        ))
        .returning(PaymentMethodRow::as_returning())
        .get_result(connection)?)
}
