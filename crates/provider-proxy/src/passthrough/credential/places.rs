//! The places in which credentials travel: what a caller put there is removed. One list for all kinds.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use relay::{Outgoing, OutgoingBody};

use super::{CredentialError, body};

/// Headers that are credentials or parts of one, whatever the target's kind is.
const HEADERS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-signature",
];

/// Parameters of a query or a form that are credentials or parts of one: RFC 6750, 2.2 and 2.3, and AWS Signature
/// Version 4.
const PARAMETERS: [&str; 8] = [
    "access_token",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

/// RFC 5849, section 3.5.
const PARAMETER_BEGINNING: &str = "oauth_";

/// How often a name is decoded at most: some servers decode twice.
const DECODINGS: usize = 3;

/// The places of the credentials of one target.
pub(super) struct Places {
    headers: Vec<String>,
    parameters: Vec<String>,
}

impl Places {
    /// Those of every kind of credential.
    pub(super) fn of_every_credential() -> Self {
        Self {
            headers: HEADERS.map(str::to_owned).into(),
            parameters: PARAMETERS.map(normal_parameter).into(),
        }
    }

    /// Adds a header of the target's own.
    pub(super) fn add_header(&mut self, name: &HeaderName) {
        self.headers.push(normal_header(name.as_str()).into_owned());
    }

    /// Adds a parameter of the target's own.
    pub(super) fn add_parameter(&mut self, name: &str) {
        self.parameters.push(normal_parameter(name));
    }

    /// Removes them from headers and query; everything else stays byte for byte.
    pub(super) fn strip(&self, request: &mut Outgoing) {
        self.strip_headers(&mut request.headers);
        if !request.path_and_query.as_bytes().contains(&b'?') {
            return;
        }
        let Some((path, query)) = request.path_and_query.split_once('?') else {
            return;
        };
        if let Some(kept) = self.without_parameters(query.as_bytes()) {
            // Cut out of a text between ASCII separators, it is text.
            let kept = String::from_utf8_lossy(&kept);
            request.path_and_query = if kept.is_empty() { path.to_owned() } else { format!("{path}?{kept}") };
        }
    }

    /// Removes them from a form that has been taken in; another body is left alone.
    ///
    /// # Errors
    /// [`CredentialError::Request`] for a form that is compressed, which cannot be read.
    pub(super) fn strip_form(&self, request: &mut Outgoing) -> Result<(), CredentialError> {
        if !body::is_form(&request.headers) {
            return Ok(());
        }
        body::refuse_encoded(&request.headers)?;
        if let OutgoingBody::Full(form) = &request.body
            && let Some(kept) = self.without_parameters(form)
        {
            request.body = OutgoingBody::Full(kept.into());
        }
        Ok(())
    }

    fn strip_headers(&self, headers: &mut HeaderMap) {
        let is_place = |name: &&HeaderName| {
            let name = normal_header(name.as_str());
            self.headers.iter().any(|place| *place == *name)
        };
        let found: Vec<HeaderName> = headers.keys().filter(is_place).cloned().collect();
        for name in found {
            headers.remove(name);
        }
    }

    /// None when nothing is to be removed. Some servers separate parameters by `;` as well.
    fn without_parameters(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut kept = Vec::with_capacity(text.len());
        let (mut found, mut first) = (false, true);
        let mut rest = text;
        let mut separator: &[u8] = b"";
        loop {
            let end = rest.iter().position(|byte| b"&;".contains(byte)).unwrap_or(rest.len());
            let (piece, behind) = rest.split_at(end);
            if self.is_parameter(piece) {
                found = true;
            } else {
                if !first {
                    kept.extend_from_slice(separator);
                }
                first = false;
                kept.extend_from_slice(piece);
            }
            if behind.is_empty() {
                return found.then_some(kept);
            }
            (separator, rest) = behind.split_at(1);
        }
    }

    fn is_parameter(&self, piece: &[u8]) -> bool {
        let name = piece.split(|&byte| byte == b'=').next().unwrap_or_default();
        let name = normal_parameter(&String::from_utf8_lossy(name));
        name.starts_with(PARAMETER_BEGINNING) || self.parameters.contains(&name)
    }
}

/// Servers that hand headers on as environment variables take `_` and `-` for the same.
fn normal_header(name: &str) -> Cow<'_, str> {
    if name.as_bytes().contains(&b'_') { name.replace('_', "-").into() } else { name.into() }
}

/// A parameter's name as the most lenient of servers may read it: decoded, in small letters, without blanks around it,
/// cut at `[`, and with `.` and blanks for `_` (as PHP has it).
fn normal_parameter(name: &str) -> String {
    let mut name = name.replace('+', " ");
    for _ in 0..DECODINGS {
        if !name.contains('%') {
            break;
        }
        name = percent_decode_str(&name).decode_utf8_lossy().into_owned();
    }
    let name = name.trim_matches(|character: char| character.is_whitespace() || character.is_control());
    let name = name.split(['[', '=', '\0']).next().unwrap_or_default();
    name.chars()
        .map(
            |character| {
                if character == '.' || character.is_whitespace() {
                    '_'
                } else {
                    character.to_ascii_lowercase()
                }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests;
