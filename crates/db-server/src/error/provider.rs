//! What a client is told when a provider refuses, and when provider-proxy has no answer of it.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, RETRY_AFTER},
    },
};
use serde_json::{Value, json};
use wire::{ErrorKind, ProviderAnswer};

use crate::{
    provider_errors::ProviderErrors,
    proxy_client::{ProxyError, Unanswered},
};

/// A provider's refusal: its status, when it wants to be asked again, and the message that its body holds, or else its
/// body. Whether a provider that failed itself (5xx) has acted is unknown, and the client is told so.
pub(super) fn refused(answer: &ProviderAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status)
        .ok()
        .filter(|status| status.is_client_error() || status.is_server_error())
        .unwrap_or(StatusCode::BAD_GATEWAY);
    let mut body = json!({ "error_message": message_of(&answer.body) });
    if answer.status >= 500 {
        body["outcome"] = "unknown".into();
    }
    let mut response = HttpResponse::build(status);
    let retry_after = answer.retry_after.as_ref().and_then(|value| HeaderValue::from_str(value).ok());
    if let Some(value) = retry_after {
        response.insert_header((RETRY_AFTER, value));
    }
    response.json(body)
}

fn message_of(body: &Value) -> &Value {
    body.get("message").or_else(|| body.get("error")?.get("message")).unwrap_or(body)
}

/// The provider's own words and codes.
pub(super) fn said_no(errors: &ProviderErrors) -> HttpResponse {
    let mut response = HttpResponse::UnprocessableEntity();
    let retry_after = errors.retry_after.as_ref().and_then(|value| HeaderValue::from_str(value).ok());
    if let Some(value) = retry_after {
        response.insert_header((RETRY_AFTER, value));
    }
    response.json(errors.json())
}

/// No answer of the provider.
pub(super) fn proxy(error: &ProxyError) -> HttpResponse {
    let (status, body) = unanswered(&Unanswered::of(error), error.outcome_is_unknown());
    HttpResponse::build(status).json(body)
}

/// The status and the body of what has no answer of the provider, which may have acted all the same.
#[must_use]
pub fn unanswered(why: &Unanswered, unknown: bool) -> (StatusCode, Value) {
    let consequence =
        if unknown { "The request may have been carried out." } else { "The request was not carried out." };
    let body = json!({
        "detail": format!("{} {consequence}", words(why)),
        "proxy_error": {
            "target": why.target,
            "kind": why.kind.map(ErrorKind::name),
            "status": why.status,
            "outcome": if unknown { "unknown" } else { "not_sent" },
        },
    });
    (status_of(why.kind), body)
}

/// The status of what the proxy could not do, or does not know to be done.
#[must_use]
pub const fn status_of(kind: Option<ErrorKind>) -> StatusCode {
    match kind {
        Some(ErrorKind::Timeout) => StatusCode::GATEWAY_TIMEOUT,
        Some(ErrorKind::Unsupported) => StatusCode::NOT_IMPLEMENTED,
        Some(ErrorKind::Policy) => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_GATEWAY,
    }
}

/// What happened, without what a client has no business with: addresses, certificates, the operating system's words.
#[must_use]
pub fn sentence(error: &ProxyError) -> String {
    words(&Unanswered::of(error))
}

fn words(why: &Unanswered) -> String {
    let target = &why.target;
    let what = match why.kind {
        Some(ErrorKind::Connect) => "could not be reached",
        Some(ErrorKind::Tls) => "could not be reached over TLS",
        Some(ErrorKind::Timeout) => "did not answer in time",
        Some(ErrorKind::Protocol) => "gave no valid answer",
        Some(ErrorKind::NotConfigured) => "is not configured on provider-proxy",
        Some(ErrorKind::Unsupported) => "does not offer this",
        Some(ErrorKind::Policy) => "was not asked: provider-proxy's limits do not allow it",
        Some(ErrorKind::Integrity) => "answered about something else than was asked for",
        Some(ErrorKind::InvalidRequest | ErrorKind::UnknownOperation) => {
            "was not asked: provider-proxy does not accept the request"
        }
        _ => "could not be asked",
    };
    match why.status {
        Some(status) => format!("Proxy returned: {status} from: {target}. {target} {what}."),
        None => format!("{target} {what}."),
    }
}
