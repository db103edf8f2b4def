//! The signature methods: HMAC over the base string (RFC 5849, section 3.4.2).

use std::fmt;
use std::str::FromStr;

#[cfg(any(feature = "sign", feature = "verify"))]
use {
    crate::{BaseString, percent_encode},
    hmac::{Hmac, KeyInit, Mac},
    secrecy::{ExposeSecret, SecretString},
};

/// How a request is signed. `PLAINTEXT` and the RSA methods are not offered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignatureMethod {
    /// `HMAC-SHA1`, of RFC 5849, section 3.4.2.
    HmacSha1,
    /// `HMAC-SHA256`: the same with SHA-256, as common client libraries offer it.
    HmacSha256,
}

impl SignatureMethod {
    /// The name in `oauth_signature_method`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }
}

impl fmt::Display for SignatureMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for SignatureMethod {
    type Err = ();

    /// The names are case sensitive.
    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "HMAC-SHA1" => Ok(Self::HmacSha1),
            "HMAC-SHA256" => Ok(Self::HmacSha256),
            _ => Err(()),
        }
    }
}

/// The two secrets of a request. Ours have no token; the published examples do.
#[cfg(any(feature = "sign", feature = "verify"))]
#[derive(Clone, Copy)]
pub(crate) struct Secrets<'a> {
    pub(crate) consumer: &'a SecretString,
    pub(crate) token: Option<&'a SecretString>,
}

#[cfg(any(feature = "sign", feature = "verify"))]
impl Secrets<'_> {
    /// The signature's bytes over a base string.
    pub(crate) fn digest(self, method: SignatureMethod, base: &BaseString) -> Vec<u8> {
        let key = self.key();
        match method {
            SignatureMethod::HmacSha1 => mac::<Hmac<sha1::Sha1>>(&key, base),
            SignatureMethod::HmacSha256 => mac::<Hmac<sha2::Sha256>>(&key, base),
        }
    }

    /// The encoded consumer secret, `&`, and the encoded token secret.
    fn key(self) -> SecretString {
        let token = self.token.map_or(String::new(), |secret| percent_encode(secret.expose_secret()));
        SecretString::from(format!("{}&{token}", percent_encode(self.consumer.expose_secret())))
    }
}

#[cfg(any(feature = "sign", feature = "verify"))]
#[expect(
    clippy::expect_used,
    reason = "HMAC takes a key of any length; its constructor's error cannot happen"
)]
fn mac<M: Mac + KeyInit>(key: &SecretString, base: &BaseString) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(key.expose_secret().as_bytes());
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(base.as_str().as_bytes());
    mac.finalize().into_bytes().to_vec()
}
