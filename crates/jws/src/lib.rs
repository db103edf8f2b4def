//! JSON Web Signature in its compact form (RFC 7515), for the tokens that Solitude signs and verifies.
//!
//! The algorithm belongs to the key. A token's header may repeat it and can never choose it, so that neither `none` nor
//! a public key taken for an HMAC secret gets anywhere (RFC 8725, section 3.1).

mod algorithm;
mod claims;
mod der;
mod error;
mod json;
mod signing;
mod token;
mod verifying;

pub use algorithm::Algorithm;
pub use claims::Expected;
pub use error::{KeyError, SignError, VerifyError};
pub use signing::SigningKey;
pub use token::{LONGEST_TOKEN, sign, verify};
pub use verifying::VerifyingKey;

#[cfg(test)]
mod published_examples;
#[cfg(test)]
mod tests;
