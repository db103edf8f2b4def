//! The table `transactions`.

mod row;

use std::{cmp::Reverse, collections::HashMap};

use diesel::{dsl::now, pg::Pg, prelude::*};

pub use self::row::{NewTransaction, TransactionChanges, TransactionRow};

use super::{
    Listed, Page, StoreError, check_counter,
    code::{Provider, TransactionStatus},
    creation::Creation,
    id::{SellerId, TransactionId},
    several,
    transaction_event::{self, NewTransactionEvent},
};
use crate::schema::transactions;

/// Which transactions; `None` is all.
#[derive(Clone, Debug, Default)]
pub struct TransactionFilter {
    /// With this uuid.
    pub uuid: Option<String>,
    /// Of this seller.
    pub seller_id: Option<SellerId>,
    /// Through this provider.
    pub provider: Option<Provider>,
}

impl TransactionFilter {
    fn query(&self) -> transactions::BoxedQuery<'_, Pg> {
        let mut query = transactions::table.into_boxed();
        if let Some(uuid) = &self.uuid {
            query = query.filter(transactions::uuid.eq(uuid));
        }
        if let Some(seller_id) = self.seller_id {
            query = query.filter(transactions::seller_id.eq(seller_id));
        }
        if let Some(provider) = self.provider {
            query = query.filter(transactions::provider.eq(provider));
        }
        query
    }
}

/// Creates a transaction, with its first audit event, in one statement.
///
/// # Errors
/// [`StoreError`]; `transactions_uuid_key`, `transactions_uid_pay_provider_key`,
/// `transactions_uid_support_provider_key` and the foreign keys `transactions_COLUMN_fkey`.
pub fn insert(
    connection: &mut PgConnection,
    new: &NewTransaction,
    actor: &str,
) -> Result<TransactionRow, StoreError> {
    let insert =
        diesel::insert_into(transactions::table).values(new).returning(TransactionRow::as_returning());
    Ok(Creation { insert, actor }.get_result(connection)?)
}

/// A transaction, and those that belong to it.
pub type Family = (TransactionRow, Vec<TransactionRow>);

/// Finds transactions by their keys, and those that belong to each as [`relations`] has them, in one statement. There
/// are at most [`MOST`](crate::database::MOST) keys; the answers are in their order.
///
/// # Errors
/// [`StoreError`].
pub fn with_relations(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<Vec<Option<Family>>, StoreError> {
    let mut rows = several::load(connection, ids)?;
    // One that is asked for, and belongs to another that is, comes twice.
    rows.sort_unstable_by_key(|row| Reverse(row.id));
    rows.dedup_by_key(|row| row.id);
    if let ([id], [row]) = (ids, &rows[..])
        && row.id == *id
    {
        return Ok(rows.into_iter().map(|row| Some((row, Vec::new()))).collect());
    }
    let related = |id| rows.iter().filter(|row| row.related_id == Some(id)).cloned().collect();
    let family = |id: &TransactionId| {
        let row = rows.iter().find(|row| row.id == *id)?;
        Some((row.clone(), related(*id)))
    };
    Ok(ids.iter().map(family).collect())
}

/// Finds a transaction by its key and locks its row until the database transaction ends.
///
/// # Errors
/// [`StoreError`].
pub fn by_id_for_update(
    connection: &mut PgConnection,
    id: TransactionId,
) -> Result<Option<TransactionRow>, StoreError> {
    let query = transactions::table.find(id).select(TransactionRow::as_select());
    Ok(query.for_update().first(connection).optional()?)
}

/// Finds a transaction by the client's own id.
///
/// # Errors
/// [`StoreError`].
pub fn by_uuid(connection: &mut PgConnection, uuid: &str) -> Result<Option<TransactionRow>, StoreError> {
    let query = transactions::table.filter(transactions::uuid.eq(uuid)).select(TransactionRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Finds a transaction by the client's own id and locks its row until the database transaction ends.
///
/// # Errors
/// [`StoreError`].
pub fn by_uuid_for_update(
    connection: &mut PgConnection,
    uuid: &str,
) -> Result<Option<TransactionRow>, StoreError> {
    let query = transactions::table.filter(transactions::uuid.eq(uuid)).select(TransactionRow::as_select());
    Ok(query.for_update().first(connection).optional()?)
}

/// Finds a transaction by the provider's id for its support.
///
/// # Errors
/// [`StoreError`].
pub fn by_uid_support(
    connection: &mut PgConnection,
    provider: Provider,
    uid_support: &str,
) -> Result<Option<TransactionRow>, StoreError> {
    let query = transactions::table
        .filter(transactions::uid_support.eq(uid_support).and(transactions::provider.eq(provider)));
    Ok(query.select(TransactionRow::as_select()).first(connection).optional()?)
}

/// The currency of each of the transactions that has one.
///
/// # Errors
/// [`StoreError`].
pub fn currencies(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, String>, StoreError> {
    let query = transactions::table.filter(transactions::id.eq_any(ids));
    let found: Vec<(TransactionId, Option<String>)> =
        query.select((transactions::id, transactions::currency)).load(connection)?;
    Ok(found.into_iter().filter_map(|(id, currency)| Some((id, currency?))).collect())
}

/// One page of the transactions that the filter names.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    connection: &mut PgConnection,
    filter: &TransactionFilter,
    page: Page,
) -> Result<Listed<TransactionRow>, StoreError> {
    let total = filter.query().count().get_result(connection)?;
    let rows = filter
        .query()
        .order(transactions::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(TransactionRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Changes a transaction, if its counter is the expected one. A status that becomes another is recorded as an audit
/// event.
///
/// # Errors
/// [`StoreError`]; `NotFound`, `Stale`, and the constraints that [`insert`] names.
pub fn update(
    connection: &mut PgConnection,
    id: TransactionId,
    expected_counter: Option<i64>,
    changes: &TransactionChanges,
    actor: &str,
) -> Result<TransactionRow, StoreError> {
    let old = by_id_for_update(connection, id)?.ok_or(StoreError::NotFound)?;
    check_counter(expected_counter, old.counter)?;
    let row: TransactionRow = diesel::update(transactions::table.find(id))
        .set((changes, transactions::modified.eq(now), transactions::counter.eq(transactions::counter + 1)))
        .returning(TransactionRow::as_returning())
        .get_result(connection)?;
    if row.status != old.status {
        record(connection, &row, old.status, actor)?;
    }
    Ok(row)
}

/// The transactions that belong to each of the given ones, such as its refunds, newest first. One without any has no
/// entry.
///
/// # Errors
/// [`StoreError`].
pub fn relations(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, Vec<TransactionRow>>, StoreError> {
    let rows: Vec<TransactionRow> = transactions::table
        .filter(transactions::related_id.eq_any(ids))
        .order(transactions::id.desc())
        .select(TransactionRow::as_select())
        .load(connection)?;
    let mut relations: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        if let Some(related) = row.related_id {
            relations.entry(related).or_default().push(row);
        }
    }
    Ok(relations)
}

fn record(
    connection: &mut PgConnection,
    row: &TransactionRow,
    old_status: TransactionStatus,
    actor: &str,
) -> Result<(), StoreError> {
    let event = NewTransactionEvent {
        transaction_id: row.id,
        actor,
        old_status: Some(old_status),
        new_status: row.status,
        status_reason: row.status_reason.as_deref(),
    };
    transaction_event::insert(connection, &event)
}
