//! A stand-in for Braintree on a real socket, with recorded answers.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chassis::{base_url::BaseUrl, client::ClientSettings};
use serde_json::Value;
use wire::{
    Currency, ProxyFailure,
    payment::{AttemptId, OperationName},
};

use super::{Braintree, BraintreeSettings, xml::Element};
use crate::{
    policy::Gate,
    providers::{
        connect,
        posted::WallClock,
        reference::upstream::{Arrived, Upstream},
    },
};

pub(super) const PUBLIC: &str = "dummy-public-key-0123";
pub(super) const PRIVATE: &str = "dummy-private-key-0123";

/// The attempt of the recorded answers.
pub(super) const ATTEMPT: &str = "019a0000-0000-7000-8000-000000000001";
/// The attempt of their captures and refunds.
pub(super) const SECOND: &str = "019a0000-0000-7000-8000-000000000002";
/// The attempt whose sale was asked for twice.
pub(super) const THIRD: &str = "019a0000-0000-7000-8000-000000000003";

/// A recorded answer.
macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/providers/braintree/fixtures/", $name, ".xml"))
    };
}
pub(super) use recorded;

/// One answer: to which request, and what.
pub(super) type Scripted = (&'static str, &'static str, u16, &'static str);

/// Answers each request by its method and the last part of its path.
pub(super) fn scripted(script: &[Scripted]) -> Upstream {
    let script = script.to_vec();
    Upstream::start(move |arrived| {
        let found = script
            .iter()
            .find(|(method, path, ..)| *method == arrived.method && arrived.target.ends_with(path));
        Some(match found {
            Some(&(_, _, status, body)) => xml(status, body),
            None => xml(500, "<unexpected/>"),
        })
    })
}

/// A response with an XML body.
pub(super) fn xml(status: u16, body: &str) -> Vec<u8> {
    typed(status, "application/xml; charset=utf-8", body)
}

pub(super) fn typed(status: u16, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Settings with limits that a test can wait for.
pub(super) fn settings(upstream: &Upstream) -> BraintreeSettings {
    let currency = |code| Currency::parse(code).unwrap();
    BraintreeSettings {
        url: BaseUrl::parse(&format!("http://{}", upstream.address)).unwrap(),
        merchant_id: "dummy_merchant".into(),
        public_key: PUBLIC.into(),
        private_key: PRIVATE.into(),
        webhook_keys: Vec::new(),
        merchant_accounts: BTreeMap::from([
            (currency("USD"), "sandbox_usd".to_owned()),
            (currency("JPY"), "sandbox_jpy".to_owned()),
        ]),
        require_three_d_secure: false,
        api_request_keys: false,
        api_version: "6".into(),
        client: ClientSettings {
            max_response_body: 64 * 1024,
            total_timeout: Duration::from_secs(10),
            ..ClientSettings::default()
        },
    }
}

/// A connector for which the recorded attempts were made this moment.
pub(super) fn connector(upstream: &Upstream) -> Braintree {
    connector_of(&settings(upstream))
}

/// The same with other settings.
pub(super) fn connector_of(settings: &BraintreeSettings) -> Braintree {
    Braintree::new(settings).unwrap().at(WallClock::of(|| made(Duration::ZERO)))
}

/// A connector for which the recorded attempts were made a minute ago.
pub(super) fn late_connector(upstream: &Upstream) -> Braintree {
    connector(upstream).at(WallClock::of(|| made(Duration::from_secs(60))))
}

/// When the recorded attempts were made, and then some (RFC 9562, 5.7).
fn made(later: Duration) -> SystemTime {
    let attempt: AttemptId = ATTEMPT.parse().unwrap();
    let (seconds, _) = attempt.uuid().get_timestamp().unwrap().to_unix();
    UNIX_EPOCH + Duration::from_secs(seconds) + later
}

/// Performs an operation as db-server has it performed; gives the result's JSON.
pub(super) async fn perform(
    braintree: &Braintree,
    operation: OperationName,
    request: &Value,
) -> Result<Value, ProxyFailure> {
    let body = request.to_string();
    match connect::perform(braintree, operation, body.as_bytes(), &Gate::open()).await {
        Ok(reply) => Ok(serde_json::from_slice::<Value>(&reply).unwrap()["result"].take()),
        Err(error) => Err(error.failure()),
    }
}

/// The body of a request as JSON.
pub(super) fn body_of(arrived: &Arrived) -> Value {
    if arrived.body.is_empty() { Value::Null } else { Element::parse(&arrived.body).unwrap().json() }
}
