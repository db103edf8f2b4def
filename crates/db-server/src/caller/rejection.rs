//! Why a request is not let in.

use std::time::Duration;

use oauth1::VerifyError;
use thiserror::Error;

use crate::{cache::CacheError, crypt::CryptError, domain::DomainError, error::ApiError, store::StoreError};

/// Why a caller is not known; for the log alone.
#[derive(Debug, Eq, Error, PartialEq)]
pub(super) enum Rejection {
    #[error("no Authorization header")]
    Absent,
    #[error("more than one Authorization header, or not text")]
    Ambiguous,
    #[error("{0}")]
    Invalid(#[from] VerifyError),
    #[error("no active client has the key")]
    UnknownKey,
    #[error("the client does not sign, it has a bearer key")]
    NoSecret,
    #[error("the bearer key is malformed")]
    MalformedBearer,
    #[error("the bearer key is wrong")]
    WrongBearer,
    #[error("a bearer key came over a connection that others can read")]
    ReadableBearer,
    #[error("the nonce is too long")]
    LongNonce,
    #[error("the nonce has been used before")]
    Replayed,
}

/// Why a caller is not let in.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Unknown(Rejection),
    /// Nobody can say whether the nonce has been used.
    #[error("the nonce cannot be checked: {0}")]
    Unchecked(CacheError),
    /// The client has called too often.
    #[error("the client has called too often")]
    Limited(Duration),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Crypt(#[from] CryptError),
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Unknown(rejection)
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        Self::Unknown(error.into())
    }
}

impl Refusal {
    /// What the client is told; the log is told why.
    pub(super) fn into_error(self) -> ApiError {
        match self {
            Self::Unknown(rejection) => {
                log::warn!("not authenticated: {rejection}");
                ApiError::Unauthenticated
            }
            Self::Unchecked(error) => ApiError::Unchecked(error),
            Self::Limited(wait) => ApiError::TooManyRequests(wait),
            Self::Store(error) => DomainError::from(error).into(),
            Self::Crypt(error) => DomainError::from(error).into(),
        }
    }
}
