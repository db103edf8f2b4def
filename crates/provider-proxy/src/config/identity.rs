//! `[identity]` and `[callers.NAME]`: whose tokens and certificates are believed, and what each may ask for.

use std::{fs, path::PathBuf, rc::Rc, time::Duration};

use chassis::{server::ServerSettings, settings::Section, tls::SubjectName};
use jws::VerifyingKey;

use crate::policy::Limits;

/// Whose tokens are believed.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// The public keys, of which any may have signed; several during a rotation.
    pub keys: Vec<VerifyingKey>,
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
    /// How far the signer's clock may be from ours.
    pub leeway: Duration,
}

/// The callers that are let in by their client certificates. Entries are in the order of their names.
#[derive(Clone, Debug)]
pub struct CallerSettings {
    /// The callers.
    pub entries: Vec<CallerEntry>,
}

/// One caller.
#[derive(Clone, Debug)]
pub struct CallerEntry {
    /// The name in settings and in the log.
    pub name: String,
    /// What its certificate is made out to.
    pub san: SubjectName,
    /// The targets of the pass-through that it may use; `*` is all.
    pub targets: Vec<String>,
    /// The operations that it may ask for, as `PROVIDER/OPERATION`, `PROVIDER/*` or `*`.
    pub operations: Vec<String>,
    /// How much of it.
    pub limits: Limits,
}

/// The most that the clocks of the two hosts may differ: a token is good for a minute.
const MOST_LEEWAY: Duration = Duration::from_secs(60);

pub(super) fn read(section: &Section, server: &ServerSettings) -> Option<IdentitySettings> {
    if !section.is_present() {
        if !server.listen.ip().is_loopback() {
            let message = "missing: an address that other machines reach must demand signed identities";
            section.fault("public_keys", message);
        }
        return None;
    }
    let leeway = section.or("leeway", Duration::from_secs(5));
    if leeway > MOST_LEEWAY {
        section.fault("leeway", "expected at most 60 seconds");
    }
    Some(IdentitySettings {
        keys: read_keys(section),
        issuer: not_blank(section, "issuer", "db-server"),
        audience: not_blank(section, "audience", "provider-proxy"),
        leeway,
    })
}

fn read_keys(section: &Section) -> Vec<VerifyingKey> {
    let paths: Vec<PathBuf> = section.required("public_keys");
    if section.has("public_keys") && paths.is_empty() {
        section.fault("public_keys", "expected at least one file");
    }
    let mut keys = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(|error| error.to_string());
        let key = text.and_then(|pem| VerifyingKey::from_pem(&pem).map_err(|error| error.to_string()));
        match key {
            Ok(key) => keys.push(key),
            Err(error) => section.fault("public_keys", format!("{}: {error}", path.display())),
        }
    }
    keys
}

fn not_blank(section: &Section, key: &str, default: &str) -> String {
    let text = section.or(key, default.to_owned());
    if text.trim().is_empty() {
        section.fault(key, "is blank");
    }
    text
}

pub(super) fn read_callers(section: &Section, server: &ServerSettings) -> Option<CallerSettings> {
    let demands_certificates = server.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    let entries: Vec<_> =
        section.children().iter().map(|name| read_caller(&section.section(name), name)).collect();
    match (demands_certificates, entries.is_empty()) {
        (true, true) => {
            let message =
                "missing: with server.tls.client_ca only the callers that are listed here are let in";
            section.fault("NAME", message);
        }
        (false, false) => {
            let message = "of no use without server.tls.client_ca: no client certificate is asked for";
            section.fault(&entries[0].name, message);
        }
        (true, false) | (false, true) => {}
    }
    demands_certificates.then_some(CallerSettings { entries })
}

fn read_caller(section: &Section, name: &str) -> CallerEntry {
    let operations: Vec<String> = section.or("operations", Vec::new());
    if operations.iter().any(|operation| !is_operation(operation)) {
        section.fault("operations", "expected \"*\", \"PROVIDER/*\" or \"PROVIDER/OPERATION\"");
    }
    CallerEntry {
        name: name.to_owned(),
        san: section.required("san"),
        targets: section.or("targets", Vec::new()),
        operations,
        limits: Limits::read(&section.section("policy")),
    }
}

/// Whether it is `*`, `PROVIDER/*` or `PROVIDER/OPERATION`.
pub(super) fn is_operation(text: &str) -> bool {
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    text == "*"
        || text.split_once('/').is_some_and(|(provider, operation)| {
            is_name(provider) && (operation == "*" || is_name(operation))
        })
}

impl CallerSettings {
    /// The entries, for one worker.
    pub(crate) fn shared(&self) -> Vec<Rc<CallerEntry>> {
        self.entries.iter().cloned().map(Rc::new).collect()
    }
}
