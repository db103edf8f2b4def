//! When a provider is asked again what became of an operation.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::rules;
use crate::store::{
    code::Provider,
    payment_code::{OperationState, PaymentOperationKind},
};

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
/// How long after "there is nothing" has become evidence one looks for it.
const LOOKED_FOR_AFTER: TimeDelta = TimeDelta::seconds(5);

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
///
/// `decisive` is from when on "there is nothing" is evidence, where it was none yet at the last look: one look is made
/// then, if the regular one comes later.
#[must_use]
pub fn next_look(
    looks: i32,
    created: DateTime<Utc>,
    now: DateTime<Utc>,
    decisive: Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    let last = DELAYS.len() - 1;
    let regular = now + DELAYS[usize::try_from(looks).unwrap_or(0).min(last)];
    let due = decisive.map_or(regular, |from| (from + LOOKED_FOR_AFTER).max(now).min(regular));
    (due - created <= PATIENCE).then_some(due)
}

/// From when on "there is nothing" is evidence about an operation of which nothing is asked or learnt after
/// `quiet_since`; never about what the provider has taken up.
#[must_use]
pub fn decisive(
    provider: Provider,
    operation: PaymentOperationKind,
    state: OperationState,
    quiet_since: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let rule = rules::rule(provider.neutral()?, operation)?;
    let is_open = matches!(state, OperationState::Open | OperationState::Unknown);
    rule.nothing_counts_from(quiet_since).filter(|_| is_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    /// When the looks are made at what nobody learns anything of, in seconds.
    fn looks(provider: Provider, operation: PaymentOperationKind, first: i64, many: i32) -> Vec<i64> {
        let mut now = START + TimeDelta::seconds(first);
        let mut all = vec![first];
        for looks in 1..many {
            let decisive = decisive(provider, operation, OperationState::Unknown, START);
            now = next_look(looks, START, now, decisive.filter(|&from| from > now)).unwrap();
            all.push((now - START).num_seconds());
        }
        all
    }

    #[test]
    fn a_provider_is_asked_after_ten_seconds_a_minute_five_an_hour_and_then_every_hour() {
        let seconds = |looks| (next_look(looks, START, START, None).unwrap() - START).num_seconds();
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
    fn one_look_comes_when_nothing_becomes_evidence() {
        use PaymentOperationKind::{Authorize, Capture, CompleteCheckout};
        let closing = 605;
        let expected = [10, 70, 370, closing, closing + 3600, closing + 7200];
        assert_eq!(looks(Provider::Braintree, Authorize, 10, 6), expected);
        assert_eq!(looks(Provider::Paypal, CompleteCheckout, 10, 6), expected);
        let stripe = [10, 70, 370, 3970, 7570, 3 * 3600 + 5, 4 * 3600 + 5];
        assert_eq!(looks(Provider::Stripe, Authorize, 10, 7), stripe);
        let never = [10, 70, 370, 3970, 7570];
        assert_eq!(looks(Provider::Paypal, Capture, 10, 5), never);
    }

    #[test]
    fn a_look_during_which_nothing_became_evidence_is_followed_by_another_at_once() {
        let now = START + TimeDelta::minutes(10);
        let during = now - TimeDelta::seconds(20);
        assert_eq!(next_look(3, START, now, Some(during)), Some(now));
    }

    #[test]
    fn what_the_provider_has_taken_up_is_not_gone_at_any_time() {
        let kind = PaymentOperationKind::Authorize;
        let at = |state| decisive(Provider::Braintree, kind, state, START);
        assert_eq!(at(OperationState::Watching), None);
        assert_eq!(at(OperationState::Open), Some(START + TimeDelta::minutes(10)));
    }

    #[test]
    fn after_thirty_days_nobody_is_asked_any_more() {
        let after = |hours| next_look(9, START, START + TimeDelta::hours(hours), None);
        assert!(after(30 * 24 - 1).is_some());
        assert_eq!(after(30 * 24), None);
    }
}
