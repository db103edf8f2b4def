//! The secrets that this host exists to hold, in types that cannot be printed.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// The key and secret with which requests are signed (RFC 5849), and the realm that is named with them.
#[derive(Clone)]
pub struct OAuthConsumer {
    /// The protection realm, which is no secret.
    pub realm: String,
    /// The consumer key.
    pub key: SecretString,
    /// The consumer secret.
    pub secret: SecretString,
}

impl fmt::Debug for OAuthConsumer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OAuthConsumer").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// The keys with which a provider signs its notices, by their numeric ids; several during a rotation.
#[derive(Clone, Default)]
pub struct NoticeKeys(BTreeMap<u32, SecretString>);

impl NoticeKeys {
    /// Adds a key.
    pub fn insert(&mut self, id: u32, key: SecretString) {
        self.0.insert(id, key);
    }

    /// The key of an id.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&SecretString> {
        self.0.get(&id)
    }

    /// All keys.
    pub fn iter(&self) -> impl Iterator<Item = &SecretString> {
        self.0.values()
    }
}

/// Ids only.
impl fmt::Debug for NoticeKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// Takes our own credentials out of what a provider says: one that echoes a request in its error must not hand them
/// to db-server.
#[derive(Clone, Default)]
pub struct Withheld(Vec<SecretString>);

/// A shorter text is too likely to be a part of an ordinary word.
const LEAST_LENGTH: usize = 8;

/// What stands in a credential's place.
const MARK: &str = "[withheld]";

/// RFC 3986 unreserved characters stay.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Withheld {
    /// Withholds a consumer key. It is no secret by the protocol and can be an ordinary word: a short one is withheld
    /// only where a signed request is repeated.
    pub fn add_consumer_key(&mut self, key: &str) {
        let encoded = utf8_percent_encode(key, ENCODED);
        self.add(&format!("oauth_consumer_key=\"{encoded}\""));
        self.add(&format!("oauth_consumer_key={encoded}"));
        if key.len() >= 2 * LEAST_LENGTH {
            self.add(key);
        }
    }

    /// Withholds a text, as it is and percent-encoded.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < LEAST_LENGTH {
            return;
        }
        let encoded = utf8_percent_encode(secret, ENCODED).to_string();
        if encoded != secret {
            self.0.push(encoded.into());
        }
        // As it stands in a JSON text.
        let quoted = Value::from(secret).to_string();
        let escaped = quoted.trim_start_matches('"').trim_end_matches('"');
        if escaped != secret {
            self.0.push(escaped.into());
        }
        self.0.push(secret.into());
    }

    /// Withholds a secret of the settings.
    pub fn add_secret(&mut self, secret: &SecretString) {
        self.add(secret.expose_secret());
    }

    /// The bytes without any credential that is in them as it is.
    #[must_use]
    pub fn clean_bytes(&self, bytes: Bytes) -> Bytes {
        match std::str::from_utf8(&bytes) {
            Ok(text) if self.is_in(text) => self.clean(text.to_owned()).into(),
            Err(_) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                // What cannot be looked through is not passed on as it is.
                self.clean(text).into()
            }
            Ok(_) => bytes,
        }
    }

    fn is_in(&self, text: &str) -> bool {
        self.0.iter().any(|secret| text.contains(secret.expose_secret()))
    }

    /// The text without any credential.
    #[must_use]
    pub fn clean(&self, text: String) -> String {
        self.0
            .iter()
            .map(ExposeSecret::expose_secret)
            .fold(text, |text, secret| if text.contains(secret) { text.replace(secret, MARK) } else { text })
    }

    /// Cleans every text in a JSON value, the names of fields included.
    pub fn clean_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.clean(std::mem::take(text)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_value(item)),
            Value::Object(fields) => {
                for (name, mut value) in std::mem::take(fields) {
                    self.clean_value(&mut value);
                    fields.insert(self.clean(name), value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl fmt::Debug for Withheld {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Withheld({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_debug_shows_a_secret() {
        let consumer =
            OAuthConsumer { realm: "r".into(), key: "dummy-key".into(), secret: "dummy-secret".into() };
        let mut keys = NoticeKeys::default();
        keys.insert(7, "dummy-notice".into());
        let mut withheld = Withheld::default();
        withheld.add("dummy-secret");
        let text = format!("{consumer:?} {keys:?} {withheld:?}");
        assert!(!text.contains("dummy"), "{text}");
        assert!(text.contains('7'), "{text}");
    }

    #[test]
    fn a_credential_is_taken_out_of_every_text_of_an_answer() {
        let mut withheld = Withheld::default();
        withheld.add("dummy secret/1");
        let mut answer = json!({
            "message": {"header": ["OAuth x=\"dummy secret/1\"", "a dummy%20secret%2F1 b"]},
            "dummy secret/1": 1,
            "kept": "dummy"
        });
        withheld.clean_value(&mut answer);
        assert_eq!(
            answer,
            json!({
                "message": {"header": ["OAuth x=\"[withheld]\"", "a [withheld] b"]},
                "[withheld]": 1,
                "kept": "dummy"
            })
        );
    }

    #[test]
    fn a_very_short_secret_does_not_tear_ordinary_words() {
        let mut withheld = Withheld::default();
        withheld.add("a");
        assert_eq!(withheld.clean("banana".into()), "banana");
    }
}
