//! The table `door`: one row at most.

use diesel::{dsl::now, prelude::*};

use super::StoreError;
use crate::schema::door;

/// The only row.
const ID: i16 = 1;

/// Where the door has been switched to: nothing when nobody has switched it, `Some(None)` when it is off.
///
/// # Errors
/// [`StoreError`].
pub fn url(connection: &mut PgConnection) -> Result<Option<Option<String>>, StoreError> {
    Ok(door::table.find(ID).select(door::url).first(connection).optional()?)
}

/// Switches the door.
///
/// # Errors
/// [`StoreError`].
pub fn switch(connection: &mut PgConnection, url: Option<&str>, actor: &str) -> Result<(), StoreError> {
    let row = (door::id.eq(ID), door::url.eq(url), door::actor.eq(actor));
    let again = (
        door::url.eq(url),
        door::actor.eq(actor),
        door::modified.eq(now),
        door::counter.eq(door::counter + 1),
    );
    diesel::insert_into(door::table)
        .values(row)
        .on_conflict(door::id)
        .do_update()
        .set(again)
        .execute(connection)?;
    Ok(())
}
