//! What providers post by themselves: verified at provider-proxy, kept in the inbox once, answered, and applied.
//!
//! An event is in the inbox before the provider is answered, so that a crash after the answer loses nothing: what has
//! not been applied is applied later, by [`catch_up`].

mod apply;
mod notice;
mod waiting;

use chassis::crash;
use chrono::{DateTime, TimeDelta};
use diesel::PgConnection;
use wire::payment::{Event, EventKind, Outcome, Provider, VerifyWebhook, operations};

pub use self::{
    notice::receive_notice,
    waiting::{Waiting, follow},
};

use self::apply::{Applied, apply};
use super::{
    Domain, DomainError,
    charge::Rules,
    payment::{Context, Fact, absorb, look},
};
use crate::{
    error::{ApiError, chain},
    proxy_client::ProxyClient,
    store::{
        id::{PaymentId, WebhookEventId},
        payment as payments,
        webhook_event::{self, NewWebhookEvent, OpenFilter},
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
/// The kinds of events about payments.
const PAYMENTS: [EventKind; 3] = [EventKind::Payment, EventKind::Refund, EventKind::Dispute];
/// For how long an operation can have been open that an event waits for.
const PATIENCE: TimeDelta = TimeDelta::days(31);
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
    Ok(take(domain, proxy, provider, event).await?)
}

/// Keeps an event that is genuine, and applies it.
async fn take(
    domain: &Domain,
    proxy: &ProxyClient,
    provider: Provider,
    event: Event,
) -> Result<Received, DomainError> {
    let received = keep(domain, provider, event).await?;
    crash::point("inbox.kept");
    if !received.is_duplicate {
        if PAYMENTS.contains(&received.event.kind) {
            domain.waiting.expect();
        }
        apply_or_log(domain, Some(proxy), received.id).await;
        crash::point("inbox.applied");
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
pub async fn catch_up(domain: &Domain, proxy: &ProxyClient, reach: Reach) -> Result<(), DomainError> {
    let since = match reach {
        Reach::All => DateTime::UNIX_EPOCH,
        Reach::Recent => domain.clock.now() - WAIT,
    };
    let kinds = SUBSCRIPTIONS.into_iter().chain([EventKind::Check, EventKind::Other]).map(word).collect();
    let filter = OpenFilter { kinds, recent_kinds: PAYMENTS.map(word).into(), since };
    apply_open(domain, Some(proxy), filter).await
}

/// Applies the events that have waited until an operation on a payment was settled, however long ago they came in.
///
/// # Errors
/// As [`catch_up`].
pub async fn payments_are_settled(domain: &Domain, proxy: &ProxyClient) -> Result<(), DomainError> {
    let since = domain.clock.now() - PATIENCE;
    let filter = OpenFilter { kinds: Vec::new(), recent_kinds: PAYMENTS.map(word).into(), since };
    apply_open(domain, Some(proxy), filter).await
}

/// Applies the events that were faster than the answer that has told us of a subscription. Whatever goes wrong, they are
/// applied later.
pub(super) async fn subscription_is_here(domain: &Domain) {
    let kinds = SUBSCRIPTIONS.into_iter().map(word).collect();
    let filter = OpenFilter { kinds, recent_kinds: Vec::new(), since: DateTime::UNIX_EPOCH };
    if let Err(error) = apply_open(domain, None, filter).await {
        log::warn!("the inbox waits: {}", chain(&error));
    }
}

async fn apply_open(
    domain: &Domain,
    proxy: Option<&ProxyClient>,
    filter: OpenFilter,
) -> Result<(), DomainError> {
    let mut after = WebhookEventId(0);
    loop {
        let filter = filter.clone();
        let open = move |connection: &mut PgConnection| {
            Ok::<_, DomainError>(webhook_event::open(connection, &filter, after, BATCH)?)
        };
        let ids = domain.database.read(open).await?;
        let Some(&last) = ids.last() else { return Ok(()) };
        for id in ids {
            if apply_or_log(domain, proxy, id).await {
                log::info!("event {id} was still in the inbox and is applied now");
            }
        }
        after = last;
    }
}

/// Whether it has been applied by this.
async fn apply_or_log(domain: &Domain, proxy: Option<&ProxyClient>, id: WebhookEventId) -> bool {
    let (keys, rules) = (domain.keys.clone(), Rules::of(domain));
    let apply = move |connection: &mut PgConnection| apply(connection, &keys, id, rules);
    let applied = match domain.database.write(apply).await {
        Ok(Applied::Look(provider, payment, reference)) => match proxy {
            Some(proxy) => look(domain, proxy, id, (provider, payment, reference)).await,
            None => Ok(false),
        },
        Ok(applied) => Ok(matches!(applied, Applied::Done)),
        Err(error) => Err(error),
    };
    applied
        .inspect_err(|error| log::error!("event {id} stays in the inbox: {}", chain(error)))
        .unwrap_or_default()
}

/// Asks the provider how a payment stands of which an event says only that something has happened to it.
async fn look(
    domain: &Domain,
    proxy: &ProxyClient,
    id: WebhookEventId,
    (provider, payment, reference): (Provider, PaymentId, String),
) -> Result<bool, DomainError> {
    let fact = match look::at_payment(proxy, provider, reference).await {
        Ok(Some(fact)) => fact,
        Ok(None) => return Ok(false),
        Err(error) => {
            log::warn!("event {id} waits: {}", chain(&error));
            return Ok(false);
        }
    };
    // The event may be faster than what it tells of: then it is asked again.
    let decided =
        |outcome: &Outcome<_>| matches!(outcome, Outcome::Succeeded { .. } | Outcome::Declined { .. });
    let is_decided = matches!(&fact, Fact::Payment { outcome, .. } if decided(outcome));
    let context = Context::of(domain, &format!("provider:{provider}"));
    let apply = move |connection: &mut PgConnection| {
        if webhook_event::open_for_update(connection, id)?.is_none() {
            return Ok(false);
        }
        let payment = payments::by_id_for_update(connection, payment)?.ok_or(DomainError::NotFound)?;
        absorb(connection, &context, payment, fact)?;
        if is_decided {
            webhook_event::mark_applied(connection, id)?;
        }
        Ok::<_, DomainError>(is_decided)
    };
    domain.database.write(apply).await
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
