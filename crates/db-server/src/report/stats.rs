//! All transactions that were modified on a day. The file follows from the data: writing it again replaces it.

use diesel::PgConnection;

use super::{Report, ReportError, Written, commit, csv_file::CsvFile, in_transaction, place::Place};

pub(super) fn write(report: &Report, connection: &mut PgConnection) -> Result<Written, ReportError> {
    let place = Place::new(&report.folder, report.name(1));
    let rows = fill(report, connection, &place).inspect_err(|_| {
        // The first error is the one to tell.
        let _ = place.forget_unfinished();
    })?;
    place.replace()?;
    Ok(Written { file: Some(place.path()), rows })
}

fn fill(report: &Report, connection: &mut PgConnection, place: &Place) -> Result<u64, ReportError> {
    let mut file = CsvFile::create(&place.unfinished())?;
    // All of it as of one moment.
    in_transaction(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", |connection| {
        file.fill(connection, report.selection, &report.time(), |_, _| Ok(()))?;
        commit(connection)
    })?;
    file.finish()
}
