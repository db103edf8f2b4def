//! The table `webhook_endpoints`: who is told of events, and how far that is.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{exists, now},
    pg::Pg,
    prelude::*,
};
use uuid::Uuid;

use super::{
    Listed, Page, StoreError,
    id::{PaymentEventId, WebhookEndpointId},
};
use crate::schema::{event_heads, webhook_endpoints, webhook_replays};

/// An endpoint.
#[derive(Clone, Debug, Identifiable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = webhook_endpoints, check_for_backend(Pg))]
pub struct WebhookEndpointRow {
    /// The key.
    pub id: WebhookEndpointId,
    /// That of the endpoint in provider-proxy's settings.
    pub name: String,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Of which kinds of events; none for all.
    pub kinds: Vec<String>,
    /// Up to which event it has been told all that it is to be told.
    pub position: PaymentEventId,
    /// How often the next delivery has failed.
    pub failures: i32,
    /// When it failed first.
    pub failing_since: Option<DateTime<Utc>>,
    /// Not before this is it tried again.
    pub next_attempt: Option<DateTime<Utc>>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Why the server itself has disabled it.
    pub disabled_reason: Option<String>,
    /// Which attempt is under way.
    pub lease: Option<Uuid>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed, other than by deliveries.
    pub modified: DateTime<Utc>,
    /// How often it has been changed, other than by deliveries.
    pub counter: i64,
}

/// An endpoint to be registered; the fields are [`WebhookEndpointRow`]'s.
#[expect(missing_docs, reason = "each field is documented in WebhookEndpointRow")]
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = webhook_endpoints)]
pub struct NewWebhookEndpoint {
    pub name: String,
    pub enabled: bool,
    pub kinds: Vec<String>,
    pub position: PaymentEventId,
    /// Who registers it: the client's key.
    pub actor: String,
}

/// How the deliveries to an endpoint stand; the fields are [`WebhookEndpointRow`]'s, and all are written.
#[expect(missing_docs, reason = "each field is documented in WebhookEndpointRow")]
#[derive(AsChangeset, Clone, Debug, Default, PartialEq)]
#[diesel(table_name = webhook_endpoints, treat_none_as_null = true)]
pub struct DeliveryState {
    pub failures: i32,
    pub failing_since: Option<DateTime<Utc>>,
    pub next_attempt: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    pub lease: Option<Uuid>,
    /// Until when nobody else makes an attempt.
    pub leased_until: Option<DateTime<Utc>>,
}

/// What an administrator sets.
#[derive(AsChangeset, Clone, Debug, PartialEq)]
#[diesel(table_name = webhook_endpoints)]
pub struct WebhookEndpointChanges {
    /// Of which kinds of events; as before when absent.
    pub kinds: Option<Vec<String>>,
    /// Up to which event it counts as told; as before when absent.
    pub position: Option<PaymentEventId>,
}

/// Registers an endpoint.
///
/// # Errors
/// [`StoreError`]; `webhook_endpoints_name_key` when there is one of this name.
pub fn insert(
    connection: &mut PgConnection,
    new: &NewWebhookEndpoint,
) -> Result<WebhookEndpointRow, StoreError> {
    Ok(diesel::insert_into(webhook_endpoints::table)
        .values(new)
        .returning(WebhookEndpointRow::as_returning())
        .get_result(connection)?)
}

/// Finds an endpoint.
///
/// # Errors
/// [`StoreError`].
pub fn by_id(
    connection: &mut PgConnection,
    id: WebhookEndpointId,
) -> Result<Option<WebhookEndpointRow>, StoreError> {
    let query = webhook_endpoints::table.find(id).select(WebhookEndpointRow::as_select());
    Ok(query.first(connection).optional()?)
}

/// Finds an endpoint, and locks its row until the database transaction ends.
///
/// # Errors
/// [`StoreError`].
pub fn by_id_for_update(
    connection: &mut PgConnection,
    id: WebhookEndpointId,
) -> Result<Option<WebhookEndpointRow>, StoreError> {
    let query = webhook_endpoints::table.find(id).select(WebhookEndpointRow::as_select()).for_update();
    Ok(query.first(connection).optional()?)
}

/// One page of all endpoints.
///
/// # Errors
/// [`StoreError`].
pub fn list(connection: &mut PgConnection, page: Page) -> Result<Listed<WebhookEndpointRow>, StoreError> {
    let total = webhook_endpoints::table.count().get_result(connection)?;
    let rows = webhook_endpoints::table
        .order(webhook_endpoints::id.desc())
        .limit(page.limit)
        .offset(page.offset)
        .select(WebhookEndpointRow::as_select())
        .load(connection)?;
    Ok(Listed { rows, total })
}

/// Whether an endpoint is due at a time: it is enabled, nobody is at work on it, it is not waiting after a failure, and
/// there is something that it has not been told.
///
/// # Errors
/// [`StoreError`].
pub fn is_any_due(connection: &mut PgConnection, at: DateTime<Utc>) -> Result<bool, StoreError> {
    Ok(diesel::select(exists(due(at))).get_result(connection)?)
}

/// Finds an endpoint that is due at a time, and locks its row until the database transaction ends. Endpoints that others
/// have locked are passed over.
///
/// # Errors
/// [`StoreError`].
pub fn due_for_update(
    connection: &mut PgConnection,
    at: DateTime<Utc>,
) -> Result<Option<WebhookEndpointRow>, StoreError> {
    let query = due(at).order(webhook_endpoints::id).select(WebhookEndpointRow::as_select());
    Ok(query.for_update().skip_locked().first(connection).optional()?)
}

#[diesel::dsl::auto_type]
fn due(at: DateTime<Utc>) -> _ {
    let newest = event_heads::table.select(event_heads::last).single_value();
    let replays = webhook_replays::table.filter(webhook_replays::endpoint_id.eq(webhook_endpoints::id));
    webhook_endpoints::table
        .filter(webhook_endpoints::enabled)
        .filter(webhook_endpoints::leased_until.is_null().or(webhook_endpoints::leased_until.le(at)))
        .filter(webhook_endpoints::next_attempt.is_null().or(webhook_endpoints::next_attempt.le(at)))
        .filter(webhook_endpoints::position.nullable().lt(newest).or(exists(replays).nullable()))
}

/// Writes down how the deliveries to an endpoint stand, and up to which event it has been told.
///
/// # Errors
/// [`StoreError`].
pub fn set_delivery(
    connection: &mut PgConnection,
    id: WebhookEndpointId,
    position: PaymentEventId,
    state: &DeliveryState,
) -> Result<(), StoreError> {
    diesel::update(webhook_endpoints::table.find(id))
        .set((state, webhook_endpoints::position.eq(position)))
        .execute(connection)?;
    Ok(())
}

/// Disables an endpoint, with the server's own reason or without one where an administrator does it.
///
/// # Errors
/// [`StoreError`]; `NotFound`.
pub fn disable(
    connection: &mut PgConnection,
    id: WebhookEndpointId,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    diesel::update(webhook_endpoints::table.find(id))
        .set((webhook_endpoints::enabled.eq(false), webhook_endpoints::disabled_reason.eq(reason)))
        .execute(connection)?;
    touch(connection, id)
}

/// Enables an endpoint, as if nothing had failed.
///
/// # Errors
/// [`StoreError`]; `NotFound`.
pub fn enable(connection: &mut PgConnection, id: WebhookEndpointId) -> Result<(), StoreError> {
    diesel::update(webhook_endpoints::table.find(id))
        .set((
            webhook_endpoints::enabled.eq(true),
            webhook_endpoints::disabled_reason.eq(None::<String>),
            webhook_endpoints::failures.eq(0),
            webhook_endpoints::failing_since.eq(None::<DateTime<Utc>>),
            webhook_endpoints::next_attempt.eq(None::<DateTime<Utc>>),
            webhook_endpoints::last_error.eq(None::<String>),
        ))
        .execute(connection)?;
    touch(connection, id)
}

/// Changes what an administrator sets.
///
/// # Errors
/// [`StoreError`]; `NotFound`.
pub fn update(
    connection: &mut PgConnection,
    id: WebhookEndpointId,
    changes: &WebhookEndpointChanges,
) -> Result<(), StoreError> {
    if changes.kinds.is_some() || changes.position.is_some() {
        diesel::update(webhook_endpoints::table.find(id)).set(changes).execute(connection)?;
        touch(connection, id)?;
    }
    Ok(())
}

/// Removes an endpoint; false when there was none.
///
/// # Errors
/// [`StoreError`].
pub fn delete(connection: &mut PgConnection, id: WebhookEndpointId) -> Result<bool, StoreError> {
    Ok(diesel::delete(webhook_endpoints::table.find(id)).execute(connection)? > 0)
}

fn touch(connection: &mut PgConnection, id: WebhookEndpointId) -> Result<(), StoreError> {
    diesel::update(webhook_endpoints::table.find(id))
        .set((
            webhook_endpoints::modified.eq(now),
            webhook_endpoints::counter.eq(webhook_endpoints::counter + 1),
        ))
        .execute(connection)?;
    Ok(())
}
