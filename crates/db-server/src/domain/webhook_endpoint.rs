//! Endpoints of webhooks out, as administrators register them: by the names that provider-proxy's settings have.

use diesel::PgConnection;

use super::{Domain, DomainError, error::field_with};
use crate::{
    etag::IfMatch,
    field_errors::Code,
    store::{
        Listed, Page,
        id::{PaymentEventId, WebhookEndpointId},
        payment_event,
        webhook_endpoint::{self, NewWebhookEndpoint, WebhookEndpointChanges, WebhookEndpointRow},
        webhook_replay,
    },
};

/// The fields of a replay.
pub const AFTER: &str = "after";
/// The fields of a replay.
pub const EVENT: &str = "event";

/// What an endpoint is to be like.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its name in provider-proxy's settings.
    pub name: String,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Of which kinds of events; none for all.
    pub kinds: Vec<String>,
    /// After which event it is told; of what is new when absent.
    pub after: Option<PaymentEventId>,
}

/// What changes about an endpoint; as before where absent.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Whether it is told anything.
    pub enabled: Option<bool>,
    /// Of which kinds of events; none for all.
    pub kinds: Option<Vec<String>>,
}

/// What an endpoint is to be told again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Replay {
    /// All events after this one, in their order.
    After(PaymentEventId),
    /// This event alone, before all others.
    Event(PaymentEventId),
}

/// Registers an endpoint.
///
/// # Errors
/// The field `name` when there is one of this name, `after` when that is no event's position yet, and what the database
/// gives.
pub async fn create(
    domain: &Domain,
    new: Registration,
    actor: &str,
) -> Result<WebhookEndpointRow, DomainError> {
    let (actor, by) = (actor.to_owned(), actor.to_owned());
    let create = move |connection: &mut PgConnection| {
        // What has happened until now is not new.
        let newest = payment_event::order(connection)?;
        let position = new.after.unwrap_or(newest);
        if position > newest {
            return Err(field_with(AFTER, Code::DoesNotExist, "There is no such event yet."));
        }
        let Registration { name, enabled, kinds, .. } = new;
        let new = NewWebhookEndpoint { name, enabled, kinds, position, actor };
        Ok(webhook_endpoint::insert(connection, &new)?)
    };
    let row = domain.database.write(create).await?;
    log::warn!("audit: {by} has registered the webhook endpoint {}", row.name);
    Ok(row)
}

/// Reads an endpoint.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn get(domain: &Domain, id: WebhookEndpointId) -> Result<WebhookEndpointRow, DomainError> {
    let read = move |connection: &mut PgConnection| webhook_endpoint::by_id(connection, id);
    domain.database.read_one(read).await?.ok_or(DomainError::NotFound)
}

/// Reads one page of all endpoints.
///
/// # Errors
/// What the database gives.
pub async fn list(domain: &Domain, page: Page) -> Result<Listed<WebhookEndpointRow>, DomainError> {
    domain.database.read(move |connection| Ok(webhook_endpoint::list(connection, page)?)).await
}

/// Changes an endpoint. One that is enabled is tried at once, whatever failed before.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::Stale`] and what the database gives.
pub async fn change(
    domain: &Domain,
    id: WebhookEndpointId,
    expected: IfMatch,
    change: Change,
    actor: &str,
) -> Result<WebhookEndpointRow, DomainError> {
    let enabled = change.enabled;
    let work = move |connection: &mut PgConnection| {
        let row = locked(connection, id)?;
        if !expected.holds(row.id.0, row.counter) {
            return Err(DomainError::Stale);
        }
        match change.enabled {
            Some(true) if !row.enabled || row.next_attempt.is_some() => {
                webhook_endpoint::enable(connection, id)?;
            }
            Some(false) if row.enabled => webhook_endpoint::disable(connection, id, None)?,
            _ => {}
        }
        let changes = WebhookEndpointChanges { kinds: change.kinds, position: None };
        webhook_endpoint::update(connection, id, &changes)?;
        locked(connection, id)
    };
    let row = domain.database.write(work).await?;
    if let Some(enabled) = enabled {
        let done = if enabled { "enabled" } else { "disabled" };
        log::warn!("audit: {actor} has {done} the webhook endpoint {}", row.name);
    }
    Ok(row)
}

/// Removes an endpoint.
///
/// # Errors
/// [`DomainError::NotFound`] and what the database gives.
pub async fn delete(domain: &Domain, id: WebhookEndpointId, actor: &str) -> Result<(), DomainError> {
    let work = move |connection: &mut PgConnection| {
        let row = locked(connection, id)?;
        webhook_endpoint::delete(connection, id)?;
        Ok::<_, DomainError>(row.name)
    };
    let name = domain.database.write(work).await?;
    log::warn!("audit: {actor} has removed the webhook endpoint {name}");
    Ok(())
}

/// Has an endpoint told again. It does not enable one that is disabled.
///
/// # Errors
/// [`DomainError::NotFound`]; the field `after` when the endpoint has not been told so far, which would skip events, or
/// `event` when there is none; and what the database gives.
pub async fn replay(
    domain: &Domain,
    id: WebhookEndpointId,
    replay: Replay,
    actor: &str,
) -> Result<WebhookEndpointRow, DomainError> {
    let work = move |connection: &mut PgConnection| {
        let row = locked(connection, id)?;
        match replay {
            Replay::After(position) if position > row.position => {
                return Err(field_with(AFTER, Code::Invalid, "The endpoint has not been told so far."));
            }
            Replay::After(position) => {
                let changes = WebhookEndpointChanges { kinds: None, position: Some(position) };
                webhook_endpoint::update(connection, id, &changes)?;
            }
            Replay::Event(event) => {
                if payment_event::by_id(connection, event)?.is_none() {
                    return Err(field_with(EVENT, Code::DoesNotExist, "There is no such event."));
                }
                webhook_replay::insert(connection, id, event)?;
            }
        }
        locked(connection, id)
    };
    let row = domain.database.write(work).await?;
    log::warn!("audit: {actor} has the webhook endpoint {} told again", row.name);
    Ok(row)
}

fn locked(connection: &mut PgConnection, id: WebhookEndpointId) -> Result<WebhookEndpointRow, DomainError> {
    webhook_endpoint::by_id_for_update(connection, id)?.ok_or(DomainError::NotFound)
}
