//! The path that a caller asks for: taken as it was sent, and refused where anyone could read it as leading elsewhere.
//!
//! Nothing is decoded, normalised or re-encoded on the way: what passes the checks goes out byte for byte. The checks
//! are made on every reading of the path that a server behind us is known to make.

use std::borrow::Cow;

use actix_web::http::{Uri, Version};
use percent_encoding::percent_decode;
use thiserror::Error;

/// What comes before a target's name.
pub const PREFIX: &str = "/proxy";

/// What a request line asks for, each part as it was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Asked<'request> {
    /// The target's name; empty when there is none.
    pub target: &'request str,
    /// The path below the target: empty, or beginning with a slash.
    pub tail: &'request str,
    /// The query, without its question mark.
    pub query: Option<&'request str>,
}

/// Why a path is refused. Shows nothing of it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum PathError {
    /// The request line holds a whole URL.
    #[error("the request line holds a whole URL; a path is expected")]
    Absolute,
    /// The path does not begin with `/proxy` as it was sent.
    #[error("the path does not begin with /proxy as it was sent")]
    Prefix,
    /// A character that RFC 3986, section 3.3 does not have in a path.
    #[error("the path holds a character that must be percent-encoded")]
    Character,
    /// A character that must not be in a query.
    #[error("the query holds a character that must be percent-encoded")]
    Query,
    /// A `%` without two hexadecimal digits.
    #[error("the path holds a % that is not followed by two hexadecimal digits")]
    Escape,
    /// Two slashes in a row.
    #[error("the path holds two slashes in a row")]
    EmptySegment,
    /// `.` or `..` as a segment, in whatever encoding.
    #[error("the path holds a dot segment")]
    DotSegment,
    /// A backslash, encoded or not.
    #[error("the path holds a backslash")]
    Backslash,
    /// A control character, encoded.
    #[error("the path holds a control character")]
    Control,
    /// Bytes that are no UTF-8, an overlong form of a character among them.
    #[error("the path holds bytes that are not UTF-8")]
    NotUtf8,
}

/// Refuses a whole URL in the request line (RFC 9112, 3.2.2). HTTP/2 has no such line: there the scheme and the host are
/// always beside the path, where HTTP/1.1 has the header `Host`.
///
/// # Errors
/// [`PathError::Absolute`].
pub fn refuse_absolute(version: Version, uri: &Uri) -> Result<(), PathError> {
    let is_whole = uri.scheme().is_some() || uri.authority().is_some();
    if is_whole && version < Version::HTTP_2 { Err(PathError::Absolute) } else { Ok(()) }
}

/// Splits a request's URI at the target's name, without a look at the rest.
///
/// # Errors
/// [`PathError::Prefix`]: the router has decoded the path before it compared.
pub fn split(uri: &Uri) -> Result<Asked<'_>, PathError> {
    let below = uri.path().strip_prefix(PREFIX).ok_or(PathError::Prefix)?;
    let name = match below.strip_prefix('/') {
        Some(name) => name,
        None if below.is_empty() => below,
        None => return Err(PathError::Prefix),
    };
    // Short enough for a plain loop to be the quickest.
    let end = name.bytes().position(|byte| byte == b'/').unwrap_or(name.len());
    let (target, tail) = name.split_at(end);
    Ok(Asked { target, tail, query: uri.query() })
}

/// Checks what goes out: the path below the target and the query.
///
/// # Errors
/// [`PathError`], for the first thing that is wrong.
pub fn check(tail: &str, query: Option<&str>) -> Result<(), PathError> {
    if let Some(path) = tail.strip_prefix('/') {
        let mut segments = path.split('/').peekable();
        while let Some(segment) = segments.next() {
            // A slash at the end leaves an empty segment behind it, and so does the bare `/`.
            if segment.is_empty() && segments.peek().is_some() {
                return Err(PathError::EmptySegment);
            }
            check_segment(segment)?;
        }
    } else if !tail.is_empty() {
        return Err(PathError::Prefix);
    }
    match query {
        Some(query) if !query.bytes().all(is_query_character) => Err(PathError::Query),
        _ => Ok(()),
    }
}

fn check_segment(segment: &str) -> Result<(), PathError> {
    let mut encoded = false;
    for byte in segment.bytes() {
        match CLASSES[usize::from(byte)] {
            Class::Plain => {}
            Class::Percent => encoded = true,
            Class::Backslash => return Err(PathError::Backslash),
            Class::Refused => return Err(PathError::Character),
        }
    }
    match encoded {
        true => check_encoded(segment),
        false if has_dots(segment) => Err(PathError::DotSegment),
        false => Ok(()),
    }
}

fn check_encoded(segment: &str) -> Result<(), PathError> {
    if !escapes_are_whole(segment.as_bytes()) {
        return Err(PathError::Escape);
    }
    let decoded = percent_decode(segment.as_bytes()).decode_utf8().map_err(|_| PathError::NotUtf8)?;
    if decoded.contains('\\') {
        return Err(PathError::Backslash);
    }
    if decoded.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    if in_any_reading(&decoded, has_dots) { Err(PathError::DotSegment) } else { Ok(()) }
}

/// Whether something holds of a text as it is, decoded once, decoded twice and so on: a server that decodes once more
/// than it should must not find what is not seen here. Each turn shortens the text.
#[must_use]
pub fn in_any_reading(text: &str, holds: fn(&str) -> bool) -> bool {
    let mut text = Cow::Borrowed(text);
    loop {
        if holds(&text) {
            return true;
        }
        if !text.contains('%') {
            return false;
        }
        let next = percent_decode(text.as_bytes()).decode_utf8_lossy().into_owned();
        if next == *text {
            return false;
        }
        text = Cow::Owned(next);
    }
}

/// Whether a text is `.` or `..`, or holds one between slashes: an encoded slash is data here and may be a separator
/// there. `..;x` is `..` to servers that know path parameters.
#[must_use]
pub fn has_dots(text: &str) -> bool {
    let is_dots = |part: &str| matches!(part.split(';').next(), Some("." | ".."));
    text.contains('.') && text.split(['/', '\\']).any(is_dots)
}

/// Whether a text has a slash of either kind.
#[must_use]
pub fn has_slash(text: &str) -> bool {
    text.contains(['/', '\\'])
}

fn escapes_are_whole(segment: &[u8]) -> bool {
    let is_hexadecimal = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    segment
        .iter()
        .enumerate()
        .filter(|&(_, &byte)| byte == b'%')
        .all(|(index, _)| is_hexadecimal(segment.get(index + 1)) && is_hexadecimal(segment.get(index + 2)))
}

/// Wider than RFC 3986, since clients write `expand[]=x` and `{…}` unencoded; nothing of it can leave the query.
const fn is_query_character(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'#'
}

#[derive(Clone, Copy)]
enum Class {
    Plain,
    Percent,
    Backslash,
    Refused,
}

/// RFC 3986's `pchar`: unreserved, sub-delims, `:` and `@`, and `%` before two digits.
const CLASSES: [Class; 256] = {
    let mut classes = [Class::Refused; 256];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => Class::Plain,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => Class::Plain,
            b':' | b'@' => Class::Plain,
            b'%' => Class::Percent,
            b'\\' => Class::Backslash,
            _ => Class::Refused,
        };
        byte += 1;
    }
    classes
};

#[cfg(test)]
mod tests;
