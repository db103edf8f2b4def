//! Asks for keys one by one, and collects everything that is wrong.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    rc::Rc,
};

use super::{Digest, Faults, SettingsError, Value};
use crate::environment::Environment;

/// Reads one settings file.
pub struct Reader {
    table: toml::Table,
    shared: Rc<Shared>,
}

struct Shared {
    environment: Environment,
    faults: RefCell<Faults>,
    values: RefCell<BTreeMap<String, Shown>>,
    sections: RefCell<BTreeSet<String>>,
    files: RefCell<BTreeMap<PathBuf, Digest>>,
}

/// What may be told of a key that has been asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// It is a secret, or of a type that is not known to be none: nothing.
    Secret,
    /// It has no value and no default.
    Unset,
    /// Its value or default.
    Value(toml::Value),
}

impl Reader {
    /// Starts with a parsed file and the environment that its secrets may come from.
    #[must_use]
    pub fn new(table: toml::Table, environment: Environment) -> Self {
        let shared = Shared {
            environment,
            faults: RefCell::default(),
            values: RefCell::default(),
            sections: RefCell::default(),
            files: RefCell::default(),
        };
        Self { table, shared: Rc::new(shared) }
    }

    /// The top of the file.
    #[must_use]
    pub fn root(&self) -> Section {
        Section { table: Some(self.table.clone()), path: String::new(), shared: Rc::clone(&self.shared) }
    }

    /// Records a fault of a key given by its full name.
    pub fn fault(&self, key: &str, message: impl Into<String>) {
        self.shared.faults.borrow_mut().add(key, message);
    }

    /// The full names of all keys that have been asked for.
    #[must_use]
    pub fn known_keys(&self) -> BTreeSet<String> {
        self.shared.values.borrow().keys().cloned().collect()
    }

    /// What may be told of every key that has been asked for, by its full name. What is here has been read as a type
    /// that is no secret.
    #[must_use]
    pub fn shown(&self) -> BTreeMap<String, Shown> {
        self.shared.values.borrow().clone()
    }

    /// The files that the keys asked for so far are read from: where secrets are, and what paths name, whether it could
    /// be read or not, each with what it held just before. A change of one changes what the settings mean.
    #[must_use]
    pub fn files(&self) -> BTreeMap<PathBuf, Digest> {
        self.shared.files.borrow().clone()
    }

    /// Refuses the settings if anything was wrong, or if the file holds a key that nobody asked for.
    ///
    /// # Errors
    /// [`SettingsError::Faults`] with all of it.
    pub fn finish(self) -> Result<(), SettingsError> {
        self.refuse_unknown_keys(&self.table, "");
        let faults = self.shared.faults.take();
        if faults.is_empty() { Ok(()) } else { Err(SettingsError::Faults(faults)) }
    }

    fn refuse_unknown_keys(&self, table: &toml::Table, path: &str) {
        for (key, value) in table {
            let name = join(path, key);
            if self.shared.values.borrow().contains_key(&name) {
                continue;
            }
            if !self.shared.sections.borrow().contains(&name) {
                self.fault(&name, "unknown key");
                continue;
            }
            match value {
                toml::Value::Table(inner) => self.refuse_unknown_keys(inner, &name),
                toml::Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        if let toml::Value::Table(inner) = item {
                            self.refuse_unknown_keys(inner, &format!("{name}[{index}]"));
                        }
                    }
                }
                // `Section::section` has recorded that it is no table.
                _ => {}
            }
        }
    }
}

/// One table of the file, or its absence.
#[derive(Clone)]
pub struct Section {
    table: Option<toml::Table>,
    path: String,
    shared: Rc<Shared>,
}

impl Section {
    /// A table inside this one; an absent one is empty.
    #[must_use]
    pub fn section(&self, key: &str) -> Self {
        let path = self.know_section(key);
        let table = match self.value(key) {
            None => None,
            Some(toml::Value::Table(table)) => Some(table.clone()),
            Some(_) => {
                self.fault(key, "expected a table");
                None
            }
        };
        Self { table, path, shared: Rc::clone(&self.shared) }
    }

    /// The tables of a list of tables, `[[key]]`; an absent list is empty.
    #[must_use]
    pub fn sections(&self, key: &str) -> Vec<Self> {
        let path = self.know_section(key);
        let mut sections = Vec::new();
        match self.value(key) {
            None => {}
            Some(toml::Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    match item {
                        toml::Value::Table(table) => sections.push(Self {
                            table: Some(table.clone()),
                            path: format!("{path}[{index}]"),
                            shared: Rc::clone(&self.shared),
                        }),
                        _ => self.fault(key, "expected a list of tables"),
                    }
                }
            }
            Some(_) => self.fault(key, "expected a list of tables"),
        }
        sections
    }

    /// The names in this table, for a table whose names the operator chooses.
    #[must_use]
    pub fn children(&self) -> Vec<String> {
        self.table.iter().flat_map(|table| table.keys().cloned()).collect()
    }

    /// Whether the table is written at all.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// Whether a key is written.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// The full name of a key of this table.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Records a fault of a key of this table.
    pub fn fault(&self, key: &str, message: impl Into<String>) {
        self.shared.faults.borrow_mut().add(self.key(key), message);
    }

    /// A key that must be there.
    #[must_use]
    pub fn required<T: Value>(&self, key: &str) -> T {
        if !self.has(key) {
            self.fault(key, "missing");
        }
        self.optional(key).unwrap_or_else(T::placeholder)
    }

    /// A key with a default.
    #[must_use]
    pub fn or<T: Value>(&self, key: &str, default: T) -> T {
        let value = self.optional(key).unwrap_or(default);
        self.record(key, Some(&value));
        value
    }

    /// A key that may be absent.
    #[must_use]
    pub fn optional<T: Value>(&self, key: &str) -> Option<T> {
        self.record::<T>(key, None);
        let value = self.value(key)?;
        for path in T::files(value, &self.shared.environment) {
            // Before it is read, so that a change in between shows later.
            let digest = Digest::of(&path);
            self.shared.files.borrow_mut().entry(path).or_insert(digest);
        }
        self.read(key, value)
    }

    /// The path of a file that is written, and not read: no change of it changes what the settings mean.
    #[must_use]
    pub fn output(&self, key: &str) -> Option<PathBuf> {
        self.record::<PathBuf>(key, None);
        self.read(key, self.value(key)?)
    }

    fn read<T: Value>(&self, key: &str, value: &toml::Value) -> Option<T> {
        match T::read(value, &self.shared.environment) {
            Ok(value) => {
                self.record(key, Some(&value));
                Some(value)
            }
            Err(message) => {
                self.fault(key, message);
                None
            }
        }
    }

    fn record<T: Value>(&self, key: &str, value: Option<&T>) {
        let shown = match (T::shown_as(), value) {
            (None, _) => Shown::Secret,
            (Some(_), None) => Shown::Unset,
            (Some(shown_as), Some(value)) => Shown::Value(shown_as(value)),
        };
        self.shared.values.borrow_mut().insert(self.key(key), shown);
    }

    fn know_section(&self, key: &str) -> String {
        let path = self.key(key);
        self.shared.sections.borrow_mut().insert(path.clone());
        path
    }

    fn value(&self, key: &str) -> Option<&toml::Value> {
        self.table.as_ref().and_then(|table| table.get(key))
    }
}

/// A key that TOML could not write bare is quoted, so that a dot in it misleads nobody.
fn join(path: &str, key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let key = if !key.is_empty() && key.bytes().all(bare) { key.to_owned() } else { format!("{key:?}") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests;
