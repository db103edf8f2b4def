//! The closed set of providers: the one place that lists them.

#[cfg(test)]
mod arrived;
pub mod braintree;
mod capability;
mod connect;
mod exchange;
mod integrity;
mod page;
pub mod paypal;
mod period;
mod posted;
pub mod reference;
mod settings;
pub mod stripe;

use std::collections::BTreeMap;

use chassis::{
    client::ClientError,
    settings::{SecretString, Section},
};
use serde_json::Value;
use wire::{
    Reply,
    payment::{OperationName, Provider, ProviderList, ProviderState},
};

pub use capability::Row;
pub use page::capabilities_page;

use crate::{
    error::{PROXY, ProxyError},
    policy::{Allowed, Gate},
};

/// The settings of every provider; one without settings is not configured.
#[derive(Clone, Debug, Default)]
pub struct ProviderSettings {
    /// `[providers.reference]`.
    pub reference: Option<reference::ReferenceSettings>,
    /// `[providers.stripe]`.
    pub stripe: Option<stripe::StripeSettings>,
    /// `[providers.paypal]`.
    pub paypal: Option<paypal::PaypalSettings>,
    /// `[providers.braintree]`.
    pub braintree: Option<braintree::BraintreeSettings>,
    /// `operations` of each: what is performed at all.
    allowed: BTreeMap<&'static str, Allowed>,
}

impl ProviderSettings {
    /// Reads `[providers]`.
    #[must_use]
    pub fn read(section: &Section) -> Self {
        Self {
            reference: read(section, Provider::Reference, reference::ReferenceSettings::read),
            stripe: read(section, Provider::Stripe, stripe::StripeSettings::read),
            paypal: read(section, Provider::Paypal, paypal::PaypalSettings::read),
            braintree: read(section, Provider::Braintree, braintree::BraintreeSettings::read),
            allowed: Provider::ALL
                .into_iter()
                .filter_map(|provider| {
                    Some((provider.name(), read(section, provider, |of| allowed(provider, of))?))
                })
                .collect(),
        }
    }

    /// Whether the settings let an operation of a provider be performed. They say nothing of one that is not there.
    #[must_use]
    pub fn allow(&self, provider: &str, operation: &str) -> bool {
        self.allowed.get(provider).is_none_or(|allowed| allowed.contains(provider, operation))
    }

    /// The secrets of all of them.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        let reference = self.reference.iter().flat_map(reference::ReferenceSettings::secrets);
        let stripe = self.stripe.iter().flat_map(stripe::StripeSettings::secrets);
        let paypal = self.paypal.iter().flat_map(paypal::PaypalSettings::secrets);
        let braintree = self.braintree.iter().flat_map(braintree::BraintreeSettings::secrets);
        reference.chain(stripe).chain(paypal).chain(braintree)
    }

    /// Whether a provider has settings.
    #[must_use]
    pub const fn has(&self, provider: Provider) -> bool {
        match provider {
            Provider::Reference => self.reference.is_some(),
            Provider::Stripe => self.stripe.is_some(),
            Provider::Paypal => self.paypal.is_some(),
            Provider::Braintree => self.braintree.is_some(),
        }
    }

    /// Every provider, and what it offers.
    #[must_use]
    pub fn list(&self) -> ProviderList {
        let state = |provider| ProviderState {
            provider,
            configured: self.has(provider),
            operations: capabilities(provider).iter().map(Into::into).collect(),
        };
        ProviderList { providers: Provider::ALL.map(state).into() }
    }
}

fn read<T>(section: &Section, provider: Provider, read: impl FnOnce(&Section) -> T) -> Option<T> {
    let section = section.section(provider.name());
    section.is_present().then(|| read(&section))
}

/// What of a provider may be performed.
fn allowed(provider: Provider, section: &Section) -> Allowed {
    let is_own = |name: &str| provider == Provider::Reference && reference::OWN.contains(&name);
    Allowed::read(
        section,
        |name| name.parse::<OperationName>().is_ok() || is_own(name),
        "an operation's name",
    )
}

/// What a provider offers: every operation, once each, in the order of [`OperationName::ALL`].
#[must_use]
pub const fn capabilities(provider: Provider) -> &'static [Row] {
    match provider {
        Provider::Reference => reference::CAPABILITIES,
        Provider::Stripe => stripe::CAPABILITIES,
        Provider::Paypal => paypal::CAPABILITIES,
        Provider::Braintree => braintree::CAPABILITIES,
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

/// What came of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Performed {
    /// Of one that only this provider has.
    Own(Answer),
    /// Of a neutral one: a [`Reply::Result`] as JSON, to be answered with 200.
    Neutral(Vec<u8>),
}

/// The connectors of one worker thread; they cannot be shared between threads.
pub struct Connectors(Vec<Connector>);

/// The connector of one provider.
pub enum Connector {
    /// The reference provider.
    Reference(Box<reference::Reference>),
    /// Stripe.
    Stripe(Box<stripe::Stripe>),
    /// PayPal.
    Paypal(Box<paypal::Paypal>),
    /// Braintree.
    Braintree(Box<braintree::Braintree>),
}

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
        if let Some(settings) = &settings.stripe {
            connectors.push(Connector::Stripe(Box::new(stripe::Stripe::new(settings)?)));
        }
        if let Some(settings) = &settings.paypal {
            connectors.push(Connector::Paypal(Box::new(paypal::Paypal::new(settings)?)));
        }
        if let Some(settings) = &settings.braintree {
            connectors.push(Connector::Braintree(Box::new(braintree::Braintree::new(settings)?)));
        }
        Ok(Self(connectors))
    }

    /// The connector of a provider.
    ///
    /// # Errors
    /// [`ProxyError::NotConfigured`] for one that has no settings, [`ProxyError::UnknownOperation`] for one that does
    /// not exist.
    pub fn get(&self, name: &str) -> Result<&Connector, ProxyError> {
        let provider: Provider = name.parse().map_err(|_| ProxyError::UnknownOperation { target: PROXY })?;
        let connector = self.0.iter().find(|connector| connector.provider() == provider);
        connector.ok_or(ProxyError::NotConfigured { target: provider.name() })
    }
}

impl Connector {
    /// Whose connector it is.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        match self {
            Self::Reference(_) => Provider::Reference,
            Self::Stripe(_) => Provider::Stripe,
            Self::Paypal(_) => Provider::Paypal,
            Self::Braintree(_) => Provider::Braintree,
        }
    }

    /// The provider's name in settings, paths and errors.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.provider().name()
    }

    /// Performs a named operation with the request's JSON body.
    ///
    /// # Errors
    /// [`ProxyError`] when there is no answer of the provider; a refusal of the provider is an answer.
    pub async fn perform(
        &self,
        operation: &str,
        body: &[u8],
        gate: &Gate<'_>,
    ) -> Result<Performed, ProxyError> {
        match (operation.parse::<OperationName>(), self) {
            (Ok(operation), connector) => {
                connector.perform_neutral(operation, body, gate).await.map(Performed::Neutral)
            }
            (Err(_), Self::Reference(connector)) => {
                connector.perform_own(operation, body, gate).await.map(Performed::Own)
            }
            (Err(_), connector) => Err(ProxyError::UnknownOperation { target: connector.name() }),
        }
    }

    async fn perform_neutral(
        &self,
        operation: OperationName,
        body: &[u8],
        gate: &Gate<'_>,
    ) -> Result<Vec<u8>, ProxyError> {
        match self {
            Self::Reference(connector) => connect::perform(&**connector, operation, body, gate).await,
            Self::Stripe(connector) => connect::perform(&**connector, operation, body, gate).await,
            Self::Paypal(connector) => connect::perform(&**connector, operation, body, gate).await,
            Self::Braintree(connector) => connect::perform(&**connector, operation, body, gate).await,
        }
    }

    /// Verifies a notice of the reference provider, as its own operations have it.
    ///
    /// # Errors
    /// [`ProxyError::InvalidSignature`] when it must not be believed, [`ProxyError::InvalidRequest`] when the body is
    /// not what is verified here, [`ProxyError::UnknownOperation`] for another provider.
    pub fn verify_notice(&self, body: &[u8]) -> Result<Answer, ProxyError> {
        match self {
            Self::Reference(connector) => connector.verify_notice(body),
            connector => Err(ProxyError::UnknownOperation { target: connector.name() }),
        }
    }
}

#[cfg(test)]
mod tests;
