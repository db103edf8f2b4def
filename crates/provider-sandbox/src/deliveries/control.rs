//! `/_sandbox/webhooks`: endpoints, how events are handled, and what became of them.

use actix_web::web::{self, Data, Json, Path, Query, ServiceConfig};
use actix_web::{HttpResponse, rt};
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Deliveries, Endpoint, Handling, Office};
use crate::loopback::is_loopback;
use crate::shared::Shared;

/// Mounted under `/_sandbox`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/webhooks")
                .route(web::get().to(show))
                .route(web::post().to(register))
                .route(web::delete().to(reset)),
        )
        .route("/webhooks/handling", web::put().to(handle))
        .route("/webhooks/release", web::post().to(release))
        .route("/webhooks/events/{id}", web::get().to(message))
        .route("/webhooks/events/{id}/send", web::post().to(send_again));
}

/// How much is waited for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patience {
    /// Whether everything that is on its way must have arrived first.
    #[serde(default)]
    wait: bool,
    /// Whether the deliveries, of which there may be very many, are left out.
    #[serde(default)]
    brief: bool,
}

async fn show(shared: Data<Shared>, patience: Query<Patience>) -> HttpResponse {
    if patience.wait {
        shared.deliveries.settled().await;
    }
    HttpResponse::Ok().json(describe(&shared.deliveries, patience.brief))
}

fn describe(deliveries: &Deliveries, brief: bool) -> Value {
    let under_way = *deliveries.under_way.borrow();
    let Office { endpoints, handling, held, deliveries, .. } = &*deliveries.office();
    let held: Vec<Value> = held
        .iter()
        .map(|held| {
            let event = &held.event;
            json!({"provider": event.provider, "event_id": event.event_id, "event": event.event})
        })
        .collect();
    json!({
        "endpoints": endpoints, "handling": handling, "held": held, "under_way": under_way,
        "deliveries": if brief { &[] } else { deliveries.as_slice() },
    })
}

async fn register(shared: Data<Shared>, endpoint: Json<Endpoint>) -> HttpResponse {
    let endpoint = endpoint.into_inner();
    if !is_loopback(&endpoint.url) {
        let detail = "The sandbox posts webhooks to a loopback address only.";
        return HttpResponse::BadRequest().json(json!({"detail": detail}));
    }
    let mut office = shared.deliveries.office();
    if !office.endpoints.contains(&endpoint) {
        office.endpoints.push(endpoint.clone());
    }
    HttpResponse::Created().json(endpoint)
}

/// Forgets endpoints, events and deliveries; what is on its way still arrives.
async fn reset(shared: Data<Shared>) -> HttpResponse {
    *shared.deliveries.office() = Office::default();
    HttpResponse::NoContent().finish()
}

async fn handle(shared: Data<Shared>, handling: Json<Handling>) -> HttpResponse {
    shared.deliveries.office().handling = *handling;
    HttpResponse::Ok().json(*handling)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Release {
    order: Vec<String>,
}

async fn release(shared: Data<Shared>, release: Option<Json<Release>>) -> HttpResponse {
    let release = release.map(Json::into_inner).unwrap_or_default();
    let deliveries = shared.deliveries.clone();
    // What has begun goes on when nobody waits for it any more.
    let released = rt::spawn(async move { deliveries.release(&release.order).await });
    match released.await.unwrap_or_else(|_| Ok(Vec::new())) {
        Ok(deliveries) => HttpResponse::Ok().json(json!({"deliveries": deliveries})),
        Err(id) => HttpResponse::NotFound().json(json!({"detail": format!("no event {id} is kept back")})),
    }
}

/// An event as it would be posted now.
async fn message(shared: Data<Shared>, id: Path<String>) -> HttpResponse {
    match shared.deliveries.event(&id) {
        Some(event) => HttpResponse::Ok().json((event.make)(Utc::now())),
        None => unknown(),
    }
}

async fn send_again(shared: Data<Shared>, id: Path<String>) -> HttpResponse {
    let Some(event) = shared.deliveries.event(&id) else { return unknown() };
    let deliveries = shared.deliveries.send(&event, 1).await;
    HttpResponse::Ok().json(json!({"deliveries": deliveries}))
}

fn unknown() -> HttpResponse {
    HttpResponse::NotFound().json(json!({"detail": "no such event was announced"}))
}
