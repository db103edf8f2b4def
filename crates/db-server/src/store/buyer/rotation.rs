//! The encrypted addresses, for a change of the keys while the server runs.

use diesel::prelude::*;

use crate::{
    crypt::Ciphertext,
    lookup::LookupHash,
    schema::buyers,
    store::{StoreError, id::BuyerId},
};

/// An address as it is stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = buyers, check_for_backend(diesel::pg::Pg))]
pub struct EncryptedEmail {
    /// Whose it is.
    pub id: BuyerId,
    /// The address.
    #[diesel(select_expression = buyers::email.assume_not_null())]
    pub email: Ciphertext,
    /// The hash by which it is found.
    #[diesel(select_expression = buyers::email_hash.assume_not_null())]
    pub email_hash: LookupHash,
}

/// The next addresses after this buyer's, in the order of the keys.
///
/// # Errors
/// [`StoreError`].
pub fn encrypted_page(
    connection: &mut PgConnection,
    after: BuyerId,
    limit: i64,
) -> Result<Vec<EncryptedEmail>, StoreError> {
    Ok(buyers::table
        .filter(buyers::id.gt(after).and(buyers::email.is_not_null()))
        .order(buyers::id)
        .limit(limit)
        .select(EncryptedEmail::as_select())
        .load(connection)?)
}

/// Replaces an address by the same under other keys, if it is still the one that was read; false when it is not. No
/// client sees a change, so that the counter stays.
///
/// # Errors
/// [`StoreError`].
pub fn reencrypt(
    connection: &mut PgConnection,
    id: BuyerId,
    old: &Ciphertext,
    new: &Ciphertext,
    new_hash: &LookupHash,
) -> Result<bool, StoreError> {
    let replaced = diesel::update(buyers::table.find(id).filter(buyers::email.eq(old)))
        .set((buyers::email.eq(new), buyers::email_hash.eq(new_hash)))
        .execute(connection)?;
    Ok(replaced > 0)
}
