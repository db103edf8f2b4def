//! The body of a request: all of it, up to the limit, and said to be JSON.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web::Bytes};
use thiserror::Error;

use super::Form;
use crate::error::ApiError;

/// Why a body holds no fields.
#[derive(Debug, Error)]
pub enum BodyError {
    /// Not JSON at all, or not UTF-8, or nested too deeply; with the place, and without the text.
    #[error("The body is not JSON: {0}.")]
    Malformed(#[source] serde_json::Error),
    /// JSON, but no object.
    #[error("The body is not a JSON object.")]
    NotAnObject,
    /// A key that occurs twice, so that it is unclear which value is meant.
    #[error("The key occurs more than once.")]
    DuplicateKey(String),
    /// Not said to be JSON.
    #[error("The body must be JSON, with Content-Type: application/json.")]
    ContentType,
    /// Larger than `server.max_request_body`.
    #[error("The body is too large.")]
    TooLarge,
    /// The connection broke before the body was complete.
    #[error("The body is incomplete.")]
    Incomplete,
}

impl FromRequest for Form {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read_json(request, payload);
        Box::pin(async move { Ok(Self::parse(&body.await?)?) })
    }
}

/// Reads the whole body, up to the server's limit, if it is said to be JSON or is empty.
pub fn read_json(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes, BodyError>> + use<> {
    let json = is_json(request);
    let body = read_body(request, payload);
    async move {
        let body = body.await?;
        if json || body.is_empty() { Ok(body) } else { Err(BodyError::ContentType) }
    }
}

/// Reads the whole body, up to the server's limit.
pub fn read_body(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes, BodyError>> + use<> {
    let body = Bytes::from_request(request, payload);
    async move {
        body.await.map_err(|error| {
            // actix-web tells the two apart by their status alone.
            if error.as_response_error().status_code() == actix_web::http::StatusCode::PAYLOAD_TOO_LARGE {
                BodyError::TooLarge
            } else {
                BodyError::Incomplete
            }
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.content_type();
    content_type.is_empty() || content_type.eq_ignore_ascii_case("application/json")
}
