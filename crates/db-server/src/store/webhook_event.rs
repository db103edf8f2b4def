//! The table `webhook_events`: the inbox of what providers have posted, each event once.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};

use super::{StoreError, code::Provider, id::WebhookEventId};
use crate::{crypt::Ciphertext, schema::webhook_events};

/// An event as it is kept.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = webhook_events, check_for_backend(Pg))]
pub struct WebhookEventRow {
    /// The key; it grows in the order in which events came in.
    pub id: WebhookEventId,
    /// Who posted it.
    pub provider: Provider,
    /// The provider's id of it.
    pub event_id: String,
    /// What it is about, in our terms.
    pub kind: String,
    /// The provider's word for it.
    pub provider_kind: String,
    /// The event in the words of wire, as JSON.
    pub payload: Ciphertext,
    /// When it came in first.
    pub received: DateTime<Utc>,
    /// When what it says was done.
    pub applied: Option<DateTime<Utc>>,
}

/// An event to be kept; the fields are [`WebhookEventRow`]'s.
#[expect(missing_docs, reason = "each field is documented in WebhookEventRow")]
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = webhook_events, treat_none_as_default_value = false)]
pub struct NewWebhookEvent {
    pub provider: Provider,
    pub event_id: String,
    pub kind: String,
    pub provider_kind: String,
    pub payload: Ciphertext,
}

/// Keeps an event; nothing happens and nothing is given when it is kept already.
///
/// # Errors
/// [`StoreError`].
pub fn insert(
    connection: &mut PgConnection,
    new: &NewWebhookEvent,
) -> Result<Option<WebhookEventRow>, StoreError> {
    let kept = (webhook_events::provider, webhook_events::event_id);
    Ok(diesel::insert_into(webhook_events::table)
        .values(new)
        .on_conflict(kept)
        .do_nothing()
        .returning(WebhookEventRow::as_returning())
        .get_result(connection)
        .optional()?)
}

/// Finds an event by the provider's id.
///
/// # Errors
/// [`StoreError`].
pub fn by_event_id(
    connection: &mut PgConnection,
    provider: Provider,
    event_id: &str,
) -> Result<Option<WebhookEventRow>, StoreError> {
    let query = webhook_events::table
        .filter(webhook_events::provider.eq(provider).and(webhook_events::event_id.eq(event_id)));
    Ok(query.select(WebhookEventRow::as_select()).first(connection).optional()?)
}

/// Finds an event that has not been applied, and locks its row until the database transaction ends, so that nobody
/// else applies it. None when there is none any more.
///
/// # Errors
/// [`StoreError`].
pub fn open_for_update(
    connection: &mut PgConnection,
    id: WebhookEventId,
) -> Result<Option<WebhookEventRow>, StoreError> {
    let query = webhook_events::table.find(id).filter(webhook_events::applied.is_null());
    Ok(query.select(WebhookEventRow::as_select()).for_update().first(connection).optional()?)
}

/// Which events that have not been applied.
#[derive(Clone, Debug)]
pub struct OpenFilter {
    /// Of these kinds, whenever they came in.
    pub kinds: Vec<String>,
    /// Of these kinds, if they came in later than this.
    pub recent_kinds: Vec<String>,
    /// Later than this.
    pub since: DateTime<Utc>,
}

/// The keys of the events that the filter names and that have not been applied, oldest first, after this one.
///
/// # Errors
/// [`StoreError`].
pub fn open(
    connection: &mut PgConnection,
    filter: &OpenFilter,
    after: WebhookEventId,
    limit: i64,
) -> Result<Vec<WebhookEventId>, StoreError> {
    let recent =
        webhook_events::kind.eq_any(&filter.recent_kinds).and(webhook_events::received.gt(filter.since));
    Ok(webhook_events::table
        .filter(webhook_events::applied.is_null().and(webhook_events::id.gt(after)))
        .filter(webhook_events::kind.eq_any(&filter.kinds).or(recent))
        .order(webhook_events::id)
        .limit(limit)
        .select(webhook_events::id)
        .load(connection)?)
}

/// Marks an event as applied, in the database transaction that applies it.
///
/// # Errors
/// [`StoreError`].
pub fn mark_applied(connection: &mut PgConnection, id: WebhookEventId) -> Result<(), StoreError> {
    diesel::update(webhook_events::table.find(id))
        .set(webhook_events::applied.eq(now))
        .execute(connection)?;
    Ok(())
}
