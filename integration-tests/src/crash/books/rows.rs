//! The rows of both sides, as they are read.

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Nullable, SmallInt, Text},
};
use serde::Deserialize;

use crate::crash::CrashError;

/// One line of the sandbox's ledger.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    pub(super) provider: String,
    pub(super) kind: String,
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) reference: String,
}

/// A payment of ours.
#[derive(Clone, Debug, QueryableByName)]
pub struct Payment {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Text)]
    pub(super) uuid: String,
    #[diesel(sql_type = Text)]
    pub(super) provider: String,
    #[diesel(sql_type = BigInt)]
    pub(super) amount_minor: i64,
    #[diesel(sql_type = Text)]
    pub(super) currency: String,
    #[diesel(sql_type = Text)]
    pub(super) status: String,
    #[diesel(sql_type = BigInt)]
    pub(super) captured_minor: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) refunded_minor: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) refunding_minor: i64,
    /// The status of its transaction in the generic API.
    #[diesel(sql_type = SmallInt)]
    pub(super) transaction: i16,
}

/// What a provider was asked about a payment.
#[derive(Clone, Debug, QueryableByName)]
pub struct Operation {
    #[diesel(sql_type = Text)]
    pub(super) attempt: String,
    #[diesel(sql_type = BigInt)]
    pub(super) payment_id: i64,
    #[diesel(sql_type = SmallInt)]
    pub(super) operation: i16,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) amount_minor: Option<i64>,
    #[diesel(sql_type = SmallInt)]
    pub(super) state: i16,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) outcome: Option<String>,
}

/// A refund of ours.
#[derive(Clone, Debug, QueryableByName)]
pub struct Refund {
    #[diesel(sql_type = Text)]
    pub(super) uuid: String,
    #[diesel(sql_type = BigInt)]
    pub(super) payment_id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) amount_minor: i64,
    #[diesel(sql_type = Text)]
    pub(super) status: String,
}

pub(super) const PAYMENTS: &str = "select p.id, p.uuid::text, case p.provider when 2 then 'reference' when 3 then 'paypal' \
     when 4 then 'braintree' else 'stripe' end as provider, p.amount_minor, p.currency, \
     (array['created','requires_action','pending','failed','declined','authorized','cancelled','captured','unknown'])\
     [p.status + 1] as status, p.captured_minor, p.refunded_minor, p.refunding_minor, t.status as transaction \
     from payments p join transactions t on t.id = p.transaction_id order by p.id";
pub(super) const OPERATIONS: &str = "select attempt::text, payment_id, operation, amount_minor, state, outcome \
     from payment_operations order by id";
pub(super) const REFUNDS: &str = "select uuid::text, payment_id, amount_minor, \
     (array['created','pending','succeeded','failed'])[standing + 1] as status from refunds order by id";

/// How much is not settled, and what of it: for whoever waits.
#[derive(Clone, Debug, QueryableByName)]
pub struct Open {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many operations have no known outcome.
///
/// # Errors
/// [`CrashError`].
pub fn open(connection: &mut PgConnection) -> Result<i64, CrashError> {
    let query = "select count(*) as count from payment_operations where state < 2";
    Ok(sql_query(query).get_result::<Open>(connection)?.count)
}
