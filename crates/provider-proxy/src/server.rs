//! Starts the service and routes its requests.

use std::{
    error::Error as StdError,
    fmt::Write as _,
    future::{Ready, ready},
    io,
    net::SocketAddr,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError,
    dev::{Payload, ServerHandle},
    http::{
        StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    web::{self, Bytes, Data, Path, ServiceConfig},
};
use chassis::{
    client::ClientError,
    exit::Exit,
    server::{Bound, OnDistrust, ServerError, bind, resource},
};
use serde_json::Value;
use thiserror::Error;
use wire::{ProviderAnswer, Reply, status::ServiceStatus};

use crate::{
    caller::{Caller, CallerError, CallerVerifier},
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
        let Settings { providers, identity, callers, .. } = settings;
        let bound = bind(&settings.server, move |config| {
            // An HTTP client belongs to one thread, so each worker has its own connectors.
            let connectors = Connectors::new(&providers);
            if let Err(error) = &connectors {
                log::error!("a worker cannot reach any provider: {}", chain(error));
            }
            config
                .app_data(Data::new(connectors))
                .app_data(Data::new(CallerVerifier::new(identity.as_ref(), callers.as_ref())))
                .app_data(OnDistrust(|_| not_let_in(CallerError::Distrusted)));
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

/// What stands for the provider in the name of the operation that verifies a webhook.
const WEBHOOKS: &str = "webhooks";

type WorkerConnectors = Data<Result<Connectors, ClientError>>;

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
        let verifier = request.app_data::<Data<CallerVerifier>>();
        let verified = verifier.ok_or(CallerError::NoVerifier).and_then(|verifier| verifier.verify(request));
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

/// What is said to a caller whose token or certificate is no good.
fn not_let_in(source: CallerError) -> HttpResponse {
    refuse(&ProxyError::Caller { target: PROXY, source })
}

/// `POST /v1/{provider}/{operation}`.
async fn perform(
    caller: Admitted,
    connectors: WorkerConnectors,
    path: Path<(String, String)>,
    body: actix_web::Result<Bytes>,
) -> HttpResponse {
    let (provider, operation) = path.into_inner();
    if let Err(error) = caller.may(&provider, &operation) {
        return refuse(&error);
    }
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
    caller: Admitted,
    connectors: WorkerConnectors,
    provider: Path<String>,
    body: actix_web::Result<Bytes>,
) -> HttpResponse {
    if let Err(error) = caller.may(WEBHOOKS, &provider) {
        return refuse(&error);
    }
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
