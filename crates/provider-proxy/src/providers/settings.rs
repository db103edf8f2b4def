//! The keys that the settings of all providers have.

use std::time::Duration;

use chassis::{
    base_url::BaseUrl,
    client::ClientSettings,
    settings::{SecretString, Section},
};

/// How long a provider may be waited for at most: db-server takes what it cannot find minutes later for not done, and by
/// then nothing may still be on its way there.
const LONGEST: Duration = Duration::from_secs(60);

/// Reads `url`, with the provider's own as the default.
pub(super) fn read_url(section: &Section, default: &str) -> BaseUrl {
    match BaseUrl::parse(default) {
        Ok(default) => section.or("url", default),
        Err(_) => section.required("url"),
    }
}

/// Reads `connect_timeout` (default 5 s), `timeout` (default 10 s unless told otherwise), each at most 60 s,
/// `max_response_body` (bytes, default 1 MiB) and `ca` (PEM file; default the system's authorities).
pub(super) fn read_client(section: &Section, timeout: Duration) -> ClientSettings {
    ClientSettings {
        connect_timeout: read_limit(section, "connect_timeout", Duration::from_secs(5)),
        total_timeout: read_limit(section, "timeout", timeout),
        max_response_body: read_largest_answer(section),
        ca: section.optional("ca"),
        identity: None,
    }
}

/// Reads a list of secrets of which any may have signed; several during a rotation.
pub(super) fn read_secrets(section: &Section, key: &str) -> Vec<SecretString> {
    if !section.has(key) {
        return section.required(key);
    }
    let secrets: Option<Vec<SecretString>> = section.optional(key);
    if secrets.as_ref().is_some_and(Vec::is_empty) {
        section.fault(key, "expected at least one secret, or no webhook can be verified");
    }
    secrets.unwrap_or_default()
}

/// Reads a text that stands in a header.
pub(super) fn read_header_text(section: &Section, key: &str, default: &str) -> String {
    let text = section.or(key, default.to_owned());
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        section.fault(key, "expected printable ASCII without spaces");
    }
    text
}

fn read_limit(section: &Section, key: &str, default: Duration) -> Duration {
    let limit = section.or(key, default);
    if limit.is_zero() {
        section.fault(key, "expected more than 0");
    }
    if limit > LONGEST {
        section.fault(key, "expected at most 60s");
    }
    limit
}

fn read_largest_answer(section: &Section) -> usize {
    let limit = section.or("max_response_body", 1024 * 1024);
    if limit == 0 {
        section.fault("max_response_body", "expected more than 0");
    }
    limit
}
