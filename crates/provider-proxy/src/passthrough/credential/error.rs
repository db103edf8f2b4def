//! Why a request has no credential, so that it is not sent.

use actix_web::error::PayloadError;
use chassis::client::ExchangeError;
use http::StatusCode;
use relay::RelayError;
use thiserror::Error;
use wire::passthrough;

/// Why a credential was not added. Nothing of the request was sent to the target. Shows no secret.
#[derive(Debug, Error)]
pub enum CredentialError {
    /// The caller's body broke off.
    #[error("the body of the request broke off: {0}")]
    Body(#[source] PayloadError),
    /// The body must be taken in as a whole, and is too large for that.
    #[error("the body of the request is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The caller's request cannot be given this credential.
    #[error("the request cannot be given its credential: {reason}")]
    Request {
        /// What is wrong with the request.
        reason: &'static str,
    },
    /// The credential cannot be written into a request.
    #[error("the credential cannot be used: {reason}")]
    Unusable {
        /// Why not.
        reason: &'static str,
    },
    /// A template asks for a claim that the caller's token does not have, or has in another type.
    #[error("the caller's token has no claim {claim:?} that would fit")]
    Claim {
        /// Its name, from the settings.
        claim: String,
    },
    /// A JSON Web Token cannot be signed.
    #[error("no token can be signed: {0}")]
    Sign(#[from] jws::SignError),
    /// The token endpoint gave no answer.
    #[error("the token endpoint gave no answer: {0}")]
    TokenExchange(#[source] RelayError),
    /// A provider's token endpoint gave no answer.
    #[error("the token endpoint gave no answer: {0}")]
    TokenRequest(#[source] ExchangeError),
    /// The token endpoint did not answer in time.
    #[error("the token endpoint did not answer in time")]
    TokenTimeout,
    /// The token endpoint refused.
    #[error("the token endpoint answered {status}: {code}")]
    TokenRefused {
        /// Its status.
        status: StatusCode,
        /// The code of RFC 6749, section 5.2, if it is one.
        code: &'static str,
    },
    /// The token endpoint's answer cannot be used.
    #[error("the token endpoint's answer cannot be used: {reason}")]
    TokenAnswer {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The token endpoint failed a moment ago, and is not asked again yet.
    #[error("the token endpoint failed a moment ago")]
    TokenPaused,
}

impl CredentialError {
    /// The kind of the door's answer.
    #[must_use]
    pub const fn kind(&self) -> passthrough::Kind {
        match self {
            Self::Body(_) | Self::Request { .. } => passthrough::Kind::InvalidRequest,
            Self::BodyTooLarge { .. } => passthrough::Kind::RequestTooLarge,
            Self::Unusable { .. }
            | Self::Claim { .. }
            | Self::Sign(_)
            | Self::TokenExchange(_)
            | Self::TokenRequest(_)
            | Self::TokenTimeout
            | Self::TokenRefused { .. }
            | Self::TokenAnswer { .. }
            | Self::TokenPaused => passthrough::Kind::Credential,
        }
    }
}
