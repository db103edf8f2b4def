//! The rows of the transaction log's files, and the table `transaction_log`: what has been reported once for ever.

use std::ops::Range;

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz},
};

use super::{
    StoreError,
    code::{Provider, TransactionStatus},
    id::TransactionId,
};

/// Which transactions a file is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Selection {
    /// All that were modified in the time.
    Stats,
    /// Those that are completed or checked, were modified before its end, and have not been reported as revenue.
    Revenue,
}

/// One transaction as a file tells it.
#[derive(Clone, Debug, QueryableByName)]
pub struct LoggedTransaction {
    /// The key.
    #[diesel(sql_type = BigInt)]
    pub id: TransactionId,
    /// The client's own id.
    #[diesel(sql_type = Text)]
    pub uuid: String,
    /// When it was created.
    #[diesel(sql_type = Timestamptz)]
    pub created: DateTime<Utc>,
    /// When it was last changed.
    #[diesel(sql_type = Timestamptz)]
    pub modified: DateTime<Utc>,
    /// How much, in the currency's minor units.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub amount_minor: Option<i64>,
    /// The ISO 4217 code.
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    /// How far it is.
    #[diesel(sql_type = diesel::sql_types::SmallInt)]
    pub status: TransactionStatus,
    /// Why it is there.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    /// The buyer's uuid.
    #[diesel(sql_type = Nullable<Text>)]
    pub buyer: Option<String>,
    /// The uuid of the product's seller; without a product, of the transaction's own.
    #[diesel(sql_type = Nullable<Text>)]
    pub seller: Option<String>,
    /// Where the purchase came from.
    #[diesel(sql_type = Nullable<Text>)]
    pub source: Option<String>,
    /// The mobile carrier of the payer.
    #[diesel(sql_type = Nullable<Text>)]
    pub carrier: Option<String>,
    /// The region of the payer.
    #[diesel(sql_type = Nullable<Text>)]
    pub region: Option<String>,
    /// Who moves the money.
    #[diesel(sql_type = Nullable<diesel::sql_types::SmallInt>)]
    pub provider: Option<Provider>,
}

impl Selection {
    /// What narrows the walk over the table, and has an index.
    const fn candidate(self) -> &'static str {
        match self {
            Self::Stats => "true",
            Self::Revenue => "status in (1, 2)",
        }
    }

    const fn condition(self) -> &'static str {
        match self {
            Self::Stats => "t.modified >= $3 and t.modified < $4",
            Self::Revenue => {
                "t.status in (1, 2) and t.modified < $4 \
                 and not exists (select from transaction_log l where l.transaction_id = t.id and l.type = 1)"
            }
        }
    }
}

#[derive(QueryableByName)]
struct Bound {
    #[diesel(sql_type = Nullable<BigInt>)]
    id: Option<i64>,
}

/// The end of the next window of at most `size` candidates: the last id in it; none when there are no more. A window
/// bounds the time of a statement however few of its candidates are wanted.
///
/// # Errors
/// [`StoreError`].
pub fn next_window(
    connection: &mut PgConnection,
    selection: Selection,
    after: i64,
    size: i64,
) -> Result<Option<i64>, StoreError> {
    let query = format!(
        "select max(id) as id from (select id from transactions where id > $1 and {} order by id limit $2) w",
        selection.candidate()
    );
    let bound: Bound =
        sql_query(query).bind::<BigInt, _>(after).bind::<BigInt, _>(size).get_result(connection)?;
    Ok(bound.id)
}

/// The transactions whose ids are in the window (its start excluded, its end included), in the order of their ids.
///
/// # Errors
/// [`StoreError`].
pub fn window(
    connection: &mut PgConnection,
    selection: Selection,
    (after, last): (i64, i64),
    time: &Range<DateTime<Utc>>,
) -> Result<Vec<LoggedTransaction>, StoreError> {
    let query = format!(
        "select t.id, t.uuid, t.created, t.modified, t.amount_minor, t.currency, t.status, \
         t.status_reason as reason, b.uuid as buyer, coalesce(ps.uuid, s.uuid) as seller, t.source, t.carrier, \
         t.region, t.provider \
         from transactions t left join buyers b on b.id = t.buyer_id left join sellers s on s.id = t.seller_id \
         left join products p on p.id = t.product_id left join sellers ps on ps.id = p.seller_id \
         where t.id > $1 and t.id <= $2 and {} order by t.id",
        selection.condition()
    );
    Ok(sql_query(query)
        .bind::<BigInt, _>(after)
        .bind::<BigInt, _>(last)
        .bind::<Timestamptz, _>(time.start)
        .bind::<Timestamptz, _>(time.end)
        .load(connection)?)
}

/// Records that these transactions have been reported as revenue.
///
/// # Errors
/// [`StoreError`]; `transaction_log_transaction_id_type_key` when one has been reported already.
pub fn record(connection: &mut PgConnection, ids: &[TransactionId]) -> Result<(), StoreError> {
    sql_query("insert into transaction_log (transaction_id, type) select unnest($1), 1")
        .bind::<Array<BigInt>, _>(ids)
        .execute(connection)?;
    Ok(())
}

/// Records the same by the transactions' uuids, and gives how many had not been recorded before.
///
/// # Errors
/// [`StoreError`].
pub fn record_by_uuid(connection: &mut PgConnection, uuids: &[String]) -> Result<usize, StoreError> {
    let query = "insert into transaction_log (transaction_id, type) \
                 select id, 1 from transactions where uuid = any($1) on conflict do nothing";
    Ok(sql_query(query).bind::<Array<Text>, _>(uuids).execute(connection)?)
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Bool)]
    taken: bool,
}

/// Takes the lock that one run of a command holds, for as long as the connection lives; false when another run has it.
///
/// # Errors
/// [`StoreError`].
pub fn lock(connection: &mut PgConnection, selection: Selection) -> Result<bool, StoreError> {
    let key = i64::from_be_bytes(match selection {
        Selection::Stats => *b"sol.stat",
        Selection::Revenue => *b"sol.reve",
    });
    let lock: Taken = sql_query("select pg_try_advisory_lock($1) as taken")
        .bind::<BigInt, _>(key)
        .get_result(connection)?;
    Ok(lock.taken)
}
