//! When a provider is asked again what became of an operation.

use chrono::{DateTime, TimeDelta, Utc};

/// How long after the call began an operation that nobody has settled is taken to have been left by a crash: longer
/// than the longest call.
pub const LEFT_BY_A_CRASH: TimeDelta = TimeDelta::seconds(60);
/// How long after one look the next follows; the last one is repeated.
const DELAYS: [TimeDelta; 4] =
    [TimeDelta::seconds(10), TimeDelta::minutes(1), TimeDelta::minutes(5), TimeDelta::hours(1)];
/// For how long after it began an operation is looked at.
const PATIENCE: TimeDelta = TimeDelta::days(30);

/// When the next look at an operation is due after so many of them; none when it is too old: then a person decides.
#[must_use]
pub fn next_look(looks: i32, created: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let last = DELAYS.len() - 1;
    let delay = DELAYS[usize::try_from(looks).unwrap_or(0).min(last)];
    let due = now + delay;
    (due - created <= PATIENCE).then_some(due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_after_ten_seconds_a_minute_five_an_hour_and_then_every_hour() {
        let created = DateTime::UNIX_EPOCH;
        let seconds = |looks| (next_look(looks, created, created).unwrap() - created).num_seconds();
        assert_eq!([0, 1, 2, 3, 4, 90].map(seconds), [10, 60, 300, 3600, 3600, 3600]);
    }

    #[test]
    fn after_thirty_days_nobody_is_asked_any_more() {
        let created = DateTime::UNIX_EPOCH;
        let after = |hours| next_look(9, created, created + TimeDelta::hours(hours));
        assert!(after(30 * 24 - 1).is_some());
        assert_eq!(after(30 * 24), None);
    }
}
