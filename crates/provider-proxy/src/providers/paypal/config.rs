//! `[providers.paypal]`.

use std::{fmt, sync::Arc, time::Duration};

use chassis::{
    base_url::BaseUrl,
    client::ClientSettings,
    settings::{SecretString, Section},
};

use super::certificate::Certificates;
use crate::{
    passthrough::credential::TokenCache,
    providers::settings::{read_client, read_header_text, read_url},
};

const URL: &str = "https://api-m.paypal.com";
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where PayPal's own environments publish the certificates of their webhooks.
const CERTIFICATE_HOSTS: [(&str, &str); 2] =
    [("api-m.paypal.com", "api.paypal.com"), ("api-m.sandbox.paypal.com", "api.sandbox.paypal.com")];

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
    /// The only host, with its port if it is not the usual one, that a certificate for its webhooks is fetched from.
    pub certificate_host: String,
    /// Limits, and whom to trust.
    pub client: ClientSettings,
    /// What all workers with these settings share.
    pub(crate) shared: Arc<Shared>,
}

/// What is got from PayPal at run time, once for all workers.
#[derive(Default)]
pub(crate) struct Shared {
    pub(super) tokens: TokenCache,
    pub(super) certificates: Certificates,
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Shared")
    }
}

impl PaypalSettings {
    /// Reads `url`, `client_id`, `client_secret`, `webhook_ids` and `certificate_host` (default that of PayPal's
    /// environment, or else the host of `url`), and the limits and `ca` that all providers have.
    #[must_use]
    pub fn read(section: &Section) -> Self {
        let url = read_url(section, URL);
        let known = CERTIFICATE_HOSTS.iter().find(|(host, _)| *host == url.host());
        let certificate_host =
            known.map_or_else(|| url.authority().to_owned(), |(_, host)| (*host).to_owned());
        Self {
            client_id: section.required("client_id"),
            client_secret: section.required("client_secret"),
            webhook_ids: read_webhook_ids(section),
            certificate_host: read_header_text(section, "certificate_host", &certificate_host),
            client: read_client(section, TIMEOUT),
            shared: Arc::default(),
            url,
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
