//! `/events/`, as a client reads it: it remembers how far it has read, and waits there for what comes next.

use serde::Deserialize;

use super::{
    super::steps::{Called, StepError},
    payments::Payments,
};

/// How far the client has read.
pub(super) struct Feed {
    position: u64,
}

#[derive(Deserialize)]
struct Page {
    meta: Meta,
    objects: Vec<Event>,
}

#[derive(Deserialize)]
struct Meta {
    after: u64,
}

#[derive(Deserialize)]
struct Event {
    id: u64,
    #[serde(rename = "type")]
    kind: String,
    payment: String,
}

impl Feed {
    /// From its beginning.
    pub(super) const fn new() -> Self {
        Self { position: 0 }
    }

    /// Reads what there is, and tells how much it was.
    ///
    /// # Errors
    /// [`StepError`] when there is nothing, or a position is missing.
    pub(super) async fn catch_up(&mut self, shop: &mut Payments<'_>) -> Result<(), StepError> {
        let path = format!("/events/?after={}&limit=1000", self.position);
        let (called, events) = self.read(shop, path.clone()).await?;
        let Some(last) = events.last() else {
            return Err(shop.steps.error(&path, "there is no event".to_owned()));
        };
        let (count, last) = (events.len().to_string(), format!("{} {}", last.id, last.kind));
        shop.steps.tell(&called, &[("events", &count), ("last", &last)]);
        Ok(())
    }

    /// Waits until such an event of a payment comes, and tells the page that has it.
    ///
    /// # Errors
    /// [`StepError`] when it does not come.
    pub(super) async fn wait_for(
        &mut self,
        shop: &mut Payments<'_>,
        payment: &str,
        kind: &str,
    ) -> Result<(), StepError> {
        loop {
            let path = format!("/events/?after={}&wait=20", self.position);
            let (called, events) = self.read(shop, path.clone()).await?;
            if events.is_empty() {
                return Err(shop.steps.error(&path, format!("no {kind} of {payment} has come")));
            }
            if let Some(event) = events.iter().find(|event| event.payment == payment && event.kind == kind) {
                let told = format!("{} {kind}", event.id);
                shop.steps.tell(&called, &[("payment", payment), ("event", &told)]);
                return Ok(());
            }
        }
    }

    /// A page that is not told yet, and its events, whose positions must follow ours without a gap.
    async fn read(&mut self, shop: &Payments<'_>, path: String) -> Result<(Called, Vec<Event>), StepError> {
        let called = shop.read(path.clone()).await?;
        let page: Result<Page, _> = serde_json::from_slice(&called.answer.body);
        let Page { meta, objects } = page.map_err(|error| shop.steps.error(&path, error.to_string()))?;
        let ids: Vec<u64> = objects.iter().map(|event| event.id).collect();
        if !ids.iter().copied().eq(self.position + 1..=meta.after) {
            let reason =
                format!("after {} come {ids:?}, and it says to go on at {}", self.position, meta.after);
            return Err(shop.steps.error(&path, reason));
        }
        self.position = meta.after;
        Ok((called, objects))
    }
}
