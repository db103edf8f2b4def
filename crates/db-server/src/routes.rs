//! Every route of this server, in one table: it registers them, and the tests and the OpenAPI document read it.

use actix_web::{
    HttpResponse, Route,
    http::{
        Method, StatusCode,
        header::{ALLOW, CONTENT_TYPE},
    },
    middleware::from_fn,
    web::{ServiceConfig, to},
};
use chassis::server::{detail, resource};

use crate::{
    api::{
        braintree, buyer, event, failures, implementation, ledger, login, notice, payment, paymethod, pin,
        product,
        reference::{self, products, sellers, terms, transactions},
        request, seller, service_settings, status, subscription, transaction, webhook, webhook_endpoint,
    },
    caller::identify,
    door,
    error::with_codes,
    openapi,
};

/// One method on one path.
struct Entry {
    method: Method,
    path: &'static str,
    /// Its handler. A route cannot be cloned, so each worker makes its own.
    handler: fn() -> Route,
    /// Whether it serves anyone. The others ask for a role in their handlers.
    open: bool,
    /// Whether the errors of its fields are those of the newer resources: 422 with codes.
    codes: bool,
}

impl Entry {
    const fn open(mut self) -> Self {
        self.open = true;
        self
    }

    const fn with_codes(mut self) -> Self {
        self.codes = true;
        self
    }
}

const fn get(path: &'static str, handler: fn() -> Route) -> Entry {
    Entry { method: Method::GET, path, handler, open: false, codes: false }
}
const fn post(path: &'static str, handler: fn() -> Route) -> Entry {
    Entry { method: Method::POST, path, handler, open: false, codes: false }
}
const fn patch(path: &'static str, handler: fn() -> Route) -> Entry {
    Entry { method: Method::PATCH, path, handler, open: false, codes: false }
}
const fn put(path: &'static str, handler: fn() -> Route) -> Entry {
    Entry { method: Method::PUT, path, handler, open: false, codes: false }
}
const fn delete(path: &'static str, handler: fn() -> Route) -> Entry {
    Entry { method: Method::DELETE, path, handler, open: false, codes: false }
}

/// A handler asks for its caller by the role that it needs; those that serve anyone are `open`.
#[rustfmt::skip]
const ROUTES: &[Entry] = &[
    // open: health and description show no secret, and notices and webhooks are authenticated by their signatures
    get("/services/status/", || to(status::status)).open(),
    get("/openapi.json", || to(document)).open(),
    post("/webhooks/reference/", || to(notice::receive)).open(),
    get("/webhooks/{provider}/", || to(webhook::challenge)).open(),
    post("/webhooks/{provider}/", || to(webhook::receive)).open(),

    // open: it is how a caller becomes known, or is told who it is
    post("/login/", || to(login::log_in)).open(),
    get("/services/whoami/", || to(login::whoami)).open(),

    get("/services/request/", || to(request::request)),
    get("/services/proxy/", || to(door::get)),
    put("/services/proxy/", || to(door::put)),
    get("/services/failures/transactions/", || to(failures::transactions)),
    get("/services/failures/statuses/", || to(failures::statuses)),
    get("/services/settings/", || to(service_settings::list)),
    get("/services/settings/{name}/", || to(service_settings::get)),

    get("/generic/buyer/", || to(buyer::list)).with_codes(),
    post("/generic/buyer/", || to(buyer::create)).with_codes(),
    get("/generic/buyer/{id}/", || to(buyer::get)).with_codes(),
    patch("/generic/buyer/{id}/", || to(buyer::patch)).with_codes(),
    put("/generic/buyer/{id}/", || to(buyer::put)).with_codes(),
    post("/generic/buyer/{id}/close/", || to(buyer::close)).with_codes(),
    post("/generic/confirm_pin/", || to(pin::confirm)).with_codes(),
    post("/generic/verify_pin/", || to(pin::verify)).with_codes(),
    post("/generic/reset_confirm_pin/", || to(pin::confirm_reset)).with_codes(),

    get("/generic/seller/", || to(seller::list)),
    post("/generic/seller/", || to(seller::create)),
    get("/generic/seller/{id}/", || to(seller::get)),
    patch("/generic/seller/{id}/", || to(seller::patch)),
    put("/generic/seller/{id}/", || to(seller::put)),

    get("/generic/product/", || to(product::list)),
    post("/generic/product/", || to(product::create)),
    get("/generic/product/{id}/", || to(product::get)),
    patch("/generic/product/{id}/", || to(product::patch)),
    put("/generic/product/{id}/", || to(product::put)),

    get("/generic/transaction/", || to(transaction::list)),
    post("/generic/transaction/", || to(transaction::create)),
    get("/generic/transaction/{id}/", || to(transaction::get)),
    patch("/generic/transaction/{id}/", || to(transaction::patch)),

    post("/braintree/token/generate/", || to(braintree::token::generate)).with_codes(),
    post("/braintree/customer/", || to(braintree::buyer::create)).with_codes(),
    get("/braintree/mozilla/buyer/", || to(braintree::buyer::list)).with_codes(),
    get("/braintree/mozilla/buyer/{id}/", || to(braintree::buyer::get)).with_codes(),
    patch("/braintree/mozilla/buyer/{id}/", || to(braintree::buyer::patch)).with_codes(),

    post("/braintree/paymethod/", || to(braintree::payment_method::create)).with_codes(),
    post("/braintree/paymethod/delete/", || to(braintree::payment_method::delete)).with_codes(),
    get("/braintree/mozilla/paymethod/", || to(braintree::payment_method::list)).with_codes(),
    get("/braintree/mozilla/paymethod/{id}/", || to(braintree::payment_method::get)).with_codes(),
    patch("/braintree/mozilla/paymethod/{id}/", || to(braintree::payment_method::patch)).with_codes(),

    post("/braintree/sale/", || to(braintree::sale::create)).with_codes(),
    post("/braintree/subscription/", || to(braintree::subscription::create)).with_codes(),
    post("/braintree/subscription/cancel/", || to(braintree::subscription::cancel)).with_codes(),
    post("/braintree/subscription/paymethod/change/", || to(braintree::subscription::change_payment_method)).with_codes(),
    get("/braintree/mozilla/subscription/", || to(braintree::subscription::list)).with_codes(),
    get("/braintree/mozilla/subscription/{id}/", || to(braintree::subscription::get)).with_codes(),
    patch("/braintree/mozilla/subscription/{id}/", || to(braintree::subscription::patch)).with_codes(),

    get("/braintree/webhook/", || to(braintree::webhook::verify)).with_codes(),
    post("/braintree/webhook/", || to(braintree::webhook::receive)).with_codes(),
    get("/braintree/mozilla/transaction/", || to(braintree::transaction::list)).with_codes(),
    get("/braintree/mozilla/transaction/{id}/", || to(braintree::transaction::get)).with_codes(),

    get("/paymethods/", || to(paymethod::list)).with_codes(),
    post("/paymethods/", || to(paymethod::create)).with_codes(),
    get("/paymethods/{id}/", || to(paymethod::get)).with_codes(),
    delete("/paymethods/{id}/", || to(paymethod::delete)).with_codes(),
    get("/subscriptions/", || to(subscription::list)).with_codes(),
    post("/subscriptions/", || to(subscription::create)).with_codes(),
    get("/subscriptions/{id}/", || to(subscription::get)).with_codes(),
    patch("/subscriptions/{id}/", || to(subscription::patch)).with_codes(),
    post("/subscriptions/{id}/cancel/", || to(subscription::cancel)).with_codes(),

    get("/payments/", || to(payment::list)).with_codes(),
    post("/payments/", || to(payment::create)).with_codes(),
    get("/payments/{id}/", || to(payment::get)).with_codes(),
    post("/payments/{id}/capture/", || to(payment::capture)).with_codes(),
    post("/payments/{id}/cancel/", || to(payment::cancel)).with_codes(),
    post("/payments/{id}/complete/", || to(payment::complete)).with_codes(),
    get("/payments/{id}/refunds/", || to(payment::refunds)).with_codes(),
    post("/payments/{id}/refunds/", || to(payment::refund)).with_codes(),
    get("/payments/{id}/events/", || to(payment::events)).with_codes(),

    get("/events/", || to(event::list)).with_codes(),
    get("/webhook-endpoints/", || to(webhook_endpoint::list)).with_codes(),
    post("/webhook-endpoints/", || to(webhook_endpoint::create)).with_codes(),
    get("/webhook-endpoints/{id}/", || to(webhook_endpoint::get)).with_codes(),
    patch("/webhook-endpoints/{id}/", || to(webhook_endpoint::patch)).with_codes(),
    delete("/webhook-endpoints/{id}/", || to(webhook_endpoint::delete)).with_codes(),
    post("/webhook-endpoints/{id}/replay/", || to(webhook_endpoint::replay)).with_codes(),
    get("/ledger/balances/", || to(ledger::balances)).with_codes(),

    get("/provider/reference/sellers/", || to(sellers::list)),
    post("/provider/reference/sellers/", || to(sellers::create)),
    get("/provider/reference/sellers/{id}/", || to(sellers::get)),
    put("/provider/reference/sellers/{id}/", || to(sellers::put)),
    delete("/provider/reference/sellers/{id}/", || to(reference::delete)),

    get("/provider/reference/products/", || to(products::list)),
    post("/provider/reference/products/", || to(products::create)),
    get("/provider/reference/products/{id}/", || to(products::get)),
    put("/provider/reference/products/{id}/", || to(products::put)),
    delete("/provider/reference/products/{id}/", || to(reference::delete)),

    get("/provider/reference/terms/{id}/", || to(terms::get)),
    put("/provider/reference/terms/{id}/", || to(terms::put)),
    delete("/provider/reference/terms/{id}/", || to(reference::delete)),

    post("/provider/reference/transactions/", || to(transactions::create)),
    post("/provider/reference/notices/", || to(notice::check)),

    // behind the paths of the reference provider, which would fit as well
    get("/provider/{name}/{resource}/", || to(implementation::get)),
    post("/provider/{name}/{resource}/", || to(implementation::post)),
    put("/provider/{name}/{resource}/", || to(implementation::put)),
    delete("/provider/{name}/{resource}/", || to(implementation::delete)),
    get("/provider/{name}/{resource}/{uuid}/", || to(implementation::get)),
    post("/provider/{name}/{resource}/{uuid}/", || to(implementation::post)),
    put("/provider/{name}/{resource}/{uuid}/", || to(implementation::put)),
    delete("/provider/{name}/{resource}/{uuid}/", || to(implementation::delete)),
];

/// Method and path of every route, in order; a path has its parts in braces.
pub fn all() -> impl Iterator<Item = (&'static Method, &'static str)> {
    ROUTES.iter().map(|entry| (&entry.method, entry.path))
}

/// Registers every route. The entries of one path stand together in the table.
pub(crate) fn configure(config: &mut ServiceConfig) {
    for of_path in ROUTES.chunk_by(|one, next| one.path == next.path) {
        let Some(path) = of_path.first().map(|entry| entry.path) else { continue };
        let allowed = of_path.iter().map(|entry| entry.method.as_str()).collect::<Vec<_>>().join(", ");
        let routes = of_path.iter().map(|entry| (entry.handler)().method(entry.method.clone()));
        let resource = routes.fold(resource(path), actix_web::Resource::route);
        let resource = resource.default_service(to(move || lacks_method(allowed.clone())));
        let is = |property: fn(&Entry) -> bool| of_path.iter().any(property);
        match (is(|entry| entry.open), is(|entry| entry.codes)) {
            (true, _) => config.service(resource),
            (false, false) => config.service(resource.wrap(from_fn(identify))),
            (false, true) => config.service(resource.wrap(from_fn(identify)).wrap(from_fn(with_codes))),
        };
    }
}

/// The door takes every method and every path, so that it stands in no table.
pub(crate) fn configure_door(config: &mut ServiceConfig) {
    config.service(actix_web::web::resource(["/proxy", "/proxy/{tail:.*}"]).route(to(door::forward)));
}

/// 405, with the methods that the path has.
async fn lacks_method(allowed: String) -> HttpResponse {
    let mut response = detail(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.");
    if let Ok(allowed) = allowed.parse() {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// `GET` of the OpenAPI document.
async fn document() -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(openapi::json())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Entries of one path that stood apart would be two resources, and the second would never be reached.
    #[test]
    fn the_entries_of_one_path_stand_together() {
        let groups = ROUTES.chunk_by(|one, next| one.path == next.path).count();
        assert_eq!(groups, ROUTES.iter().map(|entry| entry.path).collect::<BTreeSet<_>>().len());
    }

    #[test]
    fn no_route_is_there_twice() {
        let routes: BTreeSet<_> = all().map(|(method, path)| (method.as_str(), path)).collect();
        assert_eq!(routes.len(), ROUTES.len());
    }
}
