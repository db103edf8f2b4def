//! When a provider is asked again what became of an operation.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How long after the call began an operation that nobody has settled is taken to have been left by a crash: longer
/// than the longest call, which the settings see to.
pub const LEFT_BY_A_CRASH: TimeDelta = TimeDelta::seconds(60);
/// What the database transactions before and after a call may take besides.
pub const MARGIN: Duration = Duration::from_secs(10);
/// How long after one look the next follows; the last one is repeated.
const DELAYS: [TimeDelta; 4] =
    [TimeDelta::seconds(10), TimeDelta::minutes(1), TimeDelta::minutes(5), TimeDelta::hours(1)];
/// For how long after it began an operation is looked at.
const PATIENCE: TimeDelta = TimeDelta::days(30);

/// For how long an operation is left to whoever asks the provider about it so often, one call after the other; `call` is
/// how long one may take.
#[must_use]
pub fn lease(calls: u32, call: Duration) -> TimeDelta {
    let needed = TimeDelta::from_std(call.saturating_mul(calls).saturating_add(MARGIN));
    needed.map_or(LEFT_BY_A_CRASH, |needed| needed.max(LEFT_BY_A_CRASH))
}

/// Then, or at the end of time.
#[must_use]
pub fn until(now: DateTime<Utc>, lease: TimeDelta) -> DateTime<Utc> {
    now.checked_add_signed(lease).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

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
    fn whoever_asks_several_times_has_the_time_for_it() {
        let seconds = |calls, call| lease(calls, Duration::from_secs(call)).num_seconds();
        assert_eq!((seconds(1, 12), seconds(4, 12), seconds(4, 50)), (60, 60, 210));
        assert_eq!(lease(4, Duration::MAX), LEFT_BY_A_CRASH);
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(until(now, LEFT_BY_A_CRASH), now + LEFT_BY_A_CRASH);
        assert_eq!(until(now, TimeDelta::MAX), DateTime::<Utc>::MAX_UTC);
    }

    #[test]
    fn after_thirty_days_nobody_is_asked_any_more() {
        let created = DateTime::UNIX_EPOCH;
        let after = |hours| next_look(9, created, created + TimeDelta::hours(hours));
        assert!(after(30 * 24 - 1).is_some());
        assert_eq!(after(30 * 24), None);
    }
}
