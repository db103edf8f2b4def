//! The table `transaction_events`: who changed the status of a transaction, when, from what to what.

use chrono::{DateTime, Utc};
use diesel::{pg::Pg, prelude::*};

use super::{StoreError, code::TransactionStatus, id::TransactionId};
use crate::schema::transaction_events;

/// One change of a transaction's status.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = transaction_events, check_for_backend(Pg))]
pub struct TransactionEventRow {
    /// The key.
    pub id: i64,
    /// Of which transaction.
    pub transaction_id: TransactionId,
    /// The client's key, or `provider:NAME` when the provider said so.
    pub actor: String,
    /// The status before; none for the creation.
    pub old_status: Option<TransactionStatus>,
    /// The status since.
    pub new_status: TransactionStatus,
    /// Why.
    pub status_reason: Option<String>,
    /// When.
    pub created: DateTime<Utc>,
}

/// A change to be recorded.
#[derive(Clone, Debug, Insertable)]
// Null is the default, and a statement with the word DEFAULT in it would not stay prepared.
#[diesel(table_name = transaction_events, treat_none_as_default_value = false)]
pub(super) struct NewTransactionEvent<'a> {
    pub(super) transaction_id: TransactionId,
    pub(super) actor: &'a str,
    pub(super) old_status: Option<TransactionStatus>,
    pub(super) new_status: TransactionStatus,
    pub(super) status_reason: Option<&'a str>,
}

/// Records a change, in the transaction that makes it.
pub(super) fn insert(connection: &mut PgConnection, new: &NewTransactionEvent<'_>) -> Result<(), StoreError> {
    diesel::insert_into(transaction_events::table).values(new).execute(connection)?;
    Ok(())
}

/// The changes of one transaction, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn of(connection: &mut PgConnection, id: TransactionId) -> Result<Vec<TransactionEventRow>, StoreError> {
    Ok(transaction_events::table
        .filter(transaction_events::transaction_id.eq(id))
        .order(transaction_events::id)
        .select(TransactionEventRow::as_select())
        .load(connection)?)
}
