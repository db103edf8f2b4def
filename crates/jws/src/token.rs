//! Signs and verifies tokens.

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{Algorithm, SignError, SigningKey, VerifyError, VerifyingKey, json};

/// The longest token that is looked at, in bytes.
pub const LONGEST_TOKEN: usize = 8 * 1024;

/// Signs claims; `key_id` becomes the header's `kid`.
///
/// # Errors
/// [`SignError`] when the claims are no JSON or the key refuses.
pub fn sign(key: &SigningKey, claims: &impl Serialize, key_id: Option<&str>) -> Result<String, SignError> {
    let mut header = json!({ "alg": key.algorithm().name(), "typ": "JWT" });
    if let Some(key_id) = key_id {
        header["kid"] = key_id.into();
    }
    let claims = serde_json::to_vec(claims).map_err(SignError::Claims)?;
    let mut token = BASE64URL_NOPAD.encode(header.to_string().as_bytes());
    token.push('.');
    BASE64URL_NOPAD.encode_append(&claims, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    BASE64URL_NOPAD.encode_append(&signature, &mut token);
    Ok(token)
}

/// The claims of a token that one of the keys has signed. Of the claims nothing is checked: see [`crate::Expected`].
///
/// # Errors
/// [`VerifyError::TooLong`], [`VerifyError::Malformed`], [`VerifyError::Algorithm`] or [`VerifyError::Signature`].
pub fn verify(token: &str, keys: &[VerifyingKey]) -> Result<Map<String, Value>, VerifyError> {
    json::object(&payload(token, keys)?).ok_or(VerifyError::Malformed)
}

/// What was signed, be it JSON or not.
pub(crate) fn payload(token: &str, keys: &[VerifyingKey]) -> Result<Vec<u8>, VerifyError> {
    if token.len() > LONGEST_TOKEN {
        return Err(VerifyError::TooLong);
    }
    let (message, made) = token.rsplit_once('.').ok_or(VerifyError::Malformed)?;
    // A third dot stays in the payload, where base64url has no place for it.
    let (header, payload) = message.split_once('.').ok_or(VerifyError::Malformed)?;
    let algorithm = algorithm(&decode(header)?)?;
    let (made, payload) = (decode(made)?, decode(payload)?);
    let mut of_algorithm = keys.iter().filter(|key| key.algorithm() == algorithm).peekable();
    if of_algorithm.peek().is_none() {
        return Err(VerifyError::Algorithm);
    }
    if of_algorithm.any(|key| key.accepts(message.as_bytes(), &made)) {
        Ok(payload)
    } else {
        Err(VerifyError::Signature)
    }
}

/// The header's algorithm; an extension that must be understood is not.
fn algorithm(header: &[u8]) -> Result<Algorithm, VerifyError> {
    let header = json::object(header).ok_or(VerifyError::Malformed)?;
    if header.contains_key("crit") {
        return Err(VerifyError::Malformed);
    }
    let name = header.get("alg").and_then(Value::as_str).ok_or(VerifyError::Malformed)?;
    Algorithm::from_name(name).ok_or(VerifyError::Algorithm)
}

/// Strict: no padding, no line breaks, no bits left over.
fn decode(part: &str) -> Result<Vec<u8>, VerifyError> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| VerifyError::Malformed)
}
