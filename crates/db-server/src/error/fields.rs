//! What a client is told when fields are wrong, or the body that should hold them cannot be read.

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
};
use chassis::server::detail;

use super::ApiError;
use crate::{
    domain::error::DomainError,
    field_errors::{Code, FieldError, FieldErrors},
    form::BodyError,
    page::QueryError,
};

/// The shape of the older resources, except for card numbers: those are new everywhere.
pub(super) fn fields(errors: &FieldErrors) -> HttpResponse {
    if errors.hold(Code::CardNumber) {
        return HttpResponse::UnprocessableEntity().json(errors.mozilla());
    }
    HttpResponse::BadRequest().json(errors)
}

/// Gives the errors of fields the shape of the newer resources: 422 with codes. To be wrapped around those.
///
/// # Errors
/// What `next` gives.
pub async fn with_codes(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let error = response.response().error().and_then(|error| error.as_error::<ApiError>());
    let errors = match error {
        Some(ApiError::Query(QueryError::Wrong(errors)) | ApiError::Domain(DomainError::Fields(errors))) => {
            errors.mozilla()
        }
        Some(ApiError::Body(BodyError::DuplicateKey(key))) => {
            let message = BodyError::DuplicateKey(String::new()).to_string();
            FieldErrors::of(key, FieldError::invalid(message)).mozilla()
        }
        _ => return Ok(response),
    };
    Ok(response.into_response(HttpResponse::UnprocessableEntity().json(errors)))
}

/// A body that cannot be read.
pub(super) fn body(error: &BodyError) -> HttpResponse {
    let status = match error {
        BodyError::DuplicateKey(key) => {
            return fields(&FieldErrors::of(key, FieldError::invalid(error.to_string())));
        }
        BodyError::Malformed(_) | BodyError::NotAnObject | BodyError::Incomplete => StatusCode::BAD_REQUEST,
        BodyError::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
    };
    detail(status, &error.to_string())
}
