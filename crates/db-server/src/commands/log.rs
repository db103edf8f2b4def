//! `log`: the transaction log of a day.

use std::path::PathBuf;

use chassis::exit::Exit;
use chrono::{Days, NaiveDate, Utc};
use clap::{Args, ValueEnum};
use db_server::{
    error::chain,
    report::{Report, ReportError, Written},
    settings::Settings,
    store::transaction_log::Selection,
};

use super::{exit_of, print};

#[derive(Args)]
pub(super) struct Options {
    /// What is in the file.
    #[arg(long = "type", value_enum)]
    kind: Kind,
    /// The day; yesterday when it is not given.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = read_day)]
    date: Option<NaiveDate>,
    /// The day is today, as far as it has gone.
    #[arg(long, conflicts_with = "date")]
    today: bool,
    /// The folder of the files; for revenue always the same one, because what a run leaves unfinished is finished
    /// there by the next.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// All transactions that were modified that day: DIR/YYYY-MM-DD.stats.log, replaced when it is there.
    Stats,
    /// What was completed or checked by the end of that day and has not been reported yet, each transaction once for
    /// ever: DIR/YYYY-MM-DD.revenue.log, and DIR/YYYY-MM-DD.revenue.2.log for what comes later.
    Revenue,
}

pub(super) fn run(settings: &Settings, options: Options) -> Exit {
    let Options { kind, date, today, dir } = options;
    let now = Utc::now().date_naive();
    let day = match date {
        Some(date) => date,
        None if today => now,
        None => now.checked_sub_days(Days::new(1)).unwrap_or(now),
    };
    if day > now {
        eprintln!("--date: {day} has not begun yet (UTC)");
        return Exit::Settings;
    }
    let selection = match kind {
        Kind::Stats => Selection::Stats,
        Kind::Revenue => Selection::Revenue,
    };
    let report = Report { selection, day, folder: dir };
    let connected = settings.database.connect.connect().map_err(ReportError::from);
    match connected.and_then(|mut connection| report.write(&mut connection)) {
        Ok(Written { file: Some(path), rows }) => {
            print(format_args!("{}: {rows} transactions", path.display()))
        }
        Ok(Written { file: None, .. }) => {
            print(format_args!("{day}: nothing new; the day has its file already"))
        }
        Err(error) => {
            ::log::error!("the log of {day} was not written: {}", chain(&error));
            exit(&error)
        }
    }
}

const fn exit(error: &ReportError) -> Exit {
    match error {
        ReportError::Locked => Exit::Unavailable,
        ReportError::Store(error) => exit_of(error),
        ReportError::File { .. } => Exit::CannotWrite,
        ReportError::Currency { .. } => Exit::Data,
    }
}

fn read_day(text: &str) -> Result<NaiveDate, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|error| error.to_string())?;
    if day.to_string() == text { Ok(day) } else { Err("expected YYYY-MM-DD".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_in_full() {
        assert_eq!(read_day("2026-01-02"), Ok(NaiveDate::from_ymd_opt(2026, 1, 2).unwrap()));
        for wrong in ["2026-1-2", "2026-02-30", "yesterday", "", "02.01.2026", "+2026-01-02"] {
            assert!(read_day(wrong).is_err(), "{wrong}");
        }
    }
}
