//! What one event of the inbox does, in one database transaction.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use secrecy::ExposeSecret;
use wire::payment::{Event, EventKind, Provider};

use super::{PAYMENTS, WAIT};
use crate::{
    crypt::EncryptionKeys,
    domain::{
        DomainError,
        charge::{self, Rules},
        payment::{
            Context,
            told::{self, Told},
        },
        subscription::{self, Stated},
    },
    store::{
        id::{PaymentId, WebhookEventId},
        webhook_event::{self, WebhookEventRow},
    },
};

/// How far an event is.
pub(super) enum Applied {
    /// There is nothing more to be done about it.
    Done,
    /// It stays in the inbox.
    Waits,
    /// The provider is to be asked how a payment stands.
    Look(Provider, PaymentId, String),
}

/// Applies one event and marks it, in one database transaction, so that it is applied once.
pub(super) fn apply(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    id: WebhookEventId,
    rules: Rules,
) -> Result<Applied, DomainError> {
    let Some(row) = webhook_event::open_for_update(connection, id)? else { return Ok(Applied::Waits) };
    let payload = keys.decrypt(&row.payload)?;
    let event: Event = serde_json::from_str(payload.expose_secret())
        .map_err(|_| DomainError::Integrity("The event in the inbox cannot be read."))?;
    let applied = if PAYMENTS.contains(&event.kind) {
        apply_to_payment(connection, keys, &event, rules)?
    } else {
        of(apply_event(connection, &row, &event, rules)?)
    };
    if matches!(applied, Applied::Done) {
        webhook_event::mark_applied(connection, id)?;
    }
    Ok(applied)
}

const fn of(is_done: bool) -> Applied {
    if is_done { Applied::Done } else { Applied::Waits }
}

fn apply_to_payment(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    event: &Event,
    rules: Rules,
) -> Result<Applied, DomainError> {
    let actor = format!("provider:{}", event.provider);
    let context = Context { keys: keys.clone(), now: rules.now, actor };
    Ok(match told::tell(connection, &context, event)? {
        Told::Applied => Applied::Done,
        Told::TooEarly => Applied::Waits,
        Told::Look { payment, reference } => Applied::Look(event.provider, payment, reference),
        Told::NotOurs if event.kind == EventKind::Payment => {
            of(charge::of_payment(connection, event, rules)?)
        }
        // It may be faster than the answer that tells us of its payment.
        Told::NotOurs => Applied::Waits,
    })
}

/// Whether there is nothing more to be done about the event.
fn apply_event(
    connection: &mut PgConnection,
    row: &WebhookEventRow,
    event: &Event,
    rules: Rules,
) -> Result<bool, DomainError> {
    match event.kind {
        EventKind::Subscription
        | EventKind::SubscriptionCharged
        | EventKind::SubscriptionChargeFailed
        | EventKind::SubscriptionCancelled => apply_to_subscription(connection, row, event, rules),
        EventKind::Check | EventKind::Other => Ok(true),
        EventKind::Payment | EventKind::Refund | EventKind::Dispute => Ok(false),
    }
}

fn apply_to_subscription(
    connection: &mut PgConnection,
    row: &WebhookEventRow,
    event: &Event,
    rules: Rules,
) -> Result<bool, DomainError> {
    let Some(mut said) = event.subscription.clone() else { return Ok(true) };
    if matches!(event.kind, EventKind::SubscriptionCharged | EventKind::SubscriptionChargeFailed) {
        // That of one charge, which may be prorated.
        said.amount = None;
    }
    let occurred = event.occurred.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let occurred = occurred.map(|time| time.with_timezone(&Utc));
    charge::lock_payer(connection, event.provider.into(), &said)?;
    match subscription::apply(connection, event.provider, &said, occurred)? {
        Stated::Known(subscription) => {
            charge::of_subscription(connection, event, &subscription, rules)?;
            Ok(true)
        }
        Stated::NotHere => {
            let waits = rules.now - row.received < WAIT;
            if !waits {
                log::warn!("event {} is about a subscription that is not here", row.id);
            }
            Ok(!waits)
        }
    }
}
