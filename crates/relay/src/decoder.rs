//! Where the body of an answer ends (RFC 9112, sections 6.3 and 7.1).

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use thiserror::Error;

use crate::{
    head::{self, Declared, Head, MalformedHead},
    hygiene,
};

/// The longest line with the size of a chunk, extensions included, and the longest trailers, in bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// How the body of an answer is told from what follows.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// So many bytes are left.
    Length(u64),
    Chunked(Chunk),
    UntilClose,
}

/// What comes next in a chunked body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Chunk {
    Size,
    /// So many bytes of a chunk.
    Data(u64),
    /// The line break behind a chunk.
    Break,
    Trailers,
    Done,
}

/// A step through a body.
#[derive(Debug)]
pub(crate) enum Piece {
    Data(Bytes),
    Trailers(HeaderMap),
    End,
    /// More has to be read.
    More,
}

/// An answer whose body has no certain end.
#[derive(Debug, Error)]
pub(crate) enum Malformed {
    #[error("its length is in doubt")]
    Length,
    #[error("its transfer coding is unexpected")]
    Coding,
    #[error("what should be a chunk is none")]
    Chunk,
    #[error("its trailers are none: {0}")]
    Trailers(#[from] MalformedHead),
}

impl Decoder {
    /// That of an answer to HEAD, or to another method.
    pub(crate) fn of(answer: &Head, to_head: bool) -> Result<Self, Malformed> {
        let Head { status, is_1_1, headers, declared } = answer;
        if to_head || matches!(*status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Ok(Self::Length(0));
        }
        if hygiene::has(headers, &header::TRANSFER_ENCODING)
            && let Some(last) = headers.get_all(header::TRANSFER_ENCODING).iter().next_back()
        {
            // HTTP/1.0 has none, so that nobody knows what is meant.
            if !is_1_1 {
                return Err(Malformed::Coding);
            }
            let last = last.as_bytes().rsplit(|byte| *byte == b',').next().unwrap_or_default();
            return Ok(match last.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                true => Self::Chunked(Chunk::Size),
                false => Self::UntilClose,
            });
        }
        match declared {
            Declared::Nothing => Ok(Self::UntilClose),
            Declared::Length(length) => Ok(Self::Length(*length)),
            Declared::Doubtful => Err(Malformed::Length),
        }
    }

    /// How long the body is, where that is known at its beginning, in bytes.
    pub(crate) const fn length(&self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(*length),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }

    /// Whether the end of the connection is the end of the body.
    pub(crate) const fn ends_with_connection(&self) -> bool {
        matches!(self, Self::UntilClose)
    }

    /// Whether the body has come to its end.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::Done))
    }

    /// Takes the next piece from the front of what was read.
    pub(crate) fn take(&mut self, input: &mut BytesMut) -> Result<Piece, Malformed> {
        match self {
            Self::Length(0) => Ok(Piece::End),
            Self::Length(left) => Ok(take_data(left, input)),
            Self::UntilClose if input.is_empty() => Ok(Piece::More),
            Self::UntilClose => Ok(Piece::Data(input.split().freeze())),
            Self::Chunked(chunk) => chunk.take(input),
        }
    }
}

fn take_data(left: &mut u64, input: &mut BytesMut) -> Piece {
    if input.is_empty() {
        return Piece::More;
    }
    let taken = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
    *left -= taken as u64;
    Piece::Data(input.split_to(taken).freeze())
}

impl Chunk {
    fn take(&mut self, input: &mut BytesMut) -> Result<Piece, Malformed> {
        loop {
            match self {
                Self::Size => match line(input)? {
                    None => return Ok(Piece::More),
                    Some(line) => {
                        let size = size(&line).ok_or(Malformed::Chunk)?;
                        *self = if size == 0 { Self::Trailers } else { Self::Data(size) };
                    }
                },
                Self::Data(left) => {
                    let piece = take_data(left, input);
                    if *left == 0 {
                        *self = Self::Break;
                    }
                    return Ok(piece);
                }
                Self::Break => match input.get(..2) {
                    None => return Ok(Piece::More),
                    Some(b"\r\n") => {
                        input.advance(2);
                        *self = Self::Size;
                    }
                    Some(_) => return Err(Malformed::Chunk),
                },
                Self::Trailers => return self.take_trailers(input),
                Self::Done => return Ok(Piece::End),
            }
        }
    }

    fn take_trailers(&mut self, input: &mut BytesMut) -> Result<Piece, Malformed> {
        if input.starts_with(b"\r\n") {
            input.advance(2);
            *self = Self::Done;
            return Ok(Piece::End);
        }
        match input.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(at) => {
                let trailers = head::trailers(&input.split_to(at + 4))?;
                *self = Self::Done;
                Ok(Piece::Trailers(trailers))
            }
            None if input.len() > LONGEST_LINE => Err(Malformed::Chunk),
            None => Ok(Piece::More),
        }
    }
}

/// The next line, without its break, once it is there.
fn line(input: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
    let Some(end) = input.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n') else {
        return if input.len() < LONGEST_LINE { Ok(None) } else { Err(Malformed::Chunk) };
    };
    let line = input.split_to(end + 1).freeze();
    match line.strip_suffix(b"\r\n") {
        Some(text) if !text.contains(&b'\r') => Ok(Some(line.slice(..text.len()))),
        _ => Err(Malformed::Chunk),
    }
}

/// The size in front of a chunk, in hexadecimal; an extension behind it is nobody's business.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, rest) = line.split_at(digits);
    let is_extension = matches!(rest.trim_ascii_start().first(), None | Some(b';'));
    if digits.len() > 16 || !is_extension {
        return None;
    }
    u64::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests;
