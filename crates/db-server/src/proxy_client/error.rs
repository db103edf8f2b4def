//! Why there is no answer to an operation, and whether the provider may have acted all the same.

use chassis::client::ExchangeError;
use jws::SignError;
use thiserror::Error;
use wire::{ErrorKind, ProviderAnswer, ProxyFailure};

use super::PROXY;

/// What a client may know of why there is no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unanswered {
    /// The provider, or `provider-proxy` when that gave no answer.
    pub target: String,
    /// The kind of the error; for a refusal there is none.
    pub kind: Option<ErrorKind>,
    /// With which status `provider-proxy` answered, if it did.
    pub status: Option<u16>,
}

impl Unanswered {
    /// What may be told of this error.
    #[must_use]
    pub fn of(error: &ProxyError) -> Self {
        Self { target: error.target().to_owned(), kind: error.kind(), status: error.proxy_status() }
    }
}

/// Why there is no answer to an operation.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// The provider answered, and not with a success.
    #[error("the provider refused with status {}", .0.status)]
    Refused(ProviderAnswer),
    /// `provider-proxy` has no provider's answer.
    #[error("Proxy returned: {status} from: {}: {}", failure.target, failure.kind.name())]
    Failure {
        /// With which status `provider-proxy` answered.
        status: u16,
        /// What it says.
        #[source]
        failure: ProxyFailure,
    },
    /// `provider-proxy` gave no answer.
    #[error("Proxy did not answer: {PROXY}: {0}")]
    Unreachable(#[source] ExchangeError),
    /// What answers at `proxy.url` does not speak as `provider-proxy` does.
    #[error("Proxy returned: {status} from: {PROXY}, which is no answer of a provider-proxy")]
    Unreadable {
        /// The status of the answer.
        status: u16,
    },
    /// The provider was asked, and nobody knows what it has done.
    #[error("{target}: the outcome is unknown: {reason}")]
    Unknown {
        /// The provider.
        target: &'static str,
        /// Why it is not known.
        reason: String,
    },
    /// The certificates of `[proxy]` cannot be used any more.
    #[error("no client for {PROXY}: {0}")]
    NoClient(String),
    /// The request cannot be written as JSON, which is a defect.
    #[error("the request to {PROXY} cannot be written: {0}")]
    Request(#[source] serde_json::Error),
    /// The key of `[proxy.identity]` does not sign.
    #[error("no identity for {PROXY}: {0}")]
    Identity(#[from] SignError),
}

impl ProxyError {
    /// Whether the provider may have acted. Then nothing may be treated as failed.
    ///
    /// A provider's 5xx counts as unknown: its front may answer 502 for what its back has done.
    #[must_use]
    pub const fn outcome_is_unknown(&self) -> bool {
        match self {
            Self::Refused(answer) => answer.status >= 500,
            Self::Failure { failure, .. } => failure.kind.outcome_is_unknown(),
            Self::Unreachable(error) => error.was_sent(),
            // Something else answered: whether a provider-proxy stands behind it is not known.
            Self::Unreadable { .. } | Self::Unknown { .. } => true,
            Self::NoClient(_) | Self::Request(_) | Self::Identity(_) => false,
        }
    }

    /// The provider, or `provider-proxy` when that gave no answer.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::Failure { failure, .. } => &failure.target,
            Self::Unknown { target, .. } => target,
            _ => PROXY,
        }
    }

    /// The kind of the error, by its name in `wire`; for a refusal there is none.
    #[must_use]
    pub const fn kind(&self) -> Option<ErrorKind> {
        Some(match self {
            Self::Refused(_) => return None,
            Self::Failure { failure, .. } => failure.kind,
            Self::Unreachable(ExchangeError::Connect(_)) => ErrorKind::Connect,
            Self::Unreachable(ExchangeError::Tls(_)) => ErrorKind::Tls,
            Self::Unreachable(ExchangeError::Timeout { .. }) => ErrorKind::Timeout,
            Self::Unreachable(_) | Self::Unreadable { .. } | Self::Unknown { .. } => ErrorKind::Protocol,
            Self::NoClient(_) | Self::Request(_) | Self::Identity(_) => ErrorKind::Internal,
        })
    }

    /// With which status `provider-proxy` answered, if it did.
    #[must_use]
    pub const fn proxy_status(&self) -> Option<u16> {
        match self {
            Self::Failure { status, .. } | Self::Unreadable { status } => Some(*status),
            Self::Refused(answer) => Some(answer.status),
            Self::Unreachable(_)
            | Self::Unknown { .. }
            | Self::NoClient(_)
            | Self::Request(_)
            | Self::Identity(_) => None,
        }
    }
}
