//! The heads of HTTP/1.1 messages (RFC 9112, sections 3 and 4): the request's as it is written, the answer's as it is read.

use std::{mem::MaybeUninit, str};

use bytes::{Buf as _, BufMut as _, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::CONTENT_LENGTH};
use httparse::{Header, ParserConfig, Status};
use thiserror::Error;

/// The longest head of an answer, in bytes.
pub(crate) const LONGEST_HEAD: usize = 64 * 1024;

/// The most fields in the head of an answer, or behind its body.
pub(crate) const MOST_FIELDS: usize = 100;

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    /// Whether it is HTTP/1.1 and not 1.0.
    pub(crate) is_1_1: bool,
    /// Without `Content-Length`, which is in `declared`.
    pub(crate) headers: HeaderMap,
    pub(crate) declared: Declared,
}

/// What the fields `Content-Length` say together (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Declared {
    #[default]
    Nothing,
    Length(u64),
    /// Several lengths, or what is none.
    Doubtful,
}

impl Declared {
    /// The length, where there is one and it is beyond doubt.
    pub(crate) const fn length(self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(length),
            Self::Nothing | Self::Doubtful => None,
        }
    }

    /// Takes in one more field: a length, or the same one several times.
    fn add(&mut self, value: &[u8]) {
        for item in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let is_number = !item.is_empty() && item.iter().all(u8::is_ascii_digit);
            let number = str::from_utf8(item).ok().and_then(|item| item.parse::<u64>().ok());
            *self = match (*self, number.filter(|_| is_number)) {
                (Self::Nothing, Some(number)) => Self::Length(number),
                (Self::Length(known), Some(number)) if known == number => Self::Length(known),
                _ => Self::Doubtful,
            };
        }
    }
}

/// What is no head of an answer.
#[derive(Debug, Error)]
pub(crate) enum MalformedHead {
    #[error("the head is not HTTP: {0}")]
    Syntax(#[from] httparse::Error),
    #[error("the head has a status or a field that cannot be")]
    Value,
    #[error("the head is longer than {LONGEST_HEAD} bytes")]
    TooLong,
}

/// Writes the head of a request, the framing of its body included in the headers.
pub(crate) fn write(method: &Method, path_and_query: &str, headers: &HeaderMap) -> BytesMut {
    let lines: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let mut head = BytesMut::with_capacity(method.as_str().len() + path_and_query.len() + 14 + lines);
    head.put_slice(method.as_str().as_bytes());
    head.put_u8(b' ');
    head.put_slice(path_and_query.as_bytes());
    head.put_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        head.put_slice(name.as_str().as_bytes());
        head.put_slice(b": ");
        head.put_slice(value.as_bytes());
        head.put_slice(b"\r\n");
    }
    head.put_slice(b"\r\n");
    head
}

/// Takes the head of an answer from the front of what was read, once all of it is there.
pub(crate) fn take(input: &mut BytesMut) -> Result<Option<Head>, MalformedHead> {
    let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; MOST_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let parser = ParserConfig::default();
    let length = match parser.parse_response_with_uninit_headers(&mut parsed, input, &mut fields)? {
        Status::Complete(length) => length,
        Status::Partial if input.len() > LONGEST_HEAD => return Err(MalformedHead::TooLong),
        Status::Partial => return Ok(None),
    };
    let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(MalformedHead::Value)?;
    let is_1_1 = parsed.version == Some(1);
    let (headers, declared) = collect(parsed.headers)?;
    input.advance(length);
    Ok(Some(Head { status, is_1_1, headers, declared }))
}

/// Takes the trailers, without the empty line behind them, apart.
pub(crate) fn trailers(bytes: &[u8]) -> Result<HeaderMap, MalformedHead> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    match httparse::parse_headers(bytes, &mut fields)? {
        Status::Complete((_, fields)) => Ok(collect(fields)?.0),
        Status::Partial => Err(MalformedHead::Value),
    }
}

/// Values are copied: they are short, and to share what was read costs more than that.
fn collect(fields: &[Header<'_>]) -> Result<(HeaderMap, Declared), MalformedHead> {
    // Room for what a door adds.
    let mut headers = HeaderMap::with_capacity(fields.len() + 2);
    let mut declared = Declared::default();
    for field in fields {
        if field.name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str()) {
            declared.add(field.value);
            continue;
        }
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| MalformedHead::Value)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| MalformedHead::Value)?;
        headers.append(name, value);
    }
    Ok((headers, declared))
}

#[cfg(test)]
mod tests;
