//! The reference provider ("zippy"): sellers, products, terms, transactions and signed notices.
//!
//! Source: the documentation and observable behaviour of Mozilla's zippy. Every request is signed with OAuth 1.0a;
//! bodies are JSON; each resource says its `resource_pk` (its uuid), `resource_name` and `resource_uri`.

mod auth;
mod error;
mod fields;
mod notices;
mod payer;
mod products;
mod sellers;
mod state;
mod terms;
mod transactions;

use actix_web::HttpRequest;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) use payer::routes as payer_routes;
pub(crate) use state::Reference;

use error::Refusal;

/// Mounts the provider at the root; to be registered last, for it answers 404 to all that it does not know.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let other_method = || web::to(bad_method);
    let scope = web::scope("")
        .wrap(from_fn(auth::check))
        .service(
            web::resource("/sellers")
                .route(web::get().to(sellers::list))
                .route(web::post().to(sellers::create))
                .default_service(other_method()),
        )
        .service(
            web::resource("/sellers/{uuid}")
                .route(web::get().to(sellers::read))
                .route(web::put().to(sellers::update))
                .default_service(other_method()),
        )
        .service(
            web::resource("/products")
                .route(web::get().to(products::list))
                .route(web::post().to(products::create))
                .default_service(other_method()),
        )
        .service(
            web::resource("/products/{uuid}")
                .route(web::get().to(products::read))
                .route(web::put().to(products::update))
                .default_service(other_method()),
        )
        .service(
            web::resource("/terms/{seller_id}")
                .route(web::get().to(terms::read))
                .route(web::put().to(terms::agree))
                .default_service(other_method()),
        )
        .service(
            web::resource("/transactions")
                .route(web::get().to(transactions::list))
                .route(web::post().to(transactions::create))
                .default_service(other_method()),
        )
        .service(
            web::resource("/transactions/{uuid}")
                .route(web::get().to(transactions::read))
                .default_service(other_method()),
        )
        .default_service(web::to(unknown_path));
    config.service(scope);
}

/// A resource as it is shown: its own fields and the three that every resource has.
fn describe(name: &str, key: &str, resource: &impl Serialize) -> Result<Value, Refusal> {
    let mut shown: Map<String, Value> = match serde_json::to_value(resource) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => return Err(Refusal::Internal),
    };
    shown.insert("resource_pk".into(), key.into());
    shown.insert("resource_name".into(), name.into());
    shown.insert("resource_uri".into(), format!("/{name}/{}", oauth1::percent_encode(key)).into());
    Ok(Value::Object(shown))
}

async fn bad_method(request: HttpRequest) -> Result<String, Refusal> {
    Err(Refusal::BadMethod(format!("{} is not allowed", request.method())))
}

async fn unknown_path(request: HttpRequest) -> Result<String, Refusal> {
    Err(Refusal::NotFound(format!("{} does not exist", request.path())))
}
