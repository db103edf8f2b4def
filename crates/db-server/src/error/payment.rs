//! What a client is told when a payment is declined, and when a provider does not give up what it holds.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::RETRY_AFTER},
};
use serde_json::json;
use wire::{
    ErrorKind,
    payment::{Decline, Provider},
};

use super::{ApiError, later};
use crate::{domain::DomainError, proxy_client::ProxyError, store::StoreError};

impl ApiError {
    /// Why a webhook is not taken.
    pub(crate) fn of_webhook(error: ProxyError) -> Self {
        match error.kind() {
            Some(ErrorKind::InvalidSignature) => Self::NotGenuine,
            Some(ErrorKind::InvalidRequest) => Self::Webhook("The webhook cannot be read."),
            Some(ErrorKind::Unsupported) => Self::Webhook("The provider posts no such webhooks."),
            _ => Self::Proxy(error),
        }
    }
}

/// 402, with the provider's code and words, and what may help.
pub(super) fn declined(provider: Provider, decline: &Decline) -> HttpResponse {
    let body = json!({
        "detail": "Declined. Nothing was charged.",
        "provider": provider,
        "decline": decline,
    });
    HttpResponse::build(StatusCode::PAYMENT_REQUIRED).json(body)
}

/// 500: the buyer is as before. What is known of the cause is told as it would be told alone.
pub(super) fn not_closed(cause: &ApiError) -> HttpResponse {
    let target = match cause {
        ApiError::Proxy(error) => error.target().to_owned(),
        ApiError::Provider(errors) => errors.provider().to_string(),
        ApiError::Declined { provider, .. } => provider.to_string(),
        _ => "a provider".to_owned(),
    };
    let detail = format!("The buyer is not closed: {target} has not given up all that it holds. Try again.");
    HttpResponse::InternalServerError().json(json!({ "detail": detail }))
}

/// What a client is told about its `Idempotency-Key`.
pub(super) fn keyed(error: &ApiError) -> HttpResponse {
    let told = |detail: &str| json!({"detail": detail, "code": "idempotency_key"});
    match error {
        ApiError::Domain(DomainError::UnderWay) => HttpResponse::Conflict()
            .insert_header((RETRY_AFTER, "1"))
            .json(told("The same request is being carried out. Send it again later.")),
        ApiError::Domain(DomainError::OtherRequest) => HttpResponse::UnprocessableEntity()
            .json(told("This Idempotency-Key was used for a request with another body.")),
        ApiError::NoIdempotencyKey => HttpResponse::BadRequest()
            .json(told("The header Idempotency-Key is required: 1 to 255 visible ASCII characters.")),
        ApiError::Unwritten(cause) => unwritten(cause),
        _ => HttpResponse::InternalServerError().json(told("An internal error; the log has more.")),
    }
}

/// The outcome is not lost: the operation is open, and the same request goes on with it.
fn unwritten(cause: &DomainError) -> HttpResponse {
    let detail = "The provider was asked, and the outcome could not be written down. Send the same request with the \
                  same Idempotency-Key again.";
    match cause {
        DomainError::Store(StoreError::Busy(_) | StoreError::StatementTimeout(_)) => {
            later(StatusCode::SERVICE_UNAVAILABLE, detail, Duration::from_secs(1))
        }
        _ => HttpResponse::InternalServerError().json(json!({ "detail": detail })),
    }
}
