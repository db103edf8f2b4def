//! What providers post by themselves: verified at provider-proxy, kept in the inbox once, answered, and applied.
//!
//! An event is in the inbox before the provider is answered, so that a crash after the answer loses nothing: what has
//! not been applied is applied later, by [`catch_up`].

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use secrecy::ExposeSecret;
use wire::payment::{Event, EventKind, Provider, VerifyWebhook, operations};

use super::{
    Domain, DomainError,
    charge::{self, Rules},
    subscription::{self, Stated},
};
use crate::{
    crypt::EncryptionKeys,
    error::{ApiError, chain},
    proxy_client::ProxyClient,
    store::{
        id::WebhookEventId,
        webhook_event::{self, NewWebhookEvent, OpenFilter, WebhookEventRow},
    },
};

/// For how long an event waits for what it is about: its webhook may be faster than the answer that tells us of it.
const WAIT: TimeDelta = TimeDelta::hours(1);
/// The kinds of events about subscriptions.
const SUBSCRIPTIONS: [EventKind; 4] = [
    EventKind::Subscription,
    EventKind::SubscriptionCharged,
    EventKind::SubscriptionChargeFailed,
    EventKind::SubscriptionCancelled,
];
/// How many events are looked at in one go.
const BATCH: i64 = 100;
/// The longest text that is kept of an event's own words.
const MAX_TEXT: usize = 255;

/// An event that has come in.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its key in the inbox.
    pub id: WebhookEventId,
    /// What it says.
    pub event: Event,
    /// Whether it has come in before.
    pub is_duplicate: bool,
}

/// Takes what a provider has posted: has it verified, keeps it, and applies what it says.
///
/// # Errors
/// [`ApiError::NotGenuine`]; why it could not be verified or kept, so that the provider is to deliver it again. What
/// cannot be applied is no error: it is kept.
pub async fn receive(
    domain: &Domain,
    proxy: &ProxyClient,
    provider: Provider,
    posted: &VerifyWebhook,
) -> Result<Received, ApiError> {
    let event = proxy.pay::<operations::VerifyWebhook>(provider, posted).await;
    let event = event.map_err(ApiError::of_webhook)?;
    let received = keep(domain, provider, event).await?;
    if !received.is_duplicate {
        apply_or_log(domain, received.id).await;
    }
    Ok(received)
}

/// Keeps an event, once.
async fn keep(domain: &Domain, provider: Provider, event: Event) -> Result<Received, DomainError> {
    let payload = serde_json::to_string(&event);
    let payload = payload.map_err(|_| DomainError::Integrity("The event cannot be kept."))?;
    if event.id.is_empty() || event.id.chars().count() > MAX_TEXT {
        return Err(DomainError::Integrity("The event's id cannot be kept."));
    }
    let new = NewWebhookEvent {
        provider: provider.into(),
        event_id: event.id.clone(),
        kind: word(event.kind),
        provider_kind: event.provider_kind.chars().take(MAX_TEXT).collect(),
        payload: domain.keys.encrypt(&payload),
    };
    let keep = move |connection: &mut PgConnection| {
        if let Some(row) = webhook_event::insert(connection, &new)? {
            return Ok((row.id, false));
        }
        let known = webhook_event::by_event_id(connection, new.provider, &new.event_id)?;
        Ok::<_, DomainError>((known.ok_or(DomainError::NotFound)?.id, true))
    };
    let (id, is_duplicate) = domain.database.write(keep).await?;
    let again = if is_duplicate { ", again" } else { "" };
    log::info!("{provider} says {} ({}){again}", event.provider_kind.escape_debug(), event.id.escape_debug());
    Ok(Received { id, event, is_duplicate })
}

/// Which events are looked at again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// All that may be applied: what a crash has left may be old.
    All,
    /// Not those about payments that have waited for long: their payment may never come here.
    Recent,
}

/// Applies every event that can be and has not been, oldest first.
///
/// # Errors
/// What the database gives. One event that cannot be applied is logged and does not keep the others.
pub async fn catch_up(domain: &Domain, reach: Reach) -> Result<(), DomainError> {
    let since = match reach {
        Reach::All => DateTime::UNIX_EPOCH,
        Reach::Recent => domain.clock.now() - WAIT,
    };
    let kinds = SUBSCRIPTIONS.into_iter().chain([EventKind::Check, EventKind::Other]).map(word).collect();
    let filter = OpenFilter { kinds, recent_kinds: vec![word(EventKind::Payment)], since };
    apply_open(domain, filter).await
}

/// Applies the events that were faster than the answer that has told us of a subscription. Whatever goes wrong, they are
/// applied later.
pub(super) async fn subscription_is_here(domain: &Domain) {
    let kinds = SUBSCRIPTIONS.into_iter().map(word).collect();
    let filter = OpenFilter { kinds, recent_kinds: Vec::new(), since: DateTime::UNIX_EPOCH };
    if let Err(error) = apply_open(domain, filter).await {
        log::warn!("the inbox waits: {}", chain(&error));
    }
}

async fn apply_open(domain: &Domain, filter: OpenFilter) -> Result<(), DomainError> {
    let mut after = WebhookEventId(0);
    loop {
        let filter = filter.clone();
        let open = move |connection: &mut PgConnection| {
            Ok::<_, DomainError>(webhook_event::open(connection, &filter, after, BATCH)?)
        };
        let ids = domain.database.read(open).await?;
        let Some(&last) = ids.last() else { return Ok(()) };
        for id in ids {
            if apply_or_log(domain, id).await {
                log::info!("event {id} was still in the inbox and is applied now");
            }
        }
        after = last;
    }
}

/// Whether it has been applied by this.
async fn apply_or_log(domain: &Domain, id: WebhookEventId) -> bool {
    let (keys, rules) = (domain.keys.clone(), Rules::of(domain));
    let apply = move |connection: &mut PgConnection| apply(connection, &keys, id, rules);
    let applied = domain.database.write(apply).await;
    applied
        .inspect_err(|error| log::error!("event {id} stays in the inbox: {}", chain(error)))
        .unwrap_or_default()
}

/// Applies one event and marks it, in one database transaction, so that it is applied once.
fn apply(
    connection: &mut PgConnection,
    keys: &EncryptionKeys,
    id: WebhookEventId,
    rules: Rules,
) -> Result<bool, DomainError> {
    let Some(row) = webhook_event::open_for_update(connection, id)? else { return Ok(false) };
    let payload = keys.decrypt(&row.payload)?;
    let event: Event = serde_json::from_str(payload.expose_secret())
        .map_err(|_| DomainError::Integrity("The event in the inbox cannot be read."))?;
    let applied = apply_event(connection, &row, &event, rules)?;
    if applied {
        webhook_event::mark_applied(connection, id)?;
    }
    Ok(applied)
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
        EventKind::Payment => charge::of_payment(connection, event, rules),
        // They wait in the inbox for what applies them to payments.
        EventKind::Refund | EventKind::Dispute => Ok(false),
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

/// The word of wire for a kind.
fn word(kind: EventKind) -> String {
    match kind {
        EventKind::Payment => "payment",
        EventKind::Refund => "refund",
        EventKind::Dispute => "dispute",
        EventKind::SubscriptionCharged => "subscription_charged",
        EventKind::SubscriptionChargeFailed => "subscription_charge_failed",
        EventKind::SubscriptionCancelled => "subscription_cancelled",
        EventKind::Subscription => "subscription",
        EventKind::Check => "check",
        EventKind::Other => "other",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_kept_under_its_word_in_wire() {
        for kind in [
            EventKind::Payment,
            EventKind::Refund,
            EventKind::Dispute,
            EventKind::SubscriptionCharged,
            EventKind::SubscriptionChargeFailed,
            EventKind::SubscriptionCancelled,
            EventKind::Subscription,
            EventKind::Check,
            EventKind::Other,
        ] {
            assert_eq!(serde_json::to_value(kind).unwrap(), word(kind));
        }
    }
}
