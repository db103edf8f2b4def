//! The sandbox's own side: its page, readiness, the counts, the faults, and the payer of each provider. Nothing is signed here.

use actix_web::error::InternalError;
use actix_web::web::{self, Data, Json, JsonConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::faults::{Fault, FaultQueue};
use crate::requests::Arrivals;
use crate::{braintree, deliveries, ledger, page, paypal, reference, stripe, waiting};

/// The folder in which all of it lies.
const PREFIX: &str = "/_sandbox";

/// Whether a path belongs to the sandbox and not to a provider.
pub(crate) fn owns(path: &str) -> bool {
    path == page::PATH
        || path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    let json = JsonConfig::default().content_type_required(false).error_handler(|error, _: &HttpRequest| {
        let answer = HttpResponse::BadRequest().json(json!({"detail": error.to_string()}));
        InternalError::from_response(error, answer).into()
    });
    let scope = web::scope(PREFIX)
        .app_data(json)
        .route("/status/", web::get().to(status))
        .service(
            web::resource("/requests")
                .route(web::get().to(count_requests))
                .route(web::delete().to(reset_requests)),
        )
        .service(
            web::resource("/faults")
                .route(web::get().to(count_faults))
                .route(web::post().to(append_faults))
                .route(web::delete().to(clear_faults)),
        )
        .route("/ledger", web::get().to(ledger::list))
        .route("/waiting", web::get().to(waiting::list))
        .route("/waiting/{provider}/{id}/{decision}", web::post().to(waiting::decide))
        .configure(deliveries::control::routes)
        .configure(reference::payer_routes)
        .service(web::scope("/stripe").configure(stripe::control))
        .service(web::scope("/paypal").configure(paypal::control))
        .service(web::scope("/braintree").configure(braintree::control))
        .default_service(web::to(not_found));
    config.configure(page::routes).service(scope);
}

async fn status() -> HttpResponse {
    HttpResponse::Ok().json(json!({"ready": true}))
}

async fn count_requests(arrivals: Data<Arrivals>) -> HttpResponse {
    HttpResponse::Ok().json(arrivals.count())
}

async fn reset_requests(arrivals: Data<Arrivals>) -> HttpResponse {
    arrivals.reset();
    HttpResponse::NoContent().finish()
}

async fn count_faults(faults: Data<FaultQueue>) -> HttpResponse {
    HttpResponse::Ok().json(json!({"remaining": faults.remaining()}))
}

async fn append_faults(faults: Data<FaultQueue>, written: Json<Vec<Fault>>) -> HttpResponse {
    faults.append(written.into_inner());
    count_faults(faults).await
}

async fn clear_faults(faults: Data<FaultQueue>) -> HttpResponse {
    faults.clear();
    HttpResponse::NoContent().finish()
}

async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().json(json!({"detail": "The sandbox has no such path."}))
}
