//! The posting itself.

use std::time::Duration;

use awc::Client;
use chrono::Utc;

use super::{Announcement, Deliveries, Delivery, Endpoint, Message};

/// How long an endpoint may take to answer.
const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(10);

impl Deliveries {
    /// Posts an event to every endpoint of its provider, `copies` times, one after the other.
    pub(super) async fn send(&self, event: &Announcement, copies: u8) -> Vec<Delivery> {
        let endpoints = self.office().endpoints.clone();
        let mut deliveries = Vec::new();
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.provider == event.provider) {
            for _ in 0..copies {
                let delivery = post(event, endpoint).await;
                self.office().deliveries.push(delivery.clone());
                deliveries.push(delivery);
            }
        }
        deliveries
    }
}

async fn post(event: &Announcement, endpoint: &Endpoint) -> Delivery {
    let at = Utc::now();
    let Message { headers, body } = (event.make)(at);
    let client = Client::builder().disable_redirects().timeout(ENDPOINT_TIMEOUT).finish();
    let mut request = client.post(&endpoint.url);
    for (name, value) in headers {
        request = request.insert_header((name, value));
    }
    let status = match request.send_body(body).await {
        Ok(answer) => Some(answer.status().as_u16()),
        Err(error) => {
            log::warn!("the endpoint of {}'s webhooks did not answer: {error}", event.provider);
            None
        }
    };
    log::info!("webhook {} {} -> {status:?}", event.provider, event.event);
    Delivery {
        provider: event.provider,
        event_id: event.event_id.clone(),
        event: event.event.clone(),
        url: endpoint.url.clone(),
        at,
        status,
    }
}
