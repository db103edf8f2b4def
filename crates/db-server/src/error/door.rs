//! What the door itself says, when its target does not.

use actix_web::{HttpResponse, http::StatusCode};
use relay::{RelayError, path::PathError};
use serde_json::json;

/// Says in an answer that it is the door's own and not its target's, and what went wrong.
const DOOR_ERROR: &str = "X-Proxy-Error";

pub(super) fn sentence_of(error: &PathError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// What the door itself says when its target does not: the header tells it from every answer of a target.
pub(super) fn answer(error: &RelayError) -> HttpResponse {
    let (status, kind, what) = match error {
        RelayError::Unsendable { .. } => (StatusCode::BAD_REQUEST, "invalid_request", "cannot be asked this"),
        RelayError::Resolve(_) | RelayError::Egress { .. } | RelayError::Connect(_) => {
            (StatusCode::BAD_GATEWAY, "connect", "could not be reached")
        }
        RelayError::ConnectTimeout { .. } => {
            (StatusCode::GATEWAY_TIMEOUT, "connect", "could not be reached in time")
        }
        RelayError::Tls(_) => (StatusCode::BAD_GATEWAY, "tls", "could not be reached over TLS"),
        RelayError::Timeout { .. } => (StatusCode::GATEWAY_TIMEOUT, "timeout", "did not answer in time"),
        RelayError::Protocol(_) | RelayError::Truncated(_) | RelayError::Withheld { .. } => {
            (StatusCode::BAD_GATEWAY, "protocol", "gave no valid answer")
        }
        RelayError::RequestTooLarge { .. } => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_request",
            "was not sent the whole request: it is too large",
        ),
        RelayError::RequestBody(_) => {
            (StatusCode::BAD_REQUEST, "invalid_request", "was not sent the whole request: it broke off")
        }
    };
    let unknown = error.was_sent();
    let body = json!({
        "detail": format!("The door's target {what}."),
        "proxy_error": {
            "target": "door",
            "kind": kind,
            "status": null,
            "outcome": if unknown { "unknown" } else { "not_sent" },
        },
    });
    HttpResponse::build(status).insert_header((DOOR_ERROR, kind)).json(body)
}
