//! Which operations a provider offers.

use serde::{Deserialize, Serialize};

use super::{OperationName, Provider};

/// One row of a provider's table of capabilities.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Capability {
    /// The operation.
    pub operation: OperationName,
    /// Whether the provider offers it; one that it does not is answered with
    /// [`crate::ErrorKind::Unsupported`], and nothing is sent.
    pub supported: bool,
    /// What is special about it, for a person; empty when nothing is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A provider, whether it is configured, and what it offers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ProviderState {
    /// The provider.
    pub provider: Provider,
    /// Whether `provider-proxy` has settings for it.
    pub configured: bool,
    /// Every operation, once each, in the order of [`OperationName::ALL`].
    pub operations: Vec<Capability>,
}

/// What `GET /v1/providers` answers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ProviderList {
    /// Every provider that there is.
    pub providers: Vec<ProviderState>,
}
