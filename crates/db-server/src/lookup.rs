//! Look-up of encrypted values: HMAC-SHA256 under a list of keys, of which the first writes and all are searched.

use std::{fmt, iter};

use diesel::{deserialize::FromSqlRow, expression::AsExpression, sql_types::Binary};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The keys of the look-up hashes.
#[derive(Clone)]
pub struct LookupKeys {
    first: Hmac<Sha256>,
    others: Vec<Hmac<Sha256>>,
}

impl LookupKeys {
    /// Takes the keys, of any length; nothing when there is none.
    #[must_use]
    pub fn new(keys: &[SecretString]) -> Option<Self> {
        let mut keys = keys.iter().map(|key| Hmac::new_from_slice(key.expose_secret().as_bytes()).ok());
        Some(Self { first: keys.next()??, others: keys.collect::<Option<_>>()? })
    }

    /// The hash that is written: that under the first key.
    #[must_use]
    pub fn hash(&self, text: &str) -> LookupHash {
        under(&self.first, text)
    }

    /// The hashes that are searched for: one for each key.
    #[must_use]
    pub fn hashes(&self, text: &str) -> Vec<LookupHash> {
        iter::once(&self.first).chain(&self.others).map(|key| under(key, text)).collect()
    }
}

fn under(key: &Hmac<Sha256>, text: &str) -> LookupHash {
    let mac = key.clone().chain_update(text.as_bytes());
    LookupHash(mac.finalize().into_bytes().to_vec())
}

impl fmt::Debug for LookupKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LookupKeys({})", 1 + self.others.len())
    }
}

/// A keyed hash of 32 bytes, by which an encrypted value is found.
#[derive(AsExpression, Clone, Debug, Eq, FromSqlRow, PartialEq)]
#[diesel(sql_type = Binary)]
pub struct LookupHash(Vec<u8>);

impl LookupHash {
    /// The hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

crate::store::stored_as!(LookupHash as Binary, Vec<u8>, |hash| &hash.0, |bytes| Some(LookupHash(bytes)));

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> LookupKeys {
        LookupKeys::new(&keys.iter().map(|&key| key.into()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_vector_of_rfc_4231_is_met() {
        // Test case 2.
        let hash = keys(&["Jefe"]).hash("what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(data_encoding::HEXLOWER.encode(&hash.0), expected);
    }

    #[test]
    fn the_first_key_writes_and_all_are_searched() {
        let (old, both) = (keys(&["dummy-old"]), keys(&["dummy-new", "dummy-old"]));
        assert_ne!(both.hash("x"), old.hash("x"));
        assert!(both.hashes("x").contains(&old.hash("x")));
        assert!(both.hashes("x").contains(&both.hash("x")));
    }

    #[test]
    fn without_a_key_there_is_no_list_and_debug_shows_none() {
        assert!(LookupKeys::new(&[]).is_none());
        assert_eq!(format!("{:?}", keys(&["dummy"])), "LookupKeys(1)");
    }
}
