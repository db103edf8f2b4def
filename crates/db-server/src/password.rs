//! Passwords of people: kept as PINs are, as a slow salted hash with the pepper that is not in the database.

use secrecy::{ExposeSecret, SecretString};

use crate::pin::{PinError, PinHash, PinHasher};

/// The shortest password that may be set, in characters (NIST SP 800-63B, 5.1.1.1).
pub const MIN_LENGTH: usize = 8;
/// The longest password that is looked at, in bytes.
pub const MAX_LENGTH: usize = 1024;

/// A password as somebody has typed it.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

/// The hash of a password; the database holds it as it holds that of a PIN.
pub type PasswordHash = PinHash;

impl Password {
    /// Takes what may be somebody's password. A longer text is nobody's.
    #[must_use]
    pub fn parse(text: String) -> Option<Self> {
        let text = SecretString::from(text);
        let possible = (1..=MAX_LENGTH).contains(&text.expose_secret().len());
        possible.then_some(Self(text))
    }

    /// Whether it is long enough to be set.
    #[must_use]
    pub fn is_long_enough(&self) -> bool {
        self.0.expose_secret().chars().count() >= MIN_LENGTH
    }

    /// The password itself, to remember for a while by a keyed digest that it has been right.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl PinHasher {
    /// Hashes a password with a fresh salt.
    ///
    /// # Errors
    /// [`PinError`]; the system may have no random numbers.
    pub fn hash_password(&self, password: &Password) -> Result<PasswordHash, PinError> {
        self.hash_secret(&password.0)
    }

    /// Whether a hash is that of this password, in constant time.
    ///
    /// # Errors
    /// [`PinError`] when the hash is none.
    pub fn is_password(&self, password: &Password, hash: &PasswordHash) -> Result<bool, PinError> {
        self.matches_secret(&password.0, hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn only_the_right_password_matches_and_debug_shows_none() {
        let hasher = PinHasher::new("dummy-pepper-one".into(), 64, 1).unwrap();
        let hash = hasher.hash_password(&password("dummy-password")).unwrap();
        assert!(hasher.is_password(&password("dummy-password"), &hash).unwrap());
        assert!(!hasher.is_password(&password("dummy-passworD"), &hash).unwrap());
        assert!(!format!("{:?} {hash:?}", password("dummy-password")).contains("dummy"));
    }

    #[test]
    fn an_empty_or_endless_text_is_nobodys_password_and_a_short_one_is_not_set() {
        assert!(Password::parse(String::new()).is_none());
        assert!(Password::parse("x".repeat(MAX_LENGTH + 1)).is_none());
        assert!(!password("1234567").is_long_enough());
        assert!(password("12345678").is_long_enough());
    }
}
