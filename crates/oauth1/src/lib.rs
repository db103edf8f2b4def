//! OAuth 1.0a requests: the base string, signing (with or without a token) and verifying (without), after RFC 5849.
//!
//! A service takes only the half it may have: feature `sign` makes an `Authorization` header, feature `verify`
//! reads and checks one. What both need is always compiled. The protocol parameters travel in the `Authorization`
//! header alone (RFC 5849, 3.5.1), so a query or form parameter whose name begins with `oauth_` is refused. A body
//! that is not a form, JSON for one, is not covered by the signature (3.4.1.3.1); the query is.

mod base_string;
mod base_uri;
mod encoding;
#[cfg(all(test, feature = "sign", feature = "verify"))]
mod published_examples;
#[cfg(feature = "sign")]
mod sign;
mod signature;
#[cfg(feature = "verify")]
mod verify;

pub use base_string::BaseString;
pub use base_uri::UrlError;
pub use encoding::percent_encode;
#[cfg(feature = "sign")]
pub use sign::{Credentials, Request, SignError, Token, sign, sign_with_token};
pub use signature::SignatureMethod;
#[cfg(feature = "verify")]
pub use verify::{AuthorizationHeader, MAX_HEADER_LENGTH, VerifyError, check_timestamp};
