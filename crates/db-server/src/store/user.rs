//! The table `users`.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::now,
    pg::Pg,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Integer, Text, Timestamptz},
};

use super::{StoreError, buyer::pin::Limit};
use crate::{password::PasswordHash, schema::users};

/// Somebody who may log in.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Pg))]
pub struct UserRow {
    /// What the user types.
    pub name: String,
    /// What the user may do here, and what targets of the door are told.
    pub roles: Vec<String>,
    /// Whether the user may call at all.
    pub active: bool,
    /// Grows with each new password and each disabling.
    pub generation: i64,
    /// The hash of the password.
    pub password: PasswordHash,
    /// When the user was created.
    pub created: DateTime<Utc>,
}

/// A user to be created.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = users)]
pub struct NewUser {
    /// What the user types.
    pub name: String,
    /// The hash of the password.
    pub password: PasswordHash,
    /// What the user may do.
    pub roles: Vec<String>,
}

/// A guess that may be made; it is counted as a miss already.
#[derive(Clone, Debug, QueryableByName)]
pub struct Claim {
    /// Whose password is guessed.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// The hash to compare with.
    #[diesel(sql_type = Text)]
    pub password: PasswordHash,
    /// What the user may do.
    #[diesel(sql_type = Array<Text>)]
    pub roles: Vec<String>,
    /// The generation of the tokens that are good.
    #[diesel(sql_type = BigInt)]
    pub generation: i64,
}

/// What an operator changes of a user.
#[derive(Clone, Debug)]
pub enum Change {
    /// Takes away, or gives back, the right to call.
    Active(bool),
    /// Sets another password, and forgets every miss.
    Password(PasswordHash),
}

/// Creates a user.
///
/// # Errors
/// [`StoreError`]; `users_name_key` when the name is taken.
pub fn insert(connection: &mut PgConnection, new: &NewUser) -> Result<(), StoreError> {
    diesel::insert_into(users::table).values(new).execute(connection)?;
    Ok(())
}

/// Finds a user by name.
///
/// # Errors
/// [`StoreError`].
pub fn by_name(connection: &mut PgConnection, name: &str) -> Result<Option<UserRow>, StoreError> {
    let query = users::table.filter(users::name.eq(name));
    Ok(query.select(UserRow::as_select()).first(connection).optional()?)
}

/// All users, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn all(connection: &mut PgConnection) -> Result<Vec<UserRow>, StoreError> {
    Ok(users::table.order(users::id).select(UserRow::as_select()).load(connection)?)
}

/// Changes a user; the tokens that there are lose their worth. False when there is no such user.
///
/// # Errors
/// [`StoreError`].
pub fn change(connection: &mut PgConnection, name: &str, change: &Change) -> Result<bool, StoreError> {
    let saved = (
        users::generation.eq(users::generation + 1),
        users::modified.eq(now),
        users::counter.eq(users::counter + 1),
    );
    let row = users::table.filter(users::name.eq(name));
    let changed = match change {
        Change::Active(active) => {
            diesel::update(row).set((users::active.eq(active), saved)).execute(connection)?
        }
        Change::Password(hash) => diesel::update(row)
            .set((
                users::password.eq(hash),
                users::failures.eq(0),
                users::locked_out_at.eq(None::<DateTime<Utc>>),
                saved,
            ))
            .execute(connection)?,
    };
    Ok(changed > 0)
}

/// Counts a guess as a miss before it is compared, so that no more are ever compared than may be made. Nothing when
/// no guess may be made: the user is locked out, disabled, or does not exist.
///
/// # Errors
/// [`StoreError`].
pub fn claim_guess(
    connection: &mut PgConnection,
    name: &str,
    limit: Limit,
) -> Result<Option<Claim>, StoreError> {
    // A lock-out that is still there is over, and its misses with it. Who waits for the row sees the guesses of those
    // before: Postgres looks at the conditions again.
    const CLAIM: &str = "\
        UPDATE users SET \
            failures = CASE WHEN locked_out_at IS NULL THEN failures + 1 ELSE 1 END, \
            locked_out_at = \
                CASE WHEN (CASE WHEN locked_out_at IS NULL THEN failures + 1 ELSE 1 END) >= $2 THEN $3 END \
        WHERE name = $1 AND active AND (locked_out_at IS NULL OR locked_out_at <= $4) \
        RETURNING id, password, roles, generation";
    Ok(sql_query(CLAIM)
        .bind::<Text, _>(name)
        .bind::<Integer, _>(limit.max_failures)
        .bind::<Timestamptz, _>(limit.now)
        .bind::<Timestamptz, _>(limit.over)
        .get_result(connection)
        .optional()?)
}

/// Takes back every miss, if the password is still the one that was compared and the user may still call; false when
/// not.
///
/// # Errors
/// [`StoreError`].
pub fn succeed(connection: &mut PgConnection, claim: &Claim) -> Result<bool, StoreError> {
    let row =
        users::table.find(claim.id).filter(users::generation.eq(claim.generation)).filter(users::active);
    let changed = diesel::update(row)
        .set((users::failures.eq(0), users::locked_out_at.eq(None::<DateTime<Utc>>)))
        .execute(connection)?;
    Ok(changed > 0)
}
