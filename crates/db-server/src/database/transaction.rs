//! One transaction on one connection of the pool: begin, work, commit or roll back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{
    PgConnection,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
};
use r2d2::{Pool, PooledConnection};

use super::{
    MARGIN,
    committed::Newest,
    manager::{Liveness, Manager},
};
use crate::store::{Busyness, ConnectionLoss, StoreError};

/// What a transaction may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Access {
    /// Only read, and all of it as of one moment.
    Read,
    /// Read and write.
    Write,
}

impl Access {
    const fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            Self::Write => "BEGIN",
        }
    }

    const fn commit(self) -> &'static str {
        match self {
            Self::Read => "COMMIT",
            // Postgres answers the COMMIT of a failed transaction with a silent rollback. A statement before it
            // makes that an error, in the same round trip, should the work have swallowed one.
            Self::Write => "SELECT 1; COMMIT",
        }
    }
}

/// Decides who wins when a caller gives up while its transaction is under way: the one or the commit, never both.
#[derive(Debug, Default)]
pub(super) struct Gate(AtomicU8);

const WAITING: u8 = 0;
const OPEN: u8 = 1;
const COMMITTING: u8 = 2;
const ABANDONED: u8 = 3;

impl Gate {
    /// A thread takes the work up; false when the caller has given up.
    pub(super) fn start(&self) -> bool {
        self.pass(WAITING, OPEN)
    }

    /// The caller gives up if nothing has begun; true when nothing ever will.
    pub(super) fn abandon_unstarted(&self) -> bool {
        self.pass(WAITING, ABANDONED)
    }

    /// The caller gives up; true when nothing will be committed.
    pub(super) fn abandon(&self) -> bool {
        self.abandon_unstarted() || self.pass(OPEN, ABANDONED)
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.0.load(Ordering::Acquire) == ABANDONED
    }

    /// The commit is about to be sent; false when the caller has given up.
    fn commit(&self) -> bool {
        self.pass(OPEN, COMMITTING)
    }

    fn pass(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// Runs transactions on the pool's connections; everything here blocks.
pub(super) struct Transactions {
    pub(super) pool: Pool<Manager>,
    pub(super) liveness: Arc<Liveness>,
    pub(super) pool_wait: Duration,
    pub(super) statement_timeout: Duration,
    pub(super) newest: Newest,
}

impl Transactions {
    pub(super) fn run<T, E: From<StoreError>>(
        &self,
        access: Access,
        gate: &Gate,
        work: impl FnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.begin(access)?;
        let connection = &mut *connection;
        Newest::begin();
        if gate.is_abandoned() {
            self.roll_back(connection);
            return Err(StoreError::Interrupted.into());
        }
        match work(connection) {
            Ok(value) if gate.commit() => {
                connection.batch_execute(access.commit()).map_err(|error| {
                    self.roll_back(connection);
                    StoreError::from(error)
                })?;
                self.liveness.answered();
                self.newest.commit();
                Ok(value)
            }
            Ok(_) => {
                self.roll_back(connection);
                Err(StoreError::Interrupted.into())
            }
            Err(error) => {
                self.roll_back(connection);
                Err(error)
            }
        }
    }

    /// Runs one statement that only reads, without a transaction around it: alone, it sees one moment anyway. It is
    /// asked again on another connection when its own turns out to be broken.
    pub(super) fn read_one<T>(
        &self,
        statement: impl FnMut(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.on_live_connection(statement).map(|(_, value)| value)
    }

    /// Runs one statement that changes something, without a transaction around it: alone, it is done wholly or not
    /// at all anyway. It is sent once, so that the connection is looked at before; one that breaks after that leaves
    /// open what has been done, as one that breaks during a commit does.
    pub(super) fn write_one<T>(
        &self,
        gate: &Gate,
        statement: impl FnOnce(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (mut connection, ()) = self.on_live_connection(look_at)?;
        if !gate.commit() {
            return Err(StoreError::Interrupted);
        }
        let result = statement(&mut connection);
        match &result {
            Err(StoreError::Unreachable(_)) => discard(&mut connection),
            _ => self.liveness.answered(),
        }
        result
    }

    /// A connection in a fresh transaction.
    fn begin(&self, access: Access) -> Result<PooledConnection<Manager>, StoreError> {
        let begin = |connection: &mut PgConnection| {
            Ok(AnsiTransactionManager::begin_transaction_sql(connection, access.begin())?)
        };
        self.on_live_connection(begin).map(|(connection, ())| connection)
    }

    /// Does something on a connection that changes nothing. Connections that broke while they were idle, as all do
    /// when Postgres restarts, are replaced and it is done again.
    fn on_live_connection<T>(
        &self,
        mut first: impl FnMut(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<(PooledConnection<Manager>, T), StoreError> {
        let end = Instant::now() + self.pool_wait;
        let mut loss = None;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let mut connection = match self.pool.get_timeout(left) {
                Ok(connection) => connection,
                Err(error) => return Err(self.no_connection(error, loss)),
            };
            match first(&mut connection) {
                Ok(value) => {
                    self.liveness.answered();
                    return Ok((connection, value));
                }
                Err(lost @ StoreError::Unreachable(_)) => {
                    discard(&mut connection);
                    loss = Some(lost);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Why the pool gave no connection in time: there is none, or they all are at work.
    fn no_connection(&self, error: r2d2::Error, loss: Option<StoreError>) -> StoreError {
        if let Some(loss) = loss {
            return loss;
        }
        if self.all_at_work() {
            StoreError::Busy(Busyness::Pool(error))
        } else {
            StoreError::Unreachable(ConnectionLoss::Pool(error))
        }
    }

    /// What a caller is told who has waited for all of `limit` in vain.
    pub(super) fn no_answer(&self, limit: Duration) -> StoreError {
        if self.all_at_work() {
            StoreError::Busy(Busyness::Queue { after: limit })
        } else {
            StoreError::Unreachable(ConnectionLoss::Silent { after: limit })
        }
    }

    /// Whether Postgres answers those who have a connection. It ends every statement within the statement timeout,
    /// so a silence of the whole pool that is longer, by more than the way there and back, is not work.
    fn all_at_work(&self) -> bool {
        self.pool.state().connections > 0 && self.liveness.silent_for() <= self.statement_timeout + MARGIN
    }

    /// Ends a transaction without effect. Should that fail, the pool discards the connection, with the same end.
    fn roll_back(&self, connection: &mut PgConnection) {
        match AnsiTransactionManager::rollback_transaction(connection) {
            Ok(()) => self.liveness.answered(),
            Err(error) => {
                discard(connection);
                log::debug!("the rollback failed, the connection is discarded: {error}");
            }
        }
    }
}

/// Looks, without asking, whether the server has closed the connection. What it said last is read first and the end
/// after that, hence twice.
fn look_at(connection: &mut PgConnection) -> Result<(), StoreError> {
    let lost = (0..2).find_map(|_| connection.notifications_iter().find_map(Result::err));
    lost.map_or(Ok(()), |error| Err(StoreError::Unreachable(ConnectionLoss::Query(error))))
}

/// Tells the pool not to give this connection to anybody again. Diesel notices by itself only what has an SQLSTATE,
/// and a server that is killed leaves none.
fn discard(connection: &mut PgConnection) {
    AnsiTransactionManager::transaction_manager_status_mut(connection).set_in_error();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_first_wins_and_the_other_is_told() {
        let gate = Gate::default();
        assert!(gate.start());
        assert!(gate.abandon());
        assert!(gate.is_abandoned());
        assert!(!gate.commit());

        let gate = Gate::default();
        assert!(gate.start());
        assert!(gate.commit());
        assert!(!gate.abandon());
    }

    #[test]
    fn work_that_nobody_waits_for_any_more_is_not_begun() {
        for give_up in [Gate::abandon, Gate::abandon_unstarted] {
            let gate = Gate::default();
            assert!(give_up(&gate));
            assert!(!gate.start());
        }
        let begun = Gate::default();
        assert!(begun.start());
        assert!(!begun.abandon_unstarted());
        assert!(begun.commit());
    }
}
