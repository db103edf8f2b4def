//! What is wrong with the fields of a request, by field: a code for programs and a message for people.

use std::{collections::BTreeMap, fmt};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// The key of an error that is about the whole request.
pub const ALL: &str = "__all__";

/// What kind of error it is, by the names that Django's forms gave them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Code {
    /// The field is missing or blank.
    Required,
    /// The value has the wrong type or form.
    Invalid,
    /// The value is none of those that may be chosen.
    InvalidChoice,
    /// The text is too long.
    MaxLength,
    /// Another resource has the value.
    NotUnique,
    /// The resource that is named does not exist.
    DoesNotExist,
    /// What is asked for has been done before.
    AlreadyExists,
    /// There are as many as there may be.
    MaxSize,
    /// The resource has no such field.
    UnknownField,
    /// The text holds a payment card's number.
    CardNumber,
}

impl Code {
    /// Its name in an answer.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Invalid => "invalid",
            Self::InvalidChoice => "invalid_choice",
            Self::MaxLength => "max_length",
            Self::NotUnique => "not_unique",
            Self::DoesNotExist => "does_not_exist",
            Self::AlreadyExists => "already_exists",
            Self::MaxSize => "max_size",
            Self::UnknownField => "unknown_field",
            Self::CardNumber => "card_number",
        }
    }
}

/// One thing that is wrong with one field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldError {
    /// Which kind.
    pub code: Code,
    /// What a person is told; it holds no value.
    pub message: String,
}

impl FieldError {
    /// An error with a message of its own.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A value of the wrong type or form.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::Invalid, message)
    }

    /// A value that is none of those that may be chosen.
    #[must_use]
    pub fn choice() -> Self {
        Self::new(Code::InvalidChoice, "Not one of the available choices.")
    }

    /// A field that is missing or blank.
    #[must_use]
    pub fn required() -> Self {
        Self::new(Code::Required, "This field is required.")
    }

    /// A text that holds a card number.
    #[must_use]
    pub fn card_number() -> Self {
        Self::new(Code::CardNumber, "A payment card number must not be sent here.")
    }
}

/// The errors of a request's fields. It renders either shape: serialised it is that of the older resources,
/// `{"FIELD": ["message"]}`; [`FieldErrors::mozilla`] is that of the newer ones.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FieldErrors(BTreeMap<String, Vec<FieldError>>);

impl FieldErrors {
    /// One error of one field.
    #[must_use]
    pub fn of(field: &str, error: FieldError) -> Self {
        let mut errors = Self::default();
        errors.add(field, error);
        errors
    }

    /// Adds an error of a field.
    pub fn add(&mut self, field: &str, error: FieldError) {
        self.0.entry(field.to_owned()).or_default().push(error);
    }

    /// Adds all of these.
    pub fn extend(&mut self, others: Self) {
        for (field, errors) in others.0 {
            self.0.entry(field).or_default().extend(errors);
        }
    }

    /// The same with the errors of one field told under another name.
    #[must_use]
    pub fn renamed(mut self, field: &str, name: &str) -> Self {
        if let Some(errors) = self.0.remove(field) {
            self.0.entry(name.to_owned()).or_default().extend(errors);
        }
        self
    }

    /// The errors of the fields of an object, each under the names of both.
    #[must_use]
    pub fn below(name: &str, errors: Self) -> Self {
        Self(errors.0.into_iter().map(|(field, errors)| (format!("{name}.{field}"), errors)).collect())
    }

    /// Whether a field has an error.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// Whether any field has an error of this kind.
    #[must_use]
    pub fn hold(&self, code: Code) -> bool {
        self.0.values().flatten().any(|error| error.code == code)
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value when nothing is wrong, else the errors.
    ///
    /// # Errors
    /// The errors, when there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The shape of the newer resources: `{"mozilla": {"FIELD": [{"code": "…", "message": "…"}]}}`.
    #[must_use]
    pub fn mozilla(&self) -> Value {
        let told = |error: &FieldError| json!({"code": error.code.name(), "message": error.message});
        let fields = self.0.iter().map(|(field, errors)| (field.clone(), errors.iter().map(told).collect()));
        json!({ "mozilla": fields.collect::<serde_json::Map<_, Value>>() })
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let messages = |errors: &[FieldError]| -> Vec<String> {
            errors.iter().map(|error| error.message.clone()).collect()
        };
        serializer.collect_map(self.0.iter().map(|(field, errors)| (field, messages(errors))))
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
    fn every_error_of_a_field_is_listed_under_it_in_both_shapes() {
        let mut errors = FieldErrors::of("uuid", FieldError::invalid("one"));
        errors.add("uuid", FieldError::new(Code::MaxLength, "two"));
        errors.add(ALL, FieldError::required());
        let json = serde_json::to_string(&errors).unwrap();
        assert_eq!(json, r#"{"__all__":["This field is required."],"uuid":["one","two"]}"#);
        let mozilla = json!({"mozilla": {
            "__all__": [{"code": "required", "message": "This field is required."}],
            "uuid": [{"code": "invalid", "message": "one"}, {"code": "max_length", "message": "two"}],
        }});
        assert_eq!(errors.mozilla(), mozilla);
    }

    #[test]
    fn without_an_error_the_value_is_given() {
        assert_eq!(FieldErrors::default().or(1), Ok(1));
        assert!(FieldErrors::of("a", FieldError::required()).or(1).is_err());
    }

    #[test]
    fn the_kind_of_an_error_can_be_asked_for() {
        let errors = FieldErrors::of("notes", FieldError::card_number());
        assert!(errors.hold(Code::CardNumber) && !errors.hold(Code::Invalid));
    }
}
