//! Why a request is not let in.

use std::time::Duration;

use jws::VerifyError as TokenError;
use oauth1::VerifyError;
use thiserror::Error;

use crate::{
    cache::CacheError,
    crypt::CryptError,
    domain::{DomainError, user::LogInError},
    error::ApiError,
    store::StoreError,
};

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
    #[error("a password came over a connection that others can read")]
    ReadablePassword,
    #[error("the password is wrong, or the user is locked out or disabled")]
    WrongPassword,
    #[error("{0}")]
    Token(TokenError),
    #[error("there are no tokens without login.key")]
    NoTokens,
    #[error("the token's user is disabled or gone")]
    TokenOfNobody,
    #[error("the token is older than the user's password or last disabling")]
    OldToken,
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
    #[error(transparent)]
    LogIn(#[from] LogInError),
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
                match rejection {
                    Rejection::Token(TokenError::Expired) => ApiError::TokenExpired,
                    Rejection::Token(_)
                    | Rejection::NoTokens
                    | Rejection::TokenOfNobody
                    | Rejection::OldToken => ApiError::InvalidToken,
                    _ => ApiError::Unauthenticated,
                }
            }
            Self::LogIn(error) => error.into(),
            Self::Unchecked(error) => ApiError::Unchecked(error),
            Self::Limited(wait) => ApiError::TooManyRequests(wait),
            Self::Store(error) => DomainError::from(error).into(),
            Self::Crypt(error) => DomainError::from(error).into(),
        }
    }
}
