//! What has happened to payments, for readers: in one order, without gaps, and as soon as it is committed.

use std::time::Duration;

use actix_web::rt::time::{Instant, sleep, timeout};
use diesel::PgConnection;
use serde_json::{Value, json};

use super::{Domain, DomainError};
use crate::{
    error::chain,
    store::{
        id::PaymentEventId,
        payment_event::{self, PaymentEventRow},
    },
    uri::Kind,
};

/// How long an event that another instance has written may stay unknown to those who wait here.
const FOLLOW: Duration = Duration::from_millis(500);

/// The events after a position, at most `limit`; an empty list once `wait` is over, or at once when the server is asked to
/// stop. Whoever waits has neither a thread nor a connection meanwhile.
///
/// # Errors
/// What the database gives.
pub async fn page(
    domain: &Domain,
    after: PaymentEventId,
    limit: i64,
    wait: Duration,
) -> Result<Vec<PaymentEventRow>, DomainError> {
    let end = Instant::now() + wait;
    // So that a client finds what it has just done.
    order(domain).await?;
    let mut newest = domain.database.newest_event();
    loop {
        // Before the look, so that what is committed during it is not missed.
        newest.mark_unchanged();
        let read = move |connection: &mut PgConnection| payment_event::after(connection, after, limit);
        let rows = domain.database.read_one(read).await?;
        if !rows.is_empty() {
            return Ok(rows);
        }
        let over = tokio::select! {
            more = timeout(end.saturating_duration_since(Instant::now()), newest.changed()) => more.is_err(),
            () = domain.stopping.begun() => true,
        };
        if over {
            return Ok(rows);
        }
    }
}

/// The part of a payload that tells what an operator has found.
pub(super) const RESOLVED: &str = "resolved";
/// What an operator says in words of their own, in that part: who says so.
pub(super) const BY: &str = "by";
/// And how that is known.
pub(super) const BECAUSE: &str = "because";

/// An event as readers see it, the same in every list and as the body of a webhook: `type`, `timestamp` and `data` are
/// what the Standard Webhooks specification asks for there. The words of operators stay inside: clients and endpoints are
/// told that an operation was resolved, and not by whom or why.
#[must_use]
pub fn body(event: &PaymentEventRow) -> Value {
    let mut data = event.payload.clone();
    if let Some(resolved) = data.get_mut(RESOLVED).and_then(Value::as_object_mut) {
        resolved.retain(|name, _| ![BY, BECAUSE].contains(&name.as_str()));
    }
    json!({
        "id": event.id.0,
        "type": event.kind,
        "timestamp": event.created,
        "payment": Kind::Payment.uri(event.payment_id),
        "status": event.status,
        "data": data,
    })
}

/// How an operator knows what the event tells of; none where it is not about that. For operators alone.
#[must_use]
pub fn because(event: &PaymentEventRow) -> Option<&str> {
    event.payload.get(RESOLVED)?.get(BECAUSE)?.as_str()
}

/// Gives a position to every event that is committed. Whoever reads events after this reads those too.
///
/// # Errors
/// What the database gives.
pub async fn order(domain: &Domain) -> Result<(), DomainError> {
    let newest = domain.database.write_one(payment_event::order).await?;
    domain.database.found_event(newest.0);
    Ok(())
}

/// Gives events their positions, for ever: at once those that are committed on this instance, and within half a second
/// those that others have left, of which those who wait here are told too.
///
/// It looks by itself: a connection that listens would have to be kept alive, and commits that notify wait for one
/// another.
pub async fn follow(domain: &Domain) {
    let mut works = true;
    loop {
        let ordered = order(domain).await;
        if let (Err(error), true) = (&ordered, works) {
            log::warn!("events wait for their positions: {}", chain(error));
        }
        works = ordered.is_ok();
        if works {
            // Either is a reason to look again.
            let _ = timeout(FOLLOW, domain.database.event_written()).await;
        } else {
            sleep(FOLLOW).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::store::id::PaymentId;

    fn event(kind: &str, payload: Value) -> PaymentEventRow {
        let (id, payment_id, created) = (PaymentEventId(1), PaymentId(7), Utc::now());
        let (kind, status, actor) = (kind.to_owned(), "captured".to_owned(), "operator:ada".to_owned());
        PaymentEventRow { id, payment_id, kind, status, actor, payload, created }
    }

    #[test]
    fn the_words_of_an_operator_stay_inside() {
        let resolved = json!({"operation": "authorize", "attempt": "a", "by": "ada", "because": "ticket 42"});
        let event = event("payment.resolved", json!({"amount": "1.00", "resolved": resolved}));
        let told = body(&event);
        let expected = json!({"amount": "1.00", "resolved": {"operation": "authorize", "attempt": "a"}});
        assert_eq!(told["data"], expected);
        assert!(!told.to_string().contains("ada") && !told.to_string().contains("ticket"), "{told}");
        assert_eq!(because(&event), Some("ticket 42"));
    }

    #[test]
    fn any_other_event_is_told_as_it_is() {
        let payload = json!({"amount": "1.00", "by": "the payer"});
        let event = event("payment.captured", payload.clone());
        assert_eq!((&body(&event)["data"], because(&event)), (&payload, None));
    }
}
