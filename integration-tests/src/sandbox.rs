//! The sandbox's settings, and the same as arguments of its program.

use provider_sandbox::SandboxSettings;
use secrecy::ExposeSecret;

/// What `provider-sandbox` is started with, so that it is set as these settings say.
#[must_use]
pub fn arguments(settings: &SandboxSettings) -> Vec<String> {
    let SandboxSettings { listen, reference, notice_keys, stripe, paypal, braintree } = settings;
    let arguments = [
        ("listen", listen.to_string()),
        ("reference-key", reference.consumer_key.clone()),
        ("reference-secret", reference.consumer_secret.expose_secret().to_owned()),
        ("reference-realm", reference.realm.clone()),
        ("stripe-secret-key", stripe.secret_key.expose_secret().to_owned()),
        ("stripe-webhook-secret", stripe.webhook_secret.expose_secret().to_owned()),
        ("paypal-client-id", paypal.client_id.clone()),
        ("paypal-client-secret", paypal.client_secret.expose_secret().to_owned()),
        ("paypal-webhook-id", paypal.webhook_id.clone()),
        ("braintree-merchant-id", braintree.merchant_id.clone()),
        ("braintree-public-key", braintree.public_key.clone()),
        ("braintree-private-key", braintree.private_key.expose_secret().to_owned()),
    ];
    let keys = notice_keys.iter().map(|(id, key)| ("notice-key", format!("{id}:{}", key.expose_secret())));
    // One word each: a value may begin with a dash.
    arguments.into_iter().chain(keys).map(|(name, value)| format!("--{name}={value}")).collect()
}
