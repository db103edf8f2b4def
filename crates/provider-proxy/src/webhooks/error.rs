//! Why a message was not delivered.

use relay::RelayError;
use thiserror::Error;
use wire::{ErrorKind, passthrough::Kind};

/// Why there is no answer of an endpoint. What it displays is for the log and for db-server: no secret, no URL, no
/// address; the source is for the log alone.
#[derive(Debug, Error)]
pub enum DeliveryError {
    /// The settings have no such endpoint. Nothing was sent.
    #[error("There is no such endpoint in the proxy's settings.")]
    UnknownEndpoint,
    /// The audit log takes no line, and what cannot be audited is not done. Nothing was sent.
    #[error("The audit log takes no line at the moment; nothing was sent.")]
    Unaudited,
    /// The message cannot be signed, or what it is signed as cannot stand in a header. Nothing was sent.
    #[error("The message cannot be signed; nothing was sent.")]
    Unsignable,
    /// The exchange failed.
    #[error("{}", summary(.0))]
    Relay(#[source] RelayError),
}

impl DeliveryError {
    /// What db-server is told it was.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownEndpoint => ErrorKind::NotConfigured,
            Self::Unaudited | Self::Unsignable => ErrorKind::Internal,
            Self::Relay(error) => match error {
                RelayError::Resolve(_) | RelayError::Connect(_) | RelayError::ConnectTimeout { .. } => {
                    ErrorKind::Connect
                }
                // The proxy's own limits: nothing that the endpoint has done.
                RelayError::Egress { .. }
                | RelayError::RequestTooLarge { .. }
                | RelayError::Withheld { .. } => ErrorKind::Policy,
                RelayError::Tls(_) => ErrorKind::Tls,
                RelayError::Timeout { .. } => ErrorKind::Timeout,
                RelayError::Unsendable { .. } | RelayError::RequestBody(_) => ErrorKind::Internal,
                RelayError::Protocol(_) | RelayError::Truncated(_) => ErrorKind::Protocol,
            },
        }
    }

    /// What the audit log and the metrics call it, in the words that they have for the pass-through.
    #[must_use]
    pub const fn audited_as(&self) -> Kind {
        match self {
            Self::UnknownEndpoint => Kind::UnknownTarget,
            Self::Unaudited => Kind::Unaudited,
            Self::Unsignable => Kind::Credential,
            Self::Relay(RelayError::Egress { .. }) => Kind::Egress,
            Self::Relay(_) => match self.kind() {
                ErrorKind::Connect => Kind::Connect,
                ErrorKind::Tls => Kind::Tls,
                ErrorKind::Timeout => Kind::Timeout,
                ErrorKind::Protocol => Kind::Protocol,
                _ => Kind::Internal,
            },
        }
    }
}

/// Without what only the log may tell.
const fn summary(error: &RelayError) -> &'static str {
    match error {
        RelayError::Resolve(_) => "The endpoint's name has no address; nothing was sent.",
        RelayError::Connect(_) => "The endpoint cannot be reached; nothing was sent.",
        RelayError::ConnectTimeout { .. } => "The endpoint cannot be reached in time; nothing was sent.",
        RelayError::Egress { .. } => "The endpoint is where it may not be; nothing was sent.",
        RelayError::Tls(_) => "The TLS handshake with the endpoint failed; nothing was sent.",
        RelayError::Timeout { .. } => "The endpoint did not answer in time.",
        RelayError::Unsendable { .. } | RelayError::RequestBody(_) => "The message cannot be sent.",
        RelayError::RequestTooLarge { .. } => "The message is larger than the proxy sends.",
        RelayError::Withheld { .. } => "The proxy passes on no answer of the endpoint.",
        RelayError::Protocol(_) | RelayError::Truncated(_) => {
            "The connection broke, or the answer was not HTTP."
        }
    }
}
