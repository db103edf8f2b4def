//! The table, and what it says about the targets.

use std::{fmt::Write as _, time::Duration};

use super::{ProvidersOptions, load::Operation};
use crate::bench::{meter::Threads, statistics::median};

/// The most that half of the operations may take of provider-proxy's own time.
const HALF: Duration = Duration::from_micros(300);
/// The most that ninety-nine of a hundred may take.
const NINETY_NINE: Duration = Duration::from_millis(2);

/// One measurement.
pub(super) struct Round {
    operations: usize,
    before: Percentiles,
    after: Percentiles,
    provider: Percentiles,
    own: Percentiles,
    usage: Threads,
}

/// In microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Percentiles {
    half: f64,
    ninety_nine: f64,
}

impl Percentiles {
    fn of(durations: impl Iterator<Item = Duration>) -> Self {
        let mut sorted: Vec<f64> = durations.map(|duration| 1e6 * duration.as_secs_f64()).collect();
        sorted.sort_by(f64::total_cmp);
        let part = |part: usize| {
            let index = (sorted.len() * part / 100).min(sorted.len().saturating_sub(1));
            sorted.get(index).copied().unwrap_or_default()
        };
        Self { half: part(50), ninety_nine: part(99) }
    }
}

impl Round {
    pub(super) fn new(operations: Vec<Operation>, usage: Threads) -> Self {
        let all = || operations.iter();
        Self {
            operations: operations.len(),
            before: Percentiles::of(all().map(|operation| operation.before)),
            after: Percentiles::of(all().map(|operation| operation.after)),
            provider: Percentiles::of(all().map(|operation| operation.provider)),
            own: Percentiles::of(all().map(|operation| operation.before + operation.after)),
            usage,
        }
    }

    pub(super) fn line(&self) -> String {
        format!(
            "{} operations, own time {:.0} us and 99 % {:.0} us",
            self.operations, self.own.half, self.own.ninety_nine
        )
    }
}

/// Everything, in lines of text.
pub(super) fn table(options: &ProvidersOptions, rounds: &[Round]) -> String {
    let mut text = format!(
        "authorize at a Stripe that answers at once: {} a second, {} rounds of {} s; one worker, alone on its processor\n\n\
         where                                                       median        99 %\n",
        options.rate, options.rounds, options.seconds
    );
    let mut line = |name: &str, of: fn(&Round) -> Percentiles| {
        let half = median(rounds.iter().map(|round| of(round).half));
        let ninety_nine = median(rounds.iter().map(|round| of(round).ninety_nine));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<55} {half:>8.0} us {ninety_nine:>8.0} us");
        (half, ninety_nine)
    };
    line("caller -> provider-proxy -> provider has it all", |round| round.before);
    line("the provider", |round| round.provider);
    line("provider answers -> provider-proxy -> caller has it all", |round| round.after);
    let (half, ninety_nine) = line("all but the provider", |round| round.own);
    text.push_str("\nprocessor time of provider-proxy for one operation, by thread (user + kernel)\n");
    if let Some(last) = rounds.last() {
        for (name, user, kernel) in last.usage.each(last.operations) {
            let _ = writeln!(text, "{name:<55} {user:>8.1} us + {kernel:.1} us");
        }
    }
    text.push('\n');
    for (target, reached, wanted) in [("median", half, HALF), ("99 %", ninety_nine, NINETY_NINE)] {
        let verdict = if reached < 1e6 * wanted.as_secs_f64() { "met" } else { "MISSED" };
        let _ =
            writeln!(text, "all but the provider, {target}: under {wanted:?} {reached:>20.0} us  {verdict}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_durations() {
        let percentiles = Percentiles::of((1..=200).rev().map(Duration::from_micros));
        assert_eq!(percentiles.half.round(), 101.0);
        assert_eq!(percentiles.ninety_nine.round(), 199.0);
        assert_eq!(Percentiles::of(std::iter::empty()), Percentiles { half: 0.0, ninety_nine: 0.0 });
    }
}
