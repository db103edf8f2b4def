//! The closed set of providers: the one place that lists them.

pub mod reference;

use chassis::{
    client::ClientError,
    settings::{SecretString, Section},
};
use serde_json::Value;
use wire::Reply;

use crate::error::{PROXY, ProxyError};

/// The settings of every provider; one without settings is not configured.
#[derive(Clone, Debug, Default)]
pub struct ProviderSettings {
    /// `[providers.reference]`.
    pub reference: Option<reference::ReferenceSettings>,
}

impl ProviderSettings {
    /// Reads `[providers]`.
    #[must_use]
    pub fn read(section: &Section) -> Self {
        let reference = section.section(reference::NAME);
        Self { reference: reference.is_present().then(|| reference::ReferenceSettings::read(&reference)) }
    }

    /// The secrets of all of them.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        self.reference.iter().flat_map(reference::ReferenceSettings::secrets)
    }
}

/// What a provider said, in the terms of [`wire`].
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The provider's own HTTP status.
    pub status: u16,
    /// The operation's answer, or the refusal.
    pub reply: Reply<Value>,
}

/// The connectors of one worker thread; they cannot be shared between threads.
pub struct Connectors(Vec<Connector>);

/// The connector of one provider.
pub enum Connector {
    /// The reference provider.
    Reference(Box<reference::Reference>),
}

/// Every provider's name, configured or not.
const NAMES: [&str; 1] = [reference::NAME];

impl Connectors {
    /// Makes the connectors of all configured providers.
    ///
    /// # Errors
    /// [`ClientError`] when a provider's certificate authority cannot be read.
    pub fn new(settings: &ProviderSettings) -> Result<Self, ClientError> {
        let mut connectors = Vec::new();
        if let Some(settings) = &settings.reference {
            connectors.push(Connector::Reference(Box::new(reference::Reference::new(settings)?)));
        }
        Ok(Self(connectors))
    }

    /// The connector of a provider.
    ///
    /// # Errors
    /// [`ProxyError::NotConfigured`] for one that has no settings, [`ProxyError::UnknownOperation`] for one that does
    /// not exist.
    pub fn get(&self, name: &str) -> Result<&Connector, ProxyError> {
        if let Some(connector) = self.0.iter().find(|connector| connector.name() == name) {
            return Ok(connector);
        }
        Err(match NAMES.into_iter().find(|&known| known == name) {
            Some(target) => ProxyError::NotConfigured { target },
            None => ProxyError::UnknownOperation { target: PROXY },
        })
    }
}

impl Connector {
    /// The provider's name in settings, paths and errors.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reference(_) => reference::NAME,
        }
    }

    /// Performs a named operation with the request's JSON body.
    ///
    /// # Errors
    /// [`ProxyError`] when there is no answer of the provider; a refusal of the provider is an [`Answer`].
    pub async fn perform(&self, operation: &str, body: &[u8]) -> Result<Answer, ProxyError> {
        match self {
            Self::Reference(connector) => connector.perform(operation, body).await,
        }
    }

    /// Verifies what the provider is said to have posted to db-server.
    ///
    /// # Errors
    /// [`ProxyError::InvalidSignature`] when it must not be believed, [`ProxyError::InvalidRequest`] when the body is
    /// not what is verified here.
    pub fn verify_webhook(&self, body: &[u8]) -> Result<Answer, ProxyError> {
        match self {
            Self::Reference(connector) => connector.verify_webhook(body),
        }
    }
}
