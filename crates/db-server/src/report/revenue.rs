//! What has been earned and not yet been reported, each transaction once for ever.
//!
//! The order, each step on the disk before the next:
//!
//! 1. `.NAME.unfinished` is written, and its rows of `transaction_log` are inserted, not committed.
//! 2. It is renamed to `.NAME.ready`: from here on the file is complete.
//! 3. It is linked to `NAME`: readers see it.
//! 4. The rows are committed.
//! 5. `.NAME.ready` is removed.
//!
//! A run that ends in the middle leaves nothing, or a ready file. The next run, before it reports anything, discards
//! what is unfinished and finishes what is ready: it records the rows of the file that are not recorded (steps 3 and 4
//! had not both happened), makes the file visible when it is not, and removes the second name. A file that readers
//! may have seen is never taken back, and its rows are never in another one.

use std::path::Path;

use diesel::{PgConnection, connection::SimpleConnection};

use super::{
    Report, ReportError, Written, commit,
    csv_file::{CsvFile, for_each_uuid},
    in_transaction,
    place::{Place, left_over},
};
use crate::store::{StoreError, id::TransactionId, transaction_log};

pub(super) fn write(report: &Report, connection: &mut PgConnection) -> Result<Written, ReportError> {
    finish_what_is_left(&report.folder, connection)?;
    let (place, first) = free_place(report);
    let rows = in_transaction(connection, "BEGIN", |connection| {
        let rows = fill(report, connection, &place).inspect_err(|_| {
            // The first error is the one to tell.
            let _ = place.forget_unfinished();
        })?;
        // A day has a file even when it has no revenue, so that a missing file always means a missing run.
        if rows == 0 && !first {
            place.forget_unfinished()?;
        } else {
            place.make_ready()?;
            place.publish()?;
        }
        commit(connection)?;
        Ok(rows)
    })?;
    if rows == 0 && !first {
        return Ok(Written { file: None, rows });
    }
    place.forget_ready()?;
    Ok(Written { file: Some(place.path()), rows })
}

/// The first name of the day that is free, and whether it is the day's first. A file that exists is never touched.
fn free_place(report: &Report) -> (Place, bool) {
    let mut number = 1;
    loop {
        let place = Place::new(&report.folder, report.name(number));
        if place.path().symlink_metadata().is_err() {
            return (place, number == 1);
        }
        number += 1;
    }
}

fn fill(report: &Report, connection: &mut PgConnection, place: &Place) -> Result<u64, ReportError> {
    let mut file = CsvFile::create(&place.unfinished())?;
    file.fill(connection, report.selection, &report.time(), |connection, rows| {
        let ids: Vec<TransactionId> = rows.iter().map(|row| row.id).collect();
        Ok(transaction_log::record(connection, &ids)?)
    })?;
    file.finish()
}

fn finish_what_is_left(folder: &Path, connection: &mut PgConnection) -> Result<(), ReportError> {
    let (unfinished, ready) = left_over(folder, "revenue")?;
    for place in unfinished {
        log::info!("{}: an unfinished file is discarded", place.unfinished().display());
        place.forget_unfinished()?;
    }
    for place in ready {
        in_transaction(connection, "BEGIN", |connection| finish(&place, connection))?;
        place.forget_ready()?;
    }
    Ok(())
}

/// Finishes one ready file, within a transaction.
fn finish(place: &Place, connection: &mut PgConnection) -> Result<(), ReportError> {
    let (mut rows, mut recorded) = (0, 0);
    for_each_uuid(&place.ready(), |uuids| {
        rows += uuids.len();
        recorded += transaction_log::record_by_uuid(connection, uuids)?;
        Ok(())
    })?;
    let (path, published) = (place.path(), place.is_published()?);
    let path = path.display();
    if recorded == rows {
        if !published {
            place.publish()?;
        }
        log::info!("{path}: the {rows} transactions of a run that was cut off are recorded");
    } else if recorded == 0 {
        log::info!("{path}: the run that wrote it was cut off after its commit");
    } else if published {
        // Only a run with another folder can have done that.
        log::error!("{path}: {} of its transactions are in another file too", rows - recorded);
    } else {
        log::warn!("{path}: superseded by a run with another folder, and discarded");
        return Ok(connection.batch_execute("ROLLBACK").map_err(StoreError::from)?);
    }
    commit(connection)
}
