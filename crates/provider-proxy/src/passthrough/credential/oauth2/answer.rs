//! The answer of a token endpoint (RFC 6749, sections 5.1 and 5.2), read strictly.

use std::time::Duration;

use bytes::BytesMut;
use futures_util::StreamExt as _;
use http::{StatusCode, header::CONTENT_TYPE};
use relay::{Frame, Incoming, IncomingBody};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::super::CredentialError;

/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// The longest token that is used, in bytes: it has to fit a header.
const LONGEST_TOKEN: usize = 8 * 1024;

/// How long a token is used whose life is not told.
const DEFAULT_LIFE: Duration = Duration::from_secs(300);

/// Nobody's clock is believed for longer.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 86_400);

/// A token, and how long it lives from the moment at which it was asked for.
pub(crate) struct Granted {
    /// What is sent.
    pub(crate) token: SecretString,
    /// How long it may be sent.
    pub(crate) life: Duration,
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// RFC 6749, section 5.2. Nothing else of a refusal is shown: it could repeat the request.
const CODES: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

pub(super) async fn read(incoming: Incoming) -> Result<Granted, CredentialError> {
    let (status, mut headers) = (incoming.status, incoming.headers);
    let content_type = headers.remove(CONTENT_TYPE);
    let body = collect(incoming.body).await?;
    let is_json = content_type.is_some_and(|value| is_json(value.as_bytes()));
    parse(status, is_json, &body)
}

/// Whether a content type is that of JSON.
pub(crate) fn is_json(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

async fn collect(mut body: IncomingBody) -> Result<BytesMut, CredentialError> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.next().await {
        if let Frame::Data(chunk) = frame.map_err(CredentialError::TokenExchange)? {
            if collected.len() + chunk.len() > LARGEST {
                return Err(CredentialError::TokenAnswer { reason: "it is too large" });
            }
            collected.extend_from_slice(&chunk);
        }
    }
    Ok(collected)
}

/// Reads an answer of which the body is complete.
///
/// # Errors
/// [`CredentialError`] when it grants no token that can be used.
pub(crate) fn parse(status: StatusCode, is_json: bool, body: &[u8]) -> Result<Granted, CredentialError> {
    if status != StatusCode::OK {
        let refusal = serde_json::from_slice::<Refusal>(body).ok();
        let known = |refusal: Refusal| CODES.into_iter().find(|code| *code == refusal.error);
        let code = refusal.and_then(known).unwrap_or("no known code");
        return Err(CredentialError::TokenRefused { status, code });
    }
    let wrong = |reason| Err(CredentialError::TokenAnswer { reason });
    if !is_json {
        return wrong("it is not application/json");
    }
    // The error of serde_json could show a part of the token.
    let Ok(grant) = serde_json::from_slice::<Grant>(body) else {
        return wrong("it is not the JSON of a token");
    };
    if !grant.token_type.eq_ignore_ascii_case("bearer") {
        return wrong("the token is no bearer token");
    }
    let token = SecretString::from(grant.access_token);
    let text = token.expose_secret();
    if text.is_empty() || text.len() > LONGEST_TOKEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("the token does not fit a header");
    }
    let life = grant.expires_in.map_or(DEFAULT_LIFE, Duration::from_secs).min(LONGEST_LIFE);
    if life.is_zero() {
        return wrong("the token has expired already");
    }
    Ok(Granted { token, life })
}

#[cfg(test)]
mod tests;
