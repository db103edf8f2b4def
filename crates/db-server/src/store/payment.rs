//! The table `payments`: what payers pay, and how far it is.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{exists, now},
    pg::Pg,
    prelude::*,
};
use uuid::Uuid;

use super::{
    StoreError,
    code::Provider,
    id::{BuyerId, PaymentId, PaymentMethodId, ProductId, SellerId, TransactionId},
    payment_code::PaymentStatus,
};
use crate::{
    crypt::Ciphertext,
    schema::{payments, refunds},
};

/// A payment.
#[derive(Clone, Debug, Identifiable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(Pg))]
pub struct PaymentRow {
    /// The key.
    pub id: PaymentId,
    /// What clients know it by; of version 7.
    pub uuid: Uuid,
    /// The same payment in the generic API.
    pub transaction_id: TransactionId,
    /// Through whom.
    pub provider: Provider,
    /// Who sells.
    pub seller_id: SellerId,
    /// What is sold.
    pub product_id: ProductId,
    /// Who buys, if that is known.
    pub buyer_id: Option<BuyerId>,
    /// What is charged, if it is stored.
    pub payment_method_id: Option<PaymentMethodId>,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Of this currency (ISO 4217).
    pub currency: String,
    /// Whether the amount is taken as soon as it is authorized.
    pub capture: bool,
    /// What the payer reads.
    pub description: Option<String>,
    /// The client's own texts by name, as a JSON object.
    pub metadata: Option<String>,
    /// The strongest evidence; never [`PaymentStatus::Unknown`].
    pub standing: PaymentStatus,
    /// What is shown: the standing, or unknown while the outcome of an operation is.
    pub status: PaymentStatus,
    /// How much has been taken, in minor units; without what did not come in after all.
    pub captured_minor: i64,
    /// How much was taken and did not come in after all, because its settlement was declined, in minor units.
    pub settlement_declined_minor: i64,
    /// How much has gone back, in minor units.
    pub refunded_minor: i64,
    /// How much refunds under way would give back, in minor units.
    pub refunding_minor: i64,
    /// Whether nothing more can be captured.
    pub closed: bool,
    /// The provider's id of it.
    pub provider_reference: Option<String>,
    /// The provider's id of the checkout that the payer goes to.
    pub checkout_reference: Option<String>,
    /// The provider's ids of the captures, in their order.
    pub captures: Vec<String>,
    /// What the payer must do: a [`wire::payment::Action`] as JSON.
    pub next_action: Option<Ciphertext>,
    /// Why it was declined or failed, as a code.
    pub refusal_code: Option<String>,
    /// Why it was declined or failed, for a person.
    pub refusal_message: Option<String>,
    /// What may help after a decline, in the words of wire.
    pub decline_advice: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// A payment to be written down; the fields are [`PaymentRow`]'s.
#[expect(missing_docs, reason = "each field is documented in PaymentRow")]
#[derive(Clone, Debug, Insertable)]
// A statement with the word DEFAULT in it would not stay prepared.
#[diesel(table_name = payments, treat_none_as_default_value = false)]
pub struct NewPayment {
    pub uuid: Uuid,
    pub transaction_id: TransactionId,
    pub provider: Provider,
    pub seller_id: SellerId,
    pub product_id: ProductId,
    pub buyer_id: Option<BuyerId>,
    pub payment_method_id: Option<PaymentMethodId>,
    pub amount_minor: i64,
    pub currency: String,
    pub capture: bool,
    pub description: Option<String>,
    pub metadata: Option<String>,
}

/// What changes about a payment; the fields are [`PaymentRow`]'s, and all are written.
#[expect(missing_docs, reason = "each field is documented in PaymentRow")]
#[derive(AsChangeset, Clone, Debug, PartialEq)]
#[diesel(table_name = payments, treat_none_as_null = true)]
pub struct PaymentChanges {
    pub standing: PaymentStatus,
    pub status: PaymentStatus,
    pub captured_minor: i64,
    pub settlement_declined_minor: i64,
    pub refunded_minor: i64,
    pub refunding_minor: i64,
    pub closed: bool,
    pub provider_reference: Option<String>,
    pub checkout_reference: Option<String>,
    pub captures: Vec<String>,
    pub next_action: Option<Ciphertext>,
    pub refusal_code: Option<String>,
    pub refusal_message: Option<String>,
    pub decline_advice: Option<String>,
}

impl PaymentChanges {
    /// What would change nothing.
    #[must_use]
    pub fn of(row: &PaymentRow) -> Self {
        Self {
            standing: row.standing,
            status: row.status,
            captured_minor: row.captured_minor,
            settlement_declined_minor: row.settlement_declined_minor,
            refunded_minor: row.refunded_minor,
            refunding_minor: row.refunding_minor,
            closed: row.closed,
            provider_reference: row.provider_reference.clone(),
            checkout_reference: row.checkout_reference.clone(),
            captures: row.captures.clone(),
            next_action: row.next_action.clone(),
            refusal_code: row.refusal_code.clone(),
            refusal_message: row.refusal_message.clone(),
            decline_advice: row.decline_advice.clone(),
        }
    }
}

/// Writes a payment down.
///
/// # Errors
/// [`StoreError`]; the foreign keys `payments_COLUMN_fkey`.
pub fn insert(connection: &mut PgConnection, new: &NewPayment) -> Result<PaymentRow, StoreError> {
    Ok(diesel::insert_into(payments::table)
        .values(new)
        .returning(PaymentRow::as_returning())
        .get_result(connection)?)
}

/// Whether a transaction stands for a payment, or for a refund of one.
///
/// # Errors
/// [`StoreError`].
pub fn has_transaction(connection: &mut PgConnection, id: TransactionId) -> Result<bool, StoreError> {
    let payment = exists(payments::table.filter(payments::transaction_id.eq(id)));
    let refund = exists(refunds::table.filter(refunds::transaction_id.eq(id)));
    Ok(diesel::select(payment.or(refund)).get_result(connection)?)
}

/// Finds a payment by its key.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(connection: &mut PgConnection, id: PaymentId) -> Result<Option<PaymentRow>, StoreError> {
    Ok(payments::table.find(id).select(PaymentRow::as_select()).first(connection).optional()?)
}

/// Finds a payment by the id that clients know it by.
///
/// # Errors
/// [`StoreError`].
pub fn by_uuid(connection: &mut PgConnection, uuid: Uuid) -> Result<Option<PaymentRow>, StoreError> {
    let query = payments::table.filter(payments::uuid.eq(uuid)).select(PaymentRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Finds a payment by its key and locks its row until the database transaction ends.
///
/// # Errors
/// [`StoreError`].
pub fn by_id_for_update(
    connection: &mut PgConnection,
    id: PaymentId,
) -> Result<Option<PaymentRow>, StoreError> {
    let query = payments::table.find(id).select(PaymentRow::as_select());
    Ok(query.for_update().first(connection).optional()?)
}

/// Finds a payment by the provider's id of it or of its checkout, and locks its row until the database transaction
/// ends.
///
/// # Errors
/// [`StoreError`].
pub fn by_reference_for_update(
    connection: &mut PgConnection,
    provider: Provider,
    reference: &str,
) -> Result<Option<PaymentRow>, StoreError> {
    let of_provider = payments::table.filter(payments::provider.eq(provider));
    let known = payments::provider_reference.eq(reference).or(payments::checkout_reference.eq(reference));
    let query = of_provider.filter(known).select(PaymentRow::as_select());
    Ok(query.for_update().first(connection).optional()?)
}

/// Changes a payment whose row is locked.
///
/// # Errors
/// [`StoreError`]; `payments_refunded_minor_check` when more would go back than was ever taken,
/// `payments_provider_provider_reference_key` when another payment has the provider's id.
pub fn update(
    connection: &mut PgConnection,
    id: PaymentId,
    changes: &PaymentChanges,
) -> Result<PaymentRow, StoreError> {
    Ok(diesel::update(payments::table.find(id))
        .set((changes, payments::modified.eq(now), payments::counter.eq(payments::counter + 1)))
        .returning(PaymentRow::as_returning())
        .get_result(connection)?)
}

/// Which payments.
#[derive(Clone, Debug, Default)]
pub struct PaymentFilter {
    /// Shown so.
    pub status: Option<PaymentStatus>,
    /// Through this provider.
    pub provider: Option<Provider>,
    /// Of this buyer.
    pub buyer_id: Option<BuyerId>,
    /// Of this seller.
    pub seller_id: Option<SellerId>,
    /// For this product.
    pub product_id: Option<ProductId>,
    /// Created then or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Created before.
    pub created_before: Option<DateTime<Utc>>,
}

/// The payments that the filter names, newest first, by time where the filter is about time and by id elsewhere: at most
/// `limit`, of those that are older than `after`.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    connection: &mut PgConnection,
    filter: &PaymentFilter,
    after: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<PaymentRow>, StoreError> {
    let mut query = payments::table.select(PaymentRow::as_select()).into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(payments::status.eq(status));
        if status != PaymentStatus::Captured {
            // What the partial index holds.
            query = query.filter(payments::status.ne(PaymentStatus::Captured));
        }
    }
    if let Some(provider) = filter.provider {
        query = query.filter(payments::provider.eq(provider));
    }
    if let Some(buyer) = filter.buyer_id {
        query = query.filter(payments::buyer_id.eq(buyer));
    }
    if let Some(seller) = filter.seller_id {
        query = query.filter(payments::seller_id.eq(seller));
    }
    if let Some(product) = filter.product_id {
        query = query.filter(payments::product_id.eq(product));
    }
    if let Some(from) = filter.created_from {
        query = query.filter(payments::created.ge(from));
    }
    if let Some(before) = filter.created_before {
        query = query.filter(payments::created.lt(before));
    }
    let is_of_a_time = filter.created_from.is_some() || filter.created_before.is_some();
    let cursor = match after {
        Some(after) if is_of_a_time => created_of(connection, after)?,
        _ => None,
    };
    query = match (after, cursor) {
        (Some(after), Some(created)) => query
            // What the index can begin at.
            .filter(payments::created.le(created))
            .filter(payments::created.lt(created).or(payments::id.lt(after))),
        (Some(after), None) => query.filter(payments::id.lt(after)),
        (None, _) => query,
    };
    // In the order of an index: by id, all that are newer than the time would be passed over one by one.
    query = if is_of_a_time {
        query.order((payments::created.desc(), payments::id.desc()))
    } else {
        query.order(payments::id.desc())
    };
    Ok(query.limit(limit).load(connection)?)
}

/// When a payment was created.
fn created_of(connection: &mut PgConnection, id: PaymentId) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(payments::table.find(id).select(payments::created).first(connection).optional()?)
}
