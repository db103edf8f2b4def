//! Why the local pair cannot go on.

use std::{io, path::PathBuf, time::Duration};

use thiserror::Error;

use crate::{
    postgres::PostgresError,
    process::{End, LastLines, ProcessError},
    sandbox::WebhookError,
};

/// Why the local pair cannot go on, in words for whoever started it.
#[derive(Debug, Error)]
pub enum PairError {
    /// A file or folder of the state cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another pair has this state folder.
    #[error("{}: another pair runs with this state folder; name another one with --state", .0.display())]
    InUse(PathBuf),
    /// Postgres of an earlier pair is still there.
    #[error("{}: the Postgres of an earlier pair still runs here (process {pid}) and does not stop", data.display())]
    OldPostgres {
        /// The data folder.
        data: PathBuf,
        /// Its process.
        pid: i32,
    },
    /// A port is taken.
    #[error(
        "port {port} of 127.0.0.1 cannot be had ({source}); name another one with {flag} (0: any free port)"
    )]
    Port {
        /// The flag that names it.
        flag: &'static str,
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// A port was given twice.
    #[error("{first} and {second} both say {port}; each server needs its own port")]
    SamePort {
        /// The first flag.
        first: &'static str,
        /// The second flag.
        second: &'static str,
        /// The port.
        port: u16,
    },
    /// A settings file to merge is no TOML.
    #[error("{}: {message}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Postgres could not be started.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// A server could not be started or stopped.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The sandbox does not know where webhooks go.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// A server ended by itself.
    #[error("{name} {end}{lines}")]
    Died {
        /// The server.
        name: String,
        /// How it ended.
        end: End,
        /// What it said last.
        lines: LastLines,
    },
    /// A server runs but is not well.
    #[error("{name} is not ready after {limit:?}: {answer}{lines}")]
    NotReady {
        /// The server.
        name: String,
        /// How long it was given.
        limit: Duration,
        /// What its status service said last.
        answer: String,
        /// What it said last.
        lines: LastLines,
    },
}

impl PairError {
    /// For the errors of one file.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
