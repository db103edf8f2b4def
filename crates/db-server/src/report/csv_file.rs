//! The form of a file: RFC 4180, one header, one line a transaction.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter},
    ops::Range,
    path::{Path, PathBuf},
};

use chrono::{DateTime, SecondsFormat, Utc};
use csv::{Reader, ReaderBuilder, Terminator, Writer, WriterBuilder};
use diesel::PgConnection;
use wire::{Currency, Money};

use super::ReportError;
use crate::store::transaction_log::{self, LoggedTransaction, Selection};

/// The version of the form in the first column: the original's.
const VERSION: &str = "v5";
/// How many transactions are looked at, and held in memory, at a time.
const WINDOW: i64 = 5_000;
/// How many rows of a file are read back at a time.
const READ_BACK: usize = 5_000;

const COLUMNS: [&str; 14] = [
    "version", "uuid", "created", "modified", "amount", "currency", "status", "reason", "buyer", "seller",
    "source", "carrier", "region", "provider",
];

/// A file that is being written.
pub(super) struct CsvFile {
    path: PathBuf,
    writer: Writer<BufWriter<File>>,
    rows: u64,
}

impl CsvFile {
    /// Starts a file with its header; what had the name is lost.
    pub(super) fn create(path: &Path) -> Result<Self, ReportError> {
        let fault = |source| ReportError::File { path: path.to_owned(), source };
        let file = BufWriter::new(File::create(path).map_err(fault)?);
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(file);
        writer.write_record(COLUMNS).map_err(|error| fault(error.into()))?;
        Ok(Self { path: path.to_owned(), writer, rows: 0 })
    }

    /// Writes every selected transaction, a window at a time; each window's rows are given to `written` too.
    pub(super) fn fill(
        &mut self,
        connection: &mut PgConnection,
        selection: Selection,
        time: &Range<DateTime<Utc>>,
        mut written: impl FnMut(&mut PgConnection, &[LoggedTransaction]) -> Result<(), ReportError>,
    ) -> Result<(), ReportError> {
        let mut after = 0;
        while let Some(last) = transaction_log::next_window(connection, selection, after, WINDOW)? {
            let rows = transaction_log::window(connection, selection, (after, last), time)?;
            for row in &rows {
                let record = record(row)?;
                self.writer.write_record(&record).map_err(|error| self.fault(error.into()))?;
                self.rows += 1;
            }
            written(connection, &rows)?;
            after = last;
        }
        Ok(())
    }

    /// Flushes everything to the disk, and gives how many transactions are in the file.
    pub(super) fn finish(mut self) -> Result<u64, ReportError> {
        self.writer.flush().map_err(|error| self.fault(error))?;
        self.writer.get_ref().get_ref().sync_all().map_err(|error| self.fault(error))?;
        Ok(self.rows)
    }

    fn fault(&self, source: io::Error) -> ReportError {
        ReportError::File { path: self.path.clone(), source }
    }
}

/// Numbers as in the API; what is unset is empty.
fn record(row: &LoggedTransaction) -> Result<[String; 14], ReportError> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    Ok([
        VERSION.to_owned(),
        row.uuid.clone(),
        time(row.created),
        time(row.modified),
        amount(row)?,
        text(&row.currency),
        row.status.code().to_string(),
        text(&row.reason),
        text(&row.buyer),
        text(&row.seller),
        text(&row.source),
        text(&row.carrier),
        text(&row.region),
        row.provider.map(|provider| provider.code().to_string()).unwrap_or_default(),
    ])
}

fn amount(row: &LoggedTransaction) -> Result<String, ReportError> {
    let (Some(minor_units), Some(code)) = (row.amount_minor, &row.currency) else { return Ok(String::new()) };
    let currency = Currency::parse(code).map_err(|_| ReportError::Currency { uuid: row.uuid.clone() })?;
    Ok(Money { minor_units, currency }.decimal())
}

/// Reads the uuids of a file back, some at a time.
pub(super) fn for_each_uuid(
    path: &Path,
    mut take: impl FnMut(&[String]) -> Result<(), ReportError>,
) -> Result<(), ReportError> {
    let fault = |source: io::Error| ReportError::File { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(fault)?);
    let mut reader: Reader<_> = ReaderBuilder::new().from_reader(file);
    let mut uuids = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| fault(error.into()))?;
        uuids.push(record.get(1).unwrap_or_default().to_owned());
        if uuids.len() == READ_BACK {
            take(&uuids)?;
            uuids.clear();
        }
    }
    take(&uuids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::code::{Provider, TransactionStatus};

    fn row() -> LoggedTransaction {
        LoggedTransaction {
            id: 1.into(),
            uuid: "with \"quotes\", commas".into(),
            created: "2026-01-02T03:04:05Z".parse().unwrap(),
            modified: "2026-01-02T03:04:05.678901Z".parse().unwrap(),
            amount_minor: Some(5),
            currency: Some("EUR".into()),
            status: TransactionStatus::Completed,
            reason: Some("two\r\nlines".into()),
            buyer: None,
            seller: Some("seller".into()),
            source: None,
            carrier: Some("ü".into()),
            region: None,
            provider: Some(Provider::Reference),
        }
    }

    #[test]
    fn a_transaction_is_told_in_numbers_decimals_and_uuids() {
        let told = record(&row()).unwrap();
        let expected = [
            "v5",
            "with \"quotes\", commas",
            "2026-01-02T03:04:05.000000Z",
            "2026-01-02T03:04:05.678901Z",
            "0.05",
            "EUR",
            "1",
            "two\r\nlines",
            "",
            "seller",
            "",
            "ü",
            "",
            "2",
        ];
        assert_eq!(told, expected);
        let yen = LoggedTransaction { currency: Some("JPY".into()), ..row() };
        assert_eq!(record(&yen).unwrap()[4], "5");
        let none = LoggedTransaction { amount_minor: None, currency: None, provider: None, ..row() };
        assert_eq!(record(&none).unwrap()[4..6], ["", ""]);
        let unknown = LoggedTransaction { currency: Some("ZZZ".into()), ..row() };
        assert!(matches!(record(&unknown), Err(ReportError::Currency { .. })));
    }

    #[test]
    fn a_line_is_quoted_as_rfc_4180_says_and_its_uuid_reads_back() {
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(COLUMNS).unwrap();
        writer.write_record(record(&row()).unwrap()).unwrap();
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let header = "version,uuid,created,modified,amount,currency,status,reason,buyer,seller,source,carrier,region,\
                      provider\r\n";
        let line = "v5,\"with \"\"quotes\"\", commas\",2026-01-02T03:04:05.000000Z,2026-01-02T03:04:05.678901Z,0.05,\
                    EUR,1,\"two\r\nlines\",,seller,,ü,,2\r\n";
        assert_eq!(text, format!("{header}{line}"));
        let folder = std::env::temp_dir().join(format!("csv-{}", std::process::id()));
        std::fs::write(&folder, text).unwrap();
        let mut uuids = Vec::new();
        let collect = |some: &[String]| {
            uuids.extend_from_slice(some);
            Ok(())
        };
        for_each_uuid(&folder, collect).unwrap();
        std::fs::remove_file(&folder).unwrap();
        assert_eq!(uuids, ["with \"quotes\", commas"]);
    }
}
