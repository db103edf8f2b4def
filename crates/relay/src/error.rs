//! Why an exchange failed, and above all whether the other side may have acted.

use std::{error::Error as StdError, io, time::Duration};

use thiserror::Error;

/// Why a name has no address to dial.
#[derive(Debug, Error)]
pub enum ResolveError {
    /// The name has no address.
    #[error("the name has no address")]
    NotFound,
    /// It has one, but it must not be dialled.
    #[error("{reason}")]
    Refused {
        /// Why not.
        reason: String,
    },
    /// The look-up itself failed.
    #[error("the look-up failed: {0}")]
    Io(#[from] io::Error),
}

/// Why there is no answer, or no complete one.
#[derive(Debug, Error)]
pub enum RelayError {
    /// The request cannot be put on a wire: its path is none. Nothing was sent.
    #[error("the request cannot be sent: {reason}")]
    Unsendable {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The upstream's name has no address. Nothing was sent.
    #[error("the name cannot be resolved: {0}")]
    Resolve(#[source] ResolveError),
    /// The upstream's address must not be dialled. Nothing was sent.
    #[error("the address is refused: {reason}")]
    Egress {
        /// Why.
        reason: String,
    },
    /// No connection was made, or it closed before a byte was written. Nothing was sent.
    #[error("no connection: {0}")]
    Connect(#[source] Box<dyn StdError + Send + Sync>),
    /// No connection was made in time. Nothing was sent.
    #[error("no connection within {after:?}")]
    ConnectTimeout {
        /// The limit.
        after: Duration,
    },
    /// The TLS handshake failed. Nothing was sent.
    #[error("the TLS handshake failed: {0}")]
    Tls(#[source] io::Error),
    /// The exchange took too long as a whole, or no byte moved for too long; where it stood is unknown.
    #[error("no byte for {idle:?}, or no complete answer within {total:?}")]
    Timeout {
        /// How long no byte may move.
        idle: Duration,
        /// How long the exchange may take.
        total: Duration,
    },
    /// The connection broke after the request had begun, or the answer was not HTTP.
    #[error("the connection broke or the answer was not HTTP: {0}")]
    Protocol(#[source] Box<dyn StdError + Send + Sync>),
    /// The connection closed before the answer was complete.
    #[error("the answer broke off: {0}")]
    Truncated(#[source] Box<dyn StdError + Send + Sync>),
    /// The request's body is larger than allowed.
    #[error("the request is larger than {limit} bytes")]
    RequestTooLarge {
        /// The limit, in bytes.
        limit: u64,
        /// Whether a part of it had been sent.
        sent: bool,
    },
    /// The caller's body broke off, so that the request did.
    #[error("the body of the request broke off: {0}")]
    RequestBody(#[source] Box<dyn StdError + Send + Sync>),
    /// The answer is larger than allowed, or must not be passed on: for whoever wraps its body.
    #[error("the answer is withheld: {reason}")]
    Withheld {
        /// Why.
        reason: &'static str,
    },
}

impl RelayError {
    /// Whether the other side may have received the request, so that its effect is unknown.
    #[must_use]
    pub const fn was_sent(&self) -> bool {
        match self {
            Self::Unsendable { .. }
            | Self::Resolve(_)
            | Self::Egress { .. }
            | Self::Connect(_)
            | Self::ConnectTimeout { .. }
            | Self::Tls(_) => false,
            Self::RequestTooLarge { sent, .. } => *sent,
            Self::Timeout { .. }
            | Self::Protocol(_)
            | Self::Truncated(_)
            | Self::RequestBody(_)
            | Self::Withheld { .. } => true,
        }
    }
}

impl From<ResolveError> for RelayError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Refused { reason } => Self::Egress { reason },
            other => Self::Resolve(other),
        }
    }
}
