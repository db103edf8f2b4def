//! Why `db-server` will not start: a provider credential in its settings or its environment.
//!
//! The half with the database holds no provider credential. That is the reason for two servers, so it is not left to
//! the operator's care: a host that was given one by mistake does not serve.

use std::fmt;

use chassis::environment::Environment;
use toml::{Table, Value};

/// One provider credential found where none may be. Displays the key or variable and never the value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The full name of the settings key, or `$NAME` of the environment variable.
    pub name: String,
    place: Place,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Settings,
    Environment,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reason {
    /// The name says that it is one.
    Name,
    /// The value has the form of a provider's secret.
    Secret,
    /// The value is a URL with a user name or password in it.
    UserInfo,
}

impl Refusal {
    /// What is wrong and where it belongs, without the name.
    #[must_use]
    pub fn message(&self) -> String {
        let what = match self.reason {
            Reason::Name => "this names a provider credential",
            Reason::Secret => "the value looks like a provider's secret key",
            Reason::UserInfo => "the value is a URL that carries credentials",
        };
        let place = match self.place {
            Place::Settings => "db-server's settings",
            Place::Environment => "db-server's environment",
        };
        format!("{what}; {place} may hold none, it belongs on provider-proxy")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.message())
    }
}

/// Finds every provider credential in the settings.
///
/// What is refused for its name is taken out of the table, so that nobody reads it afterwards.
pub fn in_settings(table: &mut Table) -> Vec<Refusal> {
    let mut found = Vec::new();
    walk_table(table, "", &mut found);
    found
}

/// Finds every provider credential in the environment.
#[must_use]
pub fn in_environment(environment: &Environment) -> Vec<Refusal> {
    environment.iter().filter_map(|(name, value)| variable(name, value)).collect()
}

/// Whether a secret that the settings take from elsewhere is a provider's.
#[must_use]
pub fn in_secret(name: &str, secret: &str) -> Option<Refusal> {
    let found = SECRET_PREFIXES.iter().any(|prefix| starts_a_word(secret, prefix));
    found.then(|| Refusal { name: name.to_owned(), place: Place::Settings, reason: Reason::Secret })
}

/// Sections that belong to providers, and the start of a key that names one.
const PROVIDERS: [&str; 8] =
    ["providers", "provider", "stripe", "paypal", "braintree", "bango", "zippy", "reference"];

/// Keys that only a provider's account has. None of them is a key of db-server, but for [`OWN_KEYS`].
const CREDENTIAL_KEYS: [&str; 22] = [
    "access_token",
    "api_key",
    "api_keys",
    "api_secret",
    "client_id",
    "client_secret",
    "consumer_key",
    "consumer_secret",
    "credential",
    "credentials",
    "merchant_id",
    "notice_key",
    "notice_keys",
    "private_key",
    "public_key",
    "publishable_key",
    "secret_key",
    "signing_key",
    "signing_secret",
    "webhook_key",
    "webhook_keys",
    "webhook_secret",
];

/// How the secrets of providers begin (Stripe's secret, restricted and webhook keys).
const SECRET_PREFIXES: [&str; 5] = ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"];

const VARIABLE_PREFIXES: [&str; 7] =
    ["STRIPE_", "PAYPAL_", "BRAINTREE_", "BANGO_", "ZIPPY_", "REFERENCE_PROVIDER_", "PROVIDER_PROXY_"];

/// The variables that name the host's own way out. They may hold that gateway's password, which is no provider's.
const GATEWAY_VARIABLES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"];

/// Our own keys that share their last name with a provider's.
const OWN_KEYS: [&str; 1] = ["proxy.identity.private_key"];

/// The tables whose keys are names that the operator chooses; a client may well be called `reference`.
const FREE_NAMES: [&str; 1] = ["auth.clients"];

fn walk_table(table: &mut Table, path: &str, found: &mut Vec<Refusal>) {
    let names_are_free = FREE_NAMES.contains(&path);
    let mut refused = Vec::new();
    for (key, value) in table.iter_mut() {
        let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let may_be_refused = !names_are_free && !OWN_KEYS.contains(&name.as_str());
        if may_be_refused && is_credential_key(key) && !is_secret_source(key, value, path) {
            refuse_leaves(value, name, found);
            refused.push(key.clone());
        } else {
            walk_value(value, &name, found);
        }
    }
    for key in refused {
        table.remove(&key);
    }
}

fn walk_value(value: &mut Value, path: &str, found: &mut Vec<Refusal>) {
    match value {
        Value::Table(table) => walk_table(table, path, found),
        Value::Array(items) => items.iter_mut().for_each(|item| walk_value(item, path, found)),
        Value::String(text) => {
            if let Some(reason) = credential_value(text) {
                found.push(Refusal { name: path.to_owned(), place: Place::Settings, reason });
            }
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

/// `{ credential = "NAME" }` is how any secret of ours is read from the service manager.
fn is_secret_source(key: &str, value: &Value, path: &str) -> bool {
    key == "credential" && value.is_str() && !path.is_empty()
}

fn is_credential_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    // `bango_proxy` is where the original kept the proxy's URL: an unknown key here, but no credential.
    let names_provider = PROVIDERS.iter().any(|provider| {
        key.strip_prefix(provider).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    });
    (names_provider && !key.ends_with("_proxy")) || CREDENTIAL_KEYS.contains(&key.as_str())
}

/// Names every key below a refused one, so that all of them can be moved at once.
fn refuse_leaves(value: &Value, name: String, found: &mut Vec<Refusal>) {
    match value {
        Value::Table(table) if !table.is_empty() => {
            for (key, value) in table {
                refuse_leaves(value, format!("{name}.{key}"), found);
            }
        }
        _ => found.push(Refusal { name, place: Place::Settings, reason: Reason::Name }),
    }
}

fn variable(name: &str, value: &str) -> Option<Refusal> {
    let upper = name.to_ascii_uppercase();
    let named =
        VARIABLE_PREFIXES.iter().any(|prefix| upper.starts_with(prefix)) && !upper.ends_with("_PROXY");
    let reason = if named { Some(Reason::Name) } else { credential_value(value) };
    let reason = reason
        .filter(|reason| *reason != Reason::UserInfo || !GATEWAY_VARIABLES.contains(&upper.as_str()))?;
    Some(Refusal { name: format!("${name}"), place: Place::Environment, reason })
}

fn credential_value(text: &str) -> Option<Reason> {
    if SECRET_PREFIXES.iter().any(|prefix| starts_a_word(text, prefix)) {
        return Some(Reason::Secret);
    }
    has_user_info(text).then_some(Reason::UserInfo)
}

/// Whether the text holds the prefix where a word begins, with something after it: `Bearer sk_live_…`, `"sk_live_…"`.
fn starts_a_word(text: &str, prefix: &str) -> bool {
    text.match_indices(prefix).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + prefix.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
    })
}

/// Whether an `http` or `https` URL in the text has a user name or password.
///
/// Other schemes are left alone: `postgres://…` is no provider's, and an unknown key is refused anyway.
fn has_user_info(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["http://", "https://"].iter().any(|scheme| {
        lower.match_indices(scheme).any(|(at, _)| {
            let rest = &lower[at + scheme.len()..];
            let authority =
                rest.split(|c: char| matches!(c, '/' | '?' | '#' | '\\') || c.is_whitespace()).next();
            authority.is_some_and(|authority| authority.contains('@'))
        })
    })
}

#[cfg(test)]
mod tests;
