//! Compresses text on its way to a caller that takes it (RFC 9110, 12.5.3), chunk by chunk.

use std::io::{self, Write};

use actix_web::http::header as asked;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, VARY},
};

/// Middling: a proxy's processor is for many.
const LEVEL: Compression = Compression::new(4);

/// A compressor of one body.
pub struct Gzip(GzEncoder<Vec<u8>>);

impl Gzip {
    /// Starts.
    #[must_use]
    pub fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), LEVEL))
    }

    /// Compresses a chunk, wholly: what a target sends now is not kept for later.
    ///
    /// # Errors
    /// Never in practice: it writes to memory.
    pub fn chunk(&mut self, chunk: &[u8]) -> io::Result<Bytes> {
        self.0.write_all(chunk)?;
        self.0.flush()?;
        Ok(std::mem::take(self.0.get_mut()).into())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// Never in practice: it writes to memory.
    pub fn finish(self) -> io::Result<Bytes> {
        self.0.finish().map(Bytes::from)
    }
}

impl Default for Gzip {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether an answer may be compressed at all, for any caller: uncompressed text, whole, and not said to stay as it is.
#[must_use]
pub fn is_compressible(method: &Method, status: StatusCode, headers: &HeaderMap) -> bool {
    let has_body = method != Method::HEAD
        && !matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED);
    let is_whole = status != StatusCode::PARTIAL_CONTENT && !headers.contains_key(CONTENT_RANGE);
    has_body
        && is_whole
        && !headers.contains_key(CONTENT_ENCODING)
        && !must_stay(headers)
        && headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_text)
}

/// RFC 9111, 5.2.2.6.
fn must_stay(headers: &HeaderMap) -> bool {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    directives.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case("no-transform"))
}

fn is_text(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((kind, subtype)) = media_type.split_once('/') else { return false };
    let ending = subtype.rsplit('+').next().unwrap_or_default();
    kind == "text" || matches!(ending, "json" | "xml" | "javascript" | "x-ndjson" | "yaml")
}

/// Whether a caller takes gzip.
#[must_use]
pub fn accepts_gzip(headers: &asked::HeaderMap) -> bool {
    let codings = headers.get_all(asked::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    let (mut gzip, mut any) = (None, false);
    for coding in codings.flat_map(|value| value.split(',')) {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let wanted = !parts.any(is_weight_of_nothing);
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            gzip = Some(wanted);
        } else if name == "*" {
            any = wanted;
        }
    }
    gzip.unwrap_or(any)
}

/// `q=0`, `q=0.0`, `q=0.00` and `q=0.000`.
fn is_weight_of_nothing(parameter: &str) -> bool {
    let Some((name, weight)) = parameter.split_once('=') else { return false };
    name.trim().eq_ignore_ascii_case("q") && weight.trim().bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

/// Says that the answer depends on what the caller takes.
pub fn vary(headers: &mut HeaderMap) {
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
}

/// Says that the body is compressed now. Its length is the sender's to leave out.
pub fn mark(headers: &mut HeaderMap) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.remove(ACCEPT_RANGES);
    for digest in ["content-md5", "content-digest", "digest"] {
        headers.remove(HeaderName::from_static(digest));
    }
    if let Some(weak) = headers.get(ETAG).and_then(weakened) {
        headers.insert(ETAG, weak);
    }
}

/// Other bytes of the same thing (RFC 9110, 8.8.1).
fn weakened(tag: &HeaderValue) -> Option<HeaderValue> {
    if tag.as_bytes().starts_with(b"W/") {
        return None;
    }
    HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use actix_web::test::TestRequest;
    use flate2::read::GzDecoder;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn chunks_are_compressed_as_they_come() {
        let mut gzip = Gzip::new();
        let first = gzip.chunk(b"one ").unwrap();
        let mut seen = [0; 4];
        GzDecoder::new(&*first).read_exact(&mut seen).unwrap();
        assert_eq!(&seen, b"one ");
        let second = gzip.chunk(b"two").unwrap();
        let all = [first, second, gzip.finish().unwrap()].concat();
        let mut text = String::new();
        GzDecoder::new(&*all).read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two");
    }

    #[test]
    fn a_caller_must_ask_for_it() {
        for (accepted, takes) in [
            (None, false),
            (Some("gzip"), true),
            (Some("deflate, GZIP;q=0.5"), true),
            (Some("gzip;q=0"), false),
            (Some("gzip; q=0.000, *"), false),
            (Some("br"), false),
            (Some("*"), true),
            (Some("*;q=0"), false),
            (Some("identity"), false),
        ] {
            let mut request = TestRequest::get();
            if let Some(accepted) = accepted {
                request = request.insert_header(("accept-encoding", accepted));
            }
            assert_eq!(accepts_gzip(request.to_http_request().headers()), takes, "{accepted:?}");
        }
    }

    #[test]
    fn only_whole_uncompressed_text_is_compressed() {
        let json = ("content-type", "application/json; charset=utf-8");
        for (method, status, given, compressible) in [
            (Method::GET, 200, headers(&[json]), true),
            (Method::GET, 404, headers(&[("content-type", "text/html")]), true),
            (Method::GET, 200, headers(&[("content-type", "application/problem+json")]), true),
            (Method::HEAD, 200, headers(&[json]), false),
            (Method::GET, 204, headers(&[json]), false),
            (Method::GET, 304, headers(&[json]), false),
            (Method::GET, 206, headers(&[json]), false),
            (Method::GET, 200, headers(&[json, ("content-encoding", "br")]), false),
            (Method::GET, 200, headers(&[json, ("cache-control", "private, no-transform")]), false),
            (Method::GET, 200, headers(&[("content-type", "image/png")]), false),
            (Method::GET, 200, headers(&[]), false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(is_compressible(&method, status, &given), compressible, "{method} {status} {given:?}");
        }
    }

    #[test]
    fn the_headers_say_that_the_bytes_are_others() {
        let mut given = headers(&[
            ("etag", "\"a\""),
            ("vary", "origin"),
            ("content-md5", "x"),
            ("accept-ranges", "bytes"),
            ("x-kept", "1"),
        ]);
        vary(&mut given);
        mark(&mut given);
        let expected = headers(&[
            ("etag", "W/\"a\""),
            ("vary", "origin"),
            ("x-kept", "1"),
            ("content-encoding", "gzip"),
        ]);
        let vary: Vec<_> = given.get_all(VARY).iter().collect();
        assert_eq!(vary, ["origin", "accept-encoding"]);
        given.insert(VARY, HeaderValue::from_static("origin"));
        assert_eq!(given, expected);
        mark(&mut given);
        assert_eq!(given[ETAG], "W/\"a\"");
    }
}
