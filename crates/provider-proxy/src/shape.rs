//! Reads JSON into a type, and says which field is wrong without repeating its value.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

/// JSON that is not what was expected. It names the field and never its value: a value may be a person's or a secret.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum ShapeError {
    /// The text is no JSON at all.
    #[error("line {line} column {column}: not JSON")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A field is missing, unknown, or of another type.
    #[error("{field}: {message}")]
    Field {
        /// The field's path, such as `price.currency`; `.` is the whole body.
        field: String,
        /// What was expected.
        message: String,
    },
}

impl ShapeError {
    /// A fault of one field, found after its type was right.
    #[must_use]
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Field { field: field.to_owned(), message: message.into() }
    }
}

/// Reads a JSON text.
///
/// # Errors
/// [`ShapeError`].
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, ShapeError> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = read(&mut reader)?;
    reader.end().map_err(|error| syntax(&error))?;
    Ok(value)
}

/// Reads a JSON value.
///
/// # Errors
/// [`ShapeError::Field`].
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, ShapeError> {
    read(value)
}

fn read<'de, T, D>(reader: D) -> Result<T, ShapeError>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de, Error = serde_json::Error>,
{
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let inner = error.inner();
        if inner.is_syntax() || inner.is_eof() {
            return syntax(inner);
        }
        ShapeError::Field {
            field: bounded(&error.path().to_string()),
            message: bounded(&without_value(&inner.to_string())),
        }
    })
}

fn syntax(error: &serde_json::Error) -> ShapeError {
    ShapeError::Syntax { line: error.line(), column: error.column() }
}

/// A field's name can be as long as the body.
fn bounded(text: &str) -> String {
    text.chars().take(LONGEST_MESSAGE).collect()
}

/// In characters.
const LONGEST_MESSAGE: usize = 300;

/// serde says `invalid type: string "the value", expected …`: only what follows is passed on.
fn without_value(message: &str) -> String {
    let message = message.rfind(" at line ").map_or(message, |end| &message[..end]);
    let shows_a_value = ["invalid ", "unknown variant "].iter().any(|start| message.starts_with(start));
    match message.rfind(", expected ").or_else(|| message.rfind(", there are no ")) {
        Some(start) if shows_a_value => message[start + 2..].to_owned(),
        None if shows_a_value => "not the expected type".to_owned(),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wire::reference::{Change, SellerFields, StartTransaction};

    use super::*;

    fn message<T: DeserializeOwned>(body: &Value) -> String {
        match from_slice::<T>(body.to_string().as_bytes()) {
            Ok(_) => panic!("was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_field_that_is_wrong_is_named_and_its_value_is_not_shown() {
        let body = json!({"reference_id": "s1", "fields": {"status": "dummy-secret, expected or not"}});
        let expected = "fields.status: expected one of `ACTIVE`, `INACTIVE`, `DISABLED`";
        assert_eq!(message::<Change<SellerFields>>(&body), expected);
        let body = json!({"name": {"a": "dummy-secret"}});
        assert_eq!(message::<SellerFields>(&body), "name: expected a string");
    }

    #[test]
    fn a_missing_and_an_unknown_field_are_named() {
        assert_eq!(
            message::<Change<SellerFields>>(&json!({"fields": {}})),
            ".: missing field `reference_id`"
        );
        assert!(message::<SellerFields>(&json!({"nmae": "x"})).starts_with("nmae: unknown field `nmae`"));
    }

    #[test]
    fn a_message_is_bounded_whatever_the_body_names_its_fields() {
        assert!(message::<SellerFields>(&json!({"x".repeat(10_000): 1})).len() < 700);
    }

    #[test]
    fn a_checked_type_says_what_it_wants() {
        let price = json!({"price": {"minor_units": 99, "currency": "XXX"}});
        assert_eq!(message::<StartTransaction>(&price), "price.currency: not a currency of ISO 4217");
    }

    #[test]
    fn text_that_is_no_json_is_told_by_its_place() {
        for text in ["", "{", "{} {}", "<html>", "\u{0}"] {
            let error = from_slice::<SellerFields>(text.as_bytes()).unwrap_err();
            assert!(matches!(error, ShapeError::Syntax { .. }), "{text:?}: {error:?}");
        }
    }
}
