//! One line for each request, and the request id that ties all its lines together.

use std::{fmt::Write as _, sync::Arc};

use actix_web::{
    Error, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
};
use percent_encoding::percent_decode_str;

use super::{peer, request_id};
use crate::{
    card_number,
    logging::{Arrival, RequestContext, in_context},
};

/// The header that carries a request's id from hop to hop.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The client's own name for what it is doing.
pub(crate) const TRANSACTION_ID: HeaderName = HeaderName::from_static("transaction-id");

/// Takes or makes the request id, runs the request in its context, and writes
/// `GET /path?key=… HTTP/1.1 200 3 ms` when it is answered, unless it is recorded elsewhere.
pub(super) async fn access_log(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let context = Arc::new(context(request.headers()));
    in_context(Arc::clone(&context), async move {
        // Handlers' errors are responses by now. The request is not kept for another kind of error: a second handle
        // on it would stop the router from setting its match.
        let mut response = peer::only_trusted(request, next).await?;
        if let Ok(value) = HeaderValue::from_str(&context.request_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        if !context.is_recorded() {
            let (line, status) = (request_line(response.request()), response.status().as_u16());
            log::info!("{line} {status} {} ms", context.arrival.instant.elapsed().as_millis());
        }
        Ok(response)
    })
    .await
}

fn context(headers: &HeaderMap) -> RequestContext {
    let taken = text(headers, &REQUEST_ID, 128)
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte)));
    let arrival = Arrival::now();
    let request_id = taken.unwrap_or_else(|| request_id::generate(arrival.time));
    RequestContext::arrived(arrival, request_id, text(headers, &TRANSACTION_ID, 255))
}

/// A header's value, when it is visible ASCII, no longer than the limit, and holds no card number.
fn text(headers: &HeaderMap, name: &HeaderName, limit: usize) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    let usable =
        !value.is_empty() && value.len() <= limit && value.bytes().all(|byte| byte.is_ascii_graphic());
    let usable = usable && !card_number::is_in(value);
    usable.then(|| value.to_owned())
}

/// The request line without the values of its query, which can hold an e-mail address or worse.
fn request_line(request: &HttpRequest) -> String {
    let target = shown_target(request.path(), request.query_string());
    format!("{} {target} {:?}", request.method(), request.version())
}

/// A path and the names of its query as they may be written down: without values, which can hold an e-mail address or
/// worse, and without card numbers.
#[must_use]
pub fn shown_target(path: &str, query: &str) -> String {
    let mut shown = without_card(path).to_owned();
    for (index, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        let name = without_card(pair.split_once('=').map_or(pair, |(name, _)| name));
        let _ = write!(shown, "{}{name}=…", if index == 0 { '?' } else { '&' });
    }
    shown
}

/// The text, unless it holds a card number once it is decoded.
fn without_card(text: &str) -> &str {
    if !text.contains(['+', '%']) {
        return if card_number::is_in(text) { "…" } else { text };
    }
    let spaced = text.replace('+', " ");
    if card_number::is_in(&percent_decode_str(&spaced).decode_utf8_lossy()) { "…" } else { text }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_logged_request_line_has_the_names_of_its_query_and_not_the_values() {
        let request = TestRequest::with_uri("/generic/buyer/?email=someone@example.test&limit=5&flag")
            .to_http_request();
        assert_eq!(request_line(&request), "GET /generic/buyer/?email=…&limit=…&flag=… HTTP/1.1");
    }

    #[test]
    fn no_card_number_is_logged_from_a_path_a_querys_name_or_a_header() {
        let uri = "/generic/seller/4111%201111%201111%201111/?4111-1111-1111-1111=x&4111+1111+1111+1111=y";
        let request = TestRequest::with_uri(uri)
            .insert_header((TRANSACTION_ID, "order:4111-1111-1111-1111"))
            .insert_header((REQUEST_ID, "4111-1111-1111-1111"))
            .to_http_request();
        assert_eq!(request_line(&request), "GET …?…=…&…=… HTTP/1.1");
        let context = context(request.headers());
        assert_eq!(context.transaction_id, None);
        assert!(!context.request_id.contains("4111"));
    }
}
