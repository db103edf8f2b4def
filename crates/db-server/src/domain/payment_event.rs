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

/// The events after a position, at most `limit`; an empty list once `wait` is over. Whoever waits has neither a thread
/// nor a connection meanwhile.
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
    let mut newest = domain.database.newest_event();
    loop {
        // Before the look, so that what is committed during it is not missed.
        newest.mark_unchanged();
        let read = move |connection: &mut PgConnection| payment_event::after(connection, after, limit);
        let rows = domain.database.read_one(read).await?;
        if !rows.is_empty()
            || timeout(end.saturating_duration_since(Instant::now()), newest.changed()).await.is_err()
        {
            return Ok(rows);
        }
    }
}

/// An event as readers see it: in lists, and in webhooks.
#[must_use]
pub fn body(event: &PaymentEventRow) -> Value {
    json!({
        "id": event.id.0,
        "kind": event.kind,
        "payment": Kind::Payment.uri(event.payment_id),
        "status": event.status,
        "created": event.created,
        "data": event.payload,
    })
}

/// Lets those who wait know of events that other instances have written, for ever. It looks at one row, for all who
/// wait here: a connection of its own that listens would have to be kept alive, and notifications make all commits wait
/// for one another.
pub async fn follow(domain: &Domain) {
    let mut works = true;
    loop {
        match domain.database.read_one(payment_event::newest).await {
            Ok(newest) => {
                domain.database.found_event(newest.0);
                works = true;
            }
            Err(error) => {
                if works {
                    log::warn!("the events of other instances wait: {}", chain(&error));
                }
                works = false;
            }
        }
        sleep(FOLLOW).await;
    }
}
