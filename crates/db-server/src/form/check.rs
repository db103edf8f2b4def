//! What a text of a request may hold.

use crate::field_errors::{Code, FieldError};

/// The longest text of a field with a limit, in characters.
const MAX_TEXT: usize = 255;

/// Checks a text of at most 255 characters.
///
/// # Errors
/// The error for the client.
pub(super) fn text(text: &str) -> Result<(), FieldError> {
    length(text, MAX_TEXT)?;
    nul(text)
}

pub(super) fn id(text: &str) -> Result<(), FieldError> {
    length(text, MAX_TEXT)?;
    if text.chars().any(char::is_control) {
        Err(FieldError::invalid("Control characters are not allowed."))
    } else {
        Ok(())
    }
}

pub(super) fn length(text: &str, max: usize) -> Result<(), FieldError> {
    // A character has at least one byte: counting is only needed for what is long in bytes.
    if text.len() > max && text.chars().count() > max {
        let message = format!("Ensure this value has at most {max} characters.");
        return Err(FieldError::new(Code::MaxLength, message));
    }
    Ok(())
}

/// Postgres holds no NUL in a text.
pub(super) fn nul(text: &str) -> Result<(), FieldError> {
    if text.contains('\0') { Err(FieldError::invalid("Null characters are not allowed.")) } else { Ok(()) }
}
