//! How the pool makes its connections, and what is known of whether Postgres answers.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{Connection, ConnectionError, PgConnection, r2d2::R2D2Connection};
use r2d2::{HandleError, ManageConnection};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::store::error::on_one_line;

/// A connection could not be made. The text is libpq's, on one line; libpq names host, port, user and database
/// there, and never the password.
#[derive(Debug, Error)]
#[error("{}", on_one_line(.0))]
pub struct ConnectFailure(ConnectionError);

impl From<ConnectionError> for ConnectFailure {
    fn from(error: ConnectionError) -> Self {
        Self(error)
    }
}

/// Makes the pool's connections.
pub(super) struct Manager {
    connection_string: SecretString,
    liveness: Arc<Liveness>,
}

impl Manager {
    pub(super) fn new(connection_string: SecretString, liveness: Arc<Liveness>) -> Self {
        Self { connection_string, liveness }
    }
}

impl ManageConnection for Manager {
    type Connection = PgConnection;
    type Error = ConnectFailure;

    fn connect(&self) -> Result<PgConnection, ConnectFailure> {
        let connection = PgConnection::establish(self.connection_string.expose_secret())?;
        self.liveness.connected();
        Ok(connection)
    }

    /// Never asked: the `BEGIN` of every transaction is the test, and saves a round trip.
    fn is_valid(&self, _: &mut PgConnection) -> Result<(), ConnectFailure> {
        Ok(())
    }

    fn has_broken(&self, connection: &mut PgConnection) -> bool {
        // A panic may have left a transaction open.
        std::thread::panicking() || connection.is_broken()
    }
}

/// When Postgres last answered, and what last went wrong with connecting to it.
#[derive(Debug)]
pub(super) struct Liveness {
    start: Instant,
    /// Milliseconds after `start`.
    last_answer: AtomicU64,
    last_failure: Mutex<Option<String>>,
}

impl Liveness {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), last_answer: AtomicU64::new(0), last_failure: Mutex::new(None) }
    }

    /// Postgres has just answered.
    pub(super) fn answered(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_answer.fetch_max(now, Ordering::Relaxed);
    }

    /// How long ago Postgres last answered; since the start when it never has.
    pub(super) fn silent_for(&self) -> Duration {
        self.start.elapsed().saturating_sub(Duration::from_millis(self.last_answer.load(Ordering::Relaxed)))
    }

    fn connected(&self) {
        self.answered();
        if self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            log::info!("connected to Postgres again");
        }
    }
}

/// Logs why connections fail: once for each reason, although the pool tries again several times a second.
#[derive(Debug)]
pub(super) struct FailureLog(pub(super) Arc<Liveness>);

impl HandleError<ConnectFailure> for FailureLog {
    fn handle_error(&self, failure: ConnectFailure) {
        let text = failure.to_string();
        let mut last = self.0.last_failure.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() == Some(&text) {
            log::debug!("still cannot connect to Postgres: {text}");
        } else {
            log::error!("cannot connect to Postgres: {text}");
            *last = Some(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_on_one_line() {
        let failure = ConnectFailure(ConnectionError::BadConnection("refused\n\tIs it running?\n".into()));
        assert_eq!(failure.to_string(), "refused Is it running?");
    }

    #[test]
    fn an_answer_ends_the_silence() {
        let liveness = Liveness { start: Instant::now() - Duration::from_secs(60), ..Liveness::new() };
        assert!(liveness.silent_for() >= Duration::from_secs(60));
        liveness.answered();
        assert!(liveness.silent_for() < Duration::from_secs(30));
    }
}
