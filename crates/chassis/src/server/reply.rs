//! Answers that do not depend on what is served.

use actix_web::{HttpResponse, Resource, http::StatusCode, web};
use serde_json::json;

/// `{"detail": "…"}`, the shape of every error that is not about a field.
#[must_use]
pub fn detail(status: StatusCode, text: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "detail": text }))
}

/// A resource at a path, with and without its trailing slash; a method that it lacks is 405.
#[must_use]
pub fn resource(path: &str) -> Resource {
    let bare = path.trim_end_matches('/');
    let resource = if bare.contains('{') {
        // A handler may take the parts of the path by their places, so that there can be no part for the slash.
        web::resource([format!("{bare}/"), bare.to_owned()])
    } else {
        // The router tries the patterns of all routes before the one that fits: one is cheaper than two.
        web::resource(format!("{bare}{{slash:/?}}"))
    };
    resource.default_service(web::to(method_not_allowed))
}

pub(super) async fn not_found() -> HttpResponse {
    detail(StatusCode::NOT_FOUND, "Not found.")
}

async fn method_not_allowed() -> HttpResponse {
    detail(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.")
}
