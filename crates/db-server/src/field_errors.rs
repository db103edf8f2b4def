//! What is wrong with the fields of a request, by field.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

/// The key of an error that is about the whole request.
pub const ALL: &str = "__all__";

/// The errors of a request's fields, as the older resources answer them: `{"FIELD": ["message"]}` with status 400.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct FieldErrors(BTreeMap<String, Vec<String>>);

impl FieldErrors {
    /// One error of one field.
    #[must_use]
    pub fn of(field: &str, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(field, message);
        errors
    }

    /// Adds an error of a field.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.entry(field.to_owned()).or_default().push(message.into());
    }

    /// Whether a field has an error.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// The value when nothing is wrong, else the errors.
    ///
    /// # Errors
    /// The errors, when there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

/// Only the names: what a client sent stays out of the log.
impl fmt::Display for FieldErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.keys().map(String::as_str).collect();
        write!(formatter, "wrong fields: {}", names.join(", ").escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_of_a_field_is_listed_under_it() {
        let mut errors = FieldErrors::of("uuid", "one");
        errors.add("uuid", "two");
        errors.add(ALL, "three");
        let json = serde_json::to_string(&errors).unwrap();
        assert_eq!(json, r#"{"__all__":["three"],"uuid":["one","two"]}"#);
    }

    #[test]
    fn without_an_error_the_value_is_given() {
        assert_eq!(FieldErrors::default().or(1), Ok(1));
        assert!(FieldErrors::of("a", "b").or(1).is_err());
    }
}
