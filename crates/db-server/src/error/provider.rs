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

use crate::{provider_errors::ProviderErrors, proxy_client::ProxyError, store::id::TransactionId, uri::Kind};

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

/// No answer of the provider. `transaction` is the payment whose outcome is not known.
pub(super) fn proxy(error: &ProxyError, transaction: Option<TransactionId>) -> HttpResponse {
    let status = status_of(error.kind());
    let unknown = error.outcome_is_unknown();
    let consequence =
        if unknown { "The request may have been carried out." } else { "The request was not carried out." };
    let mut body = json!({
        "detail": format!("{} {consequence}", sentence(error)),
        "proxy_error": {
            "target": error.target(),
            "kind": error.kind().map(ErrorKind::name),
            "status": error.proxy_status(),
            "outcome": if unknown { "unknown" } else { "not_sent" },
        },
    });
    if let Some(transaction) = transaction {
        body["proxy_error"]["transaction"] = Kind::Transaction.uri(transaction).into();
    }
    HttpResponse::build(status).json(body)
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
    let target = error.target();
    let what = match error.kind() {
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
    match error.proxy_status() {
        Some(status) => format!("Proxy returned: {status} from: {target}. {target} {what}."),
        None => format!("{target} {what}."),
    }
}
