//! The statement that reads several transactions, each with those that belong to it, in one round trip.

use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::BigInt,
};

use super::{StoreError, id::TransactionId, transaction::TransactionRow};
use crate::schema::transactions;

/// The rows of these transactions, at most [`MOST`](crate::database::MOST), and of those that belong to them, in no
/// order. One that is asked for and belongs to another that is comes twice.
///
/// # Errors
/// [`StoreError`].
pub(super) fn load(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<Vec<TransactionRow>, StoreError> {
    // A statement for each number would stay prepared for each; these few are enough.
    match ids.len() {
        0 => Ok(Vec::new()),
        1 => load_padded::<1>(connection, ids),
        2 => load_padded::<2>(connection, ids),
        3..=4 => load_padded::<4>(connection, ids),
        5..=8 => load_padded::<8>(connection, ids),
        _ => load_padded::<16>(connection, ids),
    }
}

/// Repeats the last one, which Postgres looks up once.
fn load_padded<const N: usize>(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<Vec<TransactionRow>, StoreError> {
    let Some(&last) = ids.last() else { return Ok(Vec::new()) };
    let ids = std::array::from_fn::<_, N, _>(|index| ids.get(index).copied().unwrap_or(last));
    let select = transactions::table.select(TransactionRow::as_select());
    Ok(Several { select, ids }.load(connection)?)
}

/// A `SELECT` of transactions by `N` keys, and of those that belong to them.
struct Several<S, const N: usize> {
    /// The `SELECT` of all; its columns are what the whole gives.
    select: S,
    ids: [TransactionId; N],
}

impl<S: QueryFragment<Pg>, const N: usize> Several<S, N> {
    fn where_one_is<'b>(&'b self, column: &str, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.select.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        out.push_identifier(column)?;
        // A list, not an array: Postgres plans an array anew each time, to know how long it is.
        out.push_sql(" IN (");
        for (index, id) in self.ids.iter().enumerate() {
            if index > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param::<BigInt, _>(&id.0)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl<S: QueryFragment<Pg>, const N: usize> QueryFragment<Pg> for Several<S, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.where_one_is("id", out.reborrow())?;
        out.push_sql(" UNION ALL ");
        self.where_one_is("related_id", out.reborrow())
    }
}

impl<S: Query, const N: usize> Query for Several<S, N> {
    type SqlType = S::SqlType;
}

/// The text depends on the type alone, so that the statement stays prepared.
impl<S: QueryId, const N: usize> QueryId for Several<S, N> {
    type QueryId = Several<S::QueryId, N>;

    const HAS_STATIC_QUERY_ID: bool = S::HAS_STATIC_QUERY_ID;
}

impl<S, const N: usize> RunQueryDsl<PgConnection> for Several<S, N> {}
