//! The base string URI of RFC 5849, section 3.4.1.2, and the query that belongs to the parameters.

use thiserror::Error;

use crate::encoding::decode_form;

/// Why a URL cannot be signed or verified.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum UrlError {
    /// Not an absolute `http` or `https` URL.
    #[error("the URL is not an absolute http or https URL")]
    NotHttp,
    /// Holds a byte that a URL cannot hold unencoded: a space, a control character or one outside ASCII.
    #[error("the URL holds a character that must be percent-encoded")]
    Unencoded,
    /// No host, a user name in front of it, or something behind it that is not a port.
    #[error("the URL's host or port is not valid")]
    Authority,
    /// A fragment never reaches a server, so it cannot be signed.
    #[error("the URL has a fragment")]
    Fragment,
    /// A `%` in the query that is not followed by two hexadecimal digits.
    #[error("the URL's query is not validly percent-encoded")]
    Query,
    /// A query or form parameter whose name is reserved for the header.
    #[error("a query or form parameter has a name that begins with oauth_")]
    Reserved,
}

/// Decoded names and values, which need not be UTF-8.
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// A URL taken apart for signing.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct SignedUrl {
    /// Scheme, host, port unless it is the scheme's own, and path.
    pub(crate) base: String,
    /// The decoded query parameters in their order; a key may be repeated.
    pub(crate) query: Pairs,
}

impl SignedUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UrlError::Unencoded);
        }
        if url.contains('#') {
            return Err(UrlError::Fragment);
        }
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::NotHttp)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(UrlError::NotHttp),
        };
        let (target, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match target.find('/') {
            Some(slash) => target.split_at(slash),
            None => (target, "/"),
        };
        let authority = normalise_authority(authority, default_port)?;
        Ok(Self { base: format!("{scheme}://{authority}{path}"), query: parse_query(query)? })
    }
}

fn normalise_authority(authority: &str, default_port: u16) -> Result<String, UrlError> {
    // A colon inside the brackets of an IPv6 address does not begin the port.
    let host_end = if authority.starts_with('[') {
        authority.find(']').ok_or(UrlError::Authority)? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, rest) = authority.split_at(host_end);
    if host.is_empty() || host.contains('@') {
        return Err(UrlError::Authority);
    }
    let host = host.to_ascii_lowercase();
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Ok(host),
        None => Err(UrlError::Authority),
        Some("") => Ok(host),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let port: u16 = digits.parse().map_err(|_| UrlError::Authority)?;
            Ok(if port == default_port { host } else { format!("{host}:{port}") })
        }
        Some(_) => Err(UrlError::Authority),
    }
}

fn parse_query(query: &str) -> Result<Pairs, UrlError> {
    let mut parameters = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode_form(name).ok_or(UrlError::Query)?;
        parameters.push((name, decode_form(value).ok_or(UrlError::Query)?));
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(url: &str) -> String {
        SignedUrl::parse(url).unwrap().base
    }

    /// The two examples of RFC 5849, section 3.4.1.2.
    #[test]
    fn the_rfcs_base_uris_come_out() {
        assert_eq!(base("http://EXAMPLE.COM:80/r%20v/X?id=123"), "http://example.com/r%20v/X");
        assert_eq!(base("https://www.example.net:8080/?q=1"), "https://www.example.net:8080/");
    }

    #[test]
    fn only_the_schemes_own_port_is_dropped() {
        assert_eq!(base("https://example.com:443"), "https://example.com/");
        assert_eq!(base("http://example.com:443/"), "http://example.com:443/");
        assert_eq!(base("HTTPS://example.com:80/"), "https://example.com:80/");
        assert_eq!(base("http://[::1]:80/x"), "http://[::1]/x");
        assert_eq!(base("http://[::1]:8080/x"), "http://[::1]:8080/x");
        assert_eq!(base("http://example.com:/x"), "http://example.com/x");
    }

    #[test]
    fn a_url_that_could_be_read_in_two_ways_is_refused() {
        for (url, error) in [
            ("ftp://example.com/", UrlError::NotHttp),
            ("/only/a/path", UrlError::NotHttp),
            ("http://", UrlError::Authority),
            ("http:///path", UrlError::Authority),
            ("http://:80/", UrlError::Authority),
            ("http://user@example.com/", UrlError::Authority),
            ("http://user:word@example.com/", UrlError::Authority),
            ("http://example.com:99999/", UrlError::Authority),
            ("http://example.com:+80/", UrlError::Authority),
            ("http://[::1/", UrlError::Authority),
            ("http://[::1]x/", UrlError::Authority),
            ("http://example.com/#x", UrlError::Fragment),
            ("http://example.com/a b", UrlError::Unencoded),
            ("http://example.com/é", UrlError::Unencoded),
            ("http://example.com/?a=%zz", UrlError::Query),
        ] {
            assert_eq!(SignedUrl::parse(url), Err(error), "{url}");
        }
    }

    #[test]
    fn a_query_keeps_repeated_keys_and_empty_values() {
        let url = SignedUrl::parse("http://example.com/?b=2&&a=&b=1&c&d=x=y").unwrap();
        let pairs: Vec<(&[u8], &[u8])> =
            url.query.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        let expected: [(&[u8], &[u8]); 5] =
            [(b"b", b"2"), (b"a", b""), (b"b", b"1"), (b"c", b""), (b"d", b"x=y")];
        assert_eq!(pairs, expected);
    }
}
