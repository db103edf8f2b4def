//! Finds and parses the settings file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::Faults;
use crate::environment::Environment;

/// Why the settings cannot be used. What it displays holds no value from the file.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// Neither the argument nor the variable names a file.
    #[error("no settings: give --config FILE or set ${variable}")]
    NotGiven {
        /// The variable that may name the file.
        variable: String,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{}: line {line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says, without the line's text.
        message: String,
    },
    /// Keys are missing, unknown or wrong.
    #[error("{0}")]
    Faults(Faults),
}

/// Reads the file that the argument names, else the one that the variable names.
///
/// # Errors
/// [`SettingsError::NotGiven`], [`SettingsError::Unreadable`] or [`SettingsError::Syntax`].
pub fn read_file(
    config: Option<&Path>,
    variable: &str,
    environment: &Environment,
) -> Result<toml::Table, SettingsError> {
    parse_file(find_file(config, variable, environment)?)
}

/// The file that the argument names, else the one that the variable names.
///
/// # Errors
/// [`SettingsError::NotGiven`].
pub fn find_file(
    config: Option<&Path>,
    variable: &str,
    environment: &Environment,
) -> Result<PathBuf, SettingsError> {
    match (config, environment.get(variable)) {
        (Some(path), _) => Ok(path.to_owned()),
        (None, Some(path)) if !path.is_empty() => Ok(PathBuf::from(path)),
        (None, _) => Err(SettingsError::NotGiven { variable: variable.to_owned() }),
    }
}

/// Reads a file.
///
/// # Errors
/// [`SettingsError::Unreadable`] or [`SettingsError::Syntax`].
pub fn parse_file(path: PathBuf) -> Result<toml::Table, SettingsError> {
    let text = fs::read_to_string(&path)
        .map_err(|source| SettingsError::Unreadable { path: path.clone(), source })?;
    text.parse().map_err(|error| syntax_error(path, &text, &error))
}

/// The error's own `Display` would print the offending line, secret included.
fn syntax_error(path: PathBuf, text: &str, error: &toml::de::Error) -> SettingsError {
    let start = error.span().map_or(0, |span| span.start);
    let line = 1 + text.bytes().take(start).filter(|&byte| byte == b'\n').count();
    SettingsError::Syntax { path, line, message: error.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_error_names_the_line_and_not_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        fs::write(&path, "[database]\npassword = dummy-secret\n").unwrap();
        let error = read_file(Some(&path), "SETTINGS", &Environment::default()).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        assert!(!error.to_string().contains("dummy-secret"), "{error}");
    }

    #[test]
    fn the_argument_wins_over_the_variable() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("1.toml"), folder.path().join("2.toml"));
        fs::write(&first, "a = 1").unwrap();
        fs::write(&second, "a = 2").unwrap();
        let environment = Environment::from_pairs([("SETTINGS", second.to_str().unwrap())]);
        assert_eq!(read_file(Some(&first), "SETTINGS", &environment).unwrap()["a"].as_integer(), Some(1));
        assert_eq!(read_file(None, "SETTINGS", &environment).unwrap()["a"].as_integer(), Some(2));
    }

    #[test]
    fn without_a_file_both_ways_to_name_one_are_told() {
        let error = read_file(None, "SETTINGS", &Environment::default()).unwrap_err();
        assert_eq!(error.to_string(), "no settings: give --config FILE or set $SETTINGS");
    }
}
