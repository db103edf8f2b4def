//! Tokens of people who have logged in: JSON Web Tokens (RFC 7519), HS256.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use data_encoding::BASE64URL_NOPAD;
use jws::{Expected, SignError, SigningKey, VerifyError, VerifyingKey};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::user::KnownUser;

/// Who signs these tokens.
const ISSUER: &str = "solitude-login";
/// Whom they are for.
const AUDIENCE: &str = "db-server";
/// How far the clocks of several servers may be apart.
const LEEWAY: Duration = Duration::from_secs(5);

/// Makes and checks tokens. Clones share the keys.
#[derive(Clone)]
pub struct Tokens {
    signing: SigningKey,
    verifying: Vec<VerifyingKey>,
    lifetime: Duration,
}

/// What a token says, in whole seconds since the epoch.
#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    authorities: Vec<String>,
    iss: &'static str,
    aud: &'static str,
    iat: u64,
    exp: u64,
    jti: String,
    /// That of the user when the token was made.
    generation: i64,
}

/// Whose token it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Holder {
    /// The user's name.
    pub name: String,
    /// The user's generation when the token was made.
    pub generation: i64,
}

impl Tokens {
    /// Signs with one key and accepts what any of the others has signed.
    #[must_use]
    pub const fn new(signing: SigningKey, verifying: Vec<VerifyingKey>, lifetime: Duration) -> Self {
        Self { signing, verifying, lifetime }
    }

    /// Makes a token for a user.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(&self, name: &str, user: &KnownUser, now: SystemTime) -> Result<String, SignError> {
        let iat = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let claims = Claims {
            sub: name,
            authorities: user.roles.iter().map(|role| authority(role)).collect(),
            iss: ISSUER,
            aud: AUDIENCE,
            iat,
            exp: iat.saturating_add(self.lifetime.as_secs()),
            jti: Uuid::new_v4().to_string(),
            generation: user.generation,
        };
        jws::sign(&self.signing, &claims, None)
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// [`VerifyError`]; [`VerifyError::Expired`] only for one that was good once.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Holder, VerifyError> {
        let claims = jws::verify(token, &self.verifying)?;
        Expected { now, leeway: LEEWAY, issuer: ISSUER, audience: AUDIENCE }.check(&claims)?;
        let name = claims.get("sub").and_then(Value::as_str).ok_or(VerifyError::Malformed)?.to_owned();
        let generation = claims.get("generation").and_then(Value::as_i64).ok_or(VerifyError::Malformed)?;
        Ok(Holder { name, generation })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tokens({} keys, {:?})", self.verifying.len(), self.lifetime)
    }
}

/// A role as tokens name it: `ROLE_READ`.
#[must_use]
pub fn authority(role: &str) -> String {
    format!("ROLE_{}", role.to_ascii_uppercase().replace('-', "_"))
}

/// Whether a text has the form of a token: three parts of base64url. A bearer key has two.
#[must_use]
pub fn has_form(text: &str) -> bool {
    let parts: Vec<_> = text.split('.').collect();
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(base64url))
}

/// Whether a token says that it was made here. That is not verified: it tells our own tokens, good or bad, from those
/// of others.
#[must_use]
pub fn claims_to_be_ours(token: &str) -> bool {
    claim(token, "iss").is_some_and(|issuer| issuer == ISSUER)
}

/// A text among the claims of a token that has not been verified.
pub(super) fn claim(token: &str, name: &str) -> Option<String> {
    if token.len() > jws::LONGEST_TOKEN {
        return None;
    }
    let payload = BASE64URL_NOPAD.decode(token.split('.').nth(1)?.as_bytes()).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    claims.get(name)?.as_str().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(keys: &[&str]) -> Tokens {
        let keys: Vec<_> =
            keys.iter().map(|key| format!("dummy-key-of-thirty-two-bytes-{key}").into()).collect();
        let verifying = keys.iter().map(|key| VerifyingKey::hmac(key).unwrap()).collect();
        Tokens::new(SigningKey::hmac(&keys[0]).unwrap(), verifying, Duration::from_secs(3600))
    }

    fn user() -> KnownUser {
        KnownUser { roles: vec!["read".to_owned(), "wonder-land".to_owned()], active: true, generation: 7 }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_token_says_who_may_do_what_and_until_when() {
        let token = tokens(&["one"]).sign("Alice", &user(), at(1_000)).unwrap();
        let payload = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(claims["sub"], "Alice");
        assert_eq!(claims["authorities"], serde_json::json!(["ROLE_READ", "ROLE_WONDER_LAND"]));
        assert_eq!((&claims["iat"], &claims["exp"]), (&1_000.into(), &4_600.into()));
        assert!(claims["jti"].as_str().unwrap().len() == 36 && has_form(&token) && claims_to_be_ours(&token));
    }

    #[test]
    fn a_token_that_expired_is_told_from_one_that_never_was_good() {
        let ours = tokens(&["one"]);
        let token = ours.sign("Alice", &user(), at(1_000)).unwrap();
        let holder = Holder { name: "Alice".to_owned(), generation: 7 };
        assert_eq!(ours.verify(&token, at(4_604)), Ok(holder));
        assert_eq!(ours.verify(&token, at(4_605)), Err(VerifyError::Expired));
        assert_eq!(tokens(&["two"]).verify(&token, at(9_999)), Err(VerifyError::Signature));
    }

    #[test]
    fn the_first_key_signs_and_every_key_verifies() {
        let token = tokens(&["old"]).sign("Alice", &user(), at(1_000)).unwrap();
        let rotated = tokens(&["new", "old"]);
        assert!(rotated.verify(&token, at(1_000)).is_ok());
        let token = rotated.sign("Alice", &user(), at(1_000)).unwrap();
        assert!(tokens(&["old"]).verify(&token, at(1_000)).is_err());
    }

    #[test]
    fn neither_a_bearer_key_nor_the_key_of_another_service_has_the_form_of_a_token() {
        for other in ["batch-0123456789ab.kD3", "sk_test_x", "", "..", "a.b.", "a.b.c.d", "a.b.c="] {
            assert!(!has_form(other), "{other}");
        }
        assert!(!claims_to_be_ours("a.b.c"));
    }
}
