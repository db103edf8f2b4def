//! provider-proxy's settings, with every provider at one sandbox.

use std::path::Path;

use toml::{Table, Value};

use super::{NOTICE_KEY_ID, REALM, Secret, server, table, text};

/// What provider-proxy's settings are made of.
pub struct ProviderProxy<'a> {
    /// The address to listen on.
    pub listen: String,
    /// The file that it writes its address to, when somebody waits for it.
    pub address_file: Option<&'a Path>,
    /// The URL of the sandbox that plays all providers.
    pub sandbox: String,
    /// The account at the reference provider.
    pub reference: ReferenceSecrets,
    /// The account at Stripe.
    pub stripe: StripeSecrets,
    /// The account at PayPal.
    pub paypal: PaypalSecrets,
    /// The account at Braintree.
    pub braintree: BraintreeSecrets,
    /// The public key of the identity that db-server signs.
    pub identity_public_key: &'a Path,
}

/// An account at the reference provider.
pub struct ReferenceSecrets {
    /// The OAuth consumer key.
    pub consumer_key: Secret,
    /// The OAuth consumer secret.
    pub consumer_secret: Secret,
    /// The key that the provider signs its notices with.
    pub notice_key: Secret,
}

/// An account at Stripe.
pub struct StripeSecrets {
    /// The API key.
    pub secret_key: Secret,
    /// What webhooks are signed with.
    pub webhook_secret: Secret,
}

/// An account at PayPal.
pub struct PaypalSecrets {
    /// The client id.
    pub client_id: Secret,
    /// The client secret.
    pub client_secret: Secret,
    /// The id of the webhook.
    pub webhook_id: String,
}

/// An account at Braintree.
pub struct BraintreeSecrets {
    /// The merchant's id.
    pub merchant_id: String,
    /// The public API key.
    pub public_key: Secret,
    /// The private API key.
    pub private_key: Secret,
}

impl ProviderProxy<'_> {
    /// The settings file's content.
    #[must_use]
    pub fn table(&self) -> Table {
        let providers = table([
            ("reference", self.reference()),
            ("stripe", self.stripe()),
            ("paypal", self.paypal()),
            ("braintree", self.braintree()),
        ]);
        let keys = vec![text(self.identity_public_key.display())];
        table([
            ("server", server(&self.listen, self.address_file)),
            ("identity", table([("public_keys", keys.into())]).into()),
            ("providers", providers.into()),
        ])
    }

    fn reference(&self) -> Value {
        let ReferenceSecrets { consumer_key, consumer_secret, notice_key } = &self.reference;
        let reference = table([
            ("url", text(&self.sandbox)),
            ("realm", text(REALM)),
            ("consumer_key", consumer_key.0.clone()),
            ("consumer_secret", consumer_secret.0.clone()),
            ("notice_keys", table([(NOTICE_KEY_ID.to_string().as_str(), notice_key.0.clone())]).into()),
        ]);
        reference.into()
    }

    fn stripe(&self) -> Value {
        let StripeSecrets { secret_key, webhook_secret } = &self.stripe;
        let stripe = table([
            ("url", self.under("stripe")),
            ("secret_key", secret_key.0.clone()),
            ("webhook_secrets", vec![webhook_secret.0.clone()].into()),
        ]);
        stripe.into()
    }

    fn paypal(&self) -> Value {
        let PaypalSecrets { client_id, client_secret, webhook_id } = &self.paypal;
        let paypal = table([
            ("url", self.under("paypal")),
            ("client_id", client_id.0.clone()),
            ("client_secret", client_secret.0.clone()),
            ("webhook_ids", vec![text(webhook_id)].into()),
        ]);
        paypal.into()
    }

    fn braintree(&self) -> Value {
        let BraintreeSecrets { merchant_id, public_key, private_key } = &self.braintree;
        let accounts = ["usd", "eur", "gbp", "cad", "jpy"]
            .map(|currency| (currency.to_uppercase(), text(format!("sandbox_{currency}"))));
        let braintree = table([
            ("url", self.under("braintree")),
            ("merchant_id", text(merchant_id)),
            ("public_key", public_key.0.clone()),
            ("private_key", private_key.0.clone()),
            ("merchant_accounts", Table::from_iter(accounts).into()),
        ]);
        braintree.into()
    }

    fn under(&self, provider: &str) -> Value {
        text(format!("{}/{provider}", self.sandbox))
    }
}
