//! The encrypted secrets, for a change of the keys while the server runs.

use diesel::prelude::*;

use crate::{
    crypt::Ciphertext,
    schema::products,
    store::{StoreError, id::ProductId},
};

/// A secret as it is stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = products, check_for_backend(diesel::pg::Pg))]
pub struct EncryptedSecret {
    /// Whose it is.
    pub id: ProductId,
    /// The secret.
    #[diesel(select_expression = products::secret.assume_not_null())]
    pub secret: Ciphertext,
}

/// The next secrets after this product's, in the order of the keys.
///
/// # Errors
/// [`StoreError`].
pub fn encrypted_page(
    connection: &mut PgConnection,
    after: ProductId,
    limit: i64,
) -> Result<Vec<EncryptedSecret>, StoreError> {
    Ok(products::table
        .filter(products::id.gt(after).and(products::secret.is_not_null()))
        .order(products::id)
        .limit(limit)
        .select(EncryptedSecret::as_select())
        .load(connection)?)
}

/// Replaces a secret by the same under another key, if it is still the one that was read; false when it is not. No
/// client sees a change, so that the counter stays.
///
/// # Errors
/// [`StoreError`].
pub fn reencrypt(
    connection: &mut PgConnection,
    id: ProductId,
    old: &Ciphertext,
    new: &Ciphertext,
) -> Result<bool, StoreError> {
    let replaced = diesel::update(products::table.find(id).filter(products::secret.eq(old)))
        .set(products::secret.eq(new))
        .execute(connection)?;
    Ok(replaced > 0)
}
