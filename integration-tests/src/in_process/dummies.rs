//! The secrets of a pair in tests, which are none, and the settings made with them.

use std::path::Path;

use provider_sandbox::{BraintreeAccount, PaypalAccount, ReferenceAccount, SandboxSettings, StripeAccount};
use secrecy::{ExposeSecret, SecretString};
use toml::Table;

use crate::{
    postgres::ROLE,
    settings::{
        BraintreeSecrets, DbServer, NOTICE_KEY_ID, PaypalSecrets, ProviderProxy, REALM, ReferenceSecrets,
        Secret, StripeSecrets, identity_key, identity_public_key, merge,
    },
};

/// The secrets of a pair in tests, which are none.
#[derive(Clone, Debug)]
pub struct Dummies {
    /// The key of the client with all roles.
    pub client_key: String,
    /// Its secret.
    pub client_secret: String,
    /// The OAuth consumer key at the provider.
    pub consumer_key: String,
    /// The OAuth consumer secret there.
    pub consumer_secret: String,
    /// What the provider signs its notices with.
    pub notice_key: String,
    /// What db-server encrypts with.
    pub encryption_key: String,
    /// What db-server finds encrypted values with.
    pub lookup_key: String,
    /// What db-server mixes into its hashes of PINs.
    pub pepper: String,
    /// The account at Stripe.
    pub stripe: StripeAccount,
    /// The account at PayPal.
    pub paypal: PaypalAccount,
    /// The account at Braintree.
    pub braintree: BraintreeAccount,
}

impl Default for Dummies {
    fn default() -> Self {
        let dummy = |name: &str| format!("dummy-{name}");
        Self {
            client_key: dummy("client"),
            client_secret: dummy("client-secret-0"),
            consumer_key: dummy("consumer-key"),
            consumer_secret: dummy("consumer-secret"),
            notice_key: dummy("notice-key"),
            // 32 zero bytes.
            encryption_key: format!("{}=", "A".repeat(43)),
            lookup_key: dummy("lookup-key-0"),
            pepper: dummy("pepper-of-pins"),
            stripe: StripeAccount {
                secret_key: "sk_test_dummy-stripe-key".into(),
                webhook_secret: "whsec_dummy-stripe-webhook".into(),
            },
            paypal: PaypalAccount {
                client_id: dummy("paypal-client"),
                client_secret: dummy("paypal-client-secret").into(),
                webhook_id: dummy("paypal-webhook"),
            },
            braintree: BraintreeAccount {
                merchant_id: "dummymerchant".to_owned(),
                public_key: dummy("braintree-public-key"),
                private_key: dummy("braintree-private-key").into(),
            },
        }
    }
}

/// db-server's settings for tests.
#[must_use]
pub fn db_server_settings(socket_folder: &Path, database: &str, proxy_url: &str, dummies: &Dummies) -> Table {
    let mut table = DbServer {
        listen: "127.0.0.1:0".to_owned(),
        address_file: None,
        postgres_socket: socket_folder,
        database,
        user: ROLE,
        encryption_key: Secret::literal(&dummies.encryption_key),
        lookup_key: Secret::literal(&dummies.lookup_key),
        pepper: Secret::literal(&dummies.pepper),
        client_key: &dummies.client_key,
        client_secret: Secret::literal(&dummies.client_secret),
        proxy_url: proxy_url.to_owned(),
        identity_key: Secret::file(&identity_key()),
    }
    .table();
    merge(&mut table, small());
    merge(&mut table, cheap_pins());
    table
}

/// Hashes of PINs that take no time, for they guard nobody's.
fn cheap_pins() -> Table {
    let pin = Table::from_iter([("memory_kib".to_owned(), 64.into()), ("iterations".to_owned(), 1.into())]);
    Table::from_iter([("pin".to_owned(), pin.into())])
}

/// provider-proxy's settings for tests.
#[must_use]
pub fn provider_proxy_settings(sandbox_url: &str, dummies: &Dummies) -> Table {
    let secret = |secret: &SecretString| Secret::literal(secret.expose_secret());
    let mut table = ProviderProxy {
        listen: "127.0.0.1:0".to_owned(),
        address_file: None,
        sandbox: sandbox_url.to_owned(),
        reference: ReferenceSecrets {
            consumer_key: Secret::literal(&dummies.consumer_key),
            consumer_secret: Secret::literal(&dummies.consumer_secret),
            notice_key: Secret::literal(&dummies.notice_key),
        },
        stripe: StripeSecrets {
            secret_key: secret(&dummies.stripe.secret_key),
            webhook_secret: secret(&dummies.stripe.webhook_secret),
        },
        paypal: PaypalSecrets {
            client_id: Secret::literal(&dummies.paypal.client_id),
            client_secret: secret(&dummies.paypal.client_secret),
            webhook_id: dummies.paypal.webhook_id.clone(),
        },
        braintree: BraintreeSecrets {
            merchant_id: dummies.braintree.merchant_id.clone(),
            public_key: Secret::literal(&dummies.braintree.public_key),
            private_key: secret(&dummies.braintree.private_key),
        },
        identity_public_key: &identity_public_key(),
    }
    .table();
    merge(&mut table, small());
    table
}

/// Many pairs run at once, each for a handful of requests.
fn small() -> Table {
    let server = Table::from_iter([("workers".to_owned(), 1.into())]);
    Table::from_iter([("server".to_owned(), server.into())])
}

/// The sandbox's settings for tests.
#[must_use]
pub fn sandbox_settings(dummies: &Dummies) -> SandboxSettings {
    SandboxSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        reference: ReferenceAccount {
            consumer_key: dummies.consumer_key.clone(),
            consumer_secret: dummies.consumer_secret.clone().into(),
            realm: REALM.to_owned(),
        },
        notice_keys: [(NOTICE_KEY_ID, dummies.notice_key.clone().into())].into(),
        stripe: dummies.stripe.clone(),
        paypal: dummies.paypal.clone(),
        braintree: dummies.braintree.clone(),
    }
}
