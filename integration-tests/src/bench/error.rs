//! Why nothing could be measured.

use std::io;

use diesel::result::Error as StatementError;
use oauth1::SignError;
use thiserror::Error;

use crate::{pair::PairError, postgres::PostgresError, process::ProcessError};

/// Why nothing could be measured.
#[derive(Debug, Error)]
pub enum BenchError {
    /// A file, a folder or a program of the system.
    #[error("{what}: {source}")]
    System {
        /// What was wanted.
        what: String,
        /// Why it is not there.
        source: io::Error,
    },
    /// There is no pgbench.
    #[error(
        "no pgbench beside PostgreSQL's server programs or on PATH; Debian has it in the package postgresql, others in postgresql-contrib"
    )]
    NoPgbench,
    /// pgbench failed.
    #[error("pgbench: {0}")]
    Pgbench(String),
    /// A program that the benchmark needs is not installed.
    #[error("there is no {0}; ./dev bench proxy installs it first")]
    NoProgram(&'static str),
    /// wrk failed, or what it measured is worth nothing.
    #[error("wrk: {0}")]
    Wrk(String),
    /// nginx did not start.
    #[error("nginx: {0}")]
    Nginx(String),
    /// No key or token could be made.
    #[error("identity: {0}")]
    Identity(String),
    /// provider-proxy's settings, ours or those merged over them.
    #[error("settings: {0}")]
    Settings(String),
    /// The private Postgres.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// A statement that loads rows.
    #[error("loading rows: {0}")]
    Statement(#[from] StatementError),
    /// db-server did not start.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// db-server did not start or stop.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A request could not be signed.
    #[error("signing: {0}")]
    Sign(#[from] SignError),
    /// An answer that is not the expected one: figures of errors are worth nothing.
    #[error("db-server answered {method} with {status} where {expected} was expected: {answer}")]
    Answer {
        /// The request's method.
        method: &'static str,
        /// The answer's status.
        status: u16,
        /// The status of success.
        expected: u16,
        /// The beginning of the answer.
        answer: String,
    },
    /// Not HTTP/1.1 as db-server speaks it.
    #[error("db-server's answer cannot be read: {0}")]
    Malformed(String),
    /// The generator's thread panicked.
    #[error("the load generator ended")]
    Generator,
}

impl BenchError {
    pub(super) fn system(what: impl ToString) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        move |source| Self::System { what, source }
    }
}
