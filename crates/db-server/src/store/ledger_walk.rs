//! The chains of the ledger, entry by entry, for whoever verifies them.

use diesel::{pg::Pg, prelude::*, sql_query, sql_types::SmallInt};

use super::{StoreError, ledger::LedgerEntryRow};
use crate::schema::{ledger_balances, ledger_chains, ledger_entries};

/// The end of a chain.
#[derive(Clone, Debug, Eq, PartialEq, Queryable, Selectable)]
#[diesel(table_name = ledger_chains, check_for_backend(Pg))]
pub struct LedgerChainRow {
    /// Which chain.
    pub chain: i16,
    /// The place of the last entry; 0 without one.
    pub position: i64,
    /// The hash of the last entry; zeros without one.
    pub hash: Vec<u8>,
}

/// What the entries of a chain add up to on an account.
#[derive(Clone, Debug, Eq, PartialEq, Queryable, Selectable)]
#[diesel(table_name = ledger_balances, check_for_backend(Pg))]
pub struct LedgerBalanceRow {
    /// On which account, as `NAME:KEY`.
    pub account: String,
    /// Of this currency (ISO 4217).
    pub currency: String,
    /// The sum, in minor units: a debit above zero, a credit below.
    pub balance_minor: i64,
}

#[derive(QueryableByName)]
struct Chain {
    #[diesel(sql_type = SmallInt)]
    chain: i16,
}

/// Every chain that has an end or an entry.
///
/// # Errors
/// [`StoreError`].
pub fn chains(connection: &mut PgConnection) -> Result<Vec<i16>, StoreError> {
    // From one chain to the next, by the index: there are few chains and many entries.
    let query = "with recursive walk (chain) as ( \
                 select min(chain) from ledger_entries union all \
                 select (select min(e.chain) from ledger_entries e where e.chain > walk.chain) from walk \
                 where walk.chain is not null) \
                 select chain from walk where chain is not null union select chain from ledger_chains";
    let chains: Vec<Chain> = sql_query(query).load(connection)?;
    Ok(chains.into_iter().map(|row| row.chain).collect())
}

/// The end of a chain.
///
/// # Errors
/// [`StoreError`].
pub fn end_of(connection: &mut PgConnection, chain: i16) -> Result<Option<LedgerChainRow>, StoreError> {
    let query = ledger_chains::table.find(chain).select(LedgerChainRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// The next entries of a chain after this place, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn entries(
    connection: &mut PgConnection,
    chain: i16,
    after: i64,
    limit: i64,
) -> Result<Vec<LedgerEntryRow>, StoreError> {
    let query = ledger_entries::table.filter(ledger_entries::chain.eq(chain));
    let query = query.filter(ledger_entries::position.gt(after)).order(ledger_entries::position);
    Ok(query.limit(limit).select(LedgerEntryRow::as_select()).load(connection)?)
}

/// What is kept of a chain's balances.
///
/// # Errors
/// [`StoreError`].
pub fn balances(connection: &mut PgConnection, chain: i16) -> Result<Vec<LedgerBalanceRow>, StoreError> {
    let query = ledger_balances::table.filter(ledger_balances::chain.eq(chain));
    Ok(query.select(LedgerBalanceRow::as_select()).load(connection)?)
}
