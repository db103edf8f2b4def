//! Starts the service and routes its requests.

mod connectors;
mod operations;
mod run;

use std::{error::Error as StdError, fmt::Write as _, io};

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    web::{self, ServiceConfig},
};
use chassis::{
    client::ClientError,
    exit::Exit,
    server::{ServerError, resource},
};
use serde_json::Value;
use thiserror::Error;
use wire::{ProviderAnswer, Reply, delivery::DELIVER_PATH, passthrough, status::ServiceStatus};

pub use run::Application;

use crate::{
    audit::AuditError,
    caller::CallerError,
    config::Settings,
    error::{PROXY, ProxyError},
    metrics::MetricsError,
    passthrough::door,
    policy::StateError,
    providers::Connectors,
};
use connectors::WorkerConnectors;

/// Every route of this service.
fn routes(config: &mut ServiceConfig) {
    config
        .configure(door::routes)
        .service(resource("/services/status").route(web::get().to(service_status)))
        .service(resource("/v1/providers").route(web::get().to(operations::providers)))
        .service(resource(DELIVER_PATH).route(web::post().to(operations::deliver)))
        .service(resource("/v1/webhooks/{provider}").route(web::post().to(operations::verify_notice)))
        .service(resource("/v1/{provider}/{operation}").route(web::post().to(operations::perform)));
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
    /// The file of refunds cannot be used.
    #[error("policy.state_file: {0}")]
    Refunds(#[from] StateError),
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
            Self::Server(ServerError::Bind { .. })
            | Self::Audit(AuditError::InUse { .. })
            | Self::Refunds(StateError::InUse { .. }) => Exit::Unavailable,
            Self::Audit(AuditError::File { .. }) | Self::Refunds(StateError::File { .. }) => {
                Exit::CannotWrite
            }
            Self::Audit(AuditError::NotOurs { .. }) | Self::Refunds(StateError::NotOurs { .. }) => Exit::Data,
            Self::Audit(AuditError::Thread(_))
            | Self::Refunds(StateError::None | StateError::CutOff)
            | Self::Metrics(_)
            | Self::Thread(_) => Exit::Software,
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

/// `GET /services/status/`: neither a database nor a cache is here, and none is configured, or this process would not
/// have started.
async fn service_status() -> HttpResponse {
    let status = ServiceStatus { cache: false, db: false, proxies: false, settings: true };
    HttpResponse::Ok().json(status)
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
