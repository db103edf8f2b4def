//! A child process under a [`crate::guard`], whose lines and end can be awaited.
//!
//! Each wait exists twice: blocking, for the harness's own threads, and `async`, for tests. Every wait has a
//! deadline, and passing it is an error that carries the process's last lines.

mod launch;
mod watch;

use std::{
    fmt, io,
    process::{Child, ChildStdin},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::Signal;
use thiserror::Error;

pub use launch::Launch;
use watch::Watch;

use crate::executables::ExecutableError;

/// How long anything may take that normally takes well under a second.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How a process ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
    /// Its guard was killed, so the code is unknown; the process has been killed too.
    GuardLost,
}

impl End {
    /// The exit code, when there is one.
    #[must_use]
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(code),
            Self::Killed(_) | Self::GuardLost => None,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(formatter, "exited with code {code}"),
            Self::Killed(signal) => write!(formatter, "was killed by signal {signal}"),
            Self::GuardLost => formatter.write_str("lost its guard and was killed"),
        }
    }
}

/// What can go wrong with a process.
#[derive(Error)]
pub enum ProcessError {
    /// Its executable, or the guard's, is not built.
    #[error(transparent)]
    Executable(#[from] ExecutableError),
    /// It cannot be started.
    #[error("{name} cannot be started: {reason}")]
    Start {
        /// The process's name.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// It ended while something else was awaited.
    #[error("{name} {end} before {awaited}{lines}")]
    Ended {
        /// The process's name.
        name: String,
        /// How it ended.
        end: End,
        /// What was awaited.
        awaited: String,
        /// Its last lines.
        lines: LastLines,
    },
    /// The deadline passed.
    #[error("{name}: {awaited}: not within {limit:?}{lines}")]
    TooLate {
        /// The process's name.
        name: String,
        /// What was awaited.
        awaited: String,
        /// The deadline.
        limit: Duration,
        /// Its last lines.
        lines: LastLines,
    },
    /// A file of it cannot be read or written.
    #[error("{name}: {source}")]
    File {
        /// The process's name.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// The same text as `Display`, so that a test that unwraps shows the process's last lines.
impl fmt::Debug for ProcessError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The last lines that a process printed, as a list to append to a message.
#[derive(Clone, Debug, Default)]
pub struct LastLines(pub Vec<String>);

impl fmt::Display for LastLines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str(" (it printed nothing)");
        }
        formatter.write_str("; its last lines:")?;
        self.0.iter().try_for_each(|line| write!(formatter, "\n    {line}"))
    }
}

/// A running child. Dropping it kills it and waits until it is gone.
pub struct Process {
    name: String,
    pid: u32,
    guard: Child,
    orders: Mutex<Option<ChildStdin>>,
    watch: Arc<Watch>,
}

impl Process {
    /// The name that it was launched under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of the process itself, not of its guard.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Every line printed so far that is still kept.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.watch.lines(usize::MAX)
    }

    /// The last lines, at most `count`.
    #[must_use]
    pub fn last_lines(&self, count: usize) -> LastLines {
        LastLines(self.watch.lines(count))
    }

    /// How it ended; nothing while it runs.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.watch.end()
    }

    /// Sends a signal; does nothing when the process has ended.
    pub fn signal(&self, signal: Signal) {
        use std::io::Write;
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(orders) = orders.as_mut() {
            // A guard that is gone has nobody left to signal.
            let _ = writeln!(orders, "signal {}", signal.as_raw()).and_then(|()| orders.flush());
        }
    }

    /// `kill -9`.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Waits until it has printed a line that contains this text, and gives the line.
    ///
    /// # Errors
    /// [`ProcessError::Ended`] or [`ProcessError::TooLate`] (after [`PATIENCE`]), with the last lines.
    pub async fn wait_for_line(&self, text: &str) -> Result<String, ProcessError> {
        let awaited = format!("a line with {text:?}");
        self.watch
            .when(PATIENCE, watch::line(text))
            .await
            .map_err(|miss| self.error(miss, &awaited, PATIENCE))
    }

    /// [`Self::wait_for_line`], blocking this thread.
    ///
    /// # Errors
    /// As [`Self::wait_for_line`].
    pub fn wait_for_line_blocking(&self, text: &str) -> Result<String, ProcessError> {
        let awaited = format!("a line with {text:?}");
        self.watch
            .when_blocking(PATIENCE, watch::line(text))
            .map_err(|miss| self.error(miss, &awaited, PATIENCE))
    }

    /// Waits until it has ended and all that it printed is here.
    ///
    /// # Errors
    /// [`ProcessError::TooLate`] after [`PATIENCE`].
    pub async fn wait(&self) -> Result<End, ProcessError> {
        self.wait_within(PATIENCE).await
    }

    /// [`Self::wait`] with another deadline.
    ///
    /// # Errors
    /// [`ProcessError::TooLate`].
    pub async fn wait_within(&self, limit: Duration) -> Result<End, ProcessError> {
        self.watch.when(limit, watch::end).await.map_err(|miss| self.error(miss, "its end", limit))
    }

    /// [`Self::wait`], blocking this thread.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn wait_blocking(&self) -> Result<End, ProcessError> {
        self.watch.when_blocking(PATIENCE, watch::end).map_err(|miss| self.error(miss, "its end", PATIENCE))
    }

    /// Waits without a deadline until it ends.
    pub async fn ended(&self) -> End {
        self.watch.when_ended().await
    }

    fn error(&self, miss: watch::Miss, awaited: &str, limit: Duration) -> ProcessError {
        let (name, awaited, lines) = (self.name.clone(), awaited.to_owned(), self.last_lines(30));
        match miss {
            watch::Miss::Ended(end) => ProcessError::Ended { name, end, awaited, lines },
            watch::Miss::TooLate => ProcessError::TooLate { name, awaited, limit, lines },
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        *self.orders.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // The guard ends its child within its own limit; reaping it comes last, so that its number, which names
        // the process group, stays ours until then.
        let _ = self.watch.when_blocking(PATIENCE, watch::end);
        let _ = self.guard.wait();
    }
}
