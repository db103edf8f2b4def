//! PINs: four digits, kept only as a slow salted hash (argon2id, RFC 9106) with a pepper that is not in the database.

use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use diesel::{deserialize::FromSqlRow, expression::AsExpression, sql_types::Text};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// What a hash costs unless the settings say otherwise: OWASP's first choice for argon2id, 19 MiB and two passes.
pub const MEMORY_KIB: u32 = 19_456;
/// The passes over that memory.
pub const ITERATIONS: u32 = 2;
/// The lanes; one, so that a hash takes one processor.
const LANES: u32 = 1;

/// A PIN as a client sends it.
#[derive(Clone, Debug)]
pub struct Pin(SecretString);

impl Pin {
    /// Takes four digits, 0 to 9.
    #[must_use]
    pub fn parse(text: String) -> Option<Self> {
        let sound = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        sound.then(|| Self(text.into()))
    }
}

/// Makes and compares hashes. Both are slow on purpose: call them where blocking is allowed.
#[derive(Clone, Debug)]
pub struct PinHasher {
    pepper: SecretString,
    parameters: Params,
}

impl PinHasher {
    /// With this pepper; `memory` in KiB.
    ///
    /// # Errors
    /// [`PinError`] when argon2 cannot work with these numbers.
    pub fn new(pepper: SecretString, memory: u32, iterations: u32) -> Result<Self, PinError> {
        let parameters = Params::new(memory, iterations, LANES, None)?;
        Ok(Self { pepper, parameters })
    }

    /// Hashes a PIN with a fresh salt.
    ///
    /// # Errors
    /// [`PinError`]; the system may have no random numbers.
    pub fn hash(&self, pin: &Pin) -> Result<PinHash, PinError> {
        self.hash_secret(&pin.0)
    }

    /// Hashes any secret with a fresh salt.
    pub(crate) fn hash_secret(&self, secret: &SecretString) -> Result<PinHash, PinError> {
        let hash = self.argon2()?.hash_password(secret.expose_secret().as_bytes())?;
        Ok(PinHash(hash.to_string()))
    }

    /// Whether a hash is that of this PIN, in constant time. The cost is that of the hash, not of the settings.
    ///
    /// # Errors
    /// [`PinError`] when the hash is none.
    pub fn matches(&self, pin: &Pin, hash: &PinHash) -> Result<bool, PinError> {
        self.matches_secret(&pin.0, hash)
    }

    /// Whether a hash is that of this secret.
    pub(crate) fn matches_secret(&self, secret: &SecretString, hash: &PinHash) -> Result<bool, PinError> {
        let hash = PasswordHash::new(&hash.0).map_err(|_| PinError::NotAHash)?;
        match self.argon2()?.verify_password(secret.expose_secret().as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn argon2(&self) -> Result<Argon2<'_>, PinError> {
        let pepper = self.pepper.expose_secret().as_bytes();
        Ok(Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, self.parameters.clone())?)
    }
}

/// The hash of a PIN as the database holds it: a PHC string with algorithm, cost and salt.
#[derive(AsExpression, Clone, Eq, FromSqlRow, PartialEq)]
#[diesel(sql_type = Text)]
pub struct PinHash(String);

crate::store::stored_as!(PinHash as Text, String, |hash| &hash.0, |text| Some(PinHash(text)));

impl fmt::Debug for PinHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PinHash(..)")
    }
}

/// Why a PIN cannot be hashed or compared. It never tells the PIN.
#[derive(Debug, Error)]
pub enum PinError {
    /// Argon2 cannot work with these parameters.
    #[error("argon2: {0}")]
    Parameters(#[from] argon2::Error),
    /// Hashing failed.
    #[error("argon2: {0}")]
    Hash(#[from] argon2::password_hash::Error),
    /// What the database holds is no hash.
    #[error("what is stored is no PHC string")]
    NotAHash,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(pepper: &str) -> PinHasher {
        PinHasher::new(pepper.into(), 64, 1).unwrap()
    }

    fn pin(text: &str) -> Pin {
        Pin::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn a_pin_is_four_digits() {
        for text in ["", "123", "12345", "12a4", "-123", " 123", "１２３４", "+123", "12.4", "123\0"] {
            assert!(Pin::parse(text.to_owned()).is_none(), "{text:?}");
        }
        assert!(Pin::parse("0000".to_owned()).is_some());
    }

    #[test]
    fn only_the_right_pin_with_the_right_pepper_matches() {
        let hash = hasher("dummy-pepper-one").hash(&pin("1234")).unwrap();
        assert!(hasher("dummy-pepper-one").matches(&pin("1234"), &hash).unwrap());
        assert!(!hasher("dummy-pepper-one").matches(&pin("1235"), &hash).unwrap());
        assert!(!hasher("dummy-pepper-two").matches(&pin("1234"), &hash).unwrap());
    }

    #[test]
    fn a_hash_is_an_argon2id_phc_string_with_a_salt_of_its_own() {
        let hasher = PinHasher::new("dummy-pepper-one".into(), MEMORY_KIB, ITERATIONS).unwrap();
        let (one, two) = (hasher.hash(&pin("1234")).unwrap(), hasher.hash(&pin("1234")).unwrap());
        assert!(one.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.0);
        assert_ne!(one, two);
    }

    #[test]
    fn a_hash_made_at_another_cost_still_matches() {
        let hash = PinHasher::new("dummy-pepper-one".into(), 128, 2).unwrap().hash(&pin("1234")).unwrap();
        assert!(hasher("dummy-pepper-one").matches(&pin("1234"), &hash).unwrap());
    }

    #[test]
    fn debug_shows_neither_pin_nor_hash_nor_pepper() {
        let hasher = hasher("dummy-pepper-one");
        let shown = format!("{:?} {:?} {hasher:?}", pin("1234"), hasher.hash(&pin("1234")).unwrap());
        assert!(
            !shown.contains("1234") && !shown.contains("argon2id$") && !shown.contains("dummy"),
            "{shown}"
        );
    }

    #[test]
    fn what_is_no_hash_is_an_error() {
        let error = hasher("dummy-pepper-one").matches(&pin("1234"), &PinHash("1234".into())).unwrap_err();
        assert!(matches!(error, PinError::NotAHash));
    }
}
