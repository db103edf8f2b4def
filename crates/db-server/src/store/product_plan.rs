//! The table `product_plans`.

use diesel::{dsl::now, pg::Pg, prelude::*, upsert::excluded};

use super::{StoreError, id::ProductId};
use crate::schema::{product_plans, products};

/// What a product costs, as the operator has said.
#[derive(Clone, Debug, Eq, Insertable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = product_plans, check_for_backend(Pg), treat_none_as_default_value = false)]
pub struct ProductPlanRow {
    /// Which product.
    pub product_id: ProductId,
    /// How much it costs each time, in the currency's minor units; none when any amount may be paid.
    pub amount_minor: Option<i64>,
    /// The ISO 4217 code.
    pub currency: String,
    /// Whether it is charged again and again, so that it needs a subscription.
    pub recurring: bool,
}

/// Says what a product costs, or says it anew.
///
/// # Errors
/// [`StoreError`]; `product_plans_product_id_fkey` when there is no such product.
pub fn set(connection: &mut PgConnection, plan: &ProductPlanRow) -> Result<(), StoreError> {
    diesel::insert_into(product_plans::table)
        .values(plan)
        .on_conflict(product_plans::product_id)
        .do_update()
        .set((
            product_plans::amount_minor.eq(excluded(product_plans::amount_minor)),
            product_plans::currency.eq(excluded(product_plans::currency)),
            product_plans::recurring.eq(excluded(product_plans::recurring)),
            product_plans::modified.eq(now),
            product_plans::counter.eq(product_plans::counter + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Forgets what a product costs; false when nobody had said it.
///
/// # Errors
/// [`StoreError`].
pub fn remove(connection: &mut PgConnection, id: ProductId) -> Result<bool, StoreError> {
    Ok(diesel::delete(product_plans::table.find(id)).execute(connection)? > 0)
}

/// What a product costs, if anybody has said it.
///
/// # Errors
/// [`StoreError`].
pub fn by_product(
    connection: &mut PgConnection,
    id: ProductId,
) -> Result<Option<ProductPlanRow>, StoreError> {
    let query = product_plans::table.find(id).select(ProductPlanRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Every plan with the public id of its product, by that.
///
/// # Errors
/// [`StoreError`].
pub fn list(connection: &mut PgConnection) -> Result<Vec<(String, ProductPlanRow)>, StoreError> {
    Ok(product_plans::table
        .inner_join(products::table)
        .order(products::public_id)
        .select((products::public_id, ProductPlanRow::as_select()))
        .load(connection)?)
}
