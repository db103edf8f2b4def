//! The settings as `/services/settings/` shows them: no secret is in here, not even behind a lock.

use std::collections::BTreeMap;

use chassis::settings::Shown;
use serde_json::Value;

/// What stands for a secret, as in the original.
pub const WITHHELD: &str = "********************";

/// What may be shown of each key, by its full name; nothing at all unless the operator allows it.
#[derive(Clone, Debug)]
pub struct CleansedSettings(Option<BTreeMap<String, Value>>);

impl CleansedSettings {
    /// Keeps what has been read as no secret, with its default where it is not written. A secret is not told from one
    /// that is not set.
    #[must_use]
    pub fn new(allowed: bool, shown: BTreeMap<String, Shown>) -> Self {
        Self(allowed.then(|| shown.into_iter().map(|(key, shown)| (key, value(shown))).collect()))
    }

    /// The keys and their values; none when the operator does not allow it.
    #[must_use]
    pub const fn all(&self) -> Option<&BTreeMap<String, Value>> {
        self.0.as_ref()
    }
}

fn value(shown: Shown) -> Value {
    match shown {
        Shown::Secret => WITHHELD.into(),
        Shown::Unset => Value::Null,
        Shown::Value(value) => json(value),
    }
}

fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        // No setting is read as one of these.
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => Value::Null,
    }
}
