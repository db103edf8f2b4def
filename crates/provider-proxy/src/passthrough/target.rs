//! A named target: where it is, what may be asked of it, and with which credential.

mod read;

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use chassis::base_url::BaseUrl;
use rustls::ClientConfig;
use secrecy::SecretString;

pub(crate) use read::{check_url, is_name, more_than_nothing};

use super::{
    admission::AdmissionSettings, allow::Allow, credential::Credential, header_rules::HeaderRules,
    rewrite::Rewrite,
};

/// One entry of `[targets]`. Its `Debug` shows no secret.
pub struct Target {
    /// Its name, which is what callers know of it.
    pub name: Box<str>,
    /// Where it is.
    pub url: BaseUrl,
    /// Whether it is open.
    pub enabled: bool,
    /// What may be asked of it.
    pub allow: Allow,
    /// The authorities that a caller must have, all of them.
    pub require: Vec<String>,
    /// How long a connection to it may take.
    pub connect_timeout: Duration,
    /// How long no byte may move.
    pub idle_timeout: Duration,
    /// How long the whole exchange may take.
    pub timeout: Duration,
    /// The largest body of a request, in bytes.
    pub max_request_body: u64,
    /// The largest body of an answer, in bytes, as it comes from the target.
    pub max_response_body: u64,
    /// How much it is asked.
    pub admission: AdmissionSettings,
    /// Where its path is another than the caller's.
    pub rewrite: Option<Rewrite>,
    /// Headers of requests that are set or removed.
    pub request_headers: HeaderRules,
    /// Headers of answers that are set or removed.
    pub response_headers: HeaderRules,
    /// Whom it must be, and what it is shown; none for plain HTTP.
    pub tls: Option<Arc<ClientConfig>>,
    /// Whether text is compressed on its way to the caller.
    pub compress: bool,
    /// Whether it may be in the operator's own network.
    pub private: bool,
    /// Whether WebSocket connections are tunnelled.
    pub websocket: bool,
    /// What is added to every request.
    pub credential: Credential,
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Target")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

/// All targets of one reading of the settings.
#[derive(Debug)]
pub struct Targets {
    by_name: HashMap<Box<str>, Arc<Target>>,
}

impl Targets {
    fn new(targets: impl IntoIterator<Item = Target>) -> Self {
        let named = targets.into_iter().map(|target| (target.name.clone(), Arc::new(target)));
        Self { by_name: named.collect() }
    }

    /// Takes over what was minted before the settings were read again: tokens outlive a reading.
    pub fn inherit(&self, previous: &Self) {
        for target in self.iter() {
            if let Some(before) = previous.get(&target.name) {
                target.credential.inherit(&before.credential);
            }
        }
    }

    /// A target.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Target>> {
        self.by_name.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.by_name.values()
    }

    /// The secrets of all of them, those of before a rotation too.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        self.iter().flat_map(|target| target.credential.secrets())
    }
}

#[cfg(test)]
mod tests;
