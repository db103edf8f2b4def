//! The JSON body of a request, read field by field so that every error is told at once and by name.

mod body;
mod cards;
mod check;
mod field;
mod json;
mod nested;

pub use body::{BodyError, read_body, read_json};

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::field_errors::{Code, FieldError, FieldErrors};

/// What a field of a request says: nothing at all, that there is none (`null` or blank), or a value.
pub type Given<T> = Option<Option<T>>;

/// The fields of a request. Take each field that the resource has, then [`Form::finish`].
#[derive(Debug, Default)]
pub struct Form {
    values: Map<String, Value>,
    errors: FieldErrors,
    /// The fields that hold a card number.
    cards: BTreeSet<String>,
}

/// Checks a text of at most 255 characters.
///
/// # Errors
/// The error for the client.
pub fn check_text(text: &str) -> Result<(), FieldError> {
    check::text(text)
}

impl Form {
    /// Reads a body. An empty one has no fields.
    ///
    /// # Errors
    /// [`BodyError`] when it is not one JSON object.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let mut values = if body.is_empty() { Map::new() } else { json::object(body)? };
        let cards = cards::take(&mut values);
        Ok(Self { values, errors: FieldErrors::default(), cards })
    }

    /// The names of the fields that have not been taken.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Insists on a field. Nothing only when an error has been noted, so that [`Form::finish`] refuses.
    pub fn required<T>(&mut self, name: &str, given: Given<T>) -> Option<T> {
        let value = given.flatten();
        if value.is_none() && !self.errors.has(name) {
            self.errors.add(name, FieldError::required());
        }
        value
    }

    /// Insists that a field, when it is given at all, has a value.
    pub fn not_null<T>(&mut self, name: &str, given: Given<T>) -> Option<T> {
        match given {
            Some(None) => self.required(name, None),
            given => given.flatten(),
        }
    }

    /// Passes over fields that are in our answers but not for a client to set, so that it may send an answer back.
    pub fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.values.remove(*name);
        }
    }

    /// Notes an error of a field.
    pub fn error(&mut self, name: &str, error: FieldError) {
        self.errors.add(name, error);
    }

    /// Whether a field has an error.
    #[must_use]
    pub fn has_error(&self, name: &str) -> bool {
        self.errors.has(name)
    }

    /// All fields as they are, to be passed on.
    ///
    /// # Errors
    /// The fields that hold a card number.
    pub fn passed_on(self) -> Result<Map<String, Value>, FieldErrors> {
        self.refuse_card_numbers()?;
        Ok(self.values)
    }

    /// Refuses the form when a field was wrong, or when one was given that nobody took.
    ///
    /// # Errors
    /// All errors, by field.
    pub fn finish(mut self) -> Result<(), FieldErrors> {
        self.refuse_card_numbers()?;
        for name in self.values.keys() {
            self.errors.add(name, FieldError::new(Code::UnknownField, "Unknown field."));
        }
        self.errors.or(())
    }

    /// Refuses the form when a field that was not read as an amount holds a card number; [`Form::finish`] does it too.
    ///
    /// # Errors
    /// The fields that hold one.
    pub fn refuse_card_numbers(&self) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::default();
        for name in &self.cards {
            errors.add(name, FieldError::card_number());
        }
        errors.or(())
    }

    fn string(&mut self, name: &str, check: impl Fn(&str) -> Result<(), FieldError>) -> Given<String> {
        let value = self.take(name)?;
        self.check_string(name, value, check)
    }

    fn check_string(
        &mut self,
        name: &str,
        value: Value,
        check: impl Fn(&str) -> Result<(), FieldError>,
    ) -> Given<String> {
        match value {
            Value::Null => Some(None),
            Value::String(text) if text.is_empty() => Some(None),
            Value::String(text) => match check(&text) {
                Ok(()) => Some(Some(text)),
                Err(error) => self.reject(name, error),
            },
            _ => self.wrong(name, "Expected a string."),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name)
    }

    fn wrong<T>(&mut self, name: &str, message: impl Into<String>) -> Given<T> {
        self.reject(name, FieldError::invalid(message))
    }

    fn reject<T>(&mut self, name: &str, error: FieldError) -> Given<T> {
        self.errors.add(name, error);
        None
    }
}

#[cfg(test)]
mod tests;
