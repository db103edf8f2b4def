//! An upstream's answer as actix-web's response.

use actix_web::{HttpRequest, HttpResponse};
use futures_util::Stream;
use http::{HeaderMap, StatusCode};

use crate::{Frame, RelayError};

/// The response to a caller. With a `length` it is declared and enforced, otherwise the body is sent in chunks. An
/// error of the stream closes the caller's connection, so that half a body never looks complete.
pub fn respond(
    request: &HttpRequest,
    status: StatusCode,
    headers: HeaderMap,
    length: Option<u64>,
    stream: impl Stream<Item = Result<Frame, RelayError>> + 'static,
) -> HttpResponse {
    drop((request, status, headers, length, stream));
    HttpResponse::NotImplemented().finish()
}
