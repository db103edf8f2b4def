//! On whose behalf `db-server` calls `provider-proxy`: signed claims, made once for each caller and half a minute.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use actix_web::http::header::HeaderValue;
use chassis::logging::Principal;
use jws::{Expected, SignError, VerifyError, sign};
use serde_json::Value;
use uuid::Uuid;
use wire::identity::{ANONYMOUS, Claims, LONGEST_LIFE, ROLE_ANONYMOUS};

use crate::{domain::Clock, settings::IdentitySettings};

/// The age at which a token is replaced, in seconds: it must still be good when it arrives, by another clock.
const RENEW_AFTER: u64 = LONGEST_LIFE / 2;

/// How many callers' tokens are kept.
const MOST_TOKENS: usize = 4096;

/// Makes and keeps tokens. One for all workers.
pub struct Signer {
    settings: IdentitySettings,
    clock: Clock,
    kept: Mutex<HashMap<Vec<u8>, Kept>>,
}

/// A token and when it was signed, in seconds since the epoch.
struct Kept {
    signed_at: u64,
    header: HeaderValue,
}

impl Kept {
    /// A clock that was put back makes what it signed before of no use.
    fn is_fresh(&self, now: u64) -> bool {
        now.checked_sub(self.signed_at).is_some_and(|age| age < RENEW_AFTER)
    }
}

impl Signer {
    /// Signs with the key of these settings.
    #[must_use]
    pub fn new(settings: IdentitySettings, clock: Clock) -> Self {
        Self { settings, clock, kept: Mutex::default() }
    }

    /// The value of `Authorization` for requests on somebody's behalf, or on nobody's.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn token(&self, principal: Option<&Principal>) -> Result<HeaderValue, SignError> {
        match principal {
            Some(Principal { name, authorities }) => self.token_for(name, authorities),
            None => self.token_for(ANONYMOUS, &[ROLE_ANONYMOUS.to_owned()]),
        }
    }

    /// The value of `Authorization` for requests on behalf of this name with these authorities.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn token_for(&self, name: &str, authorities: &[String]) -> Result<HeaderValue, SignError> {
        self.token_to(&self.settings.audience, name, authorities)
    }

    /// The same for requests to somebody else, whom alone the token is for.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn token_to(
        &self,
        audience: &str,
        name: &str,
        authorities: &[String],
    ) -> Result<HeaderValue, SignError> {
        let now = u64::try_from(self.clock.now().timestamp()).unwrap_or(0);
        let key = key(audience, name, authorities);
        if let Some(kept) = self.kept().get(&key).filter(|kept| kept.is_fresh(now)) {
            return Ok(kept.header.clone());
        }
        // Not under the lock: an RSA signature takes most of a millisecond, and two of them do no harm.
        let header = self.sign(audience, name, authorities, now)?;
        self.keep(key, Kept { signed_at: now, header: header.clone() }, now);
        Ok(header)
    }

    /// The name and the authorities of a token that was made here for this audience.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(&self, token: &str, audience: &str) -> Result<(String, Vec<String>), VerifyError> {
        let claims = jws::verify(token, &[self.settings.key.verifying_key()])?;
        let (now, leeway) = (SystemTime::from(self.clock.now()), Duration::ZERO);
        Expected { now, leeway, issuer: &self.settings.issuer, audience }.check(&claims)?;
        let claims: Claims =
            serde_json::from_value(Value::Object(claims)).map_err(|_| VerifyError::Malformed)?;
        Ok((claims.sub, claims.authorities))
    }

    /// Who signs.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    fn sign(
        &self,
        audience: &str,
        name: &str,
        authorities: &[String],
        now: u64,
    ) -> Result<HeaderValue, SignError> {
        let claims = Claims {
            sub: name.to_owned(),
            authorities: authorities.to_vec(),
            iss: self.settings.issuer.clone(),
            aud: audience.to_owned(),
            iat: now,
            exp: now.saturating_add(LONGEST_LIFE),
            jti: Uuid::new_v4().to_string(),
        };
        let token = sign(&self.settings.key, &claims, None)?;
        // Base64url and dots are always a header's value.
        let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| SignError::Key)?;
        header.set_sensitive(true);
        Ok(header)
    }

    fn keep(&self, key: Vec<u8>, new: Kept, now: u64) {
        let mut kept = self.kept();
        if kept.len() >= MOST_TOKENS {
            kept.retain(|_, token| token.is_fresh(now));
        }
        if kept.len() >= MOST_TOKENS {
            kept.clear();
        }
        kept.insert(key, new);
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Audience, name and authorities, each behind its length, so that no two callers have the same.
fn key(audience: &str, name: &str, authorities: &[String]) -> Vec<u8> {
    let mut key = Vec::with_capacity(128);
    for part in [audience, name].into_iter().chain(authorities.iter().map(String::as_str)) {
        key.extend_from_slice(&part.len().to_be_bytes());
        key.extend_from_slice(part.as_bytes());
    }
    key
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicI64, Ordering},
        },
        time::UNIX_EPOCH,
    };

    use chrono::DateTime;
    use jws::{SigningKey, VerifyingKey, verify};

    use super::*;

    const BEGIN: i64 = 1_800_000_000;

    /// A signer by a clock that the test sets, and what verifies its tokens.
    fn signer(pem: &str) -> (Signer, Arc<AtomicI64>, VerifyingKey) {
        let time = Arc::new(AtomicI64::new(BEGIN));
        let clock = {
            let time = Arc::clone(&time);
            Clock::new(move || DateTime::from_timestamp(time.load(Ordering::Relaxed), 0).unwrap())
        };
        let key = SigningKey::from_pem(&pem.into(), None).unwrap();
        let public = key.verifying_key();
        let settings = IdentitySettings { key, issuer: "us".into(), audience: "them".into() };
        (Signer::new(settings, clock), time, public)
    }

    const ED25519: &str = include_str!("../../jws/src/fixtures/ed25519.pem");
    const RSA: &str = include_str!("../../jws/src/fixtures/rsa.pem");

    fn principal(name: &str, authorities: &[&str]) -> Principal {
        let authorities = authorities.iter().map(|&authority| authority.to_owned()).collect();
        Principal { name: name.into(), authorities }
    }

    fn claims(header: &HeaderValue, key: &VerifyingKey, now: i64) -> Claims {
        let token = header.to_str().unwrap().strip_prefix("Bearer ").unwrap();
        let claims = verify(token, std::slice::from_ref(key)).unwrap();
        let now: SystemTime = UNIX_EPOCH + Duration::from_secs(now.try_into().unwrap());
        Expected { now, leeway: Duration::ZERO, issuer: "us", audience: "them" }.check(&claims).unwrap();
        serde_json::from_value(Value::Object(claims)).unwrap()
    }

    #[test]
    fn a_token_says_who_calls_and_lives_a_minute() {
        for (pem, algorithm) in [(ED25519, "EdDSA"), (RSA, "RS512")] {
            let (signer, _, public) = signer(pem);
            assert_eq!(public.algorithm().name(), algorithm);
            let header = signer.token(Some(&principal("shop", &["ROLE_READ", "ROLE_WRITE"]))).unwrap();
            let claims = claims(&header, &public, BEGIN);
            assert_eq!((claims.sub.as_str(), claims.authorities.len()), ("shop", 2));
            assert_eq!((claims.iss.as_str(), claims.aud.as_str()), ("us", "them"));
            assert_eq!(claims.exp - claims.iat, LONGEST_LIFE);
        }
    }

    #[test]
    fn a_token_for_somebody_else_is_for_nobody_but_them() {
        let (signer, _, _) = signer(ED25519);
        let header = signer.token_to("elsewhere", "shop", &["ROLE_READ".into()]).unwrap();
        let token = header.to_str().unwrap().strip_prefix("Bearer ").unwrap();
        assert_eq!(signer.verify(token, "them"), Err(VerifyError::Audience));
        let whose = ("shop".to_owned(), vec!["ROLE_READ".to_owned()]);
        assert_eq!(signer.verify(token, "elsewhere"), Ok(whose));
    }

    #[test]
    fn nobody_is_called_so() {
        let (signer, _, public) = signer(ED25519);
        let claims = claims(&signer.token(None).unwrap(), &public, BEGIN);
        assert_eq!(
            (claims.sub.as_str(), claims.authorities),
            ("anonymousUser", vec!["ROLE_ANONYMOUS".into()])
        );
    }

    #[test]
    fn a_token_is_signed_once_and_renewed_well_before_its_end() {
        let (signer, time, public) = signer(ED25519);
        let shop = principal("shop", &["ROLE_READ"]);
        let first = signer.token(Some(&shop)).unwrap();
        time.store(BEGIN + 29, Ordering::Relaxed);
        assert_eq!(signer.token(Some(&shop)).unwrap(), first);
        time.store(BEGIN + 30, Ordering::Relaxed);
        let second = signer.token(Some(&shop)).unwrap();
        assert_ne!(second, first);
        let [first, second] = [&first, &second].map(|header| claims(header, &public, BEGIN + 30));
        assert!(first.jti != second.jti && first.exp >= 30 + u64::try_from(BEGIN).unwrap());
        // A clock that is put back: what is signed is good by that clock.
        time.store(BEGIN - 100, Ordering::Relaxed);
        claims(&signer.token(Some(&shop)).unwrap(), &public, BEGIN - 100);
    }

    #[test]
    fn callers_who_differ_in_anything_have_tokens_of_their_own() {
        let (signer, _, public) = signer(ED25519);
        let callers = [
            principal("shop", &["ROLE_READ"]),
            principal("shop", &["ROLE_READ", "ROLE_WRITE"]),
            principal("shop", &[]),
            principal("shopROLE_READ", &[]),
            principal("other", &["ROLE_READ"]),
        ];
        for caller in callers.iter().chain(&callers) {
            let claims = claims(&signer.token(Some(caller)).unwrap(), &public, BEGIN);
            assert_eq!((&claims.sub, &claims.authorities), (&caller.name, &caller.authorities));
        }
        assert_eq!(signer.kept().len(), callers.len());
    }

    #[test]
    fn no_number_of_callers_fills_the_memory() {
        let (signer, _, _) = signer(ED25519);
        for number in 0..=MOST_TOKENS {
            signer.token_for(&format!("caller-{number}"), &[]).unwrap();
        }
        assert!(signer.kept().len() <= MOST_TOKENS);
    }
}
