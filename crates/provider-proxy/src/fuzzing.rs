//! The entrances of the fuzz targets in `fuzz/`: what providers send, given to the connectors that read it.

use std::sync::Arc;

use actix_web::{
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    },
    rt::System,
};
use bytes::Bytes;
use chassis::{
    client::{Incoming, Outgoing, canned},
    environment::Environment,
    settings::Reader,
};
use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use wire::payment::{OperationName, Provider};

use crate::{
    policy::{Gate, Limits, RefundLedger},
    providers::{Connectors, Performed, ProviderSettings},
};

/// Dummies, with the keys that the functions below sign with.
const SETTINGS: &str = r#"
[providers.reference]
url = "http://127.0.0.1:1"
realm = "dummy"
consumer_key = "dummy-consumer-key"
consumer_secret = "dummy-consumer-secret"
notice_keys = { 0 = "dummy-notice-key" }

[providers.stripe]
url = "http://127.0.0.1:1"
secret_key = "dummy-secret-key"
webhook_secrets = ["dummy-webhook-secret"]

[providers.paypal]
url = "http://127.0.0.1:1"
client_id = "dummy-client-id"
client_secret = "dummy-client-secret"
webhook_ids = ["dummy-webhook-id"]

[providers.braintree]
url = "http://127.0.0.1:1"
merchant_id = "dummy-merchant"
public_key = "dummy-public-key"
private_key = "dummy-private-key"
"#;

/// The time of all signatures that are made here is now, for the connectors go by the system's clock.
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// One provider's answer to whatever is asked of it: the first byte chooses the operation, the second the status, the
/// rest is the body. A success is about the amount that was asked, or it is none.
pub fn answer(provider: Provider, bytes: &[u8]) {
    let [operation, status, body @ ..] = bytes else { return };
    let operation = OperationName::ALL[usize::from(*operation) % OperationName::ALL.len()];
    let status = [200, 201, 204, 202, 400, 401, 402, 404, 409, 422, 429, 500][usize::from(*status) % 12];
    let body = Bytes::copy_from_slice(body);
    let Ok(status) = StatusCode::from_u16(status) else { return };
    canned::answer_with(Box::new(move |outgoing| respond(outgoing, status, &body)));
    if operation != OperationName::VerifyWebhook {
        perform(provider, operation, &request(operation));
    }
}

/// A token is always to be had, or PayPal would be asked for nothing else.
fn respond(outgoing: &Outgoing, status: StatusCode, body: &Bytes) -> Incoming {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if outgoing.url.ends_with("/v1/oauth2/token") {
        let token =
            json!({"access_token": "dummy-access-token", "token_type": "Bearer", "expires_in": 32400});
        return Incoming { status: StatusCode::OK, headers, body: token.to_string().into() };
    }
    Incoming { status, headers, body: body.clone() }
}

/// What is asked; the recorded answers that the targets start from are to requests of this kind.
fn request(operation: OperationName) -> Value {
    let contract: Value =
        serde_json::from_str(include_str!("../../wire/src/payment/contract.json")).unwrap_or_default();
    contract[operation.name()]["request"].clone()
}

/// Whatever anybody may post is not believed; what the provider has signed is read without a panic.
pub fn webhook(provider: Provider, bytes: &[u8]) {
    let forged = match provider {
        Provider::Stripe => {
            let (header, body) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0));
            posted(&[("stripe-signature", &String::from_utf8_lossy(header))], body)
        }
        Provider::Paypal => posted(
            &[
                ("paypal-transmission-id", "1"),
                ("paypal-transmission-time", "2026-01-01T00:00:00Z"),
                ("paypal-transmission-sig", "AAAA"),
                ("paypal-auth-algo", "SHA256withRSA"),
                ("paypal-cert-url", "http://127.0.0.1:1/v1/notifications/certs/1"),
            ],
            bytes,
        ),
        Provider::Braintree | Provider::Reference => posted(&[], bytes),
    };
    assert!(!perform(provider, OperationName::VerifyWebhook, &forged), "nobody has signed it");
    if let Some(signed) = signed(provider, bytes) {
        perform(provider, OperationName::VerifyWebhook, &signed);
    }
}

fn signed(provider: Provider, body: &[u8]) -> Option<Value> {
    match provider {
        Provider::Stripe => {
            let time = now();
            let signature =
                hmac_sha256("dummy-webhook-secret", &[format!("{time}.").as_bytes(), body].concat())?;
            Some(posted(&[("stripe-signature", &format!("t={time},v1={signature}"))], body))
        }
        Provider::Braintree => {
            let payload = BASE64.encode(body);
            let key = Sha1::digest("dummy-private-key");
            let mut mac = Hmac::<Sha1>::new_from_slice(&key).ok()?;
            mac.update(payload.as_bytes());
            let signature = HEXLOWER.encode(&mac.finalize().into_bytes());
            let pair = format!("dummy-public-key|{signature}");
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let form = format!("bt_signature={}&bt_payload={}", encoded(&pair), encoded(&payload));
            Some(posted(&[], form.as_bytes()))
        }
        Provider::Reference => {
            let text = std::str::from_utf8(body).ok()?;
            let notice = format!("{text}&sig=0:{}", hmac_sha256("dummy-notice-key", text.as_bytes())?);
            Some(posted(&[], json!({"signed_notice": notice}).to_string().as_bytes()))
        }
        // Nobody here has PayPal's private key: its webhooks are read by `paypal_event`.
        Provider::Paypal => None,
    }
}

/// The body of a webhook of PayPal's whose signature was good.
pub fn paypal_event(bytes: &[u8]) {
    crate::providers::paypal::read_event(bytes);
}

fn hmac_sha256(key: &str, text: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(text);
    Some(HEXLOWER.encode(&mac.finalize().into_bytes()))
}

fn posted(headers: &[(&str, &str)], body: &[u8]) -> Value {
    let headers: Vec<Value> =
        headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({"headers": headers, "body": BASE64.encode(body)})
}

thread_local! {
    /// Made once, with the system that they belong to.
    static CONNECTORS: Option<(actix_web::rt::SystemRunner, Connectors)> = start();
}

fn start() -> Option<(actix_web::rt::SystemRunner, Connectors)> {
    let reader = Reader::new(SETTINGS.parse().ok()?, Environment::default());
    let settings = ProviderSettings::read(&reader.root().section("providers"));
    let system = System::new();
    let connectors = system.block_on(async { Connectors::new(&settings).ok() })?;
    Some((system, connectors))
}

/// Whether there was an answer.
fn perform(provider: Provider, operation: OperationName, request: &Value) -> bool {
    CONNECTORS.with(|made| {
        let (system, connectors) = made.as_ref().expect("the settings above are good");
        let connector = connectors.get(provider.name()).expect("all are configured");
        let body = request.to_string();
        let limits = Limits::default();
        let refunds = RefundLedger::open(None).map(Arc::new).expect("without a file nothing can fail");
        let gate = Gate { caller: None, limits: &limits, refunds: &refunds };
        let performed = system.block_on(connector.perform(operation.name(), body.as_bytes(), &gate));
        matches!(performed, Ok(Performed::Neutral(_)))
    })
}
