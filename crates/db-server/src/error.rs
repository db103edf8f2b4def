//! What a client is told when something goes wrong: every error becomes an answer here, in one match.

mod door;
mod fields;
mod payment;
mod provider;

use std::time::Duration;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use chassis::server::detail;
use relay::{RelayError, path::PathError};
use serde_json::json;
use thiserror::Error;
use wire::payment::{Decline, Provider};

pub use self::{
    fields::with_codes,
    provider::{sentence, status_of, unanswered},
};

use self::{
    fields::{body, fields},
    provider::{proxy, refused, said_no},
};
use crate::{
    cache::CacheError,
    domain::{error::DomainError, user::LogInError},
    field_errors::FieldErrors,
    form::BodyError,
    page::QueryError,
    provider_errors::ProviderErrors,
    proxy_client::ProxyError,
    store::StoreError,
};

/// Why a request is not answered with what it asked for.
#[derive(Debug, Error)]
pub enum ApiError {
    /// Nobody knows who is calling. The client is not told why; the log is.
    #[error("not authenticated")]
    Unauthenticated,
    /// The caller's token was good once.
    #[error("the token has expired")]
    TokenExpired,
    /// The caller's token is none of ours, or its user may not call any more.
    #[error("the token is not accepted")]
    InvalidToken,
    /// Name and password do not belong together. The client is not told which of them is wrong.
    #[error("wrong name or password")]
    WrongPassword,
    /// Too many wait for their passwords to be checked.
    #[error("too many log-ins at once")]
    TooManyLogIns,
    /// The operator has not set this up. The text is for the client.
    #[error("not set up: {0}")]
    NotSetUp(&'static str),
    /// The path below the door is none that is forwarded.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The door's target could not be asked, or gave no answer.
    #[error("the door: {0}")]
    Door(#[from] RelayError),
    /// No token could be signed.
    #[error("no token: {0}")]
    Token(#[from] jws::SignError),
    /// The caller lacks the role that the route needs.
    #[error("not permitted")]
    Forbidden,
    /// Nobody can say whether the request is a replay.
    #[error("the nonce cannot be checked: {0}")]
    Unchecked(#[source] CacheError),
    /// The client has called too often; it may call again after this time.
    #[error("the client has called too often")]
    TooManyRequests(Duration),
    /// The operation is never offered on this resource.
    #[error("the operation is not offered")]
    NotOffered,
    /// The body cannot be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The query of a list cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The domain refuses, or cannot decide.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The provider refuses, or cannot be asked.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The provider says what is wrong. It has moved nothing.
    #[error("the provider says no: {}", .0.code().escape_debug())]
    Provider(ProviderErrors),
    /// The payer's bank or the provider's own checks said no. Nothing was moved.
    #[error("{provider} declines: {}", decline.code.escape_debug())]
    Declined {
        /// Which provider.
        provider: Provider,
        /// Why, and what may help.
        decline: Decline,
    },
    /// A request that moves money comes without an `Idempotency-Key`, or with one that is none.
    #[error("no Idempotency-Key")]
    NoIdempotencyKey,
    /// The provider has been asked, and what came of it could not be written down.
    #[error("what came of it is not written down: {0}")]
    Unwritten(#[source] Box<DomainError>),
    /// A provider does not give up what it holds of a buyer, or nobody knows whether it has.
    #[error("the buyer is not closed: {0}")]
    NotClosed(#[source] Box<Self>),
    /// A webhook that is none of the provider's making, or cannot be read though it is.
    #[error("the webhook is not taken: {0}")]
    Webhook(&'static str),
    /// A notice whose signature does not verify.
    #[error("the notice is not genuine")]
    NotGenuine,
    /// The task that served the request died.
    #[error("the request was abandoned")]
    Abandoned,
}

impl From<FieldErrors> for ApiError {
    fn from(errors: FieldErrors) -> Self {
        Self::Domain(errors.into())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Domain(error.into())
    }
}

impl From<LogInError> for ApiError {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::Busy => Self::TooManyLogIns,
            LogInError::Store(error) => error.into(),
            LogInError::Password(error) => Self::Domain(error.into()),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        let response = answer(self);
        if response.status().is_server_error() {
            log::error!("{}", chain(self));
        } else {
            log::info!("{}: {self}", response.status().as_u16());
        }
        response
    }
}

/// The one place that decides what each error is to a client.
fn answer(error: &ApiError) -> HttpResponse {
    match error {
        ApiError::Unauthenticated => unauthenticated(),
        ApiError::TokenExpired => token("Token has expired"),
        ApiError::InvalidToken => token("Invalid token"),
        ApiError::WrongPassword => {
            let body = json!({ "detail": "Invalid username or password" });
            HttpResponse::Unauthorized().insert_header((WWW_AUTHENTICATE, "Bearer")).json(body)
        }
        ApiError::TooManyLogIns => {
            let wait = Duration::from_secs(1);
            later(StatusCode::SERVICE_UNAVAILABLE, "Too many log-ins at once.", wait)
        }
        ApiError::Path(error) => detail(StatusCode::BAD_REQUEST, &door::sentence_of(error)),
        ApiError::Door(error) => door::answer(error),
        ApiError::Token(_) => internal(),
        ApiError::NotSetUp(text) => detail(StatusCode::NOT_IMPLEMENTED, text),
        ApiError::Forbidden => {
            detail(StatusCode::FORBIDDEN, "You do not have permission to perform this action.")
        }
        ApiError::Unchecked(_) => later(
            StatusCode::SERVICE_UNAVAILABLE,
            "The request cannot be authenticated at the moment.",
            Duration::from_secs(1),
        ),
        ApiError::TooManyRequests(wait) => later(StatusCode::TOO_MANY_REQUESTS, "Too many requests.", *wait),
        ApiError::NotOffered => detail(StatusCode::FORBIDDEN, "This cannot be deleted."),
        ApiError::NotGenuine => detail(StatusCode::FORBIDDEN, "The notice is not genuine."),
        ApiError::Body(error) => body(error),
        ApiError::Query(QueryError::Wrong(errors)) => fields(errors),
        ApiError::Query(error @ QueryError::Unknown(_)) => {
            detail(StatusCode::BAD_REQUEST, &error.to_string())
        }
        ApiError::Domain(DomainError::Fields(errors)) => fields(errors),
        ApiError::Domain(DomainError::NotFound) => detail(StatusCode::NOT_FOUND, "Not found."),
        ApiError::Domain(DomainError::Stale) => {
            detail(StatusCode::PRECONDITION_FAILED, "The resource has changed since.")
        }
        ApiError::Domain(DomainError::UnderWay | DomainError::OtherRequest)
        | ApiError::NoIdempotencyKey
        | ApiError::Unwritten(_) => payment::keyed(error),
        ApiError::Domain(DomainError::Conflict(message) | DomainError::Integrity(message)) => {
            detail(StatusCode::CONFLICT, message)
        }
        ApiError::Domain(DomainError::Store(error)) => store(error),
        ApiError::Domain(DomainError::Crypt(_)) => {
            detail(StatusCode::INTERNAL_SERVER_ERROR, "A stored secret cannot be read.")
        }
        ApiError::Domain(DomainError::Pin(_)) => internal(),
        ApiError::Proxy(ProxyError::Refused(answer)) => refused(answer),
        ApiError::Proxy(error) => proxy(error),
        ApiError::Provider(errors) => said_no(errors),
        ApiError::Declined { provider, decline } => payment::declined(*provider, decline),
        ApiError::NotClosed(cause) => payment::not_closed(cause),
        ApiError::Webhook(message) => detail(StatusCode::BAD_REQUEST, message),
        ApiError::Abandoned => internal(),
    }
}

fn unauthenticated() -> HttpResponse {
    let body = json!({ "detail": "Authentication credentials were not accepted." });
    HttpResponse::Unauthorized().insert_header((WWW_AUTHENTICATE, "OAuth")).json(body)
}

/// As RFC 6750, section 3, says it.
fn token(text: &str) -> HttpResponse {
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{text}\"");
    let body = json!({ "detail": text });
    HttpResponse::Unauthorized().insert_header((WWW_AUTHENTICATE, challenge)).json(body)
}

/// Whole seconds, rounded up: whoever comes back then is not too early.
fn later(status: StatusCode, text: &str, wait: Duration) -> HttpResponse {
    let seconds = wait.as_millis().div_ceil(1000).max(1).to_string();
    HttpResponse::build(status).insert_header((RETRY_AFTER, seconds)).json(json!({ "detail": text }))
}

fn store(error: &StoreError) -> HttpResponse {
    match error {
        StoreError::Unreachable(_) => {
            detail(StatusCode::INTERNAL_SERVER_ERROR, "The database is out of reach.")
        }
        StoreError::Busy(_) | StoreError::StatementTimeout(_) => {
            let wait = Duration::from_secs(1);
            later(StatusCode::SERVICE_UNAVAILABLE, "The database is busy.", wait)
        }
        // A constraint that is in no table of ours, and what only a domain error should carry, are defects.
        StoreError::Constraint(_)
        | StoreError::Stale { .. }
        | StoreError::NotFound
        | StoreError::Query(_)
        | StoreError::Interrupted => internal(),
    }
}

fn internal() -> HttpResponse {
    detail(StatusCode::INTERNAL_SERVER_ERROR, "An internal error; the log has more.")
}

/// An error with its sources, for the log.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        // Many errors already show their source.
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
