//! `[proxy]`: how `provider-proxy` is reached.

use std::{path::PathBuf, time::Duration};

use chassis::{
    base_url::BaseUrl,
    client::{ClientSettings, Identity},
    settings::Section,
};

use jws::SigningKey;

use super::{not_blank, positive, secret};
use crate::identity::Signer;

/// How `provider-proxy` is reached.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    /// Its URL.
    pub url: BaseUrl,
    /// Limits and trust.
    pub client: ClientSettings,
    /// What says on whose behalf this server calls.
    pub signer: Option<Signer>,
}

pub(super) fn read(section: &Section) -> ProxySettings {
    let identity = client_identity(section);
    let client = ClientSettings {
        connect_timeout: positive(section, "connect_timeout", Duration::from_secs(5)),
        // Longer than provider-proxy waits for a provider, so that its account of a timeout arrives.
        total_timeout: positive(section, "timeout", Duration::from_secs(12)),
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
    ProxySettings { url, client, signer: signer(&section.section("identity")) }
}

fn signer(section: &Section) -> Option<Signer> {
    let issuer = not_blank(section, "issuer", "db-server");
    let key = secret(section, "private_key", section.optional("private_key"))?;
    match SigningKey::from_pem(&key, None) {
        Ok(key) => Some(Signer::new(key, issuer)),
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
