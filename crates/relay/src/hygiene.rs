//! Which headers are meant for the other end, and which a caller must not set: one list, for the doors of both halves.

use actix_web::http::header as actix_header;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// What belongs to one connection (RFC 9110, 7.6.1), and the older `Proxy-` fields with it. `Trailer` is not among
/// them: it announces what goes on, and is dropped where that does not.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// What a caller must not tell an upstream: who it is, by which way it came, and which method is really meant.
const NOT_FROM_CALLERS: [&str; 20] = [
    "cdn-loop",
    "client-ip",
    "cluster-client-ip",
    "content-length",
    "expect",
    "forwarded",
    "forwarded-for",
    "forwarded-proto",
    "host",
    "trailer",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
    "x-solitude-service",
];

/// Whole families of what a caller must not set.
const PREFIXES_NOT_FROM_CALLERS: [&str; 2] = ["x-forwarded", "proxy-"];

/// The headers of a request that go on to the next hop, repeated ones in their order.
#[must_use]
pub fn end_to_end(headers: &actix_header::HeaderMap) -> HeaderMap {
    convert(headers, |_| false)
}

/// The headers of a caller's request that an upstream may see: [`end_to_end`] without what a caller must not set.
/// `TE: trailers` is said again, since trailers are passed on.
#[must_use]
pub fn from_caller(headers: &actix_header::HeaderMap) -> HeaderMap {
    from_caller_without(headers, |_| false)
}

/// The same without `Authorization`, which is the longest of most requests and is not even copied.
pub(crate) fn from_caller_without_authorization(headers: &actix_header::HeaderMap) -> HeaderMap {
    from_caller_without(headers, |name| name == "authorization")
}

fn from_caller_without(headers: &actix_header::HeaderMap, dropped: impl Fn(&str) -> bool) -> HeaderMap {
    let mut kept = convert(headers, |name| dropped(name) || is_not_from_callers(name));
    if accepts_trailers(headers) {
        kept.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    kept
}

/// Whether a caller must not set a header. The name is in lower case. An underscore counts as a hyphen: CGI and its heirs
/// cannot tell them apart.
#[must_use]
pub fn is_not_from_callers(name: &str) -> bool {
    if name.as_bytes().contains(&b'_') {
        let hyphenated = name.replace('_', "-");
        return is_not_from_callers(&hyphenated) || is_hop_by_hop(&hyphenated);
    }
    NOT_FROM_CALLERS.binary_search(&name).is_ok()
        || PREFIXES_NOT_FROM_CALLERS.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a header belongs to one connection. The name is in lower case.
#[must_use]
pub fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.contains(&name)
}

/// Whether a caller takes trailers (RFC 9110, 10.1.4).
#[must_use]
pub fn accepts_trailers(headers: &actix_header::HeaderMap) -> bool {
    headers.get_all(actix_header::TE).any(|value| has_token(value.as_bytes(), "trailers"))
}

/// Whether a caller asks to switch to WebSocket.
#[must_use]
pub fn wants_websocket(headers: &actix_header::HeaderMap) -> bool {
    headers.get_all(actix_header::UPGRADE).any(|value| has_token(value.as_bytes(), "websocket"))
}

/// Removes from a request what belongs to a connection, and what frames a message: both are said anew. Only the wish
/// for trailers is kept, and named as what it is.
pub(crate) fn keep_end_to_end_of_request(headers: &mut HeaderMap) {
    // Most requests have none of it: one look is cheaper than a search for each.
    if !headers.keys().any(|name| *name == header::CONTENT_LENGTH || is_hop_by_hop(name.as_str())) {
        return;
    }
    let trailers = headers.remove(header::TE).is_some_and(|value| has_token(value.as_bytes(), "trailers"));
    headers.remove(header::CONTENT_LENGTH);
    keep_end_to_end(headers);
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
}

/// Whether there is such a field at all. Among few this is quicker than to look it up.
#[must_use]
pub fn has(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.keys().any(|known| known == name)
}

/// Whether the other side closes the connection after this message.
pub(crate) fn closes(headers: &HeaderMap) -> bool {
    has(headers, &header::CONNECTION)
        && headers.get_all(header::CONNECTION).iter().any(|value| has_token(value.as_bytes(), "close"))
}

/// Removes from an answer what belongs to the connection that it came on.
pub(crate) fn keep_end_to_end(headers: &mut HeaderMap) {
    // Most messages have one or none of them: to look is cheaper than to remove them all.
    let found = |headers: &HeaderMap| headers.keys().find(|name| is_hop_by_hop(name.as_str())).cloned();
    let Some(mut name) = found(headers) else { return };
    remove_named_by_connection(headers);
    loop {
        headers.remove(name);
        match found(headers) {
            Some(another) => name = another,
            None => return,
        }
    }
}

fn remove_named_by_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| tokens(value.as_bytes()))
        // These are no headers, or are removed anyway.
        .filter(|token| !token.eq_ignore_ascii_case(b"keep-alive") && !token.eq_ignore_ascii_case(b"close"))
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
}

/// Removes from trailers what cannot come after a body (RFC 9110, 6.5.1).
pub(crate) fn keep_in_trailers(trailers: &mut HeaderMap) {
    keep_end_to_end(trailers);
    for name in [
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::CONTENT_RANGE,
        header::CONTENT_TYPE,
        header::HOST,
        header::SET_COOKIE,
        header::TRAILER,
        header::WWW_AUTHENTICATE,
    ] {
        trailers.remove(name);
    }
}

fn convert(headers: &actix_header::HeaderMap, dropped: impl Fn(&str) -> bool) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len() + 2);
    let names_others = headers.contains_key(actix_header::CONNECTION);
    for (name, value) in headers {
        let name = name.as_str();
        if is_hop_by_hop(name) || dropped(name) || names_others && is_named_by_connection(headers, name) {
            continue;
        }
        // http 0.2 and http 1 take the same names and values.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            kept.append(name, value);
        }
    }
    kept
}

fn is_named_by_connection(headers: &actix_header::HeaderMap, name: &str) -> bool {
    headers.get_all(actix_header::CONNECTION).any(|value| has_token(value.as_bytes(), name))
}

fn has_token(list: &[u8], token: &str) -> bool {
    tokens(list).any(|item| item.eq_ignore_ascii_case(token.as_bytes()))
}

/// The items of a comma-separated list, without their parameters.
fn tokens(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',')
        .map(|item| item.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii())
}

#[cfg(test)]
mod tests;
