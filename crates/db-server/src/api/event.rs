//! `/events/`: what has happened to payments, in one order without gaps.

use std::time::Duration;

use actix_web::{HttpResponse, web::Data};
use serde_json::json;

use crate::{
    caller::{Caller, Read},
    domain::{Domain, payment_event},
    error::ApiError,
    page::Query,
    store::id::PaymentEventId,
};

/// How many events there are in an answer unless the client says.
const DEFAULT_LIMIT: u32 = 100;
/// How many there are at most.
const MOST: u32 = 1000;
/// How long a client may wait for one, in seconds.
const LONGEST_WAIT: u32 = 30;

/// `GET` of the events after a position; with `wait`, the answer comes as soon as there is one.
///
/// # Errors
/// [`ApiError`].
pub async fn list(_: Caller<Read>, domain: Data<Domain>, mut query: Query) -> Result<HttpResponse, ApiError> {
    let after = query.position("after").unwrap_or_default();
    let limit = query.number("limit", DEFAULT_LIMIT, MOST);
    let wait = query.seconds("wait", LONGEST_WAIT);
    query.none()?;
    let (after, wait) = (PaymentEventId(after), Duration::from_secs(wait.into()));
    let events = payment_event::page(&domain, after, limit.into(), wait).await?;
    let last = events.last().map_or(after, |event| event.id);
    let next = format!("/events/?after={last}&limit={limit}");
    let objects: Vec<_> = events.iter().map(payment_event::body).collect();
    Ok(HttpResponse::Ok()
        .json(json!({"meta": {"after": last.0, "limit": limit, "next": next}, "objects": objects})))
}
