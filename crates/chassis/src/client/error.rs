//! Why an exchange failed, and above all whether the other side may have acted.

use std::{error::Error as StdError, time::Duration};

use awc::error::{ConnectError, SendRequestError};
use thiserror::Error;

use crate::tls::{self, TlsError};

/// Why a client cannot be made.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct ClientError(#[from] TlsError);

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ExchangeError {
    /// No connection was made. Nothing was sent.
    #[error("no connection: {0}")]
    Connect(#[source] Box<dyn StdError>),
    /// The TLS handshake failed. Nothing was sent.
    #[error("the TLS handshake failed: {0}")]
    Tls(#[source] Box<dyn StdError>),
    /// The exchange took too long; where it stood is unknown.
    #[error("no complete answer within {after:?}")]
    Timeout {
        /// The limit.
        after: Duration,
    },
    /// The connection broke after the request had begun, or the answer was not HTTP.
    #[error("the connection broke or the answer was not HTTP: {0}")]
    Protocol(#[source] Box<dyn StdError>),
    /// The connection closed before the answer was complete.
    #[error("the answer ended after {received} of {declared} bytes")]
    Truncated {
        /// Its `Content-Length`, in bytes.
        declared: usize,
        /// What arrived, in bytes.
        received: usize,
    },
    /// The answer was larger than allowed.
    #[error("the answer is larger than {limit} bytes")]
    ResponseTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl ExchangeError {
    /// Whether the other side may have received the request, so that its effect is unknown.
    #[must_use]
    pub const fn was_sent(&self) -> bool {
        !matches!(self, Self::Connect(_) | Self::Tls(_))
    }
}

impl From<SendRequestError> for ExchangeError {
    fn from(error: SendRequestError) -> Self {
        match error {
            // awc files a connection that closed instead of answering under the errors of connecting.
            SendRequestError::Connect(ConnectError::Disconnected) => {
                Self::Protocol(Box::new(ConnectError::Disconnected))
            }
            SendRequestError::Connect(ConnectError::Io(error)) if tls::is_tls(&error) => {
                Self::Tls(Box::new(error))
            }
            SendRequestError::Connect(error) => Self::Connect(Box::new(error)),
            SendRequestError::Url(error) => Self::Connect(Box::new(error)),
            other => Self::Protocol(Box::new(other)),
        }
    }
}
