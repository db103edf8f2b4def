//! What the harness and the local pair tell the sandbox: its settings as arguments, and where webhooks go.

use actix_web::http::Method;
use provider_sandbox::SandboxSettings;
use secrecy::ExposeSecret;
use serde_json::json;
use thiserror::Error;

use crate::client::{Answer, Client, RequestError};

/// The providers that post webhooks. The reference provider's notices go where each purchase says.
const WITH_WEBHOOKS: [&str; 3] = ["stripe", "paypal", "braintree"];

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

/// Has the sandbox post the webhooks of every provider that has some to a db-server.
///
/// # Errors
/// [`WebhookError`] when the sandbox does not take the address.
pub async fn send_webhooks(sandbox: &str, db_server: &str) -> Result<(), WebhookError> {
    let client = Client::unsigned(sandbox);
    for provider in WITH_WEBHOOKS {
        let url = format!("{db_server}/webhooks/{provider}/");
        let request = client.request(Method::POST, "/_sandbox/webhooks");
        let answer = request.json(&json!({"provider": provider, "url": url})).send().await?;
        if answer.status != 201 {
            return Err(WebhookError::Refused(answer));
        }
    }
    Ok(())
}

/// Why the sandbox does not post webhooks where it should.
#[derive(Debug, Error)]
pub enum WebhookError {
    /// It does not answer.
    #[error(transparent)]
    NoAnswer(#[from] RequestError),
    /// It does not take the address.
    #[error("the sandbox refuses the address of webhooks: {0:?}")]
    Refused(Answer),
}
