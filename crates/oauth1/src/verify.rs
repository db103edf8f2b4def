//! Verifying a request: reading its `Authorization` header strictly and comparing the signature in constant time.

mod header;
mod parameters;

use std::time::Duration;

use thiserror::Error;

pub use header::{AuthorizationHeader, MAX_HEADER_LENGTH};

use crate::UrlError;

/// Why a request is not authentic. A caller tells its client none of this; it is for the log.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum VerifyError {
    /// The header is longer than [`MAX_HEADER_LENGTH`] bytes.
    #[error("the Authorization header is too long")]
    TooLong,
    /// The header's scheme is not `OAuth`.
    #[error("the Authorization header's scheme is not OAuth")]
    Scheme,
    /// The header is not a list of `name="value"`.
    #[error("the Authorization header is malformed")]
    Malformed,
    /// A parameter is there twice.
    #[error("a parameter is repeated in the Authorization header")]
    Repeated,
    /// A parameter that the protocol needs is absent or empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// `oauth_version` is there and is not `1.0`.
    #[error("oauth_version is not 1.0")]
    Version,
    /// The signature method is not one of ours.
    #[error("the signature method is not supported")]
    SignatureMethod,
    /// The timestamp is not a positive number of seconds.
    #[error("the timestamp is not a positive number")]
    Timestamp,
    /// The request was made too long ago, or by a clock that is ahead of ours.
    #[error("the timestamp is outside the window")]
    Stale,
    /// The request's URL or parameters cannot be verified.
    #[error("the request cannot be verified")]
    Url(#[from] UrlError),
    /// There is no secret to verify with: a blank one would let anyone in.
    #[error("the consumer's secret is blank")]
    BlankSecret,
    /// The signature is not the one that the secret makes.
    #[error("the signature does not match")]
    Signature,
}

/// Refuses a timestamp that lies more than `window` before or after `now`; both are in seconds since 1970.
///
/// # Errors
/// [`VerifyError::Stale`] when it does.
pub fn check_timestamp(timestamp: u64, now: u64, window: Duration) -> Result<(), VerifyError> {
    if timestamp.abs_diff(now) > window.as_secs() { Err(VerifyError::Stale) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_outside_the_window_is_refused_on_either_side() {
        let window = Duration::from_secs(300);
        for fresh in [700, 1000, 1300] {
            assert_eq!(check_timestamp(fresh, 1000, window), Ok(()), "{fresh}");
        }
        for stale in [0, 699, 1301, u64::MAX] {
            assert_eq!(check_timestamp(stale, 1000, window), Err(VerifyError::Stale), "{stale}");
        }
    }
}
