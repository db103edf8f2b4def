//! Why a campaign cannot be run, or what it has found.

use std::{fmt, io, time::Duration};

use thiserror::Error;

use crate::{
    client::{Answer, RequestError},
    executables::ExecutableError,
    postgres::PostgresError,
    process::ProcessError,
};

/// Why a campaign cannot be run, or what it has found.
#[derive(Debug, Error)]
pub enum CrashError {
    /// A file or folder.
    #[error("{what}: {source}")]
    File {
        /// What was wanted.
        what: String,
        /// Why it is not there.
        source: io::Error,
    },
    /// No port that nobody has.
    #[error("no free port between 20000 and 32000 of 127.0.0.1")]
    NoPort,
    /// A server, or the guard, is not built.
    #[error(transparent)]
    Executable(#[from] ExecutableError),
    /// A process could not be started or stopped.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The private Postgres.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// The database cannot be reached.
    #[error("the database: {0}")]
    Connection(#[from] diesel::ConnectionError),
    /// A statement of the verification.
    #[error("a statement: {0}")]
    Statement(#[from] diesel::result::Error),
    /// There is no answer where nothing stands in its way.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// An answer that is not the expected one, where nothing stands in its way.
    #[error("{what}: {answer:?}")]
    Answer {
        /// What was asked.
        what: String,
        /// What was answered.
        answer: Answer,
    },
    /// A client of db-server has no final answer.
    #[error("{what} has no final answer after {tries} tries; the last: {last}")]
    NoAnswer {
        /// What was asked.
        what: String,
        /// How often.
        tries: u32,
        /// What came last.
        last: String,
    },
    /// It takes too long.
    #[error("not within {limit:?}: {what}")]
    TooLate {
        /// What was awaited.
        what: String,
        /// For how long.
        limit: Duration,
    },
    /// The books do not agree.
    #[error("{0}")]
    Found(Differences),
    /// A thread of ours panicked.
    #[error("a thread of the campaign ended")]
    Thread,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl CrashError {
    /// For the errors of one file.
    pub(super) fn file(what: impl ToString) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        move |source| Self::File { what, source }
    }
}

/// What does not agree, one sentence each.
#[derive(Clone, Debug, Default)]
pub struct Differences(pub Vec<String>);

impl Differences {
    /// Adds one.
    pub fn add(&mut self, difference: impl Into<String>) {
        self.0.push(difference.into());
    }

    /// Adds one unless something holds.
    pub fn unless(&mut self, holds: bool, difference: impl FnOnce() -> String) {
        if !holds {
            self.add(difference());
        }
    }

    /// Nothing, or an error with all of them.
    ///
    /// # Errors
    /// [`CrashError::Found`] when there is any.
    pub fn check(self) -> Result<(), CrashError> {
        if self.0.is_empty() { Ok(()) } else { Err(CrashError::Found(self)) }
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 40;
        write!(formatter, "{} differences:", self.0.len())?;
        self.0.iter().take(SHOWN).try_for_each(|difference| write!(formatter, "\n    {difference}"))?;
        if self.0.len() > SHOWN {
            write!(formatter, "\n    … and {} more", self.0.len() - SHOWN)
        } else {
            Ok(())
        }
    }
}
