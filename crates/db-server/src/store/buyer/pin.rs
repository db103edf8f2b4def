//! What a PIN's comparison changes of a buyer. Each is one statement that finds out and changes at once.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::now,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Integer, Text, Timestamptz},
};

use crate::{
    pin::PinHash,
    schema::buyers,
    store::{StoreError, id::BuyerId},
};

/// A guess that may be made; it is counted as a miss already.
#[derive(Clone, Debug, QueryableByName)]
pub struct Claim {
    /// Whose PIN is guessed.
    #[diesel(sql_type = BigInt)]
    pub id: BuyerId,
    /// The hash to compare with.
    #[diesel(sql_type = Text)]
    pub pin: PinHash,
    /// Whether the buyer is locked out unless this guess is right.
    #[diesel(sql_type = Bool)]
    pub locked: bool,
}

/// When and how often a PIN may be guessed.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The time.
    pub now: DateTime<Utc>,
    /// A lock-out of this time or before is over.
    pub over: DateTime<Utc>,
    /// How many misses lock a buyer out.
    pub max_failures: i32,
}

/// Counts a guess as a miss before it is compared, so that no more are ever compared than may be made. Nothing when
/// no guess may be made: the buyer is locked out, has no confirmed PIN, or does not exist.
///
/// # Errors
/// [`StoreError`].
pub fn claim_guess(
    connection: &mut PgConnection,
    uuid: &str,
    limit: Limit,
) -> Result<Option<Claim>, StoreError> {
    // A lock-out that is still there is over, and its misses with it. Who waits for the row sees the guesses of those
    // before: Postgres looks at the conditions again.
    const CLAIM: &str = "\
        UPDATE buyers SET \
            pin_failures = CASE WHEN pin_locked_out_at IS NULL THEN pin_failures + 1 ELSE 1 END, \
            pin_locked_out_at = \
                CASE WHEN (CASE WHEN pin_locked_out_at IS NULL THEN pin_failures + 1 ELSE 1 END) >= $2 THEN $3 END, \
            pin_was_locked_out = pin_was_locked_out \
                OR (CASE WHEN pin_locked_out_at IS NULL THEN pin_failures + 1 ELSE 1 END) >= $2, \
            modified = now(), \
            counter = counter + 1 \
        WHERE uuid = $1 AND pin IS NOT NULL AND pin_confirmed \
            AND (pin_locked_out_at IS NULL OR pin_locked_out_at <= $4) \
        RETURNING id, pin, pin_locked_out_at IS NOT NULL AS locked";
    Ok(sql_query(CLAIM)
        .bind::<Text, _>(uuid)
        .bind::<Integer, _>(limit.max_failures)
        .bind::<Timestamptz, _>(limit.now)
        .bind::<Timestamptz, _>(limit.over)
        .get_result(connection)
        .optional()?)
}

/// Takes back every miss, if the PIN is still the one that was compared; false when it is not.
///
/// # Errors
/// [`StoreError`].
pub fn succeed(connection: &mut PgConnection, id: BuyerId, compared: &PinHash) -> Result<bool, StoreError> {
    let row = buyers::table.find(id).filter(buyers::pin.eq(compared)).filter(buyers::pin_confirmed);
    let changed = diesel::update(row)
        .set((
            buyers::pin_failures.eq(0),
            buyers::pin_locked_out_at.eq(None::<DateTime<Utc>>),
            buyers::pin_was_locked_out.eq(false),
            buyers::modified.eq(now),
            buyers::counter.eq(buyers::counter + 1),
        ))
        .execute(connection)?;
    Ok(changed > 0)
}

/// Notes whether the PIN was confirmed, if it is still the one that was compared; false when it is not.
///
/// # Errors
/// [`StoreError`].
pub fn confirm(
    connection: &mut PgConnection,
    id: BuyerId,
    compared: &PinHash,
    confirmed: bool,
) -> Result<bool, StoreError> {
    let changed = diesel::update(buyers::table.find(id).filter(buyers::pin.eq(compared)))
        .set((
            buyers::pin_confirmed.eq(confirmed),
            buyers::modified.eq(now),
            buyers::counter.eq(buyers::counter + 1),
        ))
        .execute(connection)?;
    Ok(changed > 0)
}

/// Makes the new PIN the PIN, if it is still the one that was compared and the buyer is not locked out; false when
/// not. A lock-out of `over` or before is over.
///
/// # Errors
/// [`StoreError`].
pub fn replace(
    connection: &mut PgConnection,
    id: BuyerId,
    compared: &PinHash,
    over: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let free = buyers::pin_locked_out_at.is_null().or(buyers::pin_locked_out_at.le(over).assume_not_null());
    let changed = diesel::update(buyers::table.find(id).filter(buyers::new_pin.eq(compared)).filter(free))
        .set((
            buyers::pin.eq(buyers::new_pin),
            buyers::new_pin.eq(None::<PinHash>),
            buyers::pin_confirmed.eq(true),
            buyers::needs_pin_reset.eq(false),
            buyers::pin_was_locked_out.eq(false),
            buyers::modified.eq(now),
            buyers::counter.eq(buyers::counter + 1),
        ))
        .execute(connection)?;
    Ok(changed > 0)
}
