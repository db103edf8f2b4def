//! Failed transactions and failed checks, across the tables.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::count,
    pg::Pg,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};

use super::{
    Listed, Page, StoreError,
    code::TransactionStatus,
    id::{ProductId, TransactionId},
};
use crate::schema::{bango_products, bango_statuses, transactions};

/// The latest failed transaction of a product.
#[derive(Clone, Debug, QueryableByName)]
pub struct FailedTransaction {
    /// The key.
    #[diesel(sql_type = BigInt)]
    pub id: TransactionId,
    /// The client's own id.
    #[diesel(sql_type = Text)]
    pub uuid: String,
    /// The provider's id of the payment.
    #[diesel(sql_type = Nullable<Text>)]
    pub uid_pay: Option<String>,
    /// The provider's id for its support.
    #[diesel(sql_type = Nullable<Text>)]
    pub uid_support: Option<String>,
    /// What was to be sold.
    #[diesel(sql_type = BigInt)]
    pub product_id: ProductId,
    /// How often it has been changed.
    #[diesel(sql_type = BigInt)]
    pub counter: i64,
}

/// A check of a product at Bango that found errors.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = bango_statuses, check_for_backend(Pg))]
pub struct FailedStatus {
    /// The key.
    pub id: i64,
    /// The product that was checked.
    #[diesel(select_expression = bango_products::product_id)]
    pub product_id: ProductId,
    /// 0 unknown, 1 good, 2 bad.
    pub status: i16,
    /// What Bango said.
    pub errors: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// How often it has been changed.
    pub counter: i64,
}

/// The latest failed transaction of each product, newest first.
///
/// # Errors
/// [`StoreError`].
pub fn transactions(
    connection: &mut PgConnection,
    page: Page,
) -> Result<Listed<FailedTransaction>, StoreError> {
    let total = transactions::table
        .filter(transactions::status.eq(TransactionStatus::Failed))
        .select(count(transactions::product_id).aggregate_distinct())
        .first(connection)?;
    // The index transactions_failed_idx has exactly this order; diesel has no word for `distinct on` inside a query.
    let rows = sql_query(
        "select id, uuid, uid_pay, uid_support, product_id, counter from ( \
             select distinct on (product_id) id, uuid, uid_pay, uid_support, product_id, counter \
             from transactions where status = 4 and product_id is not null order by product_id, id desc \
         ) latest order by id desc limit $1 offset $2",
    )
    .bind::<BigInt, _>(page.limit)
    .bind::<BigInt, _>(page.offset)
    .load(connection)?;
    Ok(Listed { rows, total })
}

/// The checks of products at Bango that found errors, newest first.
///
/// # Errors
/// [`StoreError`].
pub fn statuses(connection: &mut PgConnection, page: Page) -> Result<Listed<FailedStatus>, StoreError> {
    let failed =
        || bango_statuses::table.inner_join(bango_products::table).filter(bango_statuses::errors.ne(""));
    let total = failed().count().get_result(connection)?;
    let rows = failed()
        .order(bango_statuses::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(FailedStatus::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}
