//! `jwt`: a JSON Web Token of our own (RFC 7519), with claims from a template.

mod template;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chassis::settings::Section;
use http::{HeaderName, header::AUTHORIZATION};
use jws::{Algorithm, SigningKey};
use relay::Outgoing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{
    Context, CredentialError,
    secret::{Secret, header_name, sensitive},
};
use template::Template;

/// How long a token lives when the settings do not say.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);

/// A longer one is a password.
const LONGEST_LIFETIME: Duration = Duration::from_secs(86_400);

/// How many tokens are kept, one for each set of claims.
const KEPT: usize = 128;

/// A key, and what is claimed.
pub(super) struct Jwt {
    signer: SigningKey,
    key: Secret,
    key_id: Option<String>,
    claims: Vec<(String, Template)>,
    lifetime: Duration,
    header: HeaderName,
    minted: Mutex<HashMap<String, Minted>>,
}

struct Minted {
    token: SecretString,
    at: SystemTime,
}

impl Jwt {
    /// None when there is no usable key, which is recorded as a fault.
    pub(super) fn read(section: &Section) -> Option<Self> {
        let key: Secret = section.required("key");
        let signer = read_signer(section, &key);
        let lifetime = section.or("lifetime", DEFAULT_LIFETIME);
        if lifetime < Duration::from_secs(1) || lifetime > LONGEST_LIFETIME {
            section.fault("lifetime", "expected 1s to 24h");
        }
        let key_id = section.optional("key_id");
        let header = header_name(section, "header_name", Some(AUTHORIZATION));
        let claims = read_claims(&section.section("claims"));
        Some(Self { signer: signer?, key, key_id, claims, lifetime, header, minted: Mutex::default() })
    }

    pub(super) const fn header(&self) -> &HeaderName {
        &self.header
    }

    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        self.key.list(secrets);
    }

    pub(super) fn apply(&self, request: &mut Outgoing, context: &Context<'_>) -> Result<(), CredentialError> {
        let token = self.token(context)?;
        let scheme = if self.header == AUTHORIZATION { "Bearer " } else { "" };
        request.headers.insert(self.header.clone(), sensitive([scheme, token.expose_secret()].concat())?);
        Ok(())
    }

    /// A token for the caller: the last one until half its life is over.
    fn token(&self, context: &Context<'_>) -> Result<SecretString, CredentialError> {
        let mut claims = Map::new();
        for (name, template) in &self.claims {
            claims.insert(name.clone(), template.fill(context.caller)?);
        }
        let rendered = Value::Object(claims.clone()).to_string();
        let mut minted = self.minted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good =
            |minted: &&Minted| context.now.duration_since(minted.at).is_ok_and(|age| age < self.lifetime / 2);
        if let Some(minted) = minted.get(&rendered).filter(is_good) {
            return Ok(minted.token.clone());
        }
        let token = SecretString::from(self.sign(claims, context.now)?);
        // Before it is sent anywhere.
        context.scanner.add(&token);
        if minted.len() >= KEPT {
            minted.clear();
        }
        minted.insert(rendered, Minted { token: token.clone(), at: context.now });
        Ok(token)
    }

    fn sign(&self, mut claims: Map<String, Value>, now: SystemTime) -> Result<String, CredentialError> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        claims.insert("iat".into(), now.as_secs().into());
        claims.insert("exp".into(), (now + self.lifetime).as_secs().into());
        Ok(jws::sign(&self.signer, &claims, self.key_id.as_deref())?)
    }
}

/// The key's type says the algorithm; for RSA there are two, and what is no PEM is a shared secret.
fn read_signer(section: &Section, key: &Secret) -> Option<SigningKey> {
    let wanted = section.optional::<String>("algorithm").and_then(|name| {
        let algorithm = Algorithm::from_name(&name);
        if algorithm.is_none() {
            section.fault(
                "algorithm",
                format!("expected one of {}", Algorithm::ALL.map(Algorithm::name).join(", ")),
            );
        }
        algorithm
    });
    if key.expose().is_empty() {
        return None;
    }
    let is_shared = match wanted {
        Some(algorithm) => algorithm == Algorithm::Hs256,
        None => !key.expose().contains("-----BEGIN"),
    };
    let signer =
        if is_shared { SigningKey::hmac(&key.current) } else { SigningKey::from_pem(&key.current, wanted) };
    signer.map_err(|error| section.fault("key", error.to_string())).ok()
}

/// Claims that say when the token is good are set for each token.
const OURS: [&str; 3] = ["exp", "iat", "nbf"];

fn read_claims(section: &Section) -> Vec<(String, Template)> {
    let mut claims = Vec::new();
    for name in section.children() {
        let template: Template = section.required(&name);
        if OURS.contains(&name.as_str()) {
            section.fault(&name, "is set by the proxy");
        }
        claims.push((name, template));
    }
    claims
}

#[cfg(test)]
mod tests;
