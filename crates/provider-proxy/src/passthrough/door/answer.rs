//! What the caller gets: the target's answer, or the proxy's own.

use std::sync::Arc;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode as AnsweredStatus,
        header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use http::{HeaderMap, HeaderName, StatusCode, header::CONTENT_TYPE, header::LOCATION};
use relay::{Incoming, hygiene, respond};
use wire::passthrough::{Answer, DISABLED, ERROR_HEADER, Failure};

use super::{
    DoorError,
    body::{Checked, Delivery},
    passage::Passage,
    workplace::Place,
};
use crate::{
    caller::Caller,
    passthrough::{
        compress::{self, Gzip},
        scan::{self, Scanner},
        target::Target,
    },
};

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The proxy's own answer.
pub(super) fn refuse(passage: &mut Passage, error: &DoorError) -> HttpResponse {
    passage.is_refused(error);
    let kind = error.kind();
    let status =
        AnsweredStatus::from_u16(kind.http_status()).unwrap_or(AnsweredStatus::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponseBuilder::new(status);
    response.insert_header((ERROR_HEADER, kind.name()));
    if let Some(seconds) = error.retry_after() {
        response.insert_header((RETRY_AFTER, seconds));
    }
    if let Some(challenge) = error.challenge() {
        response.insert_header((WWW_AUTHENTICATE, challenge));
    }
    match error {
        DoorError::Disabled => return response.content_type("text/plain; charset=utf-8").body(DISABLED),
        DoorError::Method => {
            response.insert_header((ALLOW, METHODS));
        }
        _ => {}
    }
    let failure = Failure { kind, target: passage.target().to_owned(), message: error.to_string() };
    response.json(Answer { error: failure })
}

/// The target's answer, or why it is withheld.
pub(super) async fn pass_on(
    mut passage: Box<Passage>,
    incoming: Incoming,
    place: &Place,
    caller: &Caller,
    scanner: &Arc<Scanner>,
) -> HttpResponse {
    passage.is_answered(incoming.status.as_u16());
    match prepare(&passage, incoming, &place.target, caller, scanner).await {
        Err(error) => refuse(&mut passage, &error),
        Ok(Prepared { status, headers, length, delivery }) => {
            let request = passage.request().clone();
            respond(&request, status, headers, length, delivery.of(passage))
        }
    }
}

struct Prepared {
    status: StatusCode,
    headers: HeaderMap,
    length: Option<u64>,
    delivery: Box<Delivery>,
}

async fn prepare(
    passage: &Passage,
    incoming: Incoming,
    target: &Target,
    caller: &Caller,
    scanner: &Arc<Scanner>,
) -> Result<Prepared, DoorError> {
    let Incoming { status, mut headers, mut length, body, .. } = incoming;
    check_head(status, &headers, scanner)?;
    let method = relay_method(passage);
    let limit = target.max_response_body;
    if has_body(&method, status) && length.is_some_and(|length| length > limit) {
        return Err(DoorError::ResponseTooLarge { limit });
    }
    let checked = Checked::new(body, length, limit, scanner, scan::is_scanned(&headers));
    // Boxed, since it is large, and moved from hand to hand until it is a response.
    let mut delivery = Box::new(Delivery::new(checked));
    if has_body(&method, status) && !is_event_stream(&headers) {
        delivery.look_ahead(length).await?;
    }
    if hygiene::has(&headers, &OWN) {
        headers.remove(OWN);
    }
    target.response_headers.apply(&mut headers, &caller.claims)?;
    if target.compress && compress::is_compressible(&method, status, &headers) {
        compress::vary(&mut headers);
        if compress::accepts_gzip(passage.request().headers()) {
            compress::mark(&mut headers);
            delivery.compress(Gzip::new());
            length = None;
        }
    }
    Ok(Prepared { status, headers, length, delivery })
}

/// Refuses an answer for its status or its headers.
pub(super) fn check_head(
    status: StatusCode,
    headers: &HeaderMap,
    scanner: &Scanner,
) -> Result<(), DoorError> {
    if is_redirect(status, headers) {
        return Err(DoorError::Redirect { status: status.as_u16() });
    }
    if scanner.header_leaks(headers) {
        return Err(DoorError::Leak { place: "header" });
    }
    Ok(())
}

/// 304 and other statuses without a place to go to are data.
fn is_redirect(status: StatusCode, headers: &HeaderMap) -> bool {
    let follows = matches!(status.as_u16(), 300..=303 | 305 | 307 | 308);
    follows || (status.is_redirection() && headers.contains_key(LOCATION))
}

/// Whether an answer of this status to this method has a body at all (RFC 9112, 6.3).
fn has_body(method: &http::Method, status: StatusCode) -> bool {
    method != http::Method::HEAD && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Events are passed on one by one, as they come.
fn is_event_stream(headers: &HeaderMap) -> bool {
    const NAME: &[u8] = b"text/event-stream";
    let beginning = headers.get(CONTENT_TYPE).and_then(|value| value.as_bytes().get(..NAME.len()));
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(NAME))
}

fn relay_method(passage: &Passage) -> http::Method {
    http::Method::from_bytes(passage.request().method().as_str().as_bytes()).unwrap_or_default()
}

/// The header by which a caller knows the proxy's own answers.
pub(super) const OWN: HeaderName = HeaderName::from_static(ERROR_HEADER);
