//! `[providers.stripe]`.

use std::time::Duration;

use chassis::{
    base_url::BaseUrl,
    client::ClientSettings,
    settings::{SecretString, Section},
};

use crate::providers::settings::{read_client, read_header_text, read_secrets, read_url};

const URL: &str = "https://api.stripe.com";
/// The version whose shapes this connector reads.
const API_VERSION: &str = "2026-10-28.endive";
/// Its own libraries wait for 80 s; the proxy's callers do not.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How Stripe is reached, and the credentials that it knows us by.
#[derive(Clone, Debug)]
pub struct StripeSettings {
    /// Where it is; the only place that its requests are ever sent to.
    pub url: BaseUrl,
    /// Authorizes the requests.
    pub secret_key: SecretString,
    /// Verify its webhooks; several during a rotation.
    pub webhook_secrets: Vec<SecretString>,
    /// The version of its API that this connector was made for (`Stripe-Version`).
    pub api_version: String,
    /// Limits, and whom to trust.
    pub client: ClientSettings,
}

impl StripeSettings {
    /// Reads `url`, `secret_key`, `webhook_secrets` and `api_version`, and the limits and `ca` that all providers have.
    #[must_use]
    pub fn read(section: &Section) -> Self {
        Self {
            url: read_url(section, URL),
            secret_key: section.required("secret_key"),
            webhook_secrets: read_secrets(section, "webhook_secrets"),
            api_version: read_header_text(section, "api_version", API_VERSION),
            client: read_client(section, TIMEOUT),
        }
    }

    /// What no answer may hold.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        self.webhook_secrets.iter().cloned().chain([self.secret_key.clone()])
    }
}
