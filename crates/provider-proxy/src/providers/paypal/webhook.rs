//! Webhooks: the signature, and what they say in our terms.
//!
//! Source: PayPal's "Integrate webhooks". The message that is signed is `id|time|webhookId|crc32`, where the last is the
//! CRC-32 of the raw body as an unsigned decimal number; the signature is RSASSA-PKCS1-v1_5 with SHA-256.

use chrono::DateTime;
use data_encoding::BASE64;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;
use wire::payment::{AttemptId, Event, EventKind, Outcome, Payment, Provider, Refunded, VerifyWebhook};

use super::{
    certificate::{self, Key},
    client::{Client, invalid},
    messages::{Capture, Order, Refund},
    outcome,
};
use crate::{
    error::ProxyError,
    providers::{
        exchange::Unintelligible,
        posted::{Posted, WebhookError},
    },
    shape,
};

/// The only algorithm that PayPal signs with.
const ALGORITHM: &str = "SHA256withRSA";

/// The longest id of a transmission; PayPal's are UUIDs.
const LONGEST_ID: usize = 128;

/// A webhook as it is written.
#[derive(Debug, Deserialize)]
struct Written {
    id: String,
    event_type: String,
    #[serde(default)]
    create_time: Option<String>,
    #[serde(default)]
    resource: Value,
}

/// `verify_webhook`.
pub(super) async fn verify(
    client: &Client,
    ids: &[String],
    certificate_host: &str,
    request: &VerifyWebhook,
) -> Result<Event, ProxyError> {
    let posted = Posted::new(request).map_err(invalid)?;
    let refuse = |error: WebhookError| error.of(Provider::Paypal);
    // All that costs nothing first: no certificate is fetched for a webhook that is refused anyway.
    let signed = Signed::read(&posted, client, certificate_host).map_err(refuse)?;
    let key = certificate::key(client, signed.certificate).await?;
    signed.check(&key, ids, client.clock().unix_seconds()).map_err(refuse)?;
    let body: Value = posted.json().map_err(refuse)?;
    event(body).map_err(refuse)
}

/// What is signed, and with what.
struct Signed<'request> {
    /// `id|time`.
    head: String,
    /// The CRC-32 of the body.
    checksum: u32,
    signature: Vec<u8>,
    certificate: &'request str,
}

impl<'request> Signed<'request> {
    fn read(
        posted: &Posted<'request>,
        client: &Client,
        certificate_host: &str,
    ) -> Result<Self, WebhookError> {
        let id = posted.header("paypal-transmission-id")?;
        if id.is_empty() || id.len() > LONGEST_ID || id.contains('|') {
            return Err(WebhookError::Malformed("paypal-transmission-id"));
        }
        let time = posted.header("paypal-transmission-time")?;
        let signed_at = DateTime::parse_from_rfc3339(time)
            .map_err(|_| WebhookError::Malformed("paypal-transmission-time"))?;
        let signature = BASE64
            .decode(posted.header("paypal-transmission-sig")?.as_bytes())
            .map_err(|_| WebhookError::Malformed("paypal-transmission-sig"))?;
        if posted.header("paypal-auth-algo")? != ALGORITHM {
            return Err(WebhookError::Malformed("paypal-auth-algo"));
        }
        let url = posted.header("paypal-cert-url")?;
        let certificate = certificate::check_url(url, certificate_host, client.is_https())?;
        client.clock().check(signed_at.timestamp())?;
        Ok(Self { head: format!("{id}|{time}"), checksum: crc32(&posted.body), signature, certificate })
    }

    /// Whether it is signed for any of our webhooks.
    fn check(&self, key: &Key, ids: &[String], now: i64) -> Result<(), WebhookError> {
        if !key.is_valid_at(now) {
            return Err(WebhookError::UnknownKey);
        }
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key.public);
        let is_signed = |id: &String| {
            let message = format!("{}|{id}|{}", self.head, self.checksum);
            public.verify(message.as_bytes(), &self.signature).is_ok()
        };
        if ids.iter().any(is_signed) { Ok(()) } else { Err(WebhookError::Mismatch) }
    }
}

/// CRC-32 (ISO-HDLC).
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// For the fuzz target: what comes after the signature.
#[cfg(fuzzing)]
pub(crate) fn read_event(body: &[u8]) {
    if let Ok(body) = shape::from_slice(body) {
        drop(event(body));
    }
}

/// What a webhook says whose signature is good.
fn event(body: Value) -> Result<Event, WebhookError> {
    let written: Written = shape::from_value(body.clone()).map_err(WebhookError::Unreadable)?;
    let kind = kind(&written.event_type);
    let said = said(&written)?;
    Ok(Event {
        id: written.id,
        provider: Provider::Paypal,
        kind,
        provider_kind: written.event_type,
        occurred: written.create_time,
        attempt: said.attempt,
        payment_reference: said.payment_reference,
        payment: said.payment,
        refund: said.refund,
        subscription: None,
        body,
    })
}

/// What an event is about, by the first words of its type.
fn kind(event_type: &str) -> EventKind {
    let begins = |words: &str| event_type.starts_with(words);
    match event_type {
        "PAYMENT.CAPTURE.REFUNDED" | "PAYMENT.CAPTURE.REVERSED" => EventKind::Refund,
        _ if begins("PAYMENT.REFUND.") => EventKind::Refund,
        _ if begins("PAYMENT.CAPTURE.") || begins("PAYMENT.AUTHORIZATION.") || begins("CHECKOUT.ORDER.") => {
            EventKind::Payment
        }
        _ if begins("CUSTOMER.DISPUTE.") => EventKind::Dispute,
        _ => EventKind::Other,
    }
}

#[derive(Default)]
struct Said {
    attempt: Option<AttemptId>,
    payment_reference: Option<String>,
    payment: Option<Outcome<Payment>>,
    refund: Option<Outcome<Refunded>>,
}

fn said(written: &Written) -> Result<Said, WebhookError> {
    let resource = &written.resource;
    let unreadable = |error: Unintelligible| WebhookError::Unreadable(error.0);
    let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str);
    let related = text("/supplementary_data/related_ids/order_id").map(ToOwned::to_owned);
    let event_type = written.event_type.as_str();
    match (kind(event_type), event_type) {
        (EventKind::Refund, _) => {
            let refund: Refund = read(resource)?;
            let said = outcome::of_refund(&refund).map_err(unreadable)?;
            Ok(Said {
                attempt: outcome::attempt(refund.custom_id.as_deref()),
                payment_reference: related,
                refund: Some(said),
                payment: None,
            })
        }
        (EventKind::Payment, "CHECKOUT.ORDER.APPROVED" | "CHECKOUT.ORDER.COMPLETED") => {
            let order: Order = read(resource)?;
            let custom_id = outcome::only_unit(&order).map_err(unreadable)?.custom_id.clone();
            Ok(Said {
                attempt: outcome::attempt(custom_id.as_deref()),
                payment: Some(outcome::of_order(&order).map_err(unreadable)?),
                payment_reference: Some(order.id),
                refund: None,
            })
        }
        (EventKind::Payment, _) => {
            let attempt = outcome::attempt(text("/custom_id"));
            // One capture of several says nothing of the whole payment.
            let payment = match (&related, event_type.starts_with("PAYMENT.CAPTURE.")) {
                (Some(order), true) => of_only_capture(&read(resource)?, order).map_err(unreadable)?,
                _ => None,
            };
            Ok(Said { attempt, payment_reference: related, payment, refund: None })
        }
        (EventKind::Dispute, _) => {
            let attempt = outcome::attempt(text("/disputed_transactions/0/custom"));
            Ok(Said { attempt, ..Said::default() })
        }
        _ => Ok(Said::default()),
    }
}

/// The payment of an order that is captured in one step.
fn of_only_capture(capture: &Capture, order: &str) -> Result<Option<Outcome<Payment>>, Unintelligible> {
    if capture.supplementary_data.related_ids.authorization_id.is_some() {
        return Ok(None);
    }
    let captured = outcome::of_capture(capture)?;
    let has_money = matches!(captured, Outcome::Succeeded { .. });
    let attempt = outcome::attempt(capture.custom_id.as_deref());
    Ok(Some(captured.map(|captured| Payment {
        reference: order.to_owned(),
        attempt,
        status: captured.status,
        amount: captured.amount,
        captured: if has_money { captured.amount.minor_units } else { 0 },
        settlement_declined: 0,
        refunded: None,
        voided: false,
        captures: vec![captured.reference],
        payment_method: None,
    })))
}

fn read<T: serde::de::DeserializeOwned>(resource: &Value) -> Result<T, WebhookError> {
    shape::from_value(resource.clone()).map_err(WebhookError::Unreadable)
}

#[cfg(test)]
mod tests;
