//! `[providers.paypal]`.

use std::time::Duration;

use chassis::{
    base_url::BaseUrl,
    client::ClientSettings,
    settings::{SecretString, Section},
};

use crate::providers::settings::{read_client, read_header_text, read_url};

const URL: &str = "https://api-m.paypal.com";
const CERTIFICATE_HOST: &str = "api.paypal.com";
const TIMEOUT: Duration = Duration::from_secs(30);

/// How PayPal is reached, and the credentials that it knows us by.
#[derive(Clone, Debug)]
pub struct PaypalSettings {
    /// Where it is; the only place that its requests are ever sent to.
    pub url: BaseUrl,
    /// Names us when a token is asked for.
    pub client_id: SecretString,
    /// Authorizes that.
    pub client_secret: SecretString,
    /// The ids of its webhooks, which are part of what is signed; several during a change.
    pub webhook_ids: Vec<String>,
    /// The only host that a certificate for its webhooks is fetched from.
    pub certificate_host: String,
    /// Limits, and whom to trust.
    pub client: ClientSettings,
}

impl PaypalSettings {
    /// Reads `url`, `client_id`, `client_secret`, `webhook_ids` and `certificate_host`, and the keys of [`read_client`].
    #[must_use]
    pub fn read(section: &Section) -> Self {
        Self {
            url: read_url(section, URL),
            client_id: section.required("client_id"),
            client_secret: section.required("client_secret"),
            webhook_ids: read_webhook_ids(section),
            certificate_host: read_header_text(section, "certificate_host", CERTIFICATE_HOST),
            client: read_client(section, TIMEOUT),
        }
    }

    /// What no answer may hold.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        [self.client_id.clone(), self.client_secret.clone()].into_iter()
    }
}

fn read_webhook_ids(section: &Section) -> Vec<String> {
    let ids: Vec<String> = section.required("webhook_ids");
    if section.has("webhook_ids") && (ids.is_empty() || ids.iter().any(|id| id.trim().is_empty())) {
        section.fault("webhook_ids", "expected at least one id and no blank one");
    }
    ids
}
