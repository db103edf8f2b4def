//! `/services/request/`: who is calling.

use actix_web::HttpResponse;
use serde_json::json;

use crate::caller::{Caller, Read};

/// `GET`: the key of the client that signed the request; null when requests need no signature.
pub async fn request(caller: Caller<Read>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "authenticated": caller.key() }))
}
