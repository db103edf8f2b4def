//! What a private Postgres can fail at.

use std::{io, path::PathBuf};

use diesel::ConnectionError;
use thiserror::Error;

use super::binaries;
use crate::process::ProcessError;

/// Why the private Postgres cannot do what was asked.
#[derive(Debug, Error)]
pub enum PostgresError {
    /// There is no PostgreSQL server on this machine.
    #[error(
        "no PostgreSQL server programs found (on PATH, under /usr/lib/postgresql, in ${})",
        binaries::VARIABLE
    )]
    NotInstalled,
    /// A folder cannot be made or changed.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The user that Postgres must run as cannot get to the folder.
    #[error("{}: a folder on the way is closed to the user that Postgres runs as", .0.display())]
    Unreachable(PathBuf),
    /// `initdb` failed.
    #[error("initdb failed: {0}")]
    Initdb(String),
    /// The server could not be started, or ended.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A connection was refused.
    #[error("connection to the private Postgres: {0}")]
    Connection(#[from] ConnectionError),
    /// A statement was refused.
    #[error("private Postgres: {0}")]
    Statement(#[from] diesel::result::Error),
}
