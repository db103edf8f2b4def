//! `[proxy]`: how `provider-proxy` is reached.

use std::{path::PathBuf, time::Duration};

use chassis::{
    base_url::BaseUrl,
    client::{ClientSettings, Identity},
    settings::{SecretString, Section},
};
use jws::SigningKey;

use super::{not_blank, positive, secret};

/// How long a call may take at most: [`schedule::LEFT_BY_A_CRASH`] without [`schedule::MARGIN`].
///
/// [`schedule::LEFT_BY_A_CRASH`]: crate::domain::payment::schedule::LEFT_BY_A_CRASH
/// [`schedule::MARGIN`]: crate::domain::payment::schedule::MARGIN
pub(super) const LONGEST_CALL: Duration = Duration::from_secs(50);
/// What stands below `/provider/` in its own right.
const OWN_PATHS: [&str; 2] = ["reference", "bango"];

/// How `provider-proxy` is reached.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    /// Its URL.
    pub url: BaseUrl,
    /// Limits and trust.
    pub client: ClientSettings,
    /// `[proxy.identity]`: how requests say on whose behalf they are; without it, to a loopback address, they do not.
    pub identity: Option<IdentitySettings>,
    /// The targets of `provider-proxy` that are implementations of the reference provider's API.
    pub implementations: Vec<String>,
}

/// How requests to `provider-proxy` say on whose behalf they are.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// Signs: RS512 with an RSA key, EdDSA with an Ed25519 key, ES256 with one on P-256.
    pub key: SigningKey,
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
}

pub(super) fn read(section: &Section) -> ProxySettings {
    let identity = client_identity(section);
    let client = ClientSettings {
        connect_timeout: positive(section, "connect_timeout", Duration::from_secs(5)),
        total_timeout: timeout(section),
        ca: section.optional("ca"),
        identity,
        ..ClientSettings::default()
    };
    let url: BaseUrl = section.required("url");
    if !url.as_str().is_empty() && !url.is_https() && !url.is_loopback() {
        section.fault(
            "url",
            "expected https: what goes to another machine must not be read or changed on the way",
        );
    }
    let identity =
        read_identity(&section.section("identity"), !url.as_str().is_empty() && !url.is_loopback());
    ProxySettings { url, client, identity, implementations: read_implementations(section) }
}

/// Longer than `provider-proxy` waits for a provider, so that its account of a timeout arrives, and over before an operation
/// is taken to have been left by a crash.
fn timeout(section: &Section) -> Duration {
    let timeout = positive(section, "timeout", Duration::from_secs(12));
    if timeout > LONGEST_CALL {
        section.fault(
            "timeout",
            "expected at most 50s: after 60 s nobody is taken to be asking any more, and 10 s are for the database",
        );
    }
    timeout
}

/// Names of targets, none of which is a provider with paths of its own.
fn read_implementations(section: &Section) -> Vec<String> {
    let names: Vec<String> = section.or("implementations", Vec::new());
    let is_name = |name: &String| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=64).contains(&name.len()) && name.bytes().all(plain)
    };
    if !names.iter().all(is_name) {
        section.fault("implementations", "expected names of targets: letters, digits, _ and -, at most 64");
    }
    if names.iter().any(|name| OWN_PATHS.contains(&name.as_str())) {
        section.fault("implementations", "reference and bango have paths of their own");
    }
    names
}

/// Another machine must know who asks; `provider-proxy` demands it there.
fn read_identity(section: &Section, is_needed: bool) -> Option<IdentitySettings> {
    if !section.is_present() && !is_needed {
        return None;
    }
    let given: SecretString = section.required("private_key");
    let key = secret(section, "private_key", section.has("private_key").then_some(given))
        .and_then(|pem| signing_key(section, &pem));
    let issuer = not_blank(section, "issuer", "db-server");
    let audience = not_blank(section, "audience", "provider-proxy");
    key.map(|key| IdentitySettings { key, issuer, audience })
}

fn signing_key(section: &Section, pem: &SecretString) -> Option<SigningKey> {
    match SigningKey::from_pem(pem, None) {
        Ok(key) => Some(key),
        Err(error) => {
            section.fault("private_key", error.to_string());
            None
        }
    }
}

/// What is presented to a server that asks: a certificate and its key, or neither.
pub(super) fn client_identity(section: &Section) -> Option<Identity> {
    let certificate: Option<PathBuf> = section.optional("certificate");
    let key: Option<PathBuf> = section.optional("key");
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            section.fault("key", "missing; the certificate is of no use without it");
            None
        }
        (None, Some(_)) => {
            section.fault("certificate", "missing; the key is of no use without it");
            None
        }
    }
}
