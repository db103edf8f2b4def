//! The table `webhook_replays`: events that an endpoint is to be told again, out of their turn.

use diesel::prelude::*;

use super::{
    StoreError,
    id::{PaymentEventId, WebhookEndpointId},
};
use crate::schema::webhook_replays;

/// Asks for an event to be told again; nothing happens when that has been asked for and not been done.
///
/// # Errors
/// [`StoreError`]; `webhook_replays_event_id_fkey` when there is no such event.
pub fn insert(
    connection: &mut PgConnection,
    endpoint_id: WebhookEndpointId,
    event_id: PaymentEventId,
) -> Result<(), StoreError> {
    diesel::insert_into(webhook_replays::table)
        .values((webhook_replays::endpoint_id.eq(endpoint_id), webhook_replays::event_id.eq(event_id)))
        .on_conflict((webhook_replays::endpoint_id, webhook_replays::event_id))
        .do_nothing()
        .execute(connection)?;
    Ok(())
}

/// The event that an endpoint is to be told again next.
///
/// # Errors
/// [`StoreError`].
pub fn next(
    connection: &mut PgConnection,
    endpoint_id: WebhookEndpointId,
) -> Result<Option<PaymentEventId>, StoreError> {
    Ok(webhook_replays::table
        .filter(webhook_replays::endpoint_id.eq(endpoint_id))
        .order(webhook_replays::id)
        .select(webhook_replays::event_id)
        .first(connection)
        .optional()?)
}

/// It has been told again.
///
/// # Errors
/// [`StoreError`].
pub fn done(
    connection: &mut PgConnection,
    endpoint_id: WebhookEndpointId,
    event_id: PaymentEventId,
) -> Result<(), StoreError> {
    let told = webhook_replays::endpoint_id.eq(endpoint_id).and(webhook_replays::event_id.eq(event_id));
    diesel::delete(webhook_replays::table.filter(told)).execute(connection)?;
    Ok(())
}
