//! The table, and what it says about the targets.

use std::{fmt::Write as _, time::Duration};

use super::{
    ProxyOptions,
    measure::{Comparison, Figures, Results},
    wrk::Work,
};
use crate::bench::statistics::median;

/// The most that the 1 KiB GET's 99 % may be of nginx's.
const LATENCY: f64 = 1.5;
/// The most that a good target's 99 % may grow by beside one that hangs.
const BULKHEAD: f64 = 2.0;
/// The most memory, in KiB.
const MEMORY: u64 = 30 * 1024;

/// The least share of nginx's requests a second.
const fn least(work: Work) -> f64 {
    match work {
        Work::Small => 0.8,
        Work::Large => 1.0,
        Work::Post => 0.7,
    }
}

/// Everything, in lines of text.
pub(super) fn table(options: &ProxyOptions, results: &Results) -> String {
    let mut text = format!(
        "{} connections, {} rounds of {} s; one worker each, on a processor that wrk and the upstream do not use\n\n\
         work         proxy           requests/s    median      99 %   CPU us each\n",
        options.connections, options.rounds, options.seconds
    );
    for comparison in &results.comparisons {
        text.push_str(&line(comparison, "nginx", |round| &round.0));
        text.push_str(&line(comparison, "provider-proxy", |round| &round.1));
    }
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "\nmemory of provider-proxy: {} KiB idle, {} KiB after the load, {} KiB at most; {} lines in its audit log\n",
        results.idle, results.after, results.peak, results.audited
    );
    for (target, reached, met) in targets(results) {
        let verdict = if met { "met" } else { "MISSED" };
        let _ = writeln!(text, "{target:<72} {reached:>10}  {verdict}");
    }
    text
}

fn line(comparison: &Comparison, proxy: &str, of: impl Fn(&(Figures, Figures)) -> &Figures) -> String {
    let milliseconds = |time: Duration| 1000.0 * time.as_secs_f64();
    format!(
        "{:<12} {:<14} {:>11.0} {:>6.2} ms {:>6.2} ms {:>13.1}\n",
        comparison.work.name(),
        proxy,
        comparison.median(|round| of(round).load.rate),
        comparison.median(|round| milliseconds(of(round).load.median)),
        comparison.median(|round| milliseconds(of(round).load.ninety_ninth)),
        comparison.median(|round| of(round).cost),
    )
}

/// Each target in words, what was reached, and whether that is enough.
fn targets(results: &Results) -> Vec<(String, String, bool)> {
    let mut targets = Vec::new();
    for comparison in &results.comparisons {
        let (name, wanted) = (comparison.work.name(), least(comparison.work));
        // The share of each round, for the two halves of one round met the same neighbours.
        let share = comparison.median(|(nginx, ours)| ours.load.rate / nginx.load.rate);
        targets.push((
            format!("{name}: at least {wanted:.1} of nginx's requests/s"),
            format!("{share:.2}"),
            share >= wanted,
        ));
        if comparison.work == Work::Small {
            let ninety_ninth = |figures: &Figures| figures.load.ninety_ninth.as_secs_f64();
            let share = comparison.median(|(nginx, ours)| ninety_ninth(ours) / ninety_ninth(nginx));
            targets.push((
                format!("{name}: 99 % at most {LATENCY:.1} of nginx's"),
                format!("{share:.2}"),
                share <= LATENCY,
            ));
        }
    }
    let growth = |(beside, without): &(super::wrk::Load, super::wrk::Load)| {
        beside.ninety_ninth.as_secs_f64() / without.ninety_ninth.as_secs_f64()
    };
    if !results.bulkhead.is_empty() {
        let growth = median(results.bulkhead.iter().map(growth));
        let target = format!("GET 1 KiB beside a target that hangs: 99 % at most {BULKHEAD:.1} of without");
        targets.push((target, format!("{growth:.2}"), growth <= BULKHEAD));
    }
    let reached = format!("{:.1} MiB", results.after as f64 / 1024.0);
    targets.push((
        "memory of provider-proxy after the load: under 30 MiB".to_owned(),
        reached,
        results.after < MEMORY,
    ));
    targets
}
