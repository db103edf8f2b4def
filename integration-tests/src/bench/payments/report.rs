//! The table, and what it says about the targets.

use std::fmt::Write as _;

use super::{Comparison, PaymentsOptions, Results};
use crate::bench::{load::Load, pgbench::Yardstick, statistics::median};

/// The least share of pgbench's rate.
const SHARE: f64 = 0.40;
/// The most that ninety-nine of a hundred may take at half the peak, in milliseconds.
const NINETY_NINE: f64 = 100.0;
/// The least share of the rate with few payments in the tables that is left with many.
const FLAT: f64 = 0.80;

/// Everything, in lines of text.
pub(super) fn table(options: &PaymentsOptions, results: &Results) -> String {
    let mut text = format!(
        "{} rounds of {} s; db-server with {} connections to Postgres; every commit is flushed to the disk\n\n\
         clients  in the tables  pgbench/s  average   payments/s  median     99 %       share\n",
        options.rounds, options.seconds, options.pool
    );
    for comparison in &results.comparisons {
        text.push_str(&line(comparison));
    }
    text.push_str(
        "\nprocessor time of one, in microseconds\n\
         clients  in the tables  pgbench  its Postgres   clients  db-server  Postgres\n",
    );
    for comparison in &results.comparisons {
        text.push_str(&cost(comparison));
    }
    text.push('\n');
    for (target, reached, met) in targets(results) {
        let verdict = if met { "met" } else { "MISSED" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{target:<96} {reached:>9}  {verdict}");
    }
    text
}

/// The median of the rounds.
pub(super) fn median_of(comparison: &Comparison, of: impl FnMut(&(Yardstick, Load)) -> f64) -> f64 {
    median(comparison.rounds.iter().map(of))
}

fn line(comparison: &Comparison) -> String {
    let of = |of: fn(&(Yardstick, Load)) -> f64| median_of(comparison, of);
    format!(
        "{:<8} {:<14} {:>9.0} {:>6.2} ms {:>11.0} {:>6.2} ms {:>6.2} ms {:>9.1} %\n",
        comparison.clients,
        comparison.rows,
        of(|(pgbench, _)| pgbench.rate),
        of(|(pgbench, _)| 1000.0 * pgbench.average.as_secs_f64()),
        of(|(_, load)| load.rate),
        of(|(_, load)| 1000.0 * load.median.as_secs_f64()),
        of(|(_, load)| 1000.0 * load.ninety_ninth.as_secs_f64()),
        100.0 * share(comparison),
    )
}

fn cost(comparison: &Comparison) -> String {
    let of = |of: fn(&(Yardstick, Load)) -> f64| median_of(comparison, of);
    format!(
        "{:<8} {:<14} {:>7.0} {:>13.0} {:>9.0} {:>10.0} {:>9.0}\n",
        comparison.clients,
        comparison.rows,
        of(|(pgbench, _)| pgbench.cost.clients),
        of(|(pgbench, _)| pgbench.cost.postgres),
        of(|(_, load)| load.cost.clients),
        of(|(_, load)| load.cost.server),
        of(|(_, load)| load.cost.postgres),
    )
}

/// The median of the shares, each from one round.
fn share(comparison: &Comparison) -> f64 {
    median_of(comparison, |(pgbench, load)| load.rate / pgbench.rate)
}

/// Each target in words, what was reached, and whether that is enough.
fn targets(results: &Results) -> Vec<(String, String, bool)> {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut targets = Vec::new();
    for comparison in &results.comparisons {
        let share = share(comparison);
        let target = format!(
            "{} clients, {} payments in the tables: at least {} of pgbench",
            comparison.clients,
            comparison.rows,
            percent(SHARE)
        );
        targets.push((target, percent(share), share >= SHARE));
    }
    let rate = |of: &Comparison| median_of(of, |(_, load)| load.rate);
    for (index, other) in results.comparisons.iter().enumerate() {
        let before = &results.comparisons[..index];
        let Some(first) = before.iter().find(|first| first.clients == other.clients) else { continue };
        let left = rate(other) / rate(first);
        let target = format!(
            "{} clients, from {} to {} payments: at least {} of the rate is left",
            other.clients,
            first.rows,
            other.rows,
            percent(FLAT)
        );
        targets.push((target, percent(left), left >= FLAT));
    }
    for half in &results.halves {
        let of = |of: fn(&Load) -> f64| median(half.rounds.iter().map(of));
        let reached = of(|load| 1000.0 * load.ninety_ninth.as_secs_f64());
        let target = format!(
            "99 % at half the peak ({:.0} payments/s by {} clients, {} in the tables): under {NINETY_NINE} ms",
            of(|load| load.rate),
            half.clients,
            half.rows
        );
        targets.push((target, format!("{reached:.1} ms"), reached < NINETY_NINE));
    }
    targets
}
