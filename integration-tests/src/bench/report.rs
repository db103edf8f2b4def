//! The table, and what it says about the targets.

use std::fmt::Write as _;

use super::{
    BenchOptions,
    measure::{Comparison, Results, What},
    meter::Usage,
};

/// The least share of pgbench's rate.
const GET_SHARE: f64 = 0.35;
const POST_SHARE: f64 = 0.40;
/// The least share of the rate at the first size that is left at every other.
const FLAT: f64 = 0.80;
/// The most memory, in KiB.
const MEMORY: u64 = 60 * 1024;

/// Everything, in lines of text.
pub(super) fn table(options: &BenchOptions, results: &Results) -> String {
    let mut text = format!(
        "{} connections, {} rounds of {} s; db-server with {} workers and {} connections to Postgres\n\n\
         work  rows      pgbench/s  average  db-server/s  median    99 %      share\n",
        options.connections, options.rounds, options.seconds, options.workers, options.pool
    );
    for comparison in &results.comparisons {
        text.push_str(&line(comparison));
    }
    text.push_str(
        "\nprocessor time of one, in microseconds\n\
         work  rows      pgbench  its Postgres   clients  db-server  Postgres    pgbench's part of db-server's\n",
    );
    for comparison in &results.comparisons {
        text.push_str(&cost(comparison));
    }
    text.push('\n');
    for (target, reached, met) in targets(results) {
        let verdict = if met { "met" } else { "MISSED" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{target:<80} {reached:>8}  {verdict}");
    }
    text
}

fn line(comparison: &Comparison) -> String {
    let median = |of: fn(&super::load::Load) -> f64| comparison.median(|(_, load)| of(load));
    format!(
        "{:<5} {:<9} {:>9.0} {:>5.2} ms {:>12.0} {:>5.2} ms  {:>5.2} ms {:>6.1} %\n",
        name(comparison.what),
        comparison.rows,
        comparison.median(|(pgbench, _)| pgbench.rate),
        comparison.median(|(pgbench, _)| 1000.0 * pgbench.average.as_secs_f64()),
        median(|load| load.rate),
        median(|load| 1000.0 * load.median.as_secs_f64()),
        median(|load| 1000.0 * load.ninety_ninth.as_secs_f64()),
        100.0 * comparison.share(),
    )
}

fn cost(comparison: &Comparison) -> String {
    let pgbench = |of: fn(&Usage) -> f64| comparison.median(|(pgbench, _)| of(&pgbench.cost));
    let load = |of: fn(&Usage) -> f64| comparison.median(|(_, load)| of(&load.cost));
    format!(
        "{:<5} {:<9} {:>7.0} {:>13.0} {:>9.0} {:>10.0} {:>9.0} {:>11.1} %\n",
        name(comparison.what),
        comparison.rows,
        pgbench(|usage| usage.clients),
        pgbench(|usage| usage.postgres),
        load(|usage| usage.clients),
        load(|usage| usage.server),
        load(|usage| usage.postgres),
        100.0 * comparison.median(|(pgbench, load)| pgbench.cost.total() / load.cost.total()),
    )
}

const fn name(what: What) -> &'static str {
    match what {
        What::Get => "GET",
        What::Post => "POST",
    }
}

/// Each target in words, what was reached, and whether that is enough.
fn targets(results: &Results) -> Vec<(String, String, bool)> {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut targets = Vec::new();
    for comparison in &results.comparisons {
        let (wanted, statement) = match comparison.what {
            What::Get => (GET_SHARE, "SELECT"),
            What::Post => (POST_SHARE, "INSERT"),
        };
        let (what, share) = (name(comparison.what), comparison.share());
        let target = format!(
            "{what} at {} rows: at least {} of pgbench's {statement}",
            comparison.rows,
            percent(wanted)
        );
        targets.push((target, percent(share), share >= wanted));
    }
    for what in [What::Get, What::Post] {
        let mut sizes = results.comparisons.iter().filter(|comparison| comparison.what == what);
        let Some(first) = sizes.next() else { continue };
        for other in sizes {
            let rate = |of: &Comparison| of.median(|(_, load)| load.rate);
            let left = rate(other) / rate(first);
            let target = format!(
                "{} from {} to {} rows: at least {} of the rate is left",
                name(what),
                first.rows,
                other.rows,
                percent(FLAT)
            );
            targets.push((target, percent(left), left >= FLAT));
        }
    }
    let mebibytes = |kibibytes: u64| kibibytes.div_ceil(1024);
    let target = format!(
        "memory of db-server at most, in {} requests ({} MiB idle): under 60 MiB",
        results.requests,
        mebibytes(results.idle)
    );
    let reached = format!("{} MiB", mebibytes(results.peak));
    targets.push((target, reached, results.peak < MEMORY));
    targets
}
