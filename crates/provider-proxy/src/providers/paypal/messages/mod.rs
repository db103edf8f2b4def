//! PayPal's JSON: what is sent, and what is read of an answer. Unknown fields are passed over.

mod order;
mod payment;
mod reporting;
mod vault;

pub(crate) use order::{
    Context, Intent, NewOrder, NewUnit, Order, OrderStatus, PayingCard, PayingWallet, PaymentSource, Unit,
    Verification,
};
pub(crate) use payment::{
    Authorization, AuthorizationStatus, Capture, CaptureStatus, NewCapture, NewRefund, Refund, RefundStatus,
};
pub(crate) use reporting::{Transaction, TransactionInfo, TransactionPage};
pub(crate) use vault::{NewPaymentToken, NewSetupToken, PaymentToken, SetupToken};

use serde::Deserialize;

/// A link of an answer (HATEOAS).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Link {
    pub(crate) href: String,
    pub(crate) rel: String,
}
