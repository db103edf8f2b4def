//! What a text of a request may hold.

/// The longest text of a field with a limit, in characters.
const MAX_TEXT: usize = 255;

/// Checks a text of at most 255 characters.
///
/// # Errors
/// The message for the client.
pub(super) fn text(text: &str) -> Result<(), String> {
    length(text, MAX_TEXT)?;
    nul(text)
}

pub(super) fn id(text: &str) -> Result<(), String> {
    length(text, MAX_TEXT)?;
    if text.chars().any(char::is_control) {
        Err("Control characters are not allowed.".into())
    } else {
        Ok(())
    }
}

pub(super) fn length(text: &str, max: usize) -> Result<(), String> {
    // A character has at least one byte: counting is only needed for what is long in bytes.
    if text.len() > max && text.chars().count() > max {
        return Err(format!("Ensure this value has at most {max} characters."));
    }
    Ok(())
}

/// Postgres holds no NUL in a text.
pub(super) fn nul(text: &str) -> Result<(), String> {
    if text.contains('\0') { Err("Null characters are not allowed.".into()) } else { Ok(()) }
}
