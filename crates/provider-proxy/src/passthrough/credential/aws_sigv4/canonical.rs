//! The canonical request: one text for all ways to write the same request.

use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use relay::Outgoing;

use super::super::CredentialError;

/// RFC 3986 unreserved characters stay.
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// In a path slashes stay as well.
const PATH: &AsciiSet = &PARAMETER.remove(b'/');

/// The canonical request to a URL, and the names of the headers that it covers.
pub(super) fn request(
    request: &Outgoing,
    url: &str,
    body_hash: &str,
    is_s3: bool,
) -> Result<(String, String), CredentialError> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = location.find('/').map_or((location, "/"), |slash| location.split_at(slash));
    let headers = headers(&request.headers, host)?;
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let path = if is_s3 { encode_once(path) } else { normal_path(path) };
    let method = request.method.as_str();
    Ok((format!("{method}\n{path}\n{}\n{lines}\n{names}\n{body_hash}", self::query(query)), names))
}

/// Signed are `Host`, `Content-Type` and whatever is AWS's own; any other header may change on its way.
fn headers(headers: &HeaderMap, host: &str) -> Result<Vec<(String, String)>, CredentialError> {
    let mut signed = vec![("host".to_owned(), host.to_owned())];
    for name in headers.keys().filter(|name| *name == "content-type" || name.as_str().starts_with("x-amz-")) {
        let mut values = Vec::new();
        for value in headers.get_all(name) {
            let value = value
                .to_str()
                .map_err(|_| CredentialError::Request { reason: "a header to be signed is not ASCII" })?;
            values.push(value.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
        }
        signed.push((name.as_str().to_owned(), values.join(",")));
    }
    signed.sort_unstable();
    Ok(signed)
}

/// S3: each character encoded once, however the path is written.
fn encode_once(path: &str) -> String {
    percent_encode(&percent_decode_str(path).collect::<Vec<u8>>(), PATH).to_string()
}

/// All other services: dot segments and empty ones are resolved, and the path is encoded as it is sent, so that an
/// escape in it is encoded twice.
fn normal_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let ends_in_slash =
        !segments.is_empty() && (path.ends_with('/') || path.ends_with("/.") || path.ends_with("/.."));
    let normal = format!("/{}{}", segments.join("/"), if ends_in_slash { "/" } else { "" });
    percent_encode(normal.as_bytes(), PATH).to_string()
}

/// Decoded, encoded again in one way, and sorted.
fn query(query: &str) -> String {
    let encode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encode(&percent_decode_str(&text).collect::<Vec<u8>>(), PARAMETER).to_string()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}
