//! What the pass-through of `provider-proxy` answers: a target's own answer, or an error of the pass-through.

use actix_web::http::header::{HeaderMap, HeaderName, RETRY_AFTER};
use chassis::client::Incoming;
use serde_json::Value;
use wire::{ErrorKind, ProxyFailure};

use super::{Passed, ProxyError};

/// Every answer of the pass-through itself has it, and no target's has.
const KIND: HeaderName = HeaderName::from_static("x-proxy-error");
/// How much is passed on of a text that is not JSON, in characters.
const LONGEST_TEXT: usize = 4096;

/// Reads an answer.
///
/// # Errors
/// [`ProxyError::Failure`] for an error of the pass-through, [`ProxyError::Unreadable`] for a success that is no JSON.
pub(super) fn read(name: &str, answer: Incoming) -> Result<Passed, ProxyError> {
    let Incoming { status, headers, body } = answer;
    if let Some(kind) = text(&headers, &KIND) {
        let failure = ProxyFailure {
            kind: kind_of(kind),
            target: name.to_owned(),
            message: format!("the pass-through answers {}", kind.escape_debug()),
        };
        return Err(ProxyError::Failure { status: status.as_u16(), failure });
    }
    let retry_after = text(&headers, &RETRY_AFTER).map(str::to_owned);
    let body = match serde_json::from_slice(&body) {
        Ok(body) => Some(body),
        Err(_) if body.is_empty() => None,
        Err(_) if status.is_success() => return Err(ProxyError::Unreadable { status: status.as_u16() }),
        Err(_) => Some(Value::String(String::from_utf8_lossy(&body).chars().take(LONGEST_TEXT).collect())),
    };
    Ok(Passed { status, body, retry_after })
}

/// The kinds of the pass-through (docs/passthrough.md) in the words of `wire`.
fn kind_of(kind: &str) -> ErrorKind {
    match kind {
        "connect" => ErrorKind::Connect,
        "tls" => ErrorKind::Tls,
        "timeout" => ErrorKind::Timeout,
        "protocol" | "redirect" | "response_too_large" | "leak" => ErrorKind::Protocol,
        "disabled" | "unknown_target" | "credential" | "egress" => ErrorKind::NotConfigured,
        "identity" => ErrorKind::Identity,
        "caller" | "not_allowed" => ErrorKind::Caller,
        "path" | "method" | "invalid_request" | "request_too_large" => ErrorKind::InvalidRequest,
        // `busy`, `rate_limited`, `circuit_open` and `internal`: nothing was sent.
        _ => ErrorKind::Internal,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use actix_web::http::{StatusCode, header::HeaderValue};
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, kind: Option<&'static str>, body: &'static str) -> Incoming {
        let mut headers = HeaderMap::new();
        if let Some(kind) = kind {
            headers.insert(KIND, HeaderValue::from_static(kind));
        }
        let status = StatusCode::from_u16(status).unwrap();
        Incoming { status, headers, body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn a_targets_answer_is_its_own_whatever_its_status() {
        let passed = read("boku", answer(409, None, r#"{"message": "no"}"#)).unwrap();
        assert_eq!((passed.status.as_u16(), passed.body), (409, Some(json!({"message": "no"}))));
        let page = read("boku", answer(500, None, "<html>")).unwrap();
        assert_eq!(page.body, Some(json!("<html>")));
        assert_eq!(read("boku", answer(204, None, "")).unwrap().body, None);
    }

    #[test]
    fn a_success_that_is_no_json_is_unknown() {
        let error = read("boku", answer(200, None, "<html>")).err().unwrap();
        assert!(matches!(error, ProxyError::Unreadable { .. }) && error.outcome_is_unknown());
    }

    #[test]
    fn an_error_of_the_pass_through_says_whether_it_was_sent() {
        for (kind, unknown) in [
            ("timeout", true),
            ("protocol", true),
            ("redirect", true),
            ("leak", true),
            ("connect", false),
            ("not_allowed", false),
            ("unknown_target", false),
            ("busy", false),
        ] {
            let error = read("boku", answer(502, Some(kind), r#"{"error": {}}"#)).err().unwrap();
            assert_eq!((error.outcome_is_unknown(), error.target()), (unknown, "boku"), "{kind}");
        }
    }
}
