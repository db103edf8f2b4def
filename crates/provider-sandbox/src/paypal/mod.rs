//! PayPal, under `/paypal`: Orders v2, Payments v2, Payment Method Tokens v3, Transaction Search v1,
//! access tokens and signed webhooks.
//!
//! Source: PayPal's REST API reference, and what its own server SDK reads and writes.

mod amount;
mod call;
mod control;
mod effects;
mod error;
mod instrument;
mod issues;
mod once;
mod order;
mod orders;
mod pay;
mod payer;
mod payment;
mod payments;
mod reporting;
mod state;
mod token;
mod vault;
mod webhook;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};

pub(crate) use control::routes as control;
pub(crate) use state::Paypal;

/// The provider's own paths, under `/paypal`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/v1/oauth2/token", web::post().to(token::grant))
        // Whoever checks a signature has no token yet, and the payer never has one.
        .route("/v1/notifications/certs/{id}", web::get().to(webhook::certificate))
        .route("/webapps/helios", web::get().to(payer::page))
        .route("/agreements/approve", web::get().to(payer::page))
        .service(
            web::resource("/checkoutnow")
                .route(web::get().to(payer::page))
                .route(web::post().to(payer::choose)),
        )
        .service(
            web::scope("")
                .wrap(from_fn(token::check))
                .route("/v1/notifications/verify-webhook-signature", web::post().to(webhook::verify))
                .route("/v1/reporting/transactions", web::get().to(reporting::search))
                .configure(order_routes)
                .configure(payment_routes)
                .configure(vault_routes)
                .default_service(web::to(webhook::unknown)),
        );
}

fn order_routes(config: &mut ServiceConfig) {
    config
        .route("/v2/checkout/orders", web::post().to(orders::create))
        .route("/v2/checkout/orders/{id}", web::get().to(orders::read))
        .route("/v2/checkout/orders/{id}/capture", web::post().to(orders::capture))
        .route("/v2/checkout/orders/{id}/authorize", web::post().to(orders::authorize));
}

fn payment_routes(config: &mut ServiceConfig) {
    config
        .route("/v2/payments/authorizations/{id}", web::get().to(payments::read_authorization))
        .route("/v2/payments/authorizations/{id}/capture", web::post().to(payments::capture))
        .route("/v2/payments/authorizations/{id}/reauthorize", web::post().to(payments::reauthorize))
        .route("/v2/payments/authorizations/{id}/void", web::post().to(payments::void))
        .route("/v2/payments/captures/{id}", web::get().to(payments::read_capture))
        .route("/v2/payments/captures/{id}/refund", web::post().to(payments::refund))
        .route("/v2/payments/refunds/{id}", web::get().to(payments::read_refund));
}

fn vault_routes(config: &mut ServiceConfig) {
    config
        .route("/v3/vault/setup-tokens", web::post().to(vault::create_setup))
        .route("/v3/vault/setup-tokens/{id}", web::get().to(vault::read_setup))
        .service(
            web::resource("/v3/vault/payment-tokens")
                .route(web::get().to(vault::list))
                .route(web::post().to(vault::create)),
        )
        .service(
            web::resource("/v3/vault/payment-tokens/{id}")
                .route(web::get().to(vault::read))
                .route(web::delete().to(vault::delete)),
        );
}
