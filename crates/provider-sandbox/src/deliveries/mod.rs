//! Webhooks out: events are announced, and posted to the endpoints that were registered for their provider.
//!
//! Events go out one beside the other and may overtake each other, as the real providers say theirs do. A test that
//! needs an order holds them back and releases them in it.

pub(crate) mod control;
mod sending;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::rt;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::injection;
use crate::provider::Provider;

/// How many events are kept to be sent again.
const KEPT_EVENTS: usize = 10_000;

/// Makes the message of an event at the time of sending: signatures hold that time.
pub(crate) type Maker = Box<dyn Fn(DateTime<Utc>) -> Message + Send + Sync>;

/// An event that a provider tells its endpoints.
pub(crate) struct Announcement {
    /// Whose event it is.
    pub(crate) provider: Provider,
    /// The provider's id of it, the same in every copy.
    pub(crate) event_id: String,
    /// Its kind, such as `payment_intent.succeeded`.
    pub(crate) event: String,
    /// Makes what is posted.
    pub(crate) make: Maker,
}

/// What is posted.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Message {
    /// All headers, the content type among them.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, exactly.
    pub(crate) body: String,
}

/// What happens with the events that are announced from now on.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Handling {
    /// Each event is sent as often, one copy after the other.
    pub(crate) copies: u8,
    /// Each event is sent so much later, in milliseconds.
    pub(crate) delay_ms: u32,
    /// Events are kept back until they are released.
    pub(crate) hold: bool,
}

impl Default for Handling {
    fn default() -> Self {
        Self { copies: 1, delay_ms: 0, hold: false }
    }
}

/// A URL that takes the events of a provider.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    pub(crate) provider: Provider,
    pub(crate) url: String,
}

/// One message that was posted, and what the endpoint answered.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    provider: Provider,
    event_id: String,
    event: String,
    url: String,
    at: DateTime<Utc>,
    /// The endpoint's status; None when it did not answer.
    status: Option<u16>,
}

/// An event that is kept back.
#[derive(Clone)]
struct Held {
    event: Arc<Announcement>,
    copies: u8,
}

#[derive(Default)]
struct Office {
    endpoints: Vec<Endpoint>,
    handling: Handling,
    events: VecDeque<Arc<Announcement>>,
    held: Vec<Held>,
    deliveries: Vec<Delivery>,
}

/// Everything that concerns webhooks of one sandbox.
#[derive(Clone)]
pub(crate) struct Deliveries {
    office: Arc<Mutex<Office>>,
    /// How many events are on their way.
    under_way: watch::Sender<usize>,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self { office: Arc::default(), under_way: watch::Sender::new(0) }
    }
}

impl Deliveries {
    /// Tells an event: it is on its way when this returns, or kept back. To be called in an actix system, and not while
    /// the provider's books are locked longer than needed: making the message may lock them.
    pub(crate) fn announce(&self, announcement: Announcement) {
        let event = Arc::new(announcement);
        let mut office = self.office();
        if office.events.len() == KEPT_EVENTS {
            office.events.pop_front();
        }
        office.events.push_back(event.clone());
        let Handling { copies, delay_ms, hold } = office.handling;
        let copies = if injection::duplicates_webhooks() { copies.saturating_mul(2) } else { copies };
        if hold {
            office.held.push(Held { event, copies });
            return;
        }
        if !office.endpoints.iter().any(|endpoint| endpoint.provider == event.provider) {
            return;
        }
        drop(office);
        let (this, on_its_way) = (self.clone(), self.on_its_way());
        rt::spawn(async move {
            if delay_ms > 0 {
                rt::time::sleep(Duration::from_millis(delay_ms.into())).await;
            }
            this.send(&event, copies).await;
            drop(on_its_way);
        });
    }

    /// Sends what is kept back, one after the other: first these events in this order, then the rest in the order in
    /// which they were announced. From then on nothing is kept back. Gives the first id that is unknown, and then
    /// does nothing.
    async fn release(&self, order: &[String]) -> Result<Vec<Delivery>, String> {
        let held = {
            let mut office = self.office();
            let mut sorted = Vec::new();
            for id in order {
                let found = office.held.iter().find(|held| held.event.event_id == *id);
                sorted.push(found.cloned().ok_or_else(|| id.clone())?);
            }
            let rest = std::mem::take(&mut office.held);
            sorted.extend(rest.into_iter().filter(|held| !order.contains(&held.event.event_id)));
            office.handling.hold = false;
            sorted
        };
        let on_its_way = self.on_its_way();
        let mut deliveries = Vec::new();
        for Held { event, copies } in held {
            deliveries.extend(self.send(&event, copies).await);
        }
        drop(on_its_way);
        Ok(deliveries)
    }

    /// Waits until nothing is on its way.
    async fn settled(&self) {
        // The sender is in `self`, so it is there for as long as this waits.
        let _ = self.under_way.subscribe().wait_for(|count| *count == 0).await;
    }

    /// The event of this id that was announced last.
    fn event(&self, id: &str) -> Option<Arc<Announcement>> {
        self.office().events.iter().rev().find(|event| event.event_id == id).cloned()
    }

    fn office(&self) -> MutexGuard<'_, Office> {
        self.office.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on_its_way(&self) -> OnItsWay {
        self.under_way.send_modify(|count| *count += 1);
        OnItsWay(self.under_way.clone())
    }
}

/// Counts as on its way until dropped, also when the sending is cut off.
struct OnItsWay(watch::Sender<usize>);

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
