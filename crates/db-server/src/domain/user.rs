//! Users, who are people: who they are, their roles, and their passwords, guarded against guessing.

pub mod account;
mod remembered;

use std::{collections::BTreeSet, time::Duration};

use diesel::PgConnection;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::Semaphore;

pub use self::account::{UserError, is_user_name};
use self::remembered::Remembered;
use super::{Clock, api_client, hashing::Hashing, pin::PinRules};
use crate::{
    cache::Sealed,
    database::Database,
    password::{Password, PasswordHash},
    pin::{PinError, PinHasher},
    settings::Role,
    store::{
        StoreError,
        user::{self, Claim},
    },
};

/// How long a user is believed to be what it was, so how long a disabled one may go on calling, at most.
const TTL: Duration = Duration::from_secs(5);
/// So many log-ins may wait for each processor; the next is told to come back.
const WAITING: usize = 32;

/// Finds users, and checks their passwords. One for all workers.
pub struct Users {
    database: Database,
    cache: Sealed,
    hashing: Hashing,
    rules: PinRules,
    clock: Clock,
    /// The keys of clients in the settings: nobody else goes by these names.
    taken: BTreeSet<String>,
    queue: Semaphore,
    remembered: Remembered,
}

/// What a user is known by.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KnownUser {
    /// Roles of ours, and words that only a target of the door knows.
    pub roles: Vec<String>,
    /// Whether the user may call at all.
    pub active: bool,
    /// A token of another generation is no longer good.
    pub generation: i64,
}

impl KnownUser {
    /// What the user may do here.
    #[must_use]
    pub fn roles_here(&self) -> Vec<Role> {
        self.roles.iter().filter_map(|name| Role::parse(name)).collect()
    }
}

/// Why nobody can say whether a password is right.
#[derive(Debug, Error)]
pub enum LogInError {
    /// Too many log-ins wait already.
    #[error("too many log-ins wait already")]
    Busy,
    /// The database failed.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// The password cannot be compared.
    #[error("a password: {0}")]
    Password(#[from] PinError),
}

impl Users {
    /// With this hasher and these rules. `taken` are the keys of the clients in the settings.
    #[must_use]
    pub fn new(
        database: Database,
        cache: Sealed,
        hasher: PinHasher,
        rules: PinRules,
        clock: Clock,
        taken: BTreeSet<String>,
    ) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            database,
            cache,
            hashing: Hashing::new(hasher),
            rules,
            clock,
            taken,
            queue: Semaphore::new(processors * WAITING),
            remembered: Remembered::new(),
        }
    }

    /// Finds a user by name, in the cache or in the database; one who is disabled too.
    ///
    /// # Errors
    /// What the database gives.
    pub async fn find(&self, name: &str) -> Result<Option<KnownUser>, StoreError> {
        if !self.may_be_one(name) {
            return Ok(None);
        }
        let cached_under = cache_key(name);
        if let Some(known) = self.cache.get(&cached_under).await {
            return Ok(known);
        }
        let wanted = name.to_owned();
        let row = self.database.read_one(move |connection| user::by_name(connection, &wanted)).await?;
        let known =
            row.map(|row| KnownUser { roles: row.roles, active: row.active, generation: row.generation });
        // That there is none is kept too.
        self.cache.keep(&cached_under, &known, TTL).await;
        Ok(known)
    }

    /// Checks a password that comes with every request: one that has been right lately needs no slow hash.
    ///
    /// # Errors
    /// [`LogInError`].
    pub async fn check(&self, name: &str, password: Password) -> Result<Option<KnownUser>, LogInError> {
        let known = self.find(name).await?.filter(|known| known.active);
        let digest =
            known.as_ref().and_then(|known| self.remembered.digest(name, known.generation, &password));
        if digest.is_some_and(|digest| self.remembered.holds(&digest)) {
            return Ok(known);
        }
        self.log_in(name, password).await
    }

    /// Checks a password; nothing when it is wrong, or when there is no such user, or while the user is locked out,
    /// each after the same time. Every guess is counted before it is compared: however many come at once, no more
    /// are compared than may be made.
    ///
    /// # Errors
    /// [`LogInError`].
    pub async fn log_in(&self, name: &str, password: Password) -> Result<Option<KnownUser>, LogInError> {
        let _queued = self.queue.try_acquire().map_err(|_| LogInError::Busy)?;
        let now = self.clock.now();
        let Some(claim) = self.claim(name).await? else {
            // Whoever measures must not learn which names there are.
            self.hashing.run::<_, LogInError>(move |hasher| hasher.hash_password(&password)).await?;
            return Ok(None);
        };
        let digest = self.remembered.digest(name, claim.generation, &password);
        if !self.matches(password, claim.password.clone()).await? {
            log::warn!("a wrong password for the user {name}");
            return Ok(None);
        }
        // A comparison that took longer than a lock-out lasts must not end a later one.
        if self.clock.now() - now >= self.rules.window {
            return Ok(None);
        }
        let known = KnownUser { roles: claim.roles.clone(), active: true, generation: claim.generation };
        let succeed = move |connection: &mut PgConnection| user::succeed(connection, &claim);
        if !self.database.write_one(succeed).await? {
            return Ok(None);
        }
        if let Some(digest) = digest {
            self.remembered.keep(digest);
        }
        Ok(Some(known))
    }

    async fn claim(&self, name: &str) -> Result<Option<Claim>, StoreError> {
        if !self.may_be_one(name) {
            return Ok(None);
        }
        let limit = self.rules.limit(self.clock.now());
        let name = name.to_owned();
        self.database.write_one(move |connection| user::claim_guess(connection, &name, limit)).await
    }

    async fn matches(&self, password: Password, hash: PasswordHash) -> Result<bool, LogInError> {
        self.hashing.run(move |hasher| hasher.is_password(&password, &hash)).await
    }

    fn may_be_one(&self, name: &str) -> bool {
        is_user_name(name) && !self.taken.contains(name)
    }
}

/// Whether a name can be told from every client's key.
fn is_free(name: &str, taken: &BTreeSet<String>) -> bool {
    !taken.contains(name) && !api_client::is_ours(name)
}

fn cache_key(name: &str) -> String {
    format!("user:{name}")
}
