//! `db-server reconcile`: our books against a provider's list, as a table or JSON, and as an exit code.

use std::{fmt::Write as _, sync::Arc};

use chassis::exit::Exit;
use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use db_server::{
    database::Database,
    domain::{
        Clock,
        reconcile::{Counts, Ours, Range, ReconcileError, Report, Row, reconcile},
    },
    error::chain,
    identity::Signer,
    proxy_client::{ProxyClient, ProxyError},
    settings::Settings,
    store::{
        StoreError, code,
        reconciliation::{self, ReconciliationRow, ReconciliationState},
    },
};
use serde_json::json;
use wire::{
    ErrorKind, Money,
    payment::{MovementKind, Provider},
};

use super::{exit_of, print};

/// How many results of the nights are shown.
const NIGHTS: i64 = 100;

#[derive(Args)]
pub(super) struct Options {
    /// Whose list: stripe, paypal or braintree.
    #[arg(long, required_unless_present = "nights")]
    provider: Option<Provider>,
    /// The first day (UTC).
    #[arg(long, value_name = "YYYY-MM-DD", required_unless_present = "nights")]
    from: Option<NaiveDate>,
    /// The first day that is too late: with the day after --from, one day is compared.
    #[arg(long, value_name = "YYYY-MM-DD", required_unless_present = "nights")]
    to: Option<NaiveDate>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Compare nothing, and show what the comparisons of the nights came to, the newest first.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    nights: bool,
}

/// 0 when all agree, 65 when something is missing, extra or of another amount, 64 when it cannot be compared so, 129 when
/// Postgres, provider-proxy or the provider is out of reach.
pub(super) async fn run(settings: Settings, options: Options) -> Exit {
    let database = Database::new(settings.database.connect.clone());
    match (options.provider, options.from, options.to) {
        (provider, _, _) if options.nights => nights(&database, provider, options.json).await,
        (Some(provider), Some(from), Some(to)) if from < to => {
            compare(&settings, &database, provider, Range { from, to }, options.json).await
        }
        _ => {
            log::error!("--to: expected a later day than --from");
            Exit::Settings
        }
    }
}

async fn compare(
    settings: &Settings,
    database: &Database,
    provider: Provider,
    range: Range,
    as_json: bool,
) -> Exit {
    let identity = settings.proxy.identity.clone();
    let signer = identity.map(|identity| Arc::new(Signer::new(identity, Clock::system())));
    let proxy = ProxyClient::new(&settings.proxy, signer);
    match reconcile(database, &proxy, provider, range, Utc::now()).await {
        Ok(report) => {
            let told = print(if as_json { json!(report).to_string() } else { table(&report) }.trim_end());
            if report.agrees() { told } else { Exit::Data }
        }
        Err(error) => {
            log::error!("nothing was compared: {}", chain(&error));
            exit_of_error(&error)
        }
    }
}

fn exit_of_error(error: &ReconcileError) -> Exit {
    match error {
        ReconcileError::Store(error) => exit_of(error),
        ReconcileError::Endless => Exit::Software,
        ReconcileError::Proxy(error) => match error.kind() {
            _ if matches!(error, ProxyError::NoClient(_) | ProxyError::Identity(_)) => Exit::Settings,
            Some(
                ErrorKind::Unsupported
                | ErrorKind::NotConfigured
                | ErrorKind::UnknownOperation
                | ErrorKind::Policy
                | ErrorKind::Caller
                | ErrorKind::Identity,
            ) => Exit::Settings,
            Some(ErrorKind::Internal | ErrorKind::InvalidRequest | ErrorKind::Integrity) => Exit::Software,
            _ => Exit::DependencyDown,
        },
    }
}

/// A line for each row that does not agree, tabs between the columns: for people and for cut(1).
fn table(report: &Report) -> String {
    let mut text = String::new();
    if !report.rows.is_empty() {
        text.push_str("VERDICT\tKIND\tREFERENCE\tOURS\tAT PROVIDER\tIN BOOKS\tAT\n");
    }
    for row in &report.rows {
        text.push_str(&line(row));
    }
    let Counts { agreed, missing, extra, wrong_amount, open } = report.counts;
    // Writing to memory does not fail.
    let _ = writeln!(
        text,
        "{agreed} agree, {missing} missing, {extra} extra, {wrong_amount} of another amount, {open} open, {} posted",
        report.fees_posted_in_words()
    );
    text
}

fn line(row: &Row) -> String {
    let amount = |amount: Option<Money>| amount.map_or_else(|| "-".to_owned(), |amount| amount.to_string());
    let kind = match row.kind {
        MovementKind::Charge => "charge",
        MovementKind::Refund => "refund",
    };
    let ours = match &row.ours {
        Some(Ours::Payment(uuid)) => format!("payment {uuid}"),
        Some(Ours::Refund(uuid)) => format!("refund {uuid}"),
        Some(Ours::Transaction(uuid)) => format!("transaction {uuid}"),
        None => "-".to_owned(),
    };
    format!(
        "{}\t{kind}\t{}\t{ours}\t{}\t{}\t{}\n",
        row.verdict.name(),
        row.reference.as_deref().unwrap_or("-"),
        amount(row.at_provider),
        amount(row.in_books),
        row.at.as_deref().unwrap_or("-"),
    )
}

async fn nights(database: &Database, provider: Option<Provider>, as_json: bool) -> Exit {
    let provider = provider.map(code::Provider::from);
    let read = move |connection: &mut _| reconciliation::newest(connection, provider, NIGHTS);
    match database.read::<_, StoreError, _>(read).await {
        Ok(rows) => print(if as_json { nights_as_json(&rows) } else { nights_as_table(&rows) }.trim_end()),
        Err(error) => {
            log::error!("{}", chain(&error));
            exit_of(&error)
        }
    }
}

fn nights_as_table(rows: &[ReconciliationRow]) -> String {
    let mut text =
        "DAY\tPROVIDER\tSTATE\tAGREED\tMISSING\tEXTRA\tWRONG AMOUNT\tOPEN\tTRIES\tENDED\n".to_owned();
    for row in rows {
        let ReconciliationRow { day, agreed, missing, extra, wrong_amount, open, tries, .. } = row;
        let (provider, state, ended) = (row.provider.name(), word(row.state), ended(row.modified));
        let _ = writeln!(
            text,
            "{day}\t{provider}\t{state}\t{agreed}\t{missing}\t{extra}\t{wrong_amount}\t{open}\t{tries}\t{ended}"
        );
    }
    text
}

fn nights_as_json(rows: &[ReconciliationRow]) -> String {
    let one = |row: &ReconciliationRow| {
        let rows = row.rows.as_deref().and_then(|rows| serde_json::from_str::<serde_json::Value>(rows).ok());
        json!({
            "day": row.day, "provider": row.provider.name(), "state": word(row.state), "tries": row.tries,
            "counts": Counts {
                agreed: count(row.agreed), missing: count(row.missing), extra: count(row.extra),
                wrong_amount: count(row.wrong_amount), open: count(row.open),
            },
            "rows": rows, "failure": row.failure, "ended": ended(row.modified),
        })
    };
    json!(rows.iter().map(one).collect::<Vec<_>>()).to_string()
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn ended(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

const fn word(state: ReconciliationState) -> &'static str {
    match state {
        ReconciliationState::Running => "running",
        ReconciliationState::Agrees => "agrees",
        ReconciliationState::Differs => "differs",
        ReconciliationState::Failed => "failed",
    }
}
