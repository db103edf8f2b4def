//! What the ledger adds up to: by account, and by payment beside what the payment's own rows say.

use diesel::{
    pg::Pg,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, SmallInt, Text},
};

use super::{
    StoreError,
    code::Provider,
    id::{PaymentId, RefundId, SellerId},
    ledger::MovementKind,
    page::{Listed, Page},
    payment_code::{PaymentStatus, RefundStanding},
};
use crate::schema::{payments, refunds};

/// The balance of an account.
#[derive(Clone, Debug, Eq, PartialEq, QueryableByName)]
pub struct AccountBalance {
    /// Which account, as `NAME:KEY`.
    #[diesel(sql_type = Text)]
    pub account: String,
    /// Of this currency (ISO 4217).
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// The balance, in minor units: a debit above zero, a credit below.
    #[diesel(sql_type = BigInt)]
    pub balance_minor: i64,
}

/// What all accounts add up to in one currency.
#[derive(Clone, Debug, Eq, PartialEq, QueryableByName)]
pub struct CurrencyTotal {
    /// Which currency (ISO 4217).
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// The sum, in minor units.
    #[diesel(sql_type = BigInt)]
    pub total_minor: i64,
}

/// Which balances are asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BalanceFilter {
    /// Those of an account, or with this name before the colon.
    pub account: Option<String>,
    /// Those in a currency.
    pub currency: Option<String>,
    /// Those of a provider's accounts.
    pub provider: Option<Provider>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A page of the balances, by account and currency.
///
/// # Errors
/// [`StoreError`].
pub fn balances(
    connection: &mut PgConnection,
    filter: &BalanceFilter,
    page: Page,
) -> Result<Listed<AccountBalance>, StoreError> {
    const CHOSEN: &str = "select account, currency, sum(balance_minor)::bigint as balance_minor \
         from ledger_balances where (account = $1 or split_part(account, ':', 1) = $1 or $1 is null) \
         and (currency = $2 or $2 is null) and (split_part(account, ':', 2) = $3 or $3 is null) \
         group by account, currency";
    let provider = filter.provider.map(Provider::name);
    let page_query = format!("{CHOSEN} order by account, currency limit $4 offset $5");
    let rows = sql_query(page_query)
        .bind::<Nullable<Text>, _>(&filter.account)
        .bind::<Nullable<Text>, _>(&filter.currency)
        .bind::<Nullable<Text>, _>(provider)
        .bind::<BigInt, _>(page.limit)
        .bind::<BigInt, _>(page.offset)
        .load(connection)?;
    let count: Count = sql_query(format!("select count(*) from ({CHOSEN}) chosen"))
        .bind::<Nullable<Text>, _>(&filter.account)
        .bind::<Nullable<Text>, _>(&filter.currency)
        .bind::<Nullable<Text>, _>(provider)
        .get_result(connection)?;
    Ok(Listed { rows, total: count.count })
}

/// What all accounts add up to, by currency.
///
/// # Errors
/// [`StoreError`].
pub fn totals(connection: &mut PgConnection) -> Result<Vec<CurrencyTotal>, StoreError> {
    let query = "select currency, sum(balance_minor)::bigint as total_minor from ledger_balances \
                 group by currency order by currency";
    Ok(sql_query(query).load(connection)?)
}

/// What a payment's own row says about money.
#[derive(Clone, Debug, Eq, PartialEq, Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(Pg))]
pub struct BookedPayment {
    /// The key.
    pub id: PaymentId,
    /// Through whom.
    pub provider: Provider,
    /// Who sells.
    pub seller_id: SellerId,
    /// How much was asked for, in minor units.
    pub amount_minor: i64,
    /// Of this currency (ISO 4217).
    pub currency: String,
    /// The strongest evidence.
    pub standing: PaymentStatus,
    /// How much has been taken, in minor units; without what did not come in after all.
    pub captured_minor: i64,
    /// How much was taken and did not come in after all, in minor units.
    pub settlement_declined_minor: i64,
    /// How much has gone back, in minor units.
    pub refunded_minor: i64,
    /// How much refunds under way would give back, in minor units.
    pub refunding_minor: i64,
    /// Whether nothing more can be captured.
    pub closed: bool,
}

/// What a refund's own row says about money.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Queryable, Selectable)]
#[diesel(table_name = refunds, check_for_backend(Pg))]
pub struct BookedRefund {
    /// The key.
    pub id: RefundId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// The strongest evidence.
    pub standing: RefundStanding,
}

/// What the entries of a payment add up to, by all that parts them.
#[derive(Clone, Debug, Eq, PartialEq, QueryableByName)]
pub struct EntrySum {
    /// Of which payment.
    #[diesel(sql_type = BigInt)]
    pub payment_id: PaymentId,
    /// Through whom.
    #[diesel(sql_type = SmallInt)]
    pub provider: Provider,
    /// Who sells.
    #[diesel(sql_type = BigInt)]
    pub seller_id: SellerId,
    /// About which refund.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub refund_id: Option<RefundId>,
    /// What moved.
    #[diesel(sql_type = SmallInt)]
    pub movement: MovementKind,
    /// On which account, as `NAME:KEY`.
    #[diesel(sql_type = Text)]
    pub account: String,
    /// In which currency (ISO 4217).
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// The sum, in minor units.
    #[diesel(sql_type = BigInt)]
    pub sum_minor: i64,
}

/// Ids of payments: above the first, and up to the second.
pub type Window = (i64, i64);

#[derive(QueryableByName)]
struct Bound {
    #[diesel(sql_type = Nullable<BigInt>)]
    id: Option<i64>,
}

/// The next window of at most `size` payments, whether they are in their own table or in the ledger; none when there are
/// no more.
///
/// # Errors
/// [`StoreError`].
pub fn next_window(
    connection: &mut PgConnection,
    after: i64,
    size: i64,
) -> Result<Option<Window>, StoreError> {
    let of_payments =
        "select max(id) as id from (select id from payments where id > $1 order by id limit $2) w";
    let of_ledger = "select max(payment_id) as id from (select distinct payment_id from ledger_entries \
                     where payment_id > $1 order by payment_id limit $2) w";
    for query in [of_payments, of_ledger] {
        let bound: Bound =
            sql_query(query).bind::<BigInt, _>(after).bind::<BigInt, _>(size).get_result(connection)?;
        if let Some(last) = bound.id {
            return Ok(Some((after, last)));
        }
    }
    Ok(None)
}

/// The payments of a window, by id.
///
/// # Errors
/// [`StoreError`].
pub fn payments_in(
    connection: &mut PgConnection,
    (after, last): Window,
) -> Result<Vec<BookedPayment>, StoreError> {
    let query = payments::table.filter(payments::id.gt(after).and(payments::id.le(last)));
    Ok(query.order(payments::id).select(BookedPayment::as_select()).load(connection)?)
}

/// The refunds of a window's payments, by payment.
///
/// # Errors
/// [`StoreError`].
pub fn refunds_in(
    connection: &mut PgConnection,
    (after, last): Window,
) -> Result<Vec<BookedRefund>, StoreError> {
    let query = refunds::table.filter(refunds::payment_id.gt(after).and(refunds::payment_id.le(last)));
    Ok(query.order((refunds::payment_id, refunds::id)).select(BookedRefund::as_select()).load(connection)?)
}

/// What the entries of a window's payments add up to, by payment.
///
/// # Errors
/// [`StoreError`].
pub fn sums_in(connection: &mut PgConnection, (after, last): Window) -> Result<Vec<EntrySum>, StoreError> {
    let query = "select payment_id, provider, seller_id, refund_id, movement, account, currency, \
                 sum(amount_minor)::bigint as sum_minor from ledger_entries \
                 where payment_id > $1 and payment_id <= $2 group by 1, 2, 3, 4, 5, 6, 7 order by 1";
    Ok(sql_query(query).bind::<BigInt, _>(after).bind::<BigInt, _>(last).load(connection)?)
}
