//! What goes back to a client: XML, compressed when it is asked for as the SDKs ask.

use std::io::Write as _;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use actix_web::{HttpRequest, HttpResponse, Responder};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::refusal::Refusal;
use super::xml::{Element, Node};

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    body: Option<Element>,
}

/// What was made or found, or why not.
pub(super) type Handled = Result<Answer, Refusal>;

impl Answer {
    /// Something that was made.
    pub(super) fn created(element: Element) -> Self {
        Self { status: StatusCode::CREATED, body: Some(element) }
    }

    /// Something as it is.
    pub(super) fn shown(element: Element) -> Self {
        Self { status: StatusCode::OK, body: Some(element) }
    }

    /// The same, as something that was made.
    pub(super) fn into_created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }

    /// Done, and nothing to show.
    pub(super) fn done() -> Self {
        Self { status: StatusCode::OK, body: None }
    }

    /// The answer to a request that was refused.
    pub(super) fn refused(refusal: &Refusal, request: Option<&Node>) -> Self {
        Self { status: refusal.status(), body: refusal.body(request) }
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        let Some(element) = self.body else { return response.finish() };
        response.content_type("application/xml; charset=utf-8");
        let text = element.document();
        let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        match accepted.is_some_and(|names| names.contains("gzip")).then(|| compressed(&text)).flatten() {
            Some(bytes) => response.insert_header((CONTENT_ENCODING, "gzip")).body(bytes),
            None => response.body(text),
        }
    }
}

/// Writing to memory does not fail; if it did, the text would go out as it is.
fn compressed(text: &str) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).ok()?;
    encoder.finish().ok()
}
