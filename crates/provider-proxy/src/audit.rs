//! The audit log: one line for each request, each chained to the last, brought to the disk by a thread of its own.
//!
//! A worker never waits for the disk: it takes a slot before it sends anything, and adds the line to those that wait
//! when the answer is complete. Where there is no slot, because the disk is full or too slow, the request is refused:
//! what cannot be audited does not happen. The worker writes the line down and hashes it itself: that costs it a
//! microsecond for each request, and no request the time of a whole batch on the thread's account.

mod chain;
mod file;
mod line;
mod queue;
mod record;
mod settings;
mod slot;
pub mod verify;
mod waiting;
mod writer;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use thiserror::Error;

pub use record::{Event, Record};
pub use settings::AuditSettings;
pub use slot::Slot;

use crate::metrics::AuditMetrics;
use file::AuditFile;
use queue::Queue;
use writer::Writer;

/// Why the audit log cannot be opened.
#[derive(Debug, Error)]
pub enum AuditError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process writes it.
    #[error("{}: another process writes it", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Its last lines are no audit lines: it is some other file.
    #[error("{}: is no audit log, or has lost its end", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// There can be no thread for it.
    #[error("the thread of the audit log: {0}")]
    Thread(io::Error),
}

/// No line can be written at the moment, so that nothing may be sent: answer 503.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the audit log takes no line")]
pub struct Unavailable;

/// The audit log; a clone writes to the same one.
///
/// When the last clone is dropped all that was recorded is on the disk.
#[derive(Clone)]
pub struct AuditLog(Option<Arc<Owner>>);

struct Owner {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl AuditLog {
    /// Opens the file, goes on from its last whole line, and starts the thread that writes it.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn open(settings: &AuditSettings, metrics: &AuditMetrics) -> Result<Self, AuditError> {
        let Some(path) = &settings.file else { return Ok(Self::none()) };
        let (file, chain, torn) = AuditFile::open(path)?;
        let queue = Arc::new(Queue::new(chain, torn.as_ref(), metrics.clone()));
        queue.push(&Event::Started { version: env!("CARGO_PKG_VERSION") });
        let writer = Writer::new(Arc::clone(&queue), file, settings.sync);
        let thread = thread::Builder::new()
            .name("audit".into())
            .spawn(move || writer.run())
            .map_err(AuditError::Thread)?;
        Ok(Self(Some(Arc::new(Owner { queue, thread: Mutex::new(Some(thread)) }))))
    }

    /// An audit log that keeps nothing: where the settings name no file.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Takes a slot for the line of one request, before anything is sent for it.
    ///
    /// # Errors
    /// [`Unavailable`]; that there was no line is counted, and said by a line once there can be one.
    pub fn reserve(&self) -> Result<Slot, Unavailable> {
        self.0.as_ref().map_or(Ok(Slot::none()), |owner| Queue::reserve(&owner.queue))
    }

    /// Adds the line of a request that nothing was or will be sent for. Without room for it, it is counted as lost.
    pub fn record(&self, record: &Record<'_>) {
        if let Ok(slot) = self.reserve() {
            slot.record(record);
        }
    }

    /// Adds the line of something else that happened.
    pub fn event(&self, event: Event) {
        if let Some(owner) = &self.0 {
            owner.queue.push(&event);
        }
    }

    /// Whether lines are kept at all.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Whether lines can be written, as far as is known.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.0.as_ref().is_none_or(|owner| owner.queue.is_writable())
    }

    /// Opens the file anew, after it was renamed; the chain goes on in the new one.
    pub fn reopen(&self) {
        if let Some(owner) = &self.0 {
            owner.queue.ask_to_reopen();
        }
    }

    /// Waits until all that was recorded before is on the disk.
    ///
    /// # Errors
    /// [`Unavailable`] while nothing can be written.
    pub fn flush(&self) -> Result<(), Unavailable> {
        self.0.as_ref().map_or(Ok(()), |owner| owner.queue.flush())
    }

    /// Writes what was recorded, and stops; a line that is recorded later is lost.
    pub fn close(&self) {
        if let Some(owner) = &self.0 {
            owner.close();
        }
    }
}

impl Owner {
    fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread of the audit log ended early");
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
