//! The cache: what may be forgotten, in this process, or in a Redis that several instances share.

mod memory;
mod nonces;
mod redis;
mod sealed;

use std::{sync::Arc, time::Duration};

use thiserror::Error;

pub use self::{
    memory::Memory,
    nonces::Nonce,
    redis::{Redis, RedisSettings},
    sealed::Sealed,
};

/// A cache; clones share one. Keys are ours and hold no secret; values are non-secret or encrypted ([`Sealed`]).
#[derive(Clone)]
pub enum Cache {
    /// In this process: every instance has its own.
    Memory(Arc<Memory>),
    /// In a Redis.
    Redis(Redis),
}

/// How often a client has called in the present window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Count {
    /// The calls, this one included.
    pub calls: u64,
    /// How long the window lasts from now on.
    pub left: Duration,
}

/// Why the cache does not answer. A cache in this process always does.
#[derive(Debug, Error)]
pub enum CacheError {
    /// No connection in time.
    #[error("no connection to Redis: {0}")]
    Pool(#[source] r2d2::Error),
    /// Redis refuses, or the connection broke.
    #[error("Redis: {0}")]
    Redis(#[from] ::redis::RedisError),
    /// It did not answer a moment ago, and is left alone for another.
    #[error("Redis did not answer a moment ago")]
    Resting,
    /// The thread that asked did not finish in time.
    #[error("Redis gave no answer in {0:?}")]
    Silent(Duration),
}

impl Cache {
    /// In the Redis of the settings, or else in this process. Nothing is connected yet, so this does not fail.
    #[must_use]
    pub fn new(settings: Option<RedisSettings>) -> Self {
        match settings {
            Some(settings) => Self::Redis(Redis::new(settings)),
            None => Self::Memory(Arc::new(Memory::new())),
        }
    }

    /// Whether other instances see the same.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Redis(_))
    }

    /// Gives what is kept under a key.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn get(&self, key: &str) -> Result<Option<String>, CacheError> {
        match self {
            Self::Memory(memory) => Ok(memory.get(key)),
            Self::Redis(redis) => redis.get(key).await,
        }
    }

    /// Keeps a value for this long, in the place of another.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<(), CacheError> {
        match self {
            Self::Memory(memory) => {
                memory.set(key, value, ttl);
                Ok(())
            }
            Self::Redis(redis) => redis.set(key, value, ttl).await,
        }
    }

    /// Keeps a value for this long unless there is one; true when it is kept.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn add(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, CacheError> {
        match self {
            Self::Memory(memory) => Ok(memory.add(key, value, ttl)),
            Self::Redis(redis) => redis.add(key, value, ttl).await,
        }
    }

    /// Forgets a key.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn remove(&self, key: &str) -> Result<(), CacheError> {
        match self {
            Self::Memory(memory) => {
                memory.remove(key);
                Ok(())
            }
            Self::Redis(redis) => redis.remove(key).await,
        }
    }

    /// Uses a nonce; true when nobody has used it before. It is remembered for as long as its timestamp may be fresh.
    ///
    /// # Errors
    /// [`CacheError`]; the nonce may have been used then.
    pub async fn use_nonce(&self, nonce: Nonce) -> Result<bool, CacheError> {
        match self {
            Self::Memory(memory) => Ok(memory.nonces.insert(nonce)),
            Self::Redis(redis) => {
                // Its own value, so that a repeated attempt knows its first from somebody else's. Redis keeps a number
                // in less room than a text.
                let value = (uuid::Uuid::new_v4().as_u64_pair().0 >> 1).to_string();
                redis.add(&nonce.key(), &value, nonces::REMEMBERED).await
            }
        }
    }

    /// Counts a call in a window that begins with its first call, for all instances; nothing when none is shared.
    pub async fn count(&self, key: &str, window: Duration) -> Option<Result<Count, CacheError>> {
        match self {
            Self::Memory(_) => None,
            Self::Redis(redis) => Some(redis.count(key, window).await),
        }
    }

    /// Asks for an answer.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn ping(&self) -> Result<(), CacheError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Redis(redis) => redis.ping().await,
        }
    }
}
