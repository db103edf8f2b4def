//! On whose behalf this server calls: short tokens, signed with a key whose public half the other side has.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jws::{Expected, SignError, SigningKey, VerifyError, VerifyingKey};
use moka::sync::Cache;
use serde_json::Value;
use uuid::Uuid;
use wire::identity::{Claims, LONGEST_LIFE};

/// How long a token is used again for the same caller, in seconds; it is good for as long again and more.
const USED_AGAIN: u64 = LONGEST_LIFE / 3;
/// How many tokens are kept.
const CAPACITY: u64 = 10_000;

/// Makes the tokens. Clones share the key and what has been made.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    verifying: VerifyingKey,
    issuer: String,
    made: Cache<(String, Vec<String>, String), String>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({:?}, {})", self.key, self.issuer)
    }
}

impl Signer {
    /// Signs with this key, as this issuer.
    #[must_use]
    pub fn new(key: SigningKey, issuer: String) -> Self {
        let made =
            Cache::builder().max_capacity(CAPACITY).time_to_live(Duration::from_secs(USED_AGAIN)).build();
        Self { verifying: key.verifying_key(), key, issuer, made }
    }

    /// A token for this caller, which only `audience` may believe.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn token(&self, name: &str, authorities: &[String], audience: &str) -> Result<String, SignError> {
        let whose = (name.to_owned(), authorities.to_vec(), audience.to_owned());
        if let Some(token) = self.made.get(&whose) {
            return Ok(token);
        }
        let iat = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let claims = Claims {
            sub: whose.0.clone(),
            authorities: whose.1.clone(),
            iss: self.issuer.clone(),
            aud: whose.2.clone(),
            iat,
            exp: iat.saturating_add(LONGEST_LIFE),
            jti: Uuid::new_v4().to_string(),
        };
        let token = jws::sign(&self.key, &claims, None)?;
        self.made.insert(whose, token.clone());
        Ok(token)
    }

    /// The name and the authorities of a token that was made here for this audience.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(&self, token: &str, audience: &str) -> Result<(String, Vec<String>), VerifyError> {
        let claims = jws::verify(token, std::slice::from_ref(&self.verifying))?;
        let expected =
            Expected { now: SystemTime::now(), leeway: Duration::ZERO, issuer: &self.issuer, audience };
        expected.check(&claims)?;
        let claims: Claims =
            serde_json::from_value(Value::Object(claims)).map_err(|_| VerifyError::Malformed)?;
        Ok((claims.sub, claims.authorities))
    }

    /// Who signs.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}
