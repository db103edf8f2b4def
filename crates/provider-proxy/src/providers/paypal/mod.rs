//! PayPal.

mod config;

use chassis::client::ClientError;
use wire::payment::{OperationName, Provider};

use super::{capability::Row, connect::Connect, exchange::Exchange};
use crate::credentials::Withheld;

pub use config::PaypalSettings;

/// What PayPal offers here.
pub const CAPABILITIES: &[Row] = &[
    Row::no(OperationName::ClientToken, ""),
    Row::no(OperationName::CreateCustomer, ""),
    Row::no(OperationName::StorePaymentMethod, ""),
    Row::no(OperationName::DeletePaymentMethod, ""),
    Row::no(OperationName::Authorize, ""),
    Row::no(OperationName::Capture, ""),
    Row::no(OperationName::Void, ""),
    Row::no(OperationName::Refund, ""),
    Row::no(OperationName::Lookup, ""),
    Row::no(OperationName::StartCheckout, ""),
    Row::no(OperationName::CompleteCheckout, ""),
    Row::no(OperationName::Subscribe, ""),
    Row::no(OperationName::ChangeSubscriptionPaymentMethod, ""),
    Row::no(OperationName::CancelSubscription, ""),
    Row::no(OperationName::VerifyWebhook, ""),
    Row::no(OperationName::AnswerWebhookChallenge, ""),
    Row::no(OperationName::Health, ""),
];

/// PayPal's connector.
pub struct Paypal {
    exchange: Exchange,
}

impl Paypal {
    /// Makes the connector of one worker.
    ///
    /// # Errors
    /// [`ClientError`] when the certificate authority cannot be read.
    pub fn new(settings: &PaypalSettings) -> Result<Self, ClientError> {
        let mut withheld = Withheld::default();
        settings.secrets().for_each(|secret| withheld.add_secret(&secret));
        Ok(Self { exchange: Exchange::new(Provider::Paypal, &settings.client, withheld)? })
    }
}

impl Connect for Paypal {
    const PROVIDER: Provider = Provider::Paypal;
    const CAPABILITIES: &'static [Row] = CAPABILITIES;

    fn withheld(&self) -> &Withheld {
        self.exchange.withheld()
    }
}
