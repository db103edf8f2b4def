//! The named operations of providers: `/v1`.

use std::{
    future::{Ready, ready},
    rc::Rc,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::header::ContentType,
    web::{Bytes, Data, Path},
};
use chassis::logging;

use wire::{
    Reply,
    delivery::{DeliverWebhook, Delivered},
};

use super::{
    connectors::{Made, WorkerConnectors},
    refuse, respond,
};
use crate::{
    audit::Event,
    caller::{Caller, CallerError},
    config::Settings,
    error::{PROXY, ProxyError, WEBHOOKS},
    passthrough::door::Door,
    policy::{Gate, Refusal},
    providers::{Answer, Connectors, Performed},
    services::Services,
    shape::{self, ShapeError},
    webhooks::Deliverer,
};

/// What stands for the operation that delivers a message.
const DELIVER: &str = "deliver";

/// A caller that is known: a handler that takes one first runs for nobody else, and no body is read before.
pub(super) struct Admitted(Rc<Caller>);

impl FromRequest for Admitted {
    type Error = ProxyError;
    type Future = Ready<Result<Self, ProxyError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // The pass-through and the operations know their callers by the same tokens.
        let door = request.app_data::<Data<Door>>();
        let verified = door.ok_or(CallerError::NoVerifier).and_then(|door| door.caller(request));
        ready(verified.map(Self).map_err(|source| ProxyError::Caller { target: PROXY, source }))
    }
}

impl Admitted {
    /// Refuses an operation that is not on the caller's list.
    fn may(&self, provider: &str, operation: &str) -> Result<(), ProxyError> {
        if self.0.may_perform(provider, operation) {
            return Ok(());
        }
        let caller = self.entry().unwrap_or_default().to_owned();
        Err(ProxyError::NotPermitted { target: PROXY, caller, operation: format!("{provider}/{operation}") })
    }

    fn entry(&self) -> Option<&str> {
        self.0.entry.as_ref().map(|entry| entry.name.as_str())
    }

    /// Refuses what the settings do not list, for this caller or for the provider.
    fn allowed(&self, settings: &Settings, provider: &str, operation: &str) -> Result<(), ProxyError> {
        self.may(provider, operation)?;
        let of_nobody = self.0.entry.is_some() || settings.policy.operations.contains(provider, operation);
        if of_nobody && settings.providers.allow(provider, operation) {
            return Ok(());
        }
        let refusal = Refusal::Operation { operation: format!("{provider}/{operation}") };
        Err(ProxyError::Policy { target: PROXY, refusal })
    }

    fn gate<'request>(
        &'request self,
        services: &'request Services,
        settings: &'request Settings,
    ) -> Gate<'request> {
        let limits = self.0.entry.as_ref().map_or(&settings.policy.limits, |entry| &entry.limits);
        Gate { caller: self.entry(), limits, refunds: &services.refunds }
    }
}

/// `GET /v1/providers`: what there is, what is configured, and what each offers.
pub(super) async fn providers(_: Admitted, services: Data<Services>) -> HttpResponse {
    HttpResponse::Ok().json(services.current.load().settings.providers.list())
}

/// `POST /v1/{provider}/{operation}`.
pub(super) async fn perform(
    caller: Admitted,
    connectors: Data<WorkerConnectors>,
    services: Data<Services>,
    path: Path<(String, String)>,
    body: actix_web::Result<Bytes>,
) -> HttpResponse {
    let (provider, operation) = path.into_inner();
    match try_perform(&caller, &connectors.get(), &services, (&provider, &operation), body).await {
        Ok(Performed::Own(Answer { status, reply })) => respond(status, &reply),
        Ok(Performed::Neutral(reply)) => HttpResponse::Ok().content_type(ContentType::json()).body(reply),
        Err(error) => {
            audit(&services, &caller, (&provider, &operation), &error);
            refuse(&error)
        }
    }
}

async fn try_perform(
    caller: &Admitted,
    connectors: &Made,
    services: &Services,
    (provider, operation): (&str, &str),
    body: actix_web::Result<Bytes>,
) -> Result<Performed, ProxyError> {
    let snapshot = services.current.get();
    caller.allowed(&snapshot.settings, provider, operation)?;
    let connector = of_this_worker(connectors)?.get(provider)?;
    let body = body.map_err(|source| ProxyError::UnreadableRequest { target: connector.name(), source })?;
    connector.perform(operation, &body, &caller.gate(services, &snapshot.settings)).await
}

/// `POST /v1/webhooks/deliver`: a message of db-server's to an endpoint of the settings.
pub(super) async fn deliver(
    caller: Admitted,
    deliverer: Data<Deliverer>,
    services: Data<Services>,
    body: actix_web::Result<Bytes>,
) -> HttpResponse {
    match try_deliver(&caller, &deliverer, &services, body).await {
        Ok(delivered) => HttpResponse::Ok().json(Reply::Result(delivered)),
        Err(error) => {
            audit(&services, &caller, (WEBHOOKS, DELIVER), &error);
            refuse(&error)
        }
    }
}

async fn try_deliver(
    caller: &Admitted,
    deliverer: &Deliverer,
    services: &Services,
    body: actix_web::Result<Bytes>,
) -> Result<Delivered, ProxyError> {
    caller.allowed(&services.current.load().settings, WEBHOOKS, DELIVER)?;
    let target = WEBHOOKS;
    let body = body.map_err(|source| ProxyError::UnreadableRequest { target, source })?;
    let message: DeliverWebhook =
        shape::from_slice(&body).map_err(|source| ProxyError::InvalidRequest { target, source })?;
    if !is_message_id(&message.id) {
        let source = ShapeError::field("id", "expected letters, digits, _ and -, at most 64");
        return Err(ProxyError::InvalidRequest { target, source });
    }
    let endpoint = message.endpoint.clone();
    let delivered = deliverer.deliver(&caller.0, message).await;
    delivered.map_err(|source| ProxyError::Delivery { endpoint, source })
}

/// A dot would let another message have the same signature.
fn is_message_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&id.len()) && id.bytes().all(is_plain)
}

/// `POST /v1/webhooks/{provider}`: the reference provider's notice, as its own operations have it.
pub(super) async fn verify_notice(
    caller: Admitted,
    connectors: Data<WorkerConnectors>,
    services: Data<Services>,
    path: Path<String>,
    body: actix_web::Result<Bytes>,
) -> HttpResponse {
    let provider = path.into_inner();
    match try_verify(&caller, &connectors.get(), &services, &provider, body) {
        Ok(Answer { status, reply }) => respond(status, &reply),
        Err(error) => {
            audit(&services, &caller, (WEBHOOKS, &provider), &error);
            refuse(&error)
        }
    }
}

fn try_verify(
    caller: &Admitted,
    connectors: &Made,
    services: &Services,
    provider: &str,
    body: actix_web::Result<Bytes>,
) -> Result<Answer, ProxyError> {
    caller.allowed(&services.current.load().settings, WEBHOOKS, provider)?;
    let connector = of_this_worker(connectors)?.get(provider)?;
    let body = body.map_err(|source| ProxyError::UnreadableRequest { target: connector.name(), source })?;
    connector.verify_notice(&body)
}

fn of_this_worker(connectors: &Made) -> Result<&Connectors, ProxyError> {
    // The cause was logged when they were made.
    connectors.as_ref().map_err(|_| ProxyError::NoConnectors { target: PROXY })
}

/// Writes down what somebody should look at: a signature that does not verify, and what is not allowed.
fn audit(services: &Services, caller: &Admitted, (provider, operation): (&str, &str), error: &ProxyError) {
    let limit = match error {
        ProxyError::InvalidSignature { target, .. } => {
            let of = (*target).to_owned();
            services.audit.event(Event::SignatureRefused { of, request_id: request_id() });
            return;
        }
        ProxyError::Policy { refusal, .. } => refusal.name(),
        ProxyError::NotPermitted { .. } => "operation",
        _ => return,
    };
    services.audit.event(Event::PolicyRefused {
        caller: caller.entry().map(ToOwned::to_owned),
        operation: shown(provider, operation),
        limit,
        request_id: request_id(),
    });
}

/// A caller may name an operation as it likes; the audit log has no room for novels.
fn shown(provider: &str, operation: &str) -> String {
    let name = format!("{provider}/{operation}");
    let is_name =
        name.len() <= 100 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte));
    if is_name && !chassis::card_number::is_in(&name) { name } else { "…".to_owned() }
}

fn request_id() -> String {
    logging::context().map(|context| context.request_id.clone()).unwrap_or_default()
}
