//! What can go wrong with the reference provider; outside this folder it is a [`ProxyError`].

use chassis::client::ExchangeError;
use thiserror::Error;
use wire::Money;

use super::{NAME, notice::NoticeError};
use crate::{error::ProxyError, shape::ShapeError};

/// Why the reference provider's answer cannot be given.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// The operation does not exist.
    #[error("no such operation")]
    Operation,
    /// The request is not what the operation takes.
    #[error("invalid request")]
    Request(#[source] ShapeError),
    /// The request could not be made.
    #[error("the request could not be made")]
    Unsendable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The exchange failed.
    #[error("no answer")]
    Exchange(#[from] ExchangeError),
    /// Neither a success nor a refusal.
    #[error("unexpected status {0}")]
    Status(u16),
    /// A success whose body is not the operation's answer.
    #[error("unexpected answer")]
    Answer(#[source] ShapeError),
    /// A success about another amount.
    #[error("the answer is not about the {0} that were asked")]
    Amount(Money),
    /// A notice that must not be believed.
    #[error("invalid notice")]
    Notice(#[from] NoticeError),
}

impl From<Error> for ProxyError {
    fn from(error: Error) -> Self {
        let target = NAME;
        match error {
            Error::Operation => Self::UnknownOperation { target },
            Error::Request(source) => Self::InvalidRequest { target, source },
            Error::Unsendable(source) => Self::Unsendable { target, source },
            Error::Exchange(source) => Self::Exchange { target, source },
            Error::Status(status) => Self::UnexpectedStatus { target, status },
            Error::Answer(source) => Self::UnexpectedAnswer { target, source },
            Error::Amount(asked) => Self::AmountMismatch { target, asked },
            Error::Notice(source) => Self::InvalidSignature { target, source: Box::new(source) },
        }
    }
}
