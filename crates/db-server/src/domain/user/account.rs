//! What an operator does with users: add, list, disable, enable, set another password.

use std::collections::BTreeSet;

use chassis::card_number;
use data_encoding::BASE64URL_NOPAD;
use diesel::PgConnection;
use thiserror::Error;

use super::{cache_key, is_free};
use crate::{
    cache::Sealed,
    database::Database,
    password::{MIN_LENGTH, Password},
    pin::{PinError, PinHasher},
    store::{
        StoreError,
        user::{self, Change, NewUser, UserRow},
    },
};

/// The longest name, and the longest role, in characters.
const MAX_NAME: usize = 64;
/// Random bytes of a generated password: 192 bits.
const PASSWORD_BYTES: usize = 24;

/// Why a user cannot be created or changed.
#[derive(Debug, Error)]
pub enum UserError {
    /// The name cannot be one.
    #[error(
        "a user's name is 1 to {MAX_NAME} letters, digits and '_', '-', '.', '@', '+', and begins with a letter or digit"
    )]
    Name,
    /// The name is a client's, or one that stands for nobody.
    #[error(
        "the name is that of a client or stands for nobody, and what a user does could not be told apart"
    )]
    Taken,
    /// The name reads as a payment card's number, which `/login` would refuse.
    #[error("the name holds what looks like a card number, and nobody could log in with it")]
    CardNumber,
    /// There is a user of this name.
    #[error("there is a user of this name; `db-server user password` sets another password")]
    Exists,
    /// The role cannot be one.
    #[error("a role is 1 to {MAX_NAME} small letters, digits, '_' and '-', and begins with a letter")]
    Role,
    /// The password is too short or too long.
    #[error("a password has at least {MIN_LENGTH} characters, and at most 1024 bytes")]
    Password,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// There is no such user.
    #[error("there is no user of this name")]
    Unknown,
    /// The password cannot be hashed.
    #[error("the password cannot be hashed: {0}")]
    Hash(#[from] PinError),
    /// The database failed.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// Whether this can be a user's name. It can be read in a log, typed in a shell and sent in a Basic header.
#[must_use]
pub fn is_user_name(name: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.@+".contains(&byte);
    name.len() <= MAX_NAME
        && name.bytes().all(of_name)
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Whether this can be a role: one of ours, or a word for the targets of the door.
#[must_use]
pub fn is_role(role: &str) -> bool {
    let of_role =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    role.len() <= MAX_NAME
        && role.bytes().all(of_role)
        && role.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
}

/// A password that nobody can guess.
///
/// # Errors
/// [`UserError::Random`].
pub fn generate() -> Result<String, UserError> {
    let mut bytes = [0; PASSWORD_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| UserError::Random)?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

/// Checks a name and the roles of a user to be. `clients` are the keys of the clients in the settings.
///
/// # Errors
/// [`UserError`].
pub fn check(name: &str, roles: &[String], clients: &BTreeSet<String>) -> Result<(), UserError> {
    // What the audit trail and tokens call those who are nobody.
    const NOBODY: [&str; 2] = ["anonymous", wire::identity::ANONYMOUS];
    if !is_user_name(name) {
        return Err(UserError::Name);
    }
    if !is_free(name, clients) || NOBODY.contains(&name) {
        return Err(UserError::Taken);
    }
    if card_number::is_in(name) {
        return Err(UserError::CardNumber);
    }
    if roles.iter().all(|role| is_role(role)) { Ok(()) } else { Err(UserError::Role) }
}

/// Creates a user whose name and roles have been checked.
///
/// # Errors
/// [`UserError`].
pub async fn create(
    database: &Database,
    cache: &Sealed,
    hasher: &PinHasher,
    name: &str,
    roles: Vec<String>,
    password: String,
) -> Result<(), UserError> {
    let new =
        NewUser { name: name.to_owned(), password: hasher.hash_password(&long_enough(password)?)?, roles };
    let inserted: Result<(), StoreError> =
        database.write_one(move |connection| user::insert(connection, &new)).await;
    match inserted {
        Err(error) if error.constraint() == Some("users_name_key") => Err(UserError::Exists),
        inserted => {
            inserted?;
            cache.changed(&cache_key(name)).await;
            Ok(())
        }
    }
}

/// All users, oldest first.
///
/// # Errors
/// What the database gives.
pub async fn list(database: &Database) -> Result<Vec<UserRow>, StoreError> {
    database.read(user::all).await
}

/// Takes from a user the right to call, or gives it back. The tokens that there are lose their worth.
///
/// # Errors
/// [`UserError`].
pub async fn set_active(
    database: &Database,
    cache: &Sealed,
    name: &str,
    active: bool,
) -> Result<(), UserError> {
    change(database, cache, name, Change::Active(active)).await
}

/// Sets another password, and ends a lock-out. The tokens that there are lose their worth.
///
/// # Errors
/// [`UserError`].
pub async fn set_password(
    database: &Database,
    cache: &Sealed,
    hasher: &PinHasher,
    name: &str,
    password: String,
) -> Result<(), UserError> {
    let hash = hasher.hash_password(&long_enough(password)?)?;
    change(database, cache, name, Change::Password(hash)).await
}

async fn change(database: &Database, cache: &Sealed, name: &str, change: Change) -> Result<(), UserError> {
    let wanted = name.to_owned();
    let work = move |connection: &mut PgConnection| user::change(connection, &wanted, &change);
    if !database.write_one(work).await? {
        return Err(UserError::Unknown);
    }
    cache.changed(&cache_key(name)).await;
    Ok(())
}

fn long_enough(password: String) -> Result<Password, UserError> {
    Password::parse(password).filter(Password::is_long_enough).ok_or(UserError::Password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_name_can_be_read_typed_and_sent_in_a_basic_header() {
        for name in ["Alice", "jo@example.test", "a.b+c-d_e", "WAL001"] {
            assert!(is_user_name(name), "{name}");
        }
        for name in ["", "a:b", "a b", "-a", "ä", "a\0", &"x".repeat(65)] {
            assert!(!is_user_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_user_is_never_taken_for_a_client_or_for_nobody() {
        let clients = BTreeSet::from(["webpay".to_owned()]);
        let role = ["user".to_owned()];
        for taken in ["webpay", "shop-0123456789ab", "anonymousUser", "anonymous"] {
            assert!(matches!(check(taken, &role, &clients), Err(UserError::Taken)), "{taken}");
        }
        assert!(check("Alice", &role, &clients).is_ok());
        // With it nobody could log in: the form of `/login` is refused for it.
        assert!(matches!(check("jo.4111.1111.1111.1111", &role, &clients), Err(UserError::CardNumber)));
        assert!(matches!(check("Alice", &["ROLE".to_owned()], &clients), Err(UserError::Role)));
    }

    #[test]
    fn a_generated_password_is_long_and_never_the_same() {
        let (one, two) = (generate().unwrap(), generate().unwrap());
        assert!(one.len() == 32 && one != two);
    }
}
