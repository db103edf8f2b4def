//! Posts a message to an endpoint: one try, no redirect, and of the answer only the status.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use chassis::logging;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use relay::{Outgoing, OutgoingBody, Resolve, SystemResolver, Upstream, UpstreamSettings};
use wire::delivery::{DeliverWebhook, Delivered};

use super::{DeliveryError, WebhookEndpoint, signature::signature};
use crate::{
    audit::{Record, Slot},
    caller::Caller,
    metrics::{Exchange, TargetMetrics},
    passthrough::egress::PinnedResolver,
    services::Services,
};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// What the audit log calls the credential.
const CREDENTIAL: &str = "standard_webhooks";
/// What goes before an endpoint's name in the audit log and the metrics, where targets have theirs: those have no dot.
const PREFIX: &str = "webhooks.";

/// What delivers on one worker thread: its connections to the endpoints, made anew when the settings are.
pub struct Deliverer {
    services: Services,
    resolver: Rc<dyn Resolve>,
    /// With the generation of the settings that they were made of.
    made: RefCell<(u64, Rc<Places>)>,
}

type Places = HashMap<Box<str>, Place>;

/// One endpoint, as one worker has it.
struct Place {
    endpoint: Arc<WebhookEndpoint>,
    upstream: Upstream,
    metrics: Arc<TargetMetrics>,
}

impl Deliverer {
    /// Makes that of this worker, with the system's resolver.
    #[must_use]
    pub fn new(services: Services) -> Self {
        Self::with_resolver(services, Rc::new(SystemResolver))
    }

    /// The same with another resolver, which is guarded as the system's is.
    #[must_use]
    pub fn with_resolver(services: Services, resolver: Rc<dyn Resolve>) -> Self {
        let made = RefCell::new(make(&services, &resolver));
        Self { services, resolver, made }
    }

    /// Signs a message and posts it, once, and writes that down.
    ///
    /// # Errors
    /// [`DeliveryError`].
    pub async fn deliver(
        &self,
        caller: &Caller,
        message: DeliverWebhook,
    ) -> Result<Delivered, DeliveryError> {
        let places = self.places();
        let place = places.get(message.endpoint.as_str()).ok_or(DeliveryError::UnknownEndpoint)?;
        let slot = self.services.audit.reserve().map_err(|_| DeliveryError::Unaudited)?;
        let passage = Passage::begin(caller, place, &message);
        let result = place.send(message, &passage.dialled).await;
        passage.end(&result, slot);
        result
    }

    fn places(&self) -> Rc<Places> {
        let mut made = self.made.borrow_mut();
        if made.0 != self.services.current.load().generation {
            *made = make(&self.services, &self.resolver);
        }
        Rc::clone(&made.1)
    }
}

fn make(services: &Services, resolver: &Rc<dyn Resolve>) -> (u64, Rc<Places>) {
    let snapshot = services.current.get();
    let endpoints = snapshot.settings.webhooks.iter();
    let places = endpoints.map(|endpoint| (endpoint.name.clone(), Place::new(endpoint, services, resolver)));
    (snapshot.generation, Rc::new(places.collect()))
}

impl Place {
    fn new(endpoint: &Arc<WebhookEndpoint>, services: &Services, resolver: &Rc<dyn Resolve>) -> Self {
        let upstream = Upstream::new(UpstreamSettings {
            connect_timeout: endpoint.connect_timeout,
            idle_timeout: endpoint.timeout,
            total_timeout: endpoint.timeout,
            tls: endpoint.tls.clone(),
            resolver: Rc::new(PinnedResolver::new(Rc::clone(resolver), endpoint.private)),
            ..UpstreamSettings::new(endpoint.url.clone())
        });
        let metrics = services.metrics.target(&format!("{PREFIX}{}", endpoint.name));
        Self { endpoint: Arc::clone(endpoint), upstream, metrics }
    }

    /// A message that an endpoint has taken is taken, whatever its answer's body is; it is not read.
    async fn send(
        &self,
        message: DeliverWebhook,
        dialled: &Cell<Option<SocketAddr>>,
    ) -> Result<Delivered, DeliveryError> {
        let outgoing = self.signed(message)?;
        let incoming = self.upstream.send_noting(outgoing, dialled).await.map_err(DeliveryError::Relay)?;
        Ok(Delivered { status: incoming.status.as_u16() })
    }

    fn signed(&self, message: DeliverWebhook) -> Result<Outgoing, DeliveryError> {
        let DeliverWebhook { id, timestamp, body, .. } = message;
        let signature = signature(&self.endpoint.keys, &id, timestamp, body.as_bytes())?;
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| DeliveryError::Unsignable);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("solitude-webhooks"));
        headers.insert(ID, value(&id)?);
        headers.insert(TIMESTAMP, timestamp.into());
        headers.insert(SIGNATURE, value(&signature)?);
        // The base URL itself; one without a path has that of its root.
        let path = if self.endpoint.url.path().is_empty() { "/" } else { "" };
        let body = OutgoingBody::Full(Bytes::from(body));
        Ok(Outgoing { method: Method::POST, path_and_query: path.into(), headers, body })
    }
}

/// What is known of one delivery until its line of the audit log is written.
struct Passage<'a> {
    caller: &'a Caller,
    place: &'a Place,
    /// The message's id, in the place of a path.
    path: String,
    bytes: u64,
    time: SystemTime,
    started: Instant,
    dialled: Cell<Option<SocketAddr>>,
}

impl<'a> Passage<'a> {
    fn begin(caller: &'a Caller, place: &'a Place, message: &DeliverWebhook) -> Self {
        Self {
            caller,
            place,
            path: format!("/{}", message.id),
            bytes: message.body.len() as u64,
            time: SystemTime::now(),
            started: Instant::now(),
            dialled: Cell::default(),
        }
    }

    fn end(&self, result: &Result<Delivered, DeliveryError>, slot: Slot) {
        let duration = self.started.elapsed();
        let (status, kind) = match result {
            Ok(delivered) => (delivered.status, None),
            Err(error) => (error.kind().http_status(), Some(error.audited_as())),
        };
        let exchange =
            Exchange { method: "POST", status, kind, duration, bytes_in: self.bytes, bytes_out: 0 };
        self.place.metrics.observe(&exchange);
        let target = format!("{PREFIX}{}", self.place.endpoint.name);
        let request_id = logging::context().map(|context| context.request_id.clone()).unwrap_or_default();
        slot.record(&Record {
            time: self.time,
            caller: Some(&self.caller.name),
            authorities: &self.caller.authorities,
            target: &target,
            method: "POST",
            path: &self.path,
            query: None,
            credential: Some(CREDENTIAL),
            credential_version: None,
            address: self.dialled.get(),
            status,
            kind,
            bytes_in: self.bytes,
            bytes_out: 0,
            duration,
            request_id: &request_id,
        });
    }
}
