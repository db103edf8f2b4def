//! Webhooks out: each endpoint is told of events one after the other, the next only when the one before was taken.
//!
//! An attempt is claimed, which is committed; made, through provider-proxy, which knows where the endpoint is and signs;
//! and settled. Whoever dies in between leaves a lease that ends, and another instance makes the attempt again: an
//! endpoint is told of each event at least once, under an id by which it knows it again.

mod outcome;
mod settle;

use std::{rc::Rc, time::Duration};

use actix_web::{
    rt::{self, time::timeout},
    web::Data,
};
use chassis::crash;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use uuid::Uuid;
use wire::delivery::DeliverWebhook;

use self::outcome::Outcome;
use super::{Domain, DomainError, payment_event as events};
use crate::{
    error::chain,
    proxy_client::ProxyClient,
    store::{
        StoreError, payment_event,
        payment_event::PaymentEventRow,
        webhook_endpoint::{self, DeliveryState, WebhookEndpointRow},
        webhook_replay,
    },
};

/// How long after one look for endpoints that are due the next one follows, at most.
const LOOK: Duration = Duration::from_millis(500);
/// How much longer a lease is than an attempt may take.
const MARGIN: Duration = Duration::from_secs(30);

/// One attempt that nobody else makes.
#[derive(Clone, Debug)]
struct Claimed {
    endpoint: WebhookEndpointRow,
    /// Which attempt it is.
    lease: Uuid,
    event: PaymentEventRow,
    /// When it begins.
    begun: DateTime<Utc>,
    /// Whether the event was asked for out of its turn.
    is_replay: bool,
}

/// What tells endpoints of events, one in each db-server.
pub struct Deliveries {
    domain: Data<Domain>,
    proxy: ProxyClient,
    lease: TimeDelta,
}

impl Deliveries {
    /// With provider-proxy, which is given up after `timeout`.
    #[must_use]
    pub fn new(domain: Data<Domain>, proxy: ProxyClient, timeout: Duration) -> Self {
        let lease = TimeDelta::from_std(timeout.saturating_add(MARGIN)).unwrap_or(TimeDelta::MAX);
        Self { domain, proxy, lease }
    }

    /// Tells endpoints of events, for ever: as soon as there is one, and whenever one is to be tried again.
    pub async fn run(self) {
        let this = Rc::new(self);
        let mut newest = this.domain.database.newest_event();
        let mut works = true;
        loop {
            newest.mark_unchanged();
            let started = this.start_due().await;
            if let (Err(error), true) = (&started, works) {
                log::warn!("webhooks wait: {}", chain(error));
            }
            works = started.is_ok();
            // Either is a reason to look again.
            let _ = timeout(LOOK, newest.changed()).await;
        }
    }

    /// Begins with every endpoint that is due, all at once: a slow one holds up no other.
    async fn start_due(self: &Rc<Self>) -> Result<(), DomainError> {
        let now = self.domain.clock.now();
        // One statement, most often the only one.
        let due = move |connection: &mut PgConnection| webhook_endpoint::is_any_due(connection, now);
        if !self.domain.database.read_one(due).await? {
            return Ok(());
        }
        while let Some(claimed) = self.claim().await? {
            let this = Rc::clone(self);
            rt::spawn(async move {
                let name = claimed.endpoint.name.clone();
                if let Err(error) = this.tell(claimed).await {
                    log::warn!("the webhook endpoint {name} waits: {}", chain(&error));
                }
            });
        }
        Ok(())
    }

    async fn claim(&self) -> Result<Option<Claimed>, DomainError> {
        let (now, lease) = (self.domain.clock.now(), self.lease);
        let work = move |connection: &mut PgConnection| loop {
            let Some(due) = webhook_endpoint::due_for_update(connection, now)? else { return Ok(None) };
            if let Some(claimed) = claim_next(connection, due, now, lease)? {
                return Ok(Some(claimed));
            }
        };
        self.domain.database.write(work).await
    }

    /// Tells one endpoint of one event after the other, until there is none or one is not taken.
    async fn tell(&self, first: Claimed) -> Result<(), DomainError> {
        let mut next = Some(first);
        while let Some(claimed) = next {
            crash::point("delivery.claimed");
            let outcome = self.attempt(&claimed).await;
            crash::point("delivery.delivered");
            let (now, lease) = (self.domain.clock.now(), self.lease);
            let work = move |connection: &mut PgConnection| {
                settle::settle(connection, &claimed, &outcome, now, lease)
            };
            next = self.domain.database.write(work).await?;
            crash::point("delivery.written");
        }
        Ok(())
    }

    async fn attempt(&self, claimed: &Claimed) -> Outcome {
        let message = message(claimed, self.domain.clock.now());
        Outcome::of(self.proxy.deliver_webhook(&message).await)
    }
}

/// Claims the next attempt at an endpoint whose row is locked. None when it has been told all: then it is up to date.
fn claim_next(
    connection: &mut PgConnection,
    endpoint: WebhookEndpointRow,
    now: DateTime<Utc>,
    lease: TimeDelta,
) -> Result<Option<Claimed>, StoreError> {
    let newest = payment_event::newest(connection)?;
    let replay = webhook_replay::next(connection, endpoint.id)?;
    let event = match replay {
        Some(id) => payment_event::by_id(connection, id)?,
        None => payment_event::first_between(connection, endpoint.position, newest, &endpoint.kinds)?,
    };
    let Some(event) = event else {
        webhook_endpoint::set_delivery(connection, endpoint.id, newest, &DeliveryState::default())?;
        return Ok(None);
    };
    let id = Uuid::now_v7();
    let state = DeliveryState {
        failures: endpoint.failures,
        failing_since: endpoint.failing_since,
        next_attempt: endpoint.next_attempt,
        last_error: endpoint.last_error.clone(),
        lease: Some(id),
        leased_until: now.checked_add_signed(lease),
    };
    webhook_endpoint::set_delivery(connection, endpoint.id, endpoint.position, &state)?;
    Ok(Some(Claimed { endpoint, lease: id, event, begun: now, is_replay: replay.is_some() }))
}

/// The message as the endpoint gets it: the event as it is in lists, in the form that the Standard Webhooks specification
/// proposes.
fn message(claimed: &Claimed, now: DateTime<Utc>) -> DeliverWebhook {
    let Claimed { endpoint, event, .. } = claimed;
    DeliverWebhook {
        endpoint: endpoint.name.clone(),
        id: format!("msg_{}_{}", endpoint.id, event.id),
        timestamp: now.timestamp(),
        body: events::body(event).to_string(),
    }
}
