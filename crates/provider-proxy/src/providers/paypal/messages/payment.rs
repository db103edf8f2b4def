//! Payments v2.

use serde::{Deserialize, Serialize};

use crate::providers::paypal::amount::Amount;

/// Declares a status: PayPal's words, and nothing else.
macro_rules! status {
    ($(#[$documentation:meta])* $name:ident: $($variant:ident = $word:literal),+) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
        pub(crate) enum $name {
            $(#[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// PayPal's word.
            pub(crate) const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

status! {
    /// How an authorization stands.
    AuthorizationStatus: Created = "CREATED", Captured = "CAPTURED", Denied = "DENIED",
        PartiallyCaptured = "PARTIALLY_CAPTURED", Voided = "VOIDED", Pending = "PENDING"
}

status! {
    /// How a capture stands.
    CaptureStatus: Completed = "COMPLETED", Declined = "DECLINED", PartiallyRefunded = "PARTIALLY_REFUNDED",
        Pending = "PENDING", Refunded = "REFUNDED", Failed = "FAILED"
}

status! {
    /// How a refund stands.
    RefundStatus: Cancelled = "CANCELLED", Failed = "FAILED", Pending = "PENDING", Completed = "COMPLETED"
}

/// What a card's processor said.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Processor {
    #[serde(default)]
    pub(crate) response_code: Option<String>,
}

/// Why something is not through.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct StatusDetails {
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Authorization {
    pub(crate) id: String,
    pub(crate) status: AuthorizationStatus,
    #[serde(default)]
    pub(crate) status_details: Option<StatusDetails>,
    #[serde(default)]
    pub(crate) processor_response: Option<Processor>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Capture {
    pub(crate) id: String,
    pub(crate) status: CaptureStatus,
    pub(crate) amount: Amount,
    #[serde(default)]
    pub(crate) status_details: Option<StatusDetails>,
    #[serde(default)]
    pub(crate) processor_response: Option<Processor>,
    #[serde(default)]
    pub(crate) custom_id: Option<String>,
    #[serde(default)]
    pub(crate) supplementary_data: Supplementary,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) status: RefundStatus,
    pub(crate) amount: Amount,
    #[serde(default)]
    pub(crate) status_details: Option<StatusDetails>,
    #[serde(default)]
    pub(crate) custom_id: Option<String>,
}

/// What a payment belongs to.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Supplementary {
    #[serde(default)]
    pub(crate) related_ids: Related,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Related {
    #[serde(default)]
    pub(crate) order_id: Option<String>,
    #[serde(default)]
    pub(crate) authorization_id: Option<String>,
}

/// `POST /v2/payments/authorizations/{id}/capture`.
#[derive(Debug, Serialize)]
pub(crate) struct NewCapture {
    pub(crate) amount: Amount,
    pub(crate) invoice_id: String,
    pub(crate) final_capture: bool,
}

/// `POST /v2/payments/captures/{id}/refund`.
#[derive(Debug, Serialize)]
pub(crate) struct NewRefund {
    pub(crate) amount: Amount,
    pub(crate) custom_id: String,
    pub(crate) invoice_id: String,
}
