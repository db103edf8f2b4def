//! What the provider answers instead of a result: `{"code", "message"}` with the code's own status.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Value, json};
use thiserror::Error;

/// A refused request.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    /// The body is well formed and its fields are not: one message for each.
    #[error("a field is not valid")]
    InvalidArgument(BTreeMap<String, String>),
    /// The body is no JSON object.
    #[error("the body is not a JSON object")]
    InvalidContent,
    /// The body is no JSON.
    #[error("the body is not application/json")]
    UnsupportedMediaType,
    /// The body is larger than is read.
    #[error("the body is too large")]
    RequestEntityTooLarge,
    /// There is no such object or path.
    #[error("{0}")]
    NotFound(String),
    /// The path has no such method.
    #[error("{0}")]
    BadMethod(String),
    /// The request is not signed as it must be.
    #[error("{reason}")]
    Unauthorized {
        /// What is wrong with it; this provider serves developers, so it says so.
        reason: String,
        /// The realm to sign for.
        realm: String,
    },
    /// The sandbox itself failed.
    #[error("the sandbox failed")]
    Internal,
}

impl Refusal {
    /// One field that is not valid.
    pub(super) fn field(name: &str, message: impl Into<String>) -> Self {
        Self::InvalidArgument(BTreeMap::from([(name.to_owned(), message.into())]))
    }

    /// An object that is not there.
    pub(super) fn no_resource(uuid: &str) -> Self {
        Self::NotFound(format!("Resource with UUID \"{uuid}\" cannot be found."))
    }

    /// In words, for a person.
    pub(super) fn explain(&self) -> String {
        match self {
            Self::InvalidArgument(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, message)| format!("{name}: {message}")).collect();
                fields.join("; ")
            }
            other => other.to_string(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::InvalidArgument(_) => "InvalidArgument",
            Self::InvalidContent => "InvalidContent",
            Self::UnsupportedMediaType => "UnsupportedMediaTypeError",
            Self::RequestEntityTooLarge => "RequestEntityTooLargeError",
            Self::NotFound(_) => "ResourceNotFound",
            Self::BadMethod(_) => "BadMethod",
            Self::Unauthorized { .. } => "UnauthorizedError",
            Self::Internal => "InternalError",
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InvalidArgument(_) => StatusCode::CONFLICT,
            Self::InvalidContent => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RequestEntityTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::BadMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let message = match self {
            Self::InvalidArgument(fields) => json!(fields),
            other => Value::String(other.to_string()),
        };
        let mut response = HttpResponse::build(self.status_code());
        if let Self::Unauthorized { realm, .. } = self {
            let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
            response.insert_header((WWW_AUTHENTICATE, format!("OAuth realm=\"{realm}\"")));
        }
        response.json(json!({"code": self.code(), "message": message}))
    }
}
