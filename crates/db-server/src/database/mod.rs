//! The way to Postgres: a pool of connections, a thread for each, and transactions as one hop to such a thread.

pub(crate) mod committed;
mod gathering;
mod manager;
mod migration;
mod parameters;
mod threads;
mod transaction;

use std::{sync::Arc, time::Duration};

use actix_web::rt::time::timeout;
use diesel::PgConnection;
use r2d2::Pool;
use tokio::sync::{oneshot, watch};

pub use gathering::{Gathering, MOST};
pub use manager::ConnectFailure;
pub use migration::MigrationError;
pub use parameters::{ConnectParameters, SslMode};

use self::{
    committed::Newest,
    gathering::{PATIENCE, Waiting},
    manager::{FailureLog, Liveness, Manager},
    threads::{Job, Threads},
    transaction::{Access, Gate, Transactions},
};
use crate::{
    cache::{Cache, Sealed},
    crypt::EncryptionKeys,
    store::{ConnectionLoss, StoreError},
};

/// How much longer than its own limits a transaction may take before its caller is told that Postgres is gone.
const MARGIN: Duration = Duration::from_secs(1);

/// The database; clones share one pool.
#[derive(Clone)]
pub struct Database {
    transactions: Arc<Transactions>,
    threads: Arc<Threads>,
    parameters: Arc<ConnectParameters>,
}

impl Database {
    /// A pool that connects in the background: this neither waits nor fails when Postgres is out of reach.
    #[must_use]
    pub fn new(parameters: ConnectParameters) -> Self {
        let liveness = Arc::new(Liveness::new());
        let pool = Pool::builder()
            .max_size(parameters.pool_size.max(1))
            .min_idle(Some(1))
            .connection_timeout(parameters.pool_wait.max(Duration::from_millis(1)))
            .test_on_check_out(false)
            .error_handler(Box::new(FailureLog(Arc::clone(&liveness))))
            .build_unchecked(Manager::new(parameters.connection_string(), Arc::clone(&liveness)));
        let transactions = Transactions {
            pool,
            liveness,
            pool_wait: parameters.pool_wait,
            statement_timeout: parameters.statement_timeout,
            newest: Newest::new(),
        };
        let threads = Threads::new(parameters.pool_size);
        Self {
            transactions: Arc::new(transactions),
            threads: Arc::new(threads),
            parameters: Arc::new(parameters),
        }
    }

    /// Runs `work` in one read-only transaction that sees one moment of the database.
    ///
    /// # Errors
    /// What `work` gives, or a [`StoreError`] of the transaction itself.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Access::Read, work).await
    }

    /// Runs one statement that only reads, and saves the round trips of a transaction around it. It may run again on
    /// another connection when the first one is broken.
    ///
    /// # Errors
    /// A [`StoreError`] of the statement or of the connection.
    pub async fn read_one<T, F>(&self, statement: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut PgConnection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.hop(move |transactions, _| transactions.read_one(statement)).await
    }

    /// Reads by a key, together with others that read by theirs meanwhile. What [`read_one`](Self::read_one) says of
    /// its statement goes for that of the gathering.
    ///
    /// # Errors
    /// A [`StoreError`] of the statement or of the connection.
    pub async fn read_gathered<K, V>(&self, gathering: &Arc<Gathering<K, V>>, key: K) -> Result<V, StoreError>
    where
        K: Copy + Send + 'static,
        V: Send + 'static,
    {
        let limit = self.parameters.pool_size.max(1);
        let Waiting { gate, mut answer, needs_reader } = gathering.add(key, limit);
        if needs_reader {
            self.threads.run(reading(Arc::clone(gathering), Arc::clone(&self.transactions)));
        }
        if let Ok(answer) = timeout(PATIENCE, &mut answer).await {
            return result(answer);
        }
        if gathering.needs_reader(limit) {
            self.threads.run(reading(Arc::clone(gathering), Arc::clone(&self.transactions)));
        }
        self.answer(&gate, answer).await
    }

    /// Runs one statement that changes something, and saves the round trips of a transaction around it. It runs once.
    ///
    /// # Errors
    /// A [`StoreError`] of the statement or of the connection. After [`StoreError::Unreachable`] it may or may not
    /// have happened; after every other error nothing has.
    pub async fn write_one<T, F>(&self, statement: F) -> Result<T, StoreError>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.hop(move |transactions, gate| transactions.write_one(gate, statement)).await
    }

    /// Runs `work` in one transaction, committed when `work` succeeds and rolled back otherwise. It runs once: rows
    /// that must not change under it are to be locked.
    ///
    /// # Errors
    /// What `work` gives, or a [`StoreError`] of the transaction itself. After [`StoreError::Unreachable`] the
    /// commit may or may not have happened; after every other error nothing has.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Access::Write, work).await
    }

    /// Waits until an event is committed on this instance; at once when one has been since the last time.
    pub async fn event_written(&self) {
        self.transactions.newest.written().await;
    }

    /// The position of the newest event that this instance [knows](Self::found_event) of; 0 when it knows of none.
    #[must_use]
    pub fn newest_event(&self) -> watch::Receiver<i64> {
        self.transactions.newest.watch()
    }

    /// The newest event has been seen to be this one.
    pub fn found_event(&self, position: i64) {
        self.transactions.newest.reach(position);
    }

    /// A cache of what is read here.
    #[must_use]
    pub fn sealed(&self, cache: Cache, keys: EncryptionKeys) -> Sealed {
        // Longer than the longest transaction.
        let settling = self.parameters.pool_wait + self.parameters.statement_timeout * 2 + MARGIN;
        Sealed::new(cache, keys, settling)
    }

    /// Asks Postgres for an answer.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] or [`StoreError::Busy`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read(|_| Ok(())).await
    }

    async fn run<T, E, F>(&self, access: Access, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.hop(move |transactions, gate| transactions.run(access, gate, work)).await
    }

    /// One hop to a thread that may block, with a limit.
    async fn hop<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Transactions, &Gate) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let gate = Arc::new(Gate::default());
        let (sender, receiver) = oneshot::channel();
        let work = chassis::logging::carried({
            let (transactions, gate) = (Arc::clone(&self.transactions), Arc::clone(&gate));
            move || {
                if gate.start() {
                    // A caller that is gone needs no result.
                    let _ = sender.send(work(&transactions, &gate));
                }
                None
            }
        });
        self.threads.run(Job { gate: Arc::clone(&gate), work: Box::new(work) });
        self.answer(&gate, receiver).await
    }

    /// What a thread tells, with a limit.
    async fn answer<T, E: From<StoreError>>(
        &self,
        gate: &Gate,
        mut receiver: oneshot::Receiver<Result<T, E>>,
    ) -> Result<T, E> {
        let wait = self.parameters.pool_wait;
        if let Ok(answer) = timeout(wait, &mut receiver).await {
            return result(answer);
        }
        if gate.abandon_unstarted() {
            return Err(self.transactions.no_answer(wait).into());
        }
        // A server that is frozen, or behind a network that swallows packets, leaves libpq waiting for ever: the
        // caller does not wait with it.
        let rest = self.parameters.statement_timeout + MARGIN;
        let limit = wait + rest;
        match timeout(rest, receiver).await {
            Ok(answer) => result(answer),
            Err(_) if gate.abandon() => Err(self.transactions.no_answer(limit).into()),
            // The commit is on its way and nobody knows how it ends.
            Err(_) => Err(StoreError::Unreachable(ConnectionLoss::Silent { after: limit }).into()),
        }
    }
}

/// What a thread does to read for those that have gathered, until there is none.
fn reading<K, V>(gathering: Arc<Gathering<K, V>>, transactions: Arc<Transactions>) -> Job
where
    K: Copy + Send + 'static,
    V: Send + 'static,
{
    let work = move || gathering.read(&transactions).then(|| reading(gathering, transactions));
    Job { gate: Arc::default(), work: Box::new(work) }
}

/// What a thread has told; nothing when the work panicked.
fn result<T, E: From<StoreError>>(answer: Result<Result<T, E>, oneshot::error::RecvError>) -> Result<T, E> {
    answer.unwrap_or_else(|_| Err(StoreError::Interrupted.into()))
}
