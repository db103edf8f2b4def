//! `[providers.braintree]`.

use std::time::Duration;

use chassis::{
    base_url::BaseUrl,
    client::ClientSettings,
    settings::{SecretString, Section},
};

use crate::providers::settings::{read_client, read_header_text, read_url};

const URL: &str = "https://api.braintreegateway.com";
const API_VERSION: &str = "6";
/// Its own libraries wait for 60 s; the proxy's callers do not.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How Braintree is reached, and the credentials that it knows us by.
#[derive(Clone, Debug)]
pub struct BraintreeSettings {
    /// Where it is; the only place that its requests are ever sent to.
    pub url: BaseUrl,
    /// Part of every path.
    pub merchant_id: String,
    /// Names us.
    pub public_key: SecretString,
    /// Authorizes the requests.
    pub private_key: SecretString,
    /// Verify its webhooks: private keys by their public ones; several during a rotation. That of the requests is
    /// one of them.
    pub webhook_keys: Vec<(String, SecretString)>,
    /// The version of its API that this connector was made for (`X-ApiVersion`).
    pub api_version: String,
    /// Limits, and whom to trust.
    pub client: ClientSettings,
}

impl BraintreeSettings {
    /// Reads `url`, `merchant_id`, `public_key`, `private_key`, the table `webhook_keys` of public and private keys, and `api_version`, and the keys of [`read_client`].
    #[must_use]
    pub fn read(section: &Section) -> Self {
        Self {
            url: read_url(section, URL),
            merchant_id: read_merchant(section),
            public_key: section.required("public_key"),
            private_key: section.required("private_key"),
            webhook_keys: read_webhook_keys(section),
            api_version: read_header_text(section, "api_version", API_VERSION),
            client: read_client(section, TIMEOUT),
        }
    }

    /// What no answer may hold.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        let webhooks = self.webhook_keys.iter().map(|(_, key)| key.clone());
        webhooks.chain([self.private_key.clone()])
    }
}

fn read_merchant(section: &Section) -> String {
    let id: String = section.required("merchant_id");
    if section.has("merchant_id") && (id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        section.fault("merchant_id", "expected letters and digits");
    }
    id
}

fn read_webhook_keys(section: &Section) -> Vec<(String, SecretString)> {
    let table = section.section("webhook_keys");
    table.children().into_iter().map(|name| (name.clone(), table.required(&name))).collect()
}
