//! The transaction log: one CSV file a day, whole or not there at all, and revenue reported once for ever.
//!
//! A file is written beside its place under a hidden name and flushed to the disk before it appears. For revenue the
//! rows of `transaction_log` must agree with the files, and a disk and a database have no common commit. The order is
//! in `revenue`.

mod csv_file;
mod place;
mod revenue;
mod stats;

use std::{io, ops::Range, path::PathBuf};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use diesel::{PgConnection, connection::SimpleConnection};
use thiserror::Error;

use crate::store::{
    StoreError,
    transaction_log::{self, Selection},
};

/// Which file to write, and where.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it is about.
    pub selection: Selection,
    /// The day, in UTC.
    pub day: NaiveDate,
    /// The folder; for revenue always the same one, because what a run left unfinished is finished there.
    pub folder: PathBuf,
}

/// What a run has done.
#[derive(Debug, Eq, PartialEq)]
pub struct Written {
    /// The file; none when there was nothing new and the day has a file already.
    pub file: Option<PathBuf>,
    /// How many transactions are in it.
    pub rows: u64,
}

/// Why a file was not written.
#[derive(Debug, Error)]
pub enum ReportError {
    /// Another run is at work.
    #[error("another run of this log is at work")]
    Locked,
    /// The database failed. What had been begun is finished or taken back by the next run.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A transaction's currency is not in ISO 4217, so that its amount cannot be written.
    #[error("transaction {uuid}: its currency is not in ISO 4217")]
    Currency {
        /// The transaction.
        uuid: String,
    },
}

impl Report {
    /// Writes the file.
    ///
    /// # Errors
    /// [`ReportError`]; then there is either no file of this run, or one that the next run accounts for.
    pub fn write(&self, connection: &mut PgConnection) -> Result<Written, ReportError> {
        // Flushing a large file to a slow disk takes its time, within the transaction.
        connection.batch_execute("SET idle_in_transaction_session_timeout = 0").map_err(StoreError::from)?;
        // Also held by a run that was killed while its commit was on the way, until Postgres has decided that.
        if !transaction_log::lock(connection, self.selection)? {
            return Err(ReportError::Locked);
        }
        match self.selection {
            Selection::Stats => stats::write(self, connection),
            Selection::Revenue => revenue::write(self, connection),
        }
    }

    /// The day, as the half-open time from midnight to midnight in UTC.
    fn time(&self) -> Range<DateTime<Utc>> {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        midnight(self.day)..midnight(self.day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX))
    }

    /// The file's name, as in the original; a further file of the same day is numbered.
    fn name(&self, number: u32) -> String {
        let kind = match self.selection {
            Selection::Stats => "stats",
            Selection::Revenue => "revenue",
        };
        match number {
            1 => format!("{}.{kind}.log", self.day),
            _ => format!("{}.{kind}.{number}.log", self.day),
        }
    }
}

/// Begins a transaction, and ends it without effect when the work fails.
fn in_transaction<T>(
    connection: &mut PgConnection,
    begin: &str,
    work: impl FnOnce(&mut PgConnection) -> Result<T, ReportError>,
) -> Result<T, ReportError> {
    connection.batch_execute(begin).map_err(StoreError::from)?;
    work(connection).inspect_err(|_| {
        // A connection that is gone has ended its transaction too.
        if let Err(error) = connection.batch_execute("ROLLBACK") {
            log::debug!("the rollback failed: {error}");
        }
    })
}

fn commit(connection: &mut PgConnection) -> Result<(), ReportError> {
    Ok(connection.batch_execute("COMMIT").map_err(StoreError::from)?)
}
