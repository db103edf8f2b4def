//! What can be wrong with a key or a token. Nothing here shows either.

use thiserror::Error;

use crate::Algorithm;

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum KeyError {
    /// It is no PEM, or PEM of something else.
    #[error("expected a key in PEM")]
    Pem,
    /// Its kind or size is none that is known here.
    #[error("expected an Ed25519 key, an EC key on P-256, or an RSA key of at least 2048 bits")]
    Unsupported,
    /// It is not for the algorithm that was asked for.
    #[error("the key is not for {0}")]
    Mismatch(Algorithm),
    /// A shared secret is shorter than the hash, which RFC 7518, section 3.2, forbids.
    #[error("expected a secret of at least 32 bytes")]
    TooShort,
}

/// Why a token cannot be signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// The claims cannot be written as JSON.
    #[error("the claims cannot be written as JSON: {0}")]
    Claims(#[source] serde_json::Error),
    /// The key refused, or there is no randomness.
    #[error("the key did not sign")]
    Key,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum VerifyError {
    /// It is no compact JWS of a JSON object, has critical extensions, a member twice, or a claim of the wrong type.
    #[error("the token is malformed")]
    Malformed,
    /// Its header names an algorithm that is not that of a known key.
    #[error("the token's algorithm is not that of a known key")]
    Algorithm,
    /// No known key made its signature.
    #[error("the token's signature is not valid")]
    Signature,
    /// It is over.
    #[error("the token has expired")]
    Expired,
    /// It begins later, or was made in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It is from somebody else.
    #[error("the token has another issuer")]
    Issuer,
    /// It is for somebody else.
    #[error("the token has another audience")]
    Audience,
    /// It is longer than [`crate::LONGEST_TOKEN`].
    #[error("the token is too long")]
    TooLong,
}
