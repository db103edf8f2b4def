//! What a client is told when a payment is declined, and when a provider does not give up what it holds.

use actix_web::{HttpResponse, http::StatusCode};
use serde_json::json;
use wire::{
    ErrorKind,
    payment::{Decline, Provider},
};

use super::ApiError;
use crate::proxy_client::ProxyError;

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
