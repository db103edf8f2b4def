//! What an attempt to tell an endpoint leads to.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;

use super::{Claimed, Outcome, claim_next, outcome::Remedy};
use crate::{
    domain::DomainError,
    store::{
        webhook_endpoint::{self, DeliveryState, WebhookEndpointRow},
        webhook_replay,
    },
};

/// After how many seconds a delivery that failed so often is tried again; the last one for all later failures.
const BACKOFF: [i64; 6] = [5, 30, 120, 600, 1800, 3600];
/// How long an endpoint may fail before it is disabled. The time in which it was not tried though it was due is not in it.
const PATIENCE: TimeDelta = TimeDelta::days(3);
/// After how long what failed on our own side is tried again.
const SOON: TimeDelta = TimeDelta::seconds(30);
/// The same where it fails until an operator changes something.
const LATER: TimeDelta = TimeDelta::minutes(5);

/// Writes down what came of an attempt, and claims the next one where there is one at once. Nothing is written when
/// the attempt is not this instance's any more, because its lease has ended or the endpoint is gone.
pub(super) fn settle(
    connection: &mut PgConnection,
    claimed: &Claimed,
    outcome: &Outcome,
    now: DateTime<Utc>,
    lease: TimeDelta,
) -> Result<Option<Claimed>, DomainError> {
    let Some(row) = webhook_endpoint::by_id_for_update(connection, claimed.endpoint.id)? else {
        return Ok(None);
    };
    if row.lease != Some(claimed.lease) {
        return Ok(None);
    }
    match outcome {
        Outcome::Taken => taken(connection, claimed, row, now, lease),
        Outcome::Gone => {
            failed(connection, claimed, &row, "The endpoint answered 410.", now)?;
            disable(connection, &row, "The endpoint is gone: it answered 410.")
        }
        Outcome::Failed(reason) => {
            let since = failed(connection, claimed, &row, reason, now)?;
            if now - since < PATIENCE {
                return Ok(None);
            }
            disable(connection, &row, "An event could not be delivered for 3 days.")
        }
        Outcome::Ours { reason, remedy } => {
            log::warn!("the webhook endpoint {} waits, which is not held against it: {reason}", row.name);
            let wait = match remedy {
                Remedy::Time => SOON,
                Remedy::Operator => LATER,
            };
            let next_attempt = now.checked_add_signed(wait);
            let failing_since = failing_since(&row, next_attempt.unwrap_or(now)).map(|since| since.min(now));
            write(
                connection,
                &row,
                DeliveryState { failing_since, next_attempt, ..state(&row, Some(reason)) },
            )?;
            Ok(None)
        }
    }
}

fn taken(
    connection: &mut PgConnection,
    claimed: &Claimed,
    row: WebhookEndpointRow,
    now: DateTime<Utc>,
    lease: TimeDelta,
) -> Result<Option<Claimed>, DomainError> {
    let mut position = row.position;
    if claimed.is_replay {
        webhook_replay::done(connection, row.id, claimed.event.id)?;
    } else if row.position == claimed.endpoint.position {
        // An administrator who has set it back meanwhile has the events told again.
        position = claimed.event.id;
    }
    webhook_endpoint::set_delivery(connection, row.id, position, &DeliveryState::default())?;
    if !row.enabled {
        return Ok(None);
    }
    match webhook_endpoint::by_id_for_update(connection, row.id)? {
        Some(row) => Ok(claim_next(connection, row, now, lease)?),
        None => Ok(None),
    }
}

/// Gives since when the delivery has failed.
fn failed(
    connection: &mut PgConnection,
    claimed: &Claimed,
    row: &WebhookEndpointRow,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, DomainError> {
    let failures = row.failures.saturating_add(1);
    let since = failing_since(row, claimed.begun).unwrap_or(now);
    let state = DeliveryState {
        failures,
        failing_since: Some(since),
        next_attempt: now.checked_add_signed(backoff(failures)),
        ..state(row, Some(reason))
    };
    write(connection, row, state)?;
    log::warn!("the webhook endpoint {} has failed for the {failures}. time: {reason}", row.name);
    Ok(since)
}

/// Since when the endpoint fails. The time from when it was due until then is left out: nobody has tried it, which is our
/// own side's doing.
fn failing_since(row: &WebhookEndpointRow, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let since = row.failing_since?;
    let idle = row.next_attempt.map_or(TimeDelta::zero(), |due| until - due);
    Some(since.checked_add_signed(idle.max(TimeDelta::zero())).unwrap_or(since))
}

fn disable(
    connection: &mut PgConnection,
    row: &WebhookEndpointRow,
    reason: &str,
) -> Result<Option<Claimed>, DomainError> {
    webhook_endpoint::disable(connection, row.id, Some(reason))?;
    log::error!("the webhook endpoint {} is disabled: {reason}", row.name);
    Ok(None)
}

/// As before, with no attempt under way.
fn state(row: &WebhookEndpointRow, reason: Option<&str>) -> DeliveryState {
    DeliveryState {
        failures: row.failures,
        failing_since: row.failing_since,
        next_attempt: row.next_attempt,
        last_error: reason.map(ToOwned::to_owned),
        lease: None,
        leased_until: None,
    }
}

fn write(
    connection: &mut PgConnection,
    row: &WebhookEndpointRow,
    state: DeliveryState,
) -> Result<(), DomainError> {
    Ok(webhook_endpoint::set_delivery(connection, row.id, row.position, &state)?)
}

fn backoff(failures: i32) -> TimeDelta {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or_default();
    TimeDelta::seconds(BACKOFF.get(index).or(BACKOFF.last()).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_less_and_less_often_and_then_hourly() {
        let seconds: Vec<_> = (1..=8).map(|failures| backoff(failures).num_seconds()).collect();
        assert_eq!(seconds, [5, 30, 120, 600, 1800, 3600, 3600, 3600]);
    }
}
