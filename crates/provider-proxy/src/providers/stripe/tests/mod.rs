//! Every operation against recorded answers, on a real socket.

mod errors;
mod lookups;
mod movements;
mod operations;
mod refused_here;
mod subscriptions;
mod webhooks;

use serde_json::Value;
use wire::payment::{OperationName, Provider};

use super::{Stripe, StripeSettings};
use crate::{
    error::ProxyError,
    policy::Gate,
    providers::{
        connect,
        posted::WallClock,
        reference::upstream::{Arrived, Upstream, response},
    },
};

pub(super) const KEY: &str = "sk_test_dummy0123456789";
pub(super) const SECRETS: [&str; 2] = ["whsec_test", "whsec_dummy_next"];

/// The attempts that the recordings were made with: 1 paid, 2 captured, 3 refunded, 4 subscribed.
pub(super) fn attempt(number: u8) -> String {
    format!("01932c07-7e7c-7000-8000-00000000000{number}")
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/", $name, ".json"))
    };
}
pub(super) use fixture;

pub(super) fn settings(url: &str) -> StripeSettings {
    StripeSettings {
        url: chassis::base_url::BaseUrl::parse(url).unwrap(),
        secret_key: KEY.into(),
        webhook_secrets: SECRETS.map(Into::into).to_vec(),
        api_version: "2026-10-28.endive".to_owned(),
        client: chassis::client::ClientSettings {
            max_response_body: 256 * 1024,
            ..chassis::client::ClientSettings::default()
        },
    }
}

pub(super) fn connector(upstream: &Upstream) -> Stripe {
    Stripe::new(&settings(&format!("http://{}", upstream.address))).unwrap()
}

/// A connector that nothing can be reached from, at a time of the test's own.
pub(super) fn at(now: fn() -> std::time::SystemTime) -> Stripe {
    Stripe { clock: WallClock::of(now), ..Stripe::new(&settings("http://127.0.0.1:1")).unwrap() }
}

/// Performs an operation, and gives the `result` of its reply.
pub(super) async fn perform(
    stripe: &Stripe,
    operation: OperationName,
    request: &Value,
) -> Result<Value, ProxyError> {
    let body = request.to_string();
    let reply = connect::perform(stripe, operation, body.as_bytes(), &Gate::open()).await?;
    let reply: Value = serde_json::from_slice(&reply).unwrap();
    Ok(reply["result"].clone())
}

pub(super) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The form or query of a request, in its order.
pub(super) fn form(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// Answers by the beginning of `METHOD PATH`; the first that fits.
pub(super) fn serving(answers: &'static [(&'static str, u16, &'static str)]) -> Upstream {
    Upstream::start(move |arrived: &Arrived| {
        let line = format!("{} {}", arrived.method, arrived.target);
        let found = answers.iter().find(|(prefix, _, _)| line.starts_with(prefix));
        let (_, status, body) = found.unwrap_or_else(|| panic!("nobody answers {line}"));
        Some(response(*status, "", body))
    })
}

/// Whether a value has at least these fields.
pub(super) fn assert_has(value: &Value, expected: &Value, place: &str) {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => {
            for (name, expected) in expected {
                let found = value.get(name).unwrap_or(&Value::Null);
                assert_has(found, expected, &format!("{place}.{name}"));
            }
        }
        _ => assert_eq!(value, expected, "{place}"),
    }
}

#[test]
fn the_table_of_capabilities_is_of_this_provider() {
    use crate::providers::connect::Connect;
    assert_eq!((Stripe::PROVIDER, Stripe::CAPABILITIES), (Provider::Stripe, super::CAPABILITIES));
}
