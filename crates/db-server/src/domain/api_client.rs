//! Clients in the database: their keys and secrets, and who of them may call.

use std::time::Duration;

use chassis::settings::SecretString;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use diesel::PgConnection;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    cache::Sealed,
    crypt::{Ciphertext, EncryptionKeys},
    database::Database,
    settings::Role,
    store::{
        StoreError,
        api_client::{self, ApiClientRow, NewApiClient},
    },
};

/// How long a client is believed to be what it was, so how long a disabled one may go on calling, at most.
const TTL: Duration = Duration::from_secs(5);
/// The longest name, in characters.
const MAX_NAME: usize = 64;
/// Random bytes behind the name in a key, which are no secret.
const KEY_BYTES: usize = 6;
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;

/// What a client that may call is known by.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Known {
    /// What it may do.
    pub roles: Vec<Role>,
    /// The secret that it signs with.
    pub secret: Option<Ciphertext>,
    /// SHA-256 of its bearer key.
    pub bearer_hash: Option<Vec<u8>>,
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Proof {
    /// It signs with OAuth 1.0a.
    OAuth,
    /// It sends a bearer key.
    Bearer,
}

/// A client that has just been created; what it is given is not shown again.
pub struct Created {
    /// Its key.
    pub key: String,
    /// Its OAuth secret, or its whole bearer key.
    pub credential: SecretString,
}

/// Why a client cannot be created or disabled.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The name cannot be one.
    #[error(
        "a client's name is 1 to {MAX_NAME} letters, digits, '_' and '-', and begins with a letter or digit"
    )]
    Name,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// No client that may call has this name or key.
    #[error("no active client has this name or key")]
    Unknown,
    /// Several have the name.
    #[error("several active clients have this name; give one of the keys {}", .0.join(", "))]
    Several(Vec<String>),
    /// The database failed.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// SHA-256 of a bearer key. The key is random and long, so no slow hash is needed.
#[must_use]
pub fn bearer_hash(bearer_key: &str) -> [u8; 32] {
    Sha256::digest(bearer_key).into()
}

/// Finds who may call under a key, in the cache or in the database.
///
/// # Errors
/// What the database gives.
pub async fn find(database: &Database, cache: &Sealed, key: &str) -> Result<Option<Known>, StoreError> {
    if !is_ours(key) {
        return Ok(None);
    }
    let cached_under = cache_key(key);
    if let Some(known) = cache.get(&cached_under).await {
        return Ok(known);
    }
    let wanted = key.to_owned();
    let find = move |connection: &mut PgConnection| api_client::by_key(connection, &wanted);
    let row: Result<_, StoreError> = database.read(find).await;
    let known = row?.filter(|row| row.active).map(|row| Known {
        roles: roles(&row),
        secret: row.secret,
        bearer_hash: row.bearer_hash,
    });
    // That there is none is kept too: a client with an old key must not cost a query each time.
    cache.keep(&cached_under, &known, TTL).await;
    Ok(known)
}

/// Creates a client.
///
/// # Errors
/// [`ClientError`].
pub async fn create(
    database: &Database,
    keys: &EncryptionKeys,
    name: &str,
    roles: &[Role],
    proof: Proof,
) -> Result<Created, ClientError> {
    if !is_name(name) {
        return Err(ClientError::Name);
    }
    let key = format!("{name}-{}", HEXLOWER.encode(&random::<KEY_BYTES>()?));
    let secret = BASE64URL_NOPAD.encode(&random::<SECRET_BYTES>()?);
    let credential = match proof {
        Proof::OAuth => secret,
        Proof::Bearer => format!("{key}.{secret}"),
    };
    let new = NewApiClient {
        key: key.clone(),
        name: name.to_owned(),
        secret: (proof == Proof::OAuth).then(|| keys.encrypt(&credential)),
        bearer_hash: (proof == Proof::Bearer).then(|| bearer_hash(&credential).to_vec()),
        roles: roles.iter().map(|role| role.name().to_owned()).collect(),
    };
    database.write(move |connection| api_client::insert(connection, &new)).await?;
    Ok(Created { key, credential: credential.into() })
}

/// All clients in the database, oldest first.
///
/// # Errors
/// What the database gives.
pub async fn list(database: &Database) -> Result<Vec<ApiClientRow>, StoreError> {
    database.read(api_client::all).await
}

/// Takes from a client the right to call; gives its key.
///
/// # Errors
/// [`ClientError`].
pub async fn disable(database: &Database, cache: &Sealed, name: &str) -> Result<String, ClientError> {
    let name = name.to_owned();
    let disable = move |connection: &mut PgConnection| {
        let mut found = api_client::active_by_name_or_key(connection, &name)?;
        match (found.pop(), found.is_empty()) {
            (None, _) => Err(ClientError::Unknown),
            (Some(row), true) => {
                api_client::disable(connection, &row.key)?;
                Ok(row.key)
            }
            (Some(last), false) => {
                Err(ClientError::Several(found.into_iter().chain([last]).map(|row| row.key).collect()))
            }
        }
    };
    let key = database.write(disable).await?;
    cache.changed(&cache_key(&key)).await;
    Ok(key)
}

fn roles(row: &ApiClientRow) -> Vec<Role> {
    row.roles.iter().filter_map(|name| Role::parse(name)).collect()
}

fn cache_key(key: &str) -> String {
    format!("client:{key}")
}

fn random<const N: usize>() -> Result<[u8; N], ClientError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ClientError::Random)?;
    Ok(bytes)
}

fn is_name(name: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    name.len() <= MAX_NAME
        && name.bytes().all(of_name)
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a key has the form of those that are made here. Any other is not looked up.
pub(crate) fn is_ours(key: &str) -> bool {
    name_in(key).is_some()
}

/// The client's name in a key that was made here, which outlives the key.
#[must_use]
pub fn name_in(key: &str) -> Option<&str> {
    let (name, random) = key.rsplit_once('-')?;
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_ours = is_name(name) && random.len() == 2 * KEY_BYTES && random.bytes().all(hex);
    is_ours.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_of_our_own_form_are_looked_up() {
        assert!(is_ours("webpay-0123456789ab") && is_ours("a-b_c-0123456789ab"));
        for other in
            ["", "webpay", "-0123456789ab", "webpay-0123456789AB", "webpay-0123456789a", "a\0-0123456789ab"]
        {
            assert!(!is_ours(other), "{other:?}");
        }
        assert!(!is_ours(&format!("{}-0123456789ab", "n".repeat(65))));
    }

    #[test]
    fn a_name_can_be_read_in_a_log_and_typed_in_a_shell() {
        assert!(is_name("webpay") && is_name("9-lives_2"));
        for wrong in ["", "-x", "a b", "a.b", "ä", "a\n"] {
            assert!(!is_name(wrong), "{wrong:?}");
        }
    }
}
