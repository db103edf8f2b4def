//! `db-server ledger`: whether the ledger is what was posted, and whether the payments agree with it.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use chassis::exit::Exit;
use clap::{Args, Subcommand, ValueEnum};
use data_encoding::HEXLOWER;
use db_server::{
    domain::ledger::{
        books::Difference,
        check::{self, Checked},
        verify::{self, VerifyError},
    },
    error::chain,
    settings::Settings,
    store::ledger_walk::LedgerChainRow,
};
use diesel::PgConnection;
use serde_json::json;
use wire::{Currency, Money};

use super::exit_of;

/// What to do about the ledger.
#[derive(Args)]
pub(crate) struct LedgerArguments {
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(Subcommand)]
enum LedgerCommand {
    /// Find the first entry that was changed, taken out, added or moved, and the first set that does not balance. Ends
    /// with 0 when there is none, after printing the end of each chain, and with 65 when there is one.
    Verify {
        /// What an earlier run printed: each chain must still go through the end that it had then. A chain that was
        /// written anew from the first entry on, by somebody who owns the database, shows by nothing else.
        #[arg(long, value_name = "FILE")]
        noted: Option<PathBuf>,
    },
    /// Compare every payment and refund with its entries, both ways. Ends with 0 when they agree, and with 65 when they
    /// do not, after printing each difference.
    Check {
        /// How differences are printed.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A line each, tabs between the columns.
    Table,
    /// A JSON object each, on a line of its own.
    Json,
}

/// Runs the command. 0 when all is well, 64 when FILE is no such list, 65 when something is wrong with the ledger, 70 for
/// a fault, 129 when Postgres is out of reach.
pub(crate) fn run(settings: &Settings, arguments: LedgerArguments) -> Exit {
    let mut connection = match settings.database.connect.connect() {
        Ok(connection) => connection,
        Err(error) => {
            log::error!("{}", chain(&error));
            return exit_of(&error);
        }
    };
    match arguments.command {
        LedgerCommand::Verify { noted } => verify(&mut connection, noted.as_deref()),
        LedgerCommand::Check { format } => check(&mut connection, format),
    }
}

fn verify(connection: &mut PgConnection, noted: Option<&Path>) -> Exit {
    let noted = match noted.map(read_noted).transpose() {
        Ok(noted) => noted.unwrap_or_default(),
        Err(message) => {
            eprintln!("--noted: {message}");
            return Exit::Settings;
        }
    };
    match verify::verify(connection, &noted) {
        Ok(ends) => {
            let entries: i64 = ends.iter().map(|end| end.position).sum();
            eprintln!("{entries} entries in {} chains, unbroken and balanced", ends.len());
            super::print(table(&ends).trim_end())
        }
        Err(VerifyError::Store(error)) => {
            log::error!("{}", chain(&error));
            exit_of(&error)
        }
        Err(broken @ VerifyError::Broken { .. }) => {
            eprintln!("{broken}");
            Exit::Data
        }
    }
}

const HEADER: &str = "CHAIN\tENTRIES\tHASH";

/// One line a chain: to be kept elsewhere.
fn table(ends: &[LedgerChainRow]) -> String {
    let line =
        |end: &LedgerChainRow| format!("{}\t{}\t{}\n", end.chain, end.position, HEXLOWER.encode(&end.hash));
    format!("{HEADER}\n{}", ends.iter().map(line).collect::<String>())
}

fn read_noted(path: &Path) -> Result<Vec<LedgerChainRow>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse_noted(&text).ok_or_else(|| format!("{}: not what `ledger verify` prints", path.display()))
}

fn parse_noted(text: &str) -> Option<Vec<LedgerChainRow>> {
    text.strip_prefix(HEADER)?.lines().skip(1).map(parse_end).collect()
}

fn parse_end(line: &str) -> Option<LedgerChainRow> {
    let mut fields = line.split('\t');
    let (chain, position) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let hash = HEXLOWER.decode(fields.next()?.as_bytes()).ok()?;
    (hash.len() == 32 && fields.next().is_none()).then_some(LedgerChainRow { chain, position, hash })
}

fn check(connection: &mut PgConnection, format: Format) -> Exit {
    let mut unprinted = false;
    let mut is_first = true;
    let mut print = |difference: Difference| {
        let header = matches!(format, Format::Table) && is_first;
        is_first = false;
        let header = if header { "PAYMENT\tSUBJECT\tCURRENCY\tROWS\tENTRIES\n" } else { "" };
        // Whoever asked may have gone; the exit code still tells.
        unprinted |= writeln!(io::stdout(), "{header}{}", line(&difference, format)).is_err();
    };
    match check::check(connection, &mut print) {
        Ok(Checked { payments, differences }) => {
            eprintln!("{payments} payments, {differences} differences");
            match (differences, unprinted) {
                (0, _) => Exit::Success,
                (_, false) => Exit::Data,
                (_, true) => Exit::Software,
            }
        }
        Err(error) => {
            log::error!("{}", chain(&error));
            exit_of(&error)
        }
    }
}

fn line(difference: &Difference, format: Format) -> String {
    let Difference { payment, subject, currency, rows, entries } = difference;
    let [rows, entries] = [*rows, Some(*entries)].map(|amount| Some(decimal(amount?, currency)));
    match format {
        Format::Table => {
            let [rows, entries] = [rows, entries].map(|amount| amount.unwrap_or_else(|| "-".to_owned()));
            format!("{payment}\t{}\t{currency}\t{rows}\t{entries}", subject.name())
        }
        Format::Json => json!({
            "payment": payment.0,
            "subject": subject.name(),
            "currency": currency,
            "rows": rows,
            "entries": entries,
        })
        .to_string(),
    }
}

/// An amount as a decimal; in a currency that is none, its minor units.
fn decimal(minor_units: i64, currency: &str) -> String {
    match Currency::parse(currency) {
        Ok(currency) => Money { minor_units, currency }.decimal(),
        Err(_) => minor_units.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use db_server::{domain::ledger::books::Subject, store::id::PaymentId};

    use super::*;

    #[test]
    fn what_is_printed_can_be_read_again() {
        let end = |chain, position, byte| LedgerChainRow { chain, position, hash: vec![byte; 32] };
        let ends = vec![end(0, 0, 0), end(1, 17, 255)];
        assert_eq!(parse_noted(&table(&ends)), Some(ends.clone()));
        assert_eq!(parse_noted(table(&ends).trim_end()), Some(ends));
        assert_eq!(parse_noted("CHAIN\tENTRIES\tHASH\n"), Some(Vec::new()));
        for wrong in ["", "0\t1\t00", "CHAIN\tENTRIES\tHASH\n0\t1\t00", "CHAIN\tENTRIES\tHASH\n0\t1", "x"] {
            assert_eq!(parse_noted(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_difference_is_a_line_or_an_object() {
        let difference = Difference {
            payment: PaymentId(7),
            subject: Subject::Captured,
            currency: "EUR".into(),
            rows: Some(100),
            entries: 99,
        };
        assert_eq!(line(&difference, Format::Table), "7\tcaptured\tEUR\t1.00\t0.99");
        let expected = json!({
            "payment": 7, "subject": "captured", "currency": "EUR", "rows": "1.00", "entries": "0.99"
        });
        assert_eq!(line(&difference, Format::Json), expected.to_string());
        let of_nobody = Difference { rows: None, ..difference };
        assert_eq!(line(&of_nobody, Format::Table), "7\tcaptured\tEUR\t-\t0.99");
    }
}
