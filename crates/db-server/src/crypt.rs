//! Encryption at rest: Fernet tokens under a list of keys, of which the first encrypts and all decrypt.
//!
//! Source: the Fernet specification, <https://github.com/fernet/spec/blob/master/Spec.md>.

use std::fmt;

use data_encoding::{BASE32_NOPAD_NOCASE, BASE64URL, BASE64URL_NOPAD};
use diesel::{deserialize::FromSqlRow, expression::AsExpression, sql_types::Text};
use fernet::{Fernet, MultiFernet};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Characters of the 32 bytes of a key, of which 16 sign and 16 encrypt, without padding.
const BASE64URL_LENGTH: usize = 43;
const BASE32_LENGTH: usize = 52;

/// The keys of the values that are encrypted at rest.
#[derive(Clone)]
pub struct EncryptionKeys {
    keys: Vec<Fernet>,
    all: MultiFernet,
}

impl EncryptionKeys {
    /// Reads the keys, each 32 bytes as base64url (the usual form of a Fernet key) or as base32 (RFC 4648), with or
    /// without padding.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(keys: &[SecretString]) -> Result<Self, KeyError> {
        if keys.is_empty() {
            return Err(KeyError::NoKey);
        }
        let keys = (1..)
            .zip(keys)
            .map(|(position, key)| parse_key(key).ok_or(KeyError::NotAKey { position }))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { all: MultiFernet::new(keys.clone()), keys })
    }

    /// A fresh random key, as base64url.
    #[must_use]
    pub fn generate() -> SecretString {
        Fernet::generate_key().into()
    }

    /// Encrypts with the first key. The same text gives another token every time.
    #[must_use]
    pub fn encrypt(&self, text: &str) -> Ciphertext {
        Ciphertext(self.all.encrypt(text.as_bytes()))
    }

    /// Decrypts with whichever key it was encrypted with.
    ///
    /// # Errors
    /// [`CryptError`].
    pub fn decrypt(&self, text: &Ciphertext) -> Result<SecretString, CryptError> {
        let bytes = self.all.decrypt(&text.0).map_err(|_| CryptError::Undecryptable)?;
        // The bytes of a failed conversion are wiped too.
        String::from_utf8(bytes).map(SecretString::from).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            CryptError::NotText
        })
    }

    /// Whether the token is under the first key.
    #[must_use]
    pub fn is_current(&self, text: &Ciphertext) -> bool {
        let first = self.keys.first().map(|first| first.decrypt(&text.0).map(Zeroizing::new));
        first.is_some_and(|text| text.is_ok())
    }

    /// Whether the first key decrypts what is encrypted here, and what any key has encrypted is decrypted here.
    #[must_use]
    pub fn round_trip(&self) -> bool {
        const PROBE: &[u8] = b"round trip";
        let is_probe = |text: Result<Vec<u8>, _>| text.is_ok_and(|text| text == PROBE);
        self.keys.first().is_some_and(|first| is_probe(first.decrypt(&self.all.encrypt(PROBE))))
            && self.keys.iter().all(|key| is_probe(self.all.decrypt(&key.encrypt(PROBE))))
    }

    /// Keys that fail their round trip: what they encrypt they do not decrypt.
    #[cfg(test)]
    pub(crate) fn mismatched() -> Self {
        let key = || Fernet::new(&Fernet::generate_key()).unwrap();
        Self { keys: vec![key()], all: MultiFernet::new(vec![key()]) }
    }
}

impl fmt::Debug for EncryptionKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EncryptionKeys({})", self.keys.len())
    }
}

/// A Fernet token: an encrypted text, as the database holds it.
#[derive(AsExpression, Clone, Deserialize, Eq, FromSqlRow, PartialEq, Serialize)]
#[diesel(sql_type = Text)]
pub struct Ciphertext(String);

impl Ciphertext {
    /// A token from elsewhere; whether it is one shows when it is decrypted.
    #[must_use]
    pub const fn from_token(token: String) -> Self {
        Self(token)
    }

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::store::stored_as!(Ciphertext as Text, String, |text| &text.0, |text| Some(Ciphertext(text)));

impl fmt::Debug for Ciphertext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ciphertext(..)")
    }
}

/// Why a list of keys cannot be used. It never tells a key.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum KeyError {
    /// The list is empty.
    #[error("at least one key is needed")]
    NoKey,
    /// A key has neither form.
    #[error("key {position} is neither base64url nor base32 of 32 bytes (a Fernet key)")]
    NotAKey {
        /// Its place in the list, from 1.
        position: usize,
    },
}

/// Why a value of the database cannot be read.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum CryptError {
    /// No key fits, or the token has been changed.
    #[error("no encryption key decrypts the value")]
    Undecryptable,
    /// It is no UTF-8.
    #[error("the decrypted value is not text")]
    NotText,
}

fn parse_key(text: &SecretString) -> Option<Fernet> {
    let text = text.expose_secret().trim_end_matches('=').as_bytes();
    let bytes = match text.len() {
        BASE64URL_LENGTH => BASE64URL_NOPAD.decode(text),
        BASE32_LENGTH => BASE32_NOPAD_NOCASE.decode(text),
        _ => return None,
    };
    let bytes = Zeroizing::new(bytes.ok()?);
    Fernet::new(&Zeroizing::new(BASE64URL.encode(&bytes)))
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE32;

    use super::*;

    /// Key, token and text of the specification's generate.json and verify.json.
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    fn keys(texts: &[&str]) -> Result<EncryptionKeys, KeyError> {
        EncryptionKeys::parse(&texts.iter().map(|&text| text.into()).collect::<Vec<_>>())
    }

    fn decrypted(keys: &EncryptionKeys, token: &str) -> Result<String, CryptError> {
        keys.decrypt(&Ciphertext(token.into())).map(|text| text.expose_secret().to_owned())
    }

    #[test]
    fn the_vector_of_the_specification_decrypts() {
        assert_eq!(decrypted(&keys(&[KEY]).unwrap(), TOKEN), Ok("hello".into()));
    }

    #[test]
    fn the_invalid_tokens_of_the_specification_are_refused() {
        // invalid.json, all but those about time: at rest no token expires.
        const INVALID: [&str; 6] = [
            // incorrect mac
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
            // too short
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==",
            // invalid base64
            "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
            // payload size not multiple of block size
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
            // payload padding error
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
            // incorrect IV (causes padding error)
            "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
        ];
        let keys = keys(&[KEY]).unwrap();
        for token in INVALID {
            assert_eq!(decrypted(&keys, token), Err(CryptError::Undecryptable), "{token}");
        }
    }

    #[test]
    fn a_key_is_read_in_both_forms_with_and_without_padding() {
        let bytes = BASE64URL.decode(KEY.as_bytes()).unwrap();
        let base32 = BASE32.encode(&bytes);
        let forms = [KEY, KEY.trim_end_matches('='), &base32, base32.trim_end_matches('=')];
        for form in forms {
            assert_eq!(decrypted(&keys(&[form]).unwrap(), TOKEN), Ok("hello".into()), "{form}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_by_its_position_without_being_told() {
        for text in
            ["", "short", "not a key at all", &KEY[4..], &format!("{KEY}AAAA"), &KEY.replace('_', "/")]
        {
            let error = keys(&[KEY, text]).unwrap_err();
            assert_eq!(error, KeyError::NotAKey { position: 2 }, "{text:?}");
        }
        assert_eq!(keys(&[]).unwrap_err(), KeyError::NoKey);
        assert!(!format!("{:?}", keys(&[KEY]).unwrap()).contains("cw_0"));
    }

    #[test]
    fn the_first_key_encrypts_and_all_decrypt() {
        let fresh = EncryptionKeys::generate();
        let old = keys(&[KEY]).unwrap();
        let rotated = keys(&[fresh.expose_secret(), KEY]).unwrap();
        assert!(rotated.round_trip());
        let token = old.encrypt("before");
        assert_eq!(rotated.decrypt(&token).unwrap().expose_secret(), "before");
        let token = rotated.encrypt("after");
        assert_eq!(old.decrypt(&token).unwrap_err(), CryptError::Undecryptable);
        assert_eq!(keys(&[fresh.expose_secret()]).unwrap().decrypt(&token).unwrap().expose_secret(), "after");
    }

    #[test]
    fn keys_that_do_not_decrypt_what_they_encrypt_fail_their_round_trip() {
        assert!(!EncryptionKeys::mismatched().round_trip());
    }

    #[test]
    fn only_a_token_under_the_first_key_is_current() {
        let fresh = EncryptionKeys::generate();
        let (old, rotated) = (keys(&[KEY]).unwrap(), keys(&[fresh.expose_secret(), KEY]).unwrap());
        let token = old.encrypt("text");
        assert!(old.is_current(&token) && !rotated.is_current(&token));
        assert!(rotated.is_current(&rotated.encrypt("text")));
    }

    #[test]
    fn the_same_text_never_gives_the_same_token() {
        let keys = keys(&[KEY]).unwrap();
        assert_ne!(keys.encrypt("x").as_str(), keys.encrypt("x").as_str());
    }
}
