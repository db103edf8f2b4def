//! A secret of the settings, with the one before it.

use std::path::PathBuf;

use bytes::Bytes;
use chassis::{
    environment::Environment,
    settings::{Section, Value},
};
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::CredentialError;

/// A secret, and during a rotation the one before it: that one is not used, but must not come out either.
#[derive(Clone)]
pub(crate) struct Secret {
    pub(super) current: SecretString,
    previous: Option<SecretString>,
}

impl Secret {
    /// The secret itself.
    pub(super) fn expose(&self) -> &str {
        self.current.expose_secret()
    }

    /// Both.
    pub(crate) fn both(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// Adds both to a list.
    pub(super) fn list(&self, secrets: &mut Vec<SecretString>) {
        secrets.extend(self.both().cloned());
    }

    /// Reads a secret that becomes a header's value.
    pub(super) fn for_header(section: &Section, key: &str) -> Self {
        let secret: Self = section.required(key);
        if !secret.both().all(|secret| HeaderValue::from_str(secret.expose_secret()).is_ok()) {
            section.fault(key, "holds a character that no header can hold");
        }
        secret
    }
}

impl Value for Secret {
    /// As a single secret, or `{ current = …, previous = … }` with one in each.
    fn read(value: &toml::Value, environment: &Environment) -> Result<Self, String> {
        let Some(table) = value.as_table().filter(|table| table.contains_key("current")) else {
            return Ok(Self { current: SecretString::read(value, environment)?, previous: None });
        };
        if let Some(key) = table.keys().find(|key| !matches!(key.as_str(), "current" | "previous")) {
            return Err(format!("expected current and previous, and no {key:?}"));
        }
        let read = |key: &str| {
            let secret = table.get(key).map(|value| SecretString::read(value, environment)).transpose();
            secret.map_err(|error| format!("{key}: {error}"))
        };
        Ok(Self { current: read("current")?.unwrap_or_default(), previous: read("previous")? })
    }

    fn files(value: &toml::Value, environment: &Environment) -> Vec<PathBuf> {
        match value.as_table().filter(|table| table.contains_key("current")) {
            None => SecretString::files(value, environment),
            Some(both) => both.values().flat_map(|value| SecretString::files(value, environment)).collect(),
        }
    }

    fn placeholder() -> Self {
        Self { current: SecretString::default(), previous: None }
    }
}

/// A header's value that no log shows.
///
/// # Errors
/// When the text holds a character that no header can hold.
pub(super) fn sensitive(text: impl Into<String>) -> Result<HeaderValue, CredentialError> {
    let text = text.into();
    // As it is, without a copy; other than text it would take any byte above ASCII.
    let value = text.is_ascii().then(|| HeaderValue::from_maybe_shared(Bytes::from(text)));
    hidden(value.and_then(Result::ok))
}

/// The same of a text that is kept.
///
/// # Errors
/// As with [`sensitive`].
pub(super) fn sensitive_str(text: &str) -> Result<HeaderValue, CredentialError> {
    hidden(HeaderValue::from_str(text).ok())
}

fn hidden(value: Option<HeaderValue>) -> Result<HeaderValue, CredentialError> {
    let reason = "it holds a character that no header can hold";
    let mut value = value.ok_or(CredentialError::Unusable { reason })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads the name of a header that a credential goes into.
pub(super) fn header_name(section: &Section, key: &str, default: Option<HeaderName>) -> HeaderName {
    let text = match &default {
        Some(name) => section.or(key, name.as_str().to_owned()),
        None => section.required::<String>(key),
    };
    let stands_in = || default.unwrap_or(http::header::AUTHORIZATION);
    match HeaderName::from_bytes(text.as_bytes()) {
        Ok(name) if is_framing(&name) => {
            section.fault(key, "this header is set by HTTP itself");
            name
        }
        Ok(name) => name,
        // A missing one has been recorded already.
        Err(_) if text.is_empty() && !section.has(key) => stands_in(),
        Err(_) => {
            section.fault(key, "expected a header's name");
            stands_in()
        }
    }
}

fn is_framing(name: &HeaderName) -> bool {
    relay::hygiene::is_hop_by_hop(name.as_str())
        || matches!(name.as_str(), "host" | "content-length" | "trailer" | "expect")
}
