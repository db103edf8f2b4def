//! Where settings came from, so that they can be read again.

use std::{collections::BTreeMap, path::PathBuf};

use chassis::{
    environment::Environment,
    settings::{Digest, Faults, Reader, SettingsError, Shown, parse_file},
};

use super::Settings;
use crate::refusal;

/// What settings were read from. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The settings file; none in a test.
    path: Option<PathBuf>,
    environment: Environment,
    /// The settings file, and all that it names, with what each held just before it was read.
    pub files: BTreeMap<PathBuf, Digest>,
    /// What each key was, unless it is a secret.
    pub shown: BTreeMap<String, Shown>,
}

/// The files that were looked at, and what came of it.
pub(crate) type Outcome = (BTreeMap<PathBuf, Digest>, Result<Settings, SettingsError>);

impl Origin {
    /// A file that has not been read yet.
    #[must_use]
    pub fn file(path: PathBuf, environment: Environment) -> Self {
        let files = BTreeMap::from([(path.clone(), Digest::of(&path))]);
        Self { path: Some(path), environment, files, shown: BTreeMap::new() }
    }

    /// No file.
    #[must_use]
    pub const fn no_file(environment: Environment) -> Self {
        Self { path: None, environment, files: BTreeMap::new(), shown: BTreeMap::new() }
    }

    /// Reads the same file again, with the environment of the first time; nothing if there was no file.
    #[must_use]
    pub(crate) fn read_again(&self) -> Option<Outcome> {
        let path = self.path.clone()?;
        Some(Self::file(path, self.environment.clone()).read())
    }

    pub(super) fn read(self) -> Outcome {
        match self.path.clone().map(parse_file) {
            Some(Ok(table)) => self.read_table(table),
            Some(Err(error)) => (self.files, Err(error)),
            None => self.read_table(toml::Table::new()),
        }
    }

    pub(super) fn read_table(mut self, mut table: toml::Table) -> Outcome {
        let mut refused = Faults::default();
        refusal::refuse_in_settings(&mut table, &mut refused);
        refusal::refuse_in_environment(&self.environment, &mut refused);
        let reader = Reader::new(table, self.environment.clone());
        for fault in refused.iter() {
            reader.fault(&fault.key, fault.message.as_str());
        }
        let settings = Settings::read_sections(&reader.root(), Self::no_file(Environment::default()));
        self.files.extend(reader.files());
        self.shown = reader.shown();
        let files = self.files.clone();
        (files, reader.finish().map(|()| Settings { origin: self, ..settings }))
    }
}
