//! What `provider-proxy` says when it has no provider's answer to pass on.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why there is no answer from the provider.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection: refused, unresolvable, or not made within the connect timeout. Nothing was sent.
    Connect,
    /// The TLS handshake with the provider failed. Nothing was sent.
    Tls,
    /// No complete answer within the provider's total timeout. The provider may have acted.
    Timeout,
    /// The connection broke, or the answer was not what the protocol allows. The provider may have acted.
    Protocol,
    /// The request to `provider-proxy` was wrong. Nothing was sent.
    InvalidRequest,
    /// `provider-proxy` has no such operation. Nothing was sent.
    UnknownOperation,
    /// The provider is not configured on `provider-proxy`. Nothing was sent.
    NotConfigured,
    /// A webhook's signature does not verify. Nothing in it may be believed.
    InvalidSignature,
    /// The caller's token or certificate is missing, expired or not valid. Nothing was sent.
    Identity,
    /// The caller is known and may not ask for this operation. Nothing was sent.
    Caller,
    /// The provider does not offer this operation. Nothing was sent.
    Unsupported,
    /// The caller's limits do not allow this much. Nothing was sent.
    Policy,
    /// The provider's answer is about another amount, currency or object than was asked for. The provider has acted.
    Integrity,
    /// `provider-proxy` itself failed before it sent anything.
    Internal,
}

impl ErrorKind {
    /// Whether the provider may have received the request, so that its effect is unknown.
    ///
    /// An unknown outcome is never treated as a failure.
    #[must_use]
    pub const fn outcome_is_unknown(self) -> bool {
        matches!(self, Self::Timeout | Self::Protocol | Self::Integrity)
    }

    /// The HTTP status with which `provider-proxy` answers.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Connect | Self::Tls | Self::Timeout | Self::Protocol | Self::Integrity | Self::Internal => {
                500
            }
            Self::InvalidRequest => 422,
            Self::UnknownOperation => 404,
            Self::NotConfigured | Self::Unsupported => 501,
            Self::InvalidSignature | Self::Caller | Self::Policy => 403,
            Self::Identity => 401,
        }
    }

    /// The kind's name, as in its JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::InvalidRequest => "invalid_request",
            Self::UnknownOperation => "unknown_operation",
            Self::NotConfigured => "not_configured",
            Self::InvalidSignature => "invalid_signature",
            Self::Identity => "identity",
            Self::Caller => "caller",
            Self::Unsupported => "unsupported",
            Self::Policy => "policy",
            Self::Integrity => "integrity",
            Self::Internal => "internal",
        }
    }
}

/// An error of the proxy itself, as opposed to a provider's answer.
#[derive(Clone, Debug, Deserialize, Eq, Error, PartialEq, Serialize)]
#[error("{target}: {}: {message}", kind.name())]
pub struct ProxyFailure {
    /// Why there is no answer.
    pub kind: ErrorKind,
    /// The provider's name, such as `reference`; never its URL.
    pub target: String,
    /// For a person; holds no secret and no URL.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_that_may_have_arrived_has_an_unknown_outcome() {
        let unknown: Vec<_> = ALL.into_iter().filter(|kind| kind.outcome_is_unknown()).collect();
        assert_eq!(unknown, [ErrorKind::Timeout, ErrorKind::Protocol, ErrorKind::Integrity]);
    }

    #[test]
    fn a_kind_is_named_as_in_its_json() {
        for kind in ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    const ALL: [ErrorKind; 14] = [
        ErrorKind::Connect,
        ErrorKind::Tls,
        ErrorKind::Timeout,
        ErrorKind::Protocol,
        ErrorKind::InvalidRequest,
        ErrorKind::UnknownOperation,
        ErrorKind::NotConfigured,
        ErrorKind::InvalidSignature,
        ErrorKind::Identity,
        ErrorKind::Caller,
        ErrorKind::Unsupported,
        ErrorKind::Policy,
        ErrorKind::Integrity,
        ErrorKind::Internal,
    ];
}
