//! Starts the service and routes its requests.

use std::{error::Error as StdError, fmt::Write as _, io, net::SocketAddr};

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    dev::ServerHandle,
    http::{StatusCode, header::RETRY_AFTER},
    web::{self, Bytes, Data, Path, ServiceConfig},
};
use chassis::{
    client::ClientError,
    exit::Exit,
    server::{Bound, ServerError, bind, resource},
};
use serde_json::Value;
use thiserror::Error;
use wire::{ProviderAnswer, Reply, status::ServiceStatus};

use crate::{
    config::Settings,
    error::{PROXY, ProxyError},
    providers::{Answer, Connectors},
};

/// Every route of this service.
fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/services/status").route(web::get().to(service_status)))
        .service(resource("/v1/webhooks/{provider}").route(web::post().to(verify_webhook)))
        .service(resource("/v1/{provider}/{operation}").route(web::post().to(perform)));
}

/// The service with its address, ready to run.
pub struct Application {
    bound: Bound,
}

impl Application {
    /// Checks what the settings point to, and takes the address.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn build(settings: Settings) -> Result<Self, StartError> {
        check(&settings)?;
        let providers = settings.providers;
        let bound = bind(&settings.server, move |config| {
            // An HTTP client belongs to one thread, so each worker has its own connectors.
            let connectors = Connectors::new(&providers);
            if let Err(error) = &connectors {
                log::error!("a worker cannot reach any provider: {}", chain(error));
            }
            config.app_data(Data::new(connectors));
            routes(config);
        })?;
        Ok(Self { bound })
    }

    /// Where it listens; the port is the real one when the settings said 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.bound.address()
    }

    /// Its URL, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.bound.url()
    }

    /// Stops it from elsewhere.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.bound.handle()
    }

    /// Serves until it is stopped through its handle.
    ///
    /// # Errors
    /// An I/O error of the listener.
    pub async fn run(self) -> io::Result<()> {
        self.bound.run().await
    }

    /// Serves until SIGTERM or SIGINT, and then answers what is in flight.
    ///
    /// # Errors
    /// An I/O error of the listener or of the signal handlers.
    pub async fn run_until_signal(self) -> io::Result<()> {
        self.bound.run_until_signal().await
    }
}

/// Why the service cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A file that a provider's settings name cannot be used.
    #[error("providers: {0}")]
    Provider(#[from] ClientError),
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
            Self::Server(ServerError::Bind { .. }) => Exit::Unavailable,
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

type WorkerConnectors = Data<Result<Connectors, ClientError>>;

/// `GET /services/status/`: neither a database nor a cache is here, and none is configured, or this process would not
/// have started.
async fn service_status() -> HttpResponse {
    let status = ServiceStatus { cache: false, db: false, proxies: false, settings: true };
    HttpResponse::Ok().json(status)
}

/// `POST /v1/{provider}/{operation}`.
async fn perform(
    connectors: WorkerConnectors,
    path: Path<(String, String)>,
    body: actix_web::Result<Bytes>,
) -> HttpResponse {
    let (provider, operation) = path.into_inner();
    answer(try_perform(&connectors, &provider, &operation, body).await)
}

async fn try_perform(
    connectors: &WorkerConnectors,
    provider: &str,
    operation: &str,
    body: actix_web::Result<Bytes>,
) -> Result<Answer, ProxyError> {
    let connector = of_this_worker(connectors)?.get(provider)?;
    let body = body.map_err(|source| ProxyError::UnreadableRequest { target: connector.name(), source })?;
    connector.perform(operation, &body).await
}

/// `POST /v1/webhooks/{provider}`.
async fn verify_webhook(
    connectors: WorkerConnectors,
    provider: Path<String>,
    body: actix_web::Result<Bytes>,
) -> HttpResponse {
    answer(try_verify(&connectors, &provider, body))
}

fn try_verify(
    connectors: &WorkerConnectors,
    provider: &str,
    body: actix_web::Result<Bytes>,
) -> Result<Answer, ProxyError> {
    let connector = of_this_worker(connectors)?.get(provider)?;
    let body = body.map_err(|source| ProxyError::UnreadableRequest { target: connector.name(), source })?;
    connector.verify_webhook(&body)
}

fn of_this_worker(connectors: &WorkerConnectors) -> Result<&Connectors, ProxyError> {
    // The cause was logged when the worker started.
    connectors.as_ref().as_ref().map_err(|_| ProxyError::NoConnectors { target: PROXY })
}

fn answer(result: Result<Answer, ProxyError>) -> HttpResponse {
    let (status, reply) = match result {
        Ok(Answer { status, reply }) => (status, reply),
        Err(error) => {
            let failure = error.failure();
            let status = failure.kind.http_status();
            let level = if status >= 500 { log::Level::Error } else { log::Level::Warn };
            log::log!(level, "{}", chain(&error));
            (status, Reply::Error(failure))
        }
    };
    respond(status, &reply)
}

fn respond(status: u16, reply: &Reply<Value>) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponseBuilder::new(status);
    if let Reply::Refused(ProviderAnswer { retry_after: Some(value), .. }) = reply {
        response.insert_header((RETRY_AFTER, value.as_str()));
    }
    response.json(reply)
}

/// An error and its causes on one line; a cause that its error repeats is not written twice.
fn chain(error: &dyn StdError) -> String {
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
