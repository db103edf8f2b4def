//! The cache in a Redis: a pool of connections, and a Redis that hangs or is gone costs each request little.

mod health;
mod pool;

use std::{path::PathBuf, sync::Arc, time::Duration};

use actix_web::rt::time::timeout;
use chassis::logging;
use r2d2::Pool;
use redis::{Connection, RedisResult, cmd, pipe};
use secrecy::SecretString;

use self::{
    health::Health,
    pool::{Manager, Pooled},
};
use super::{CacheError, Count};

/// In front of every key, for a Redis that is not ours alone.
const PREFIX: &str = "solitude:";

/// Which Redis, and the limits.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// Its URL, which may hold a password.
    pub url: SecretString,
    /// The PEM file with the authorities for its certificate; else those of the system.
    pub ca: Option<PathBuf>,
    /// How many connections there are at most.
    pub pool_size: u32,
    /// How long anything may take: connecting, waiting for a connection, an answer.
    pub timeout: Duration,
}

/// A Redis; clones share one pool.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    pool: Pool<Manager>,
    health: Arc<Health>,
    timeout: Duration,
}

impl Redis {
    /// Connects in the background: this neither waits nor fails.
    pub(super) fn new(settings: RedisSettings) -> Self {
        let (limit, size) = (settings.timeout, settings.pool_size);
        let health = Arc::new(Health::default());
        let pool = Pool::builder()
            .max_size(size.max(1))
            .min_idle(Some(1))
            .connection_timeout(limit)
            // The command itself is the test, and saves a round trip.
            .test_on_check_out(false)
            .error_handler(Box::new(pool::Quiet))
            .build_unchecked(Manager::new(settings));
        Self(Arc::new(Shared { pool, health, timeout: limit }))
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<String>, CacheError> {
        let key = full(key);
        self.run(move |connection, _| cmd("GET").arg(&key).query(connection)).await
    }

    pub(super) async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<(), CacheError> {
        let (key, value, ttl) = (full(key), value.to_owned(), milliseconds(ttl));
        let set = move |connection: &mut Connection, _| {
            cmd("SET").arg(&key).arg(&value).arg("PX").arg(ttl).query(connection)
        };
        self.run(set).await
    }

    pub(super) async fn add(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, CacheError> {
        let (key, value, ttl) = (full(key), value.to_owned(), milliseconds(ttl));
        let add = move |connection: &mut Connection, attempt| {
            let done: Option<String> =
                cmd("SET").arg(&key).arg(&value).arg("PX").arg(ttl).arg("NX").query(connection)?;
            if done.is_some() || attempt == Attempt::First {
                return Ok(done.is_some());
            }
            // The first attempt's connection broke, perhaps after Redis had done it: then the value is ours.
            let held: Option<String> = cmd("GET").arg(&key).query(connection)?;
            Ok(held.as_ref() == Some(&value))
        };
        self.run(add).await
    }

    pub(super) async fn remove(&self, key: &str) -> Result<(), CacheError> {
        let key = full(key);
        self.run(move |connection, _| cmd("DEL").arg(&key).query(connection)).await
    }

    pub(super) async fn count(&self, key: &str, window: Duration) -> Result<Count, CacheError> {
        let (key, window) = (full(key), milliseconds(window));
        let count = move |connection: &mut Connection, _| {
            let mut steps = pipe();
            steps.atomic().cmd("SET").arg(&key).arg(0).arg("PX").arg(window).arg("NX").ignore();
            steps.cmd("INCR").arg(&key).cmd("PTTL").arg(&key);
            let (calls, left): (u64, i64) = steps.query(connection)?;
            Ok(Count { calls, left: Duration::from_millis(u64::try_from(left).unwrap_or(0)) })
        };
        self.run(count).await
    }

    /// Asks even a Redis that is resting, so that the first to see it again is the status.
    pub(super) async fn ping(&self) -> Result<(), CacheError> {
        self.ask(|connection, _| cmd("PING").query::<String>(connection).map(drop)).await
    }

    async fn run<T, F>(&self, work: F) -> Result<T, CacheError>
    where
        F: Fn(&mut Connection, Attempt) -> RedisResult<T> + Send + 'static,
        T: Send + 'static,
    {
        if self.0.health.rests() {
            return Err(CacheError::Resting);
        }
        self.ask(work).await
    }

    async fn ask<T, F>(&self, work: F) -> Result<T, CacheError>
    where
        F: Fn(&mut Connection, Attempt) -> RedisResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let shared = Arc::clone(&self.0);
        // A connection, then an answer; the margin is for the threads that block.
        let limit = self.0.timeout * 3;
        match timeout(limit, logging::blocking(move || shared.attempt(&work))).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(CacheError::Silent(limit)),
        }
        .inspect_err(|error| self.0.health.failed(error))
        .inspect(|_| self.0.health.answered())
    }
}

/// Whether the work has been tried before, on a connection that broke.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Attempt {
    First,
    Again,
}

impl Shared {
    /// Does the work. Connections that broke while they were idle, as all do when Redis restarts, are replaced; each
    /// of them tells at once, so their number is the limit.
    fn attempt<T>(
        &self,
        work: &impl Fn(&mut Connection, Attempt) -> RedisResult<T>,
    ) -> Result<T, CacheError> {
        let mut attempt = Attempt::First;
        let mut spare = self.pool.max_size();
        loop {
            let mut pooled = self.pool.get_timeout(self.timeout).map_err(CacheError::Pool)?;
            let Pooled { connection, broken } = &mut *pooled;
            let error = match work(connection, attempt) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            // An answer that comes late would be taken for that to the next question.
            *broken = error.is_io_error() || error.is_unrecoverable_error();
            if spare == 0 || error.is_timeout() || !error.is_connection_dropped() {
                return Err(error.into());
            }
            (spare, attempt) = (spare - 1, Attempt::Again);
        }
    }
}

fn full(key: &str) -> String {
    format!("{PREFIX}{key}")
}

/// Redis takes no time to live of zero.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
