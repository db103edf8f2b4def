//! `client_certificate`: TLS shows who we are; nothing is added to the request.

use std::{fs, path::PathBuf};

use chassis::{client::Identity, settings::Section};
use secrecy::SecretString;

/// A certificate and its key.
#[derive(Clone)]
pub(super) struct ClientCertificate {
    identity: Identity,
    /// The key's text, which must not come out.
    key: Option<SecretString>,
}

impl ClientCertificate {
    pub(super) fn read(section: &Section) -> Self {
        let identity = Identity {
            certificate: section.required::<PathBuf>("certificate"),
            key: section.required::<PathBuf>("key"),
        };
        let key = if section.has("key") { read_key(section, &identity) } else { None };
        Self { identity, key }
    }

    pub(super) const fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        secrets.extend(self.key.clone());
    }
}

fn read_key(section: &Section, identity: &Identity) -> Option<SecretString> {
    match fs::read_to_string(&identity.key) {
        Ok(text) => Some(text.into()),
        Err(error) => {
            section.fault("key", format!("{}: {error}", identity.key.display()));
            None
        }
    }
}
