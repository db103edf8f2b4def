//! What a sandbox is started with.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};

/// Everything that a sandbox is told.
#[derive(Clone, Debug)]
pub struct SandboxSettings {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The one account at the reference provider.
    pub reference: ReferenceAccount,
    /// The keys that sign the reference provider's notices, by their numeric id; the highest id signs.
    pub notice_keys: BTreeMap<u64, SecretString>,
    /// The one account at Stripe.
    pub stripe: StripeAccount,
    /// The one account at PayPal.
    pub paypal: PaypalAccount,
    /// The one account at Braintree.
    pub braintree: BraintreeAccount,
}

/// The credentials of one consumer of the reference provider.
#[derive(Clone)]
pub struct ReferenceAccount {
    /// The OAuth consumer key.
    pub consumer_key: String,
    /// The OAuth consumer secret.
    pub consumer_secret: SecretString,
    /// The realm that each request must name.
    pub realm: String,
}

/// The credentials of one Stripe account.
#[derive(Clone, Debug)]
pub struct StripeAccount {
    /// The API key, `sk_test_…`.
    pub secret_key: SecretString,
    /// What webhooks are signed with, `whsec_…`; all of it is the key.
    pub webhook_secret: SecretString,
}

/// The credentials of one PayPal application, and the id of its webhook.
#[derive(Clone)]
pub struct PaypalAccount {
    /// The OAuth 2.0 client id.
    pub client_id: String,
    /// The OAuth 2.0 client secret.
    pub client_secret: SecretString,
    /// The webhook's id, which is part of what is signed.
    pub webhook_id: String,
}

/// The credentials of one Braintree merchant.
#[derive(Clone)]
pub struct BraintreeAccount {
    /// The merchant's id, which is part of every path.
    pub merchant_id: String,
    /// The public API key.
    pub public_key: String,
    /// The private API key, which signs webhooks too.
    pub private_key: SecretString,
}

impl fmt::Debug for ReferenceAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReferenceAccount").field("realm", &self.realm).finish_non_exhaustive()
    }
}

impl fmt::Debug for PaypalAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PaypalAccount").field("webhook_id", &self.webhook_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for BraintreeAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("BraintreeAccount");
        shown.field("merchant_id", &self.merchant_id).finish_non_exhaustive()
    }
}

impl SandboxSettings {
    /// The first setting that is blank, by name: with a blank secret anyone could sign.
    pub(crate) fn blank(&self) -> Option<&'static str> {
        if self.notice_keys.is_empty() {
            return Some("a notice key");
        }
        let Self { reference, stripe, paypal, braintree, .. } = self;
        let mut settings = vec![
            ("the reference consumer key", reference.consumer_key.as_str()),
            ("the reference consumer secret", reference.consumer_secret.expose_secret()),
            ("the reference realm", &reference.realm),
            ("the Stripe secret key", stripe.secret_key.expose_secret()),
            ("the Stripe webhook secret", stripe.webhook_secret.expose_secret()),
            ("the PayPal client id", &paypal.client_id),
            ("the PayPal client secret", paypal.client_secret.expose_secret()),
            ("the PayPal webhook id", &paypal.webhook_id),
            ("the Braintree merchant id", &braintree.merchant_id),
            ("the Braintree public key", &braintree.public_key),
            ("the Braintree private key", braintree.private_key.expose_secret()),
        ];
        settings.extend(self.notice_keys.values().map(|key| ("a notice key", key.expose_secret())));
        settings.into_iter().find(|(_, value)| value.trim().is_empty()).map(|(name, _)| name)
    }
}
