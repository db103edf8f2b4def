//! Reads `[webhooks]`, and records everything that is wrong with it.

use std::{collections::HashMap, fmt, path::PathBuf, sync::Arc, time::Duration};

use chassis::{base_url::BaseUrl, settings::Section, tls};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};

use super::SigningKey;
use crate::passthrough::{
    credential::Secret,
    target::{check_url, is_name, more_than_nothing},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shorter than db-server waits for this host, so that its account of a timeout arrives.
const TIMEOUT: Duration = Duration::from_secs(10);
/// db-server gives up a delivery whose attempt takes longer than its lease.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

/// One entry of `[webhooks]`. Its `Debug` shows no secret.
pub struct WebhookEndpoint {
    /// Its name, which is what db-server knows of it.
    pub name: Box<str>,
    /// Where messages are posted to.
    pub url: BaseUrl,
    /// What signs: the secret in use, and during a rotation the one before it.
    pub keys: Vec<SigningKey>,
    /// How long a connection to it may take.
    pub connect_timeout: Duration,
    /// How long the whole exchange may take.
    pub timeout: Duration,
    /// Whom it must be; none for plain HTTP.
    pub tls: Option<Arc<ClientConfig>>,
    /// Whether it may be in the operator's own network.
    pub private: bool,
}

impl fmt::Debug for WebhookEndpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WebhookEndpoint")
            .field("name", &self.name)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// All endpoints of one reading of the settings.
#[derive(Clone, Debug, Default)]
pub struct WebhookSettings(HashMap<Box<str>, Arc<WebhookEndpoint>>);

impl WebhookSettings {
    /// Reads the table of endpoints; the files that they name are opened.
    #[must_use]
    pub fn read(section: &Section) -> Self {
        let read = |name: String| {
            if !is_name(&name) {
                section.fault(&name, "the name of an endpoint has letters, digits, _ and -, at most 64");
            }
            let endpoint = read_endpoint(&name, &section.section(&name));
            (endpoint.name.clone(), Arc::new(endpoint))
        };
        Self(section.children().into_iter().map(read).collect())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<WebhookEndpoint>> {
        self.0.values()
    }

    /// The secrets of all of them, those of before a rotation too.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        self.iter().flat_map(|endpoint| endpoint.keys.iter().map(SigningKey::secret))
    }
}

fn read_endpoint(name: &str, section: &Section) -> WebhookEndpoint {
    let url: BaseUrl = section.required("url");
    let private = section.or("private", false);
    check_url(section, "url", &url, private);
    let timeout = more_than_nothing(section, "timeout", TIMEOUT);
    if timeout > LONGEST_TIMEOUT {
        section.fault("timeout", "expected at most 60 seconds");
    }
    WebhookEndpoint {
        name: name.into(),
        keys: read_keys(section),
        connect_timeout: more_than_nothing(section, "connect_timeout", CONNECT_TIMEOUT),
        timeout,
        tls: read_tls(section, &url),
        private,
        url,
    }
}

fn read_keys(section: &Section) -> Vec<SigningKey> {
    let secret: Secret = section.required("secret");
    // One that could not be read has been recorded already.
    let given = secret.both().filter(|secret| !secret.expose_secret().is_empty());
    given
        .filter_map(|text| SigningKey::parse(text).map_err(|fault| section.fault("secret", fault)).ok())
        .collect()
}

fn read_tls(section: &Section, url: &BaseUrl) -> Option<Arc<ClientConfig>> {
    let ca: Option<PathBuf> = section.optional("ca");
    if !url.is_https() {
        if ca.is_some() {
            section.fault("ca", "is for https");
        }
        return None;
    }
    let config = tls::client_config(ca.as_deref(), None);
    config.map(Arc::new).map_err(|error| section.fault("ca", error.to_string())).ok()
}
