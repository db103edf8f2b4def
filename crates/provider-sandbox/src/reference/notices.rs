//! The signed notice: a query string with its HMAC-SHA256, which the provider posts when the payer has confirmed.
//!
//! `ext_transaction_id=X[&error=CODE]&price=0.99&currency=EUR&sig=KEY_ID:HEX`, where HEX is made over everything in
//! front of `&sig=`, in lower case.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use oauth1::percent_encode;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The key that signs.
pub(super) struct NoticeKey {
    id: u64,
    secret: SecretString,
}

/// A notice, and where it goes.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    /// The consumer's callback.
    pub(super) url: String,
    /// The signed query string.
    pub(super) signed: String,
}

/// What a notice says.
#[derive(Debug)]
pub(super) struct Content<'a> {
    /// The consumer's own id of the transaction.
    pub(super) ext_transaction_id: &'a str,
    /// Why it failed; None when the payer has paid.
    pub(super) error: Option<&'a str>,
    /// What was charged.
    pub(super) price: &'a str,
    /// In which currency.
    pub(super) currency: &'a str,
}

impl NoticeKey {
    /// Of several keys the one with the highest id signs; the others are there for notices signed before.
    pub(super) fn latest(mut keys: BTreeMap<u64, SecretString>) -> Self {
        let (id, secret) = keys.pop_last().unwrap_or_default();
        Self { id, secret }
    }

    /// The whole signed query string.
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length; the error cannot happen")]
    pub(super) fn sign(&self, content: &Content<'_>) -> String {
        let text = content.query_string();
        let key = self.secret.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(text.as_bytes());
        format!("{text}&sig={}:{}", self.id, HEXLOWER.encode(&mac.finalize().into_bytes()))
    }
}

impl Content<'_> {
    fn query_string(&self) -> String {
        let mut pairs = vec![("ext_transaction_id", self.ext_transaction_id)];
        pairs.extend(self.error.map(|code| ("error", code)));
        pairs.extend([("price", self.price), ("currency", self.currency)]);
        let pairs: Vec<String> =
            pairs.into_iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect();
        pairs.join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected code was computed apart from this program:
    /// `printf %s 'ext_transaction_id=…&currency=EUR' | openssl dgst -sha256 -hmac dummy-notice-key-2`.
    #[test]
    fn a_notice_is_signed_with_the_highest_key() {
        let keys = [(2, "dummy-notice-key-2"), (1, "dummy-notice-key-1")];
        let keys = keys.map(|(id, secret)| (id, SecretString::from(secret)));
        let content = Content {
            ext_transaction_id: "solitude:1 &2",
            error: Some("CC_ERROR"),
            price: "0.99",
            currency: "EUR",
        };
        let signed = NoticeKey::latest(BTreeMap::from(keys)).sign(&content);
        let text = "ext_transaction_id=solitude%3A1%20%262&error=CC_ERROR&price=0.99&currency=EUR";
        assert_eq!(
            signed,
            format!("{text}&sig=2:333642c099408b77d2f00f5ac7d772936e75643d90e9f4e7a233937207019686")
        );
    }
}
