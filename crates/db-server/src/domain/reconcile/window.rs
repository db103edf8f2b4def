//! The hours that a comparison goes through: no question to a provider is about more, so that none has too long an
//! answer.

use chrono::{DateTime, TimeDelta, Utc};

use super::Range;

/// How long a time a provider is asked about at once.
const STEP: TimeDelta = TimeDelta::hours(1);

/// The hours of a range that have begun by `now`, each with its end.
pub(super) fn hours(range: Range, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let end = range.end();
    let mut hours = Vec::new();
    let mut from = range.begin();
    while from < end && from <= now {
        let to = from.checked_add_signed(STEP).unwrap_or(end).min(end);
        hours.push((from, to));
        from = to;
    }
    hours
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn a_day_has_the_hours_that_have_begun() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();
        let range = Range::day(day);
        let all = hours(range, range.end());
        assert_eq!(all.len(), 24);
        assert_eq!((all[0].0, all[23].1), (range.begin(), range.end()));
        assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].0));
        assert_eq!(hours(range, range.begin() + TimeDelta::minutes(90)).len(), 2);
        assert_eq!(hours(range, range.begin() - TimeDelta::seconds(1)), []);
        let two = Range { from: day, to: Range::day(range.to).to };
        assert_eq!(hours(two, two.end()).len(), 48);
    }
}
