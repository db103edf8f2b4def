//! The list of all paths, in the order of Stripe's API reference.

use serde_json::Value;

use super::books::{Books, Call};
use super::error::Failure;
use super::{
    balance, catalog, charge, customer, dispute, event, invoice, payment_intent, payment_method, refund,
    search, setup_intent, subscription,
};

/// Executes one request.
pub(super) type Operation = fn(&mut Books, &mut Call) -> Result<Value, Failure>;

/// The operation of a method and path, and the id in the path.
#[rustfmt::skip]
pub(super) fn find<'path>(method: &str, path: &'path str) -> Option<(Operation, &'path str)> {
    let parts: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
    let (collection, id, verb) = match *parts.as_slice() {
        [collection] => (collection, "", ""),
        [collection, id] if !id.is_empty() => (collection, id, ""),
        [collection, id, verb] if !id.is_empty() && !verb.is_empty() => (collection, id, verb),
        _ => return None,
    };
    let has_id = !id.is_empty();
    let operation: Operation = match (method, collection, has_id, verb) {
        ("GET", "balance", false, "") => account_balance,
        ("GET", "balance_transactions", true, "") => balance::retrieve,

        ("POST", "customers", false, "") => customer::create,
        ("GET", "customers", false, "") => customer::list,
        ("GET", "customers", true, "") => customer::retrieve,
        ("POST", "customers", true, "") => customer::update,
        ("DELETE", "customers", true, "") => customer::delete,
        ("GET", "customers", true, "payment_methods") => customer::payment_methods,

        ("GET", "charges", false, "") => charge::list,
        ("GET", "charges", true, "") => charge::retrieve,

        ("GET", "disputes", false, "") => dispute::list,
        ("GET", "disputes", true, "") => dispute::retrieve,
        ("POST", "disputes", true, "close") => dispute::close,

        ("GET", "events", false, "") => event::list,
        ("GET", "events", true, "") => event::retrieve,

        ("POST", "payment_intents", false, "") => payment_intent::create,
        ("GET", "payment_intents", false, "") => payment_intent::list,
        ("GET", "payment_intents", true, "") if id == "search" => search::payment_intents,
        ("GET", "payment_intents", true, "") => payment_intent::retrieve,
        ("POST", "payment_intents", true, "") => payment_intent::update,
        ("POST", "payment_intents", true, "confirm") => payment_intent::confirm::confirm,
        ("POST", "payment_intents", true, "capture") => payment_intent::settle::capture,
        ("POST", "payment_intents", true, "cancel") => payment_intent::settle::cancel,

        ("POST", "setup_intents", false, "") => setup_intent::create,
        ("GET", "setup_intents", false, "") => setup_intent::list,
        ("GET", "setup_intents", true, "") => setup_intent::retrieve,
        ("POST", "setup_intents", true, "confirm") => setup_intent::confirm,
        ("POST", "setup_intents", true, "cancel") => setup_intent::cancel,

        ("POST", "refunds", false, "") => refund::create,
        ("GET", "refunds", false, "") => refund::list,
        ("GET", "refunds", true, "") => refund::retrieve,
        ("POST", "refunds", true, "") => refund::update,

        ("POST", "payment_methods", false, "") => payment_method::create,
        ("GET", "payment_methods", false, "") => payment_method::list,
        ("GET", "payment_methods", true, "") => payment_method::retrieve,
        ("POST", "payment_methods", true, "") => payment_method::update,
        ("POST", "payment_methods", true, "attach") => payment_method::attach,
        ("POST", "payment_methods", true, "detach") => payment_method::detach,

        ("POST", "products", false, "") => catalog::create_product,
        ("GET", "products", false, "") => catalog::list_products,
        ("GET", "products", true, "") => catalog::retrieve_product,
        ("POST", "prices", false, "") => catalog::create_price,
        ("GET", "prices", false, "") => catalog::list_prices,
        ("GET", "prices", true, "") => catalog::retrieve_price,

        ("GET", "invoices", false, "") => invoice::list,
        ("GET", "invoices", true, "") => invoice::retrieve,
        ("POST", "invoices", true, "pay") => invoice::pay,

        ("POST", "subscriptions", false, "") => subscription::create,
        ("GET", "subscriptions", false, "") => subscription::list,
        ("GET", "subscriptions", true, "") => subscription::retrieve,
        ("POST", "subscriptions", true, "") => subscription::update,
        ("DELETE", "subscriptions", true, "") => subscription::cancel,
        _ => return None,
    };
    Some((operation, id))
}

/// `GET /v1/balance`: says no more than that the key is good.
fn account_balance(_: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    let nothing = serde_json::json!([{"amount": 0, "currency": "usd", "source_types": {"card": 0}}]);
    Ok(serde_json::json!({"object": "balance", "available": nothing, "livemode": false, "pending": nothing}))
}
