//! Starts the service and routes its requests.

mod connectors;
mod run;

use std::{
    error::Error as StdError,
    fmt::Write as _,
    future::{Ready, ready},
    io,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError,
    dev::Payload,
    http::{
        StatusCode,
        header::{ContentType, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    web::{self, Bytes, Data, Path, ServiceConfig},
};
use chassis::{
    client::ClientError,
    exit::Exit,
    logging,
    server::{ServerError, resource},
};
use serde_json::Value;
use thiserror::Error;
use wire::{ProviderAnswer, Reply, passthrough, status::ServiceStatus};

pub use run::Application;

use crate::{
    audit::{AuditError, Event},
    caller::{Caller, CallerError},
    config::Settings,
    error::{PROXY, ProxyError},
    metrics::MetricsError,
    passthrough::door::{self, Door},
    providers::{Answer, Connectors, Performed},
    services::Services,
};
use connectors::{Made, WorkerConnectors};

/// Every route of this service.
fn routes(config: &mut ServiceConfig) {
    config
        .configure(door::routes)
        .service(resource("/services/status").route(web::get().to(service_status)))
        .service(resource("/v1/providers").route(web::get().to(providers)))
        .service(resource("/v1/webhooks/{provider}").route(web::post().to(verify_webhook)))
        .service(resource("/v1/{provider}/{operation}").route(web::post().to(perform)));
}

/// Why the service cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A file that a provider's settings name cannot be used.
    #[error("providers: {0}")]
    Provider(#[from] ClientError),
    /// The audit log cannot be written.
    #[error("passthrough.audit_file: {0}")]
    Audit(#[from] AuditError),
    /// The metrics cannot be set up.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A thread cannot be had.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The address or the certificate cannot be had.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl StartError {
    /// The exit code for a supervisor.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Provider(_) | Self::Server(ServerError::Tls(_)) => Exit::Settings,
            Self::Server(ServerError::Bind { .. }) | Self::Audit(AuditError::InUse { .. }) => {
                Exit::Unavailable
            }
            Self::Audit(AuditError::File { .. }) => Exit::CannotWrite,
            Self::Audit(AuditError::NotOurs { .. }) => Exit::Data,
            Self::Audit(AuditError::Thread(_)) | Self::Metrics(_) | Self::Thread(_) => Exit::Software,
        }
    }
}

/// Checks the files that the settings name, without taking the address.
///
/// # Errors
/// [`StartError::Provider`].
pub fn check(settings: &Settings) -> Result<(), StartError> {
    Connectors::new(&settings.providers)?;
    Ok(())
}

/// What stands for the provider in the name of the operation that verifies a webhook.
const WEBHOOKS: &str = "webhooks";

/// `GET /services/status/`: neither a database nor a cache is here, and none is configured, or this process would not
/// have started.
async fn service_status() -> HttpResponse {
    let status = ServiceStatus { cache: false, db: false, proxies: false, settings: true };
    HttpResponse::Ok().json(status)
}

/// A caller that is known: a handler that takes one first runs for nobody else, and no body is read before.
struct Admitted(Caller);

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
        let caller = self.0.entry.as_ref().map_or_else(String::new, |entry| entry.name.clone());
        Err(ProxyError::NotPermitted { target: PROXY, caller, operation: format!("{provider}/{operation}") })
    }
}

impl ResponseError for ProxyError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.failure().kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        refuse(self)
    }
}

/// What is said on a connection whose certificate is no good any more, in the words of the door that was asked.
fn not_let_in(path: &str, source: CallerError) -> HttpResponse {
    let error = ProxyError::Caller { target: PROXY, source };
    let Some(tail) = path.strip_prefix("/proxy/") else { return refuse(&error) };
    log::warn!("{}", chain(&error));
    let kind = source.door_kind();
    let target = tail.split('/').next().unwrap_or_default().to_owned();
    let failure = passthrough::Failure { kind, target, message: source.message().to_owned() };
    builder(kind.http_status())
        .insert_header((passthrough::ERROR_HEADER, kind.name()))
        .json(passthrough::Answer { error: failure })
}

/// `GET /v1/providers`: what there is, what is configured, and what each offers.
async fn providers(_: Admitted, services: Data<Services>) -> HttpResponse {
    HttpResponse::Ok().json(services.current.load().settings.providers.list())
}

/// `POST /v1/{provider}/{operation}`.
async fn perform(
    caller: Admitted,
    connectors: Data<WorkerConnectors>,
    path: Path<(String, String)>,
    body: actix_web::Result<Bytes>,
) -> HttpResponse {
    let (provider, operation) = path.into_inner();
    if let Err(error) = caller.may(&provider, &operation) {
        return refuse(&error);
    }
    match try_perform(&connectors.get(), &provider, &operation, body).await {
        Ok(Performed::Own(Answer { status, reply })) => respond(status, &reply),
        Ok(Performed::Neutral(reply)) => HttpResponse::Ok().content_type(ContentType::json()).body(reply),
        Err(error) => refuse(&error),
    }
}

async fn try_perform(
    connectors: &Made,
    provider: &str,
    operation: &str,
    body: actix_web::Result<Bytes>,
) -> Result<Performed, ProxyError> {
    let connector = of_this_worker(connectors)?.get(provider)?;
    let body = body.map_err(|source| ProxyError::UnreadableRequest { target: connector.name(), source })?;
    connector.perform(operation, &body).await
}

/// `POST /v1/webhooks/{provider}`.
async fn verify_webhook(
    caller: Admitted,
    connectors: Data<WorkerConnectors>,
    services: Data<Services>,
    path: Path<String>,
    body: actix_web::Result<Bytes>,
) -> HttpResponse {
    let provider = path.into_inner();
    if let Err(error) = caller.may(WEBHOOKS, &provider) {
        return refuse(&error);
    }
    let verified = try_verify(&connectors.get(), &provider, body);
    if let Err(ProxyError::InvalidSignature { target, .. }) = &verified {
        let request_id = logging::context().map(|context| context.request_id.clone()).unwrap_or_default();
        services.audit.event(Event::SignatureRefused { of: (*target).to_owned(), request_id });
    }
    answer(verified)
}

fn try_verify(
    connectors: &Made,
    provider: &str,
    body: actix_web::Result<Bytes>,
) -> Result<Answer, ProxyError> {
    let connector = of_this_worker(connectors)?.get(provider)?;
    let body = body.map_err(|source| ProxyError::UnreadableRequest { target: connector.name(), source })?;
    connector.verify_webhook(&body)
}

fn of_this_worker(connectors: &Made) -> Result<&Connectors, ProxyError> {
    // The cause was logged when they were made.
    connectors.as_ref().map_err(|_| ProxyError::NoConnectors { target: PROXY })
}

fn answer(result: Result<Answer, ProxyError>) -> HttpResponse {
    match result {
        Ok(Answer { status, reply }) => respond(status, &reply),
        Err(error) => refuse(&error),
    }
}

/// Logs an error with its causes, and tells the caller what it may know.
fn refuse(error: &ProxyError) -> HttpResponse {
    let failure = error.failure();
    let status = failure.kind.http_status();
    let level = if status >= 500 { log::Level::Error } else { log::Level::Warn };
    log::log!(level, "{}", chain(error));
    let mut response = builder(status);
    if let ProxyError::Caller { source, .. } = error
        && let Some(challenge) = source.challenge()
    {
        response.insert_header((WWW_AUTHENTICATE, challenge));
    }
    response.json(Reply::<Value>::Error(failure))
}

fn builder(status: u16) -> HttpResponseBuilder {
    HttpResponseBuilder::new(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

fn respond(status: u16, reply: &Reply<Value>) -> HttpResponse {
    let mut response = builder(status);
    if let Reply::Refused(ProviderAnswer { retry_after: Some(value), .. }) = reply {
        response.insert_header((RETRY_AFTER, value.as_str()));
    }
    response.json(reply)
}

/// An error and its causes on one line; a cause that its error repeats is not written twice.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            let _ = write!(line, ": {text}");
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests;
