//! Webhooks: what they say, how they are signed, and `POST /v1/notifications/verify-webhook-signature`.
//!
//! Source: PayPal's "Integrate webhooks": SHA256withRSA over `id|time|webhookId|crc32`, where the last is the CRC-32 of
//! the raw body as an unsigned decimal number.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Path};
use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::call;
use super::error::Refusal;
use super::payment::{Authorization, Capture, Refund};
use super::state::{Paypal, random_id, written};
use super::vault::PaymentToken;
use crate::deliveries::{Announcement, Message};
use crate::provider::Provider;

/// Made for the sandbox and good for nothing else: whoever has the sources can sign with it.
const KEY: &str = include_str!("fixtures/webhook-key.pem");
const CERTIFICATE: &str = include_str!("fixtures/webhook-certificate.pem");
/// The certificate's name in its URL.
const CERTIFICATE_ID: &str = "CERT-360caa42-fca2a594-sandbox";
const ALGORITHM: &str = "SHA256withRSA";

/// Something to tell, whose resource is shown when the base URL is known.
pub(super) struct Event {
    kind: &'static str,
    resource_type: &'static str,
    summary: String,
    resource: Box<dyn Fn(&str) -> Value + Send + Sync>,
    at: DateTime<Utc>,
}

impl Event {
    pub(super) fn of_capture(capture: &Capture) -> Self {
        let kind = match capture.status {
            "PENDING" => "PAYMENT.CAPTURE.PENDING",
            "DECLINED" => "PAYMENT.CAPTURE.DECLINED",
            _ => "PAYMENT.CAPTURE.COMPLETED",
        };
        let (kept, amount) = (capture.clone(), capture.amount);
        Self {
            kind,
            resource_type: "capture",
            summary: format!("Payment of {} {}", amount.decimal(), amount.currency()),
            resource: Box::new(move |base| kept.show(base)),
            at: capture.updated,
        }
    }

    pub(super) fn of_authorization(authorization: &Authorization, kind: &'static str) -> Self {
        let kept = authorization.clone();
        Self {
            kind,
            resource_type: "authorization",
            summary: "A payment authorization was created or voided".to_owned(),
            resource: Box::new(move |base| kept.show(base)),
            at: authorization.updated,
        }
    }

    pub(super) fn of_refund(refund: &Refund, kind: &'static str) -> Self {
        let (kept, amount) = (refund.clone(), refund.amount);
        Self {
            kind,
            resource_type: "refund",
            summary: format!("A {} {} capture payment was refunded", amount.decimal(), amount.currency()),
            resource: Box::new(move |base| kept.show(base)),
            at: refund.updated,
        }
    }

    pub(super) fn of_payment_token(token: &PaymentToken, kind: &'static str) -> Self {
        let kept = token.clone();
        Self {
            kind,
            resource_type: "payment_token",
            summary: "A payment token was created or deleted".to_owned(),
            resource: Box::new(move |base| kept.show(base)),
            at: Utc::now(),
        }
    }

    /// One whose resource does not depend on the base URL.
    pub(super) fn of_value(
        kind: &'static str,
        resource_type: &'static str,
        resource: impl Fn(&str) -> Value + Send + Sync + 'static,
        at: DateTime<Utc>,
    ) -> Self {
        let summary = kind.to_lowercase().replace('.', " ");
        Self { kind, resource_type, summary, resource: Box::new(resource), at }
    }

    /// As it is posted.
    pub(super) fn announce(self, paypal: &Paypal) -> Announcement {
        let base = format!("{}/paypal", paypal.shared.root());
        let id = format!("WH-{}-{}", random_id(17), random_id(17));
        let path = format!("{base}/v1/notifications/webhooks-events/{id}");
        let body = json!({
            "id": id, "event_version": "1.0", "create_time": written(self.at),
            "resource_type": self.resource_type, "resource_version": "2.0", "event_type": self.kind,
            "summary": self.summary, "resource": (self.resource)(&base),
            "links": [
                {"href": path, "rel": "self", "method": "GET"},
                {"href": format!("{path}/resend"), "rel": "resend", "method": "POST"},
            ],
        })
        .to_string();
        let webhook_id = paypal.account.webhook_id.clone();
        Announcement {
            provider: Provider::Paypal,
            event_id: id,
            event: self.kind.to_owned(),
            make: Box::new(move |at| Message {
                headers: headers(&base, &webhook_id, &body, at),
                body: body.clone(),
            }),
        }
    }
}

fn headers(base: &str, webhook_id: &str, body: &str, at: DateTime<Utc>) -> Vec<(String, String)> {
    let (id, time) = (uuid::Uuid::new_v4().to_string(), written(at));
    let signature = sign(&message(&id, &time, webhook_id, body.as_bytes()));
    [
        ("Content-Type", "application/json".to_owned()),
        ("PAYPAL-TRANSMISSION-ID", id),
        ("PAYPAL-TRANSMISSION-TIME", time),
        ("PAYPAL-TRANSMISSION-SIG", signature.unwrap_or_default()),
        ("PAYPAL-CERT-URL", format!("{base}/v1/notifications/certs/{CERTIFICATE_ID}")),
        ("PAYPAL-AUTH-ALGO", ALGORITHM.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn message(id: &str, time: &str, webhook_id: &str, body: &[u8]) -> String {
    format!("{id}|{time}|{webhook_id}|{}", crc32(body))
}

/// CRC-32 of ISO-HDLC, bit by bit: bodies are small.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    })
}

fn key() -> Option<RsaKeyPair> {
    let text: String = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    RsaKeyPair::from_pkcs8(&BASE64.decode(text.as_bytes()).ok()?).ok()
}

fn sign(text: &str) -> Option<String> {
    let key = key()?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
    Some(BASE64.encode(&signature))
}

fn is_signed(text: &str, signature: &str) -> bool {
    let (Some(key), Ok(signature)) = (key(), BASE64.decode(signature.as_bytes())) else { return false };
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public().as_ref())
        .verify(text.as_bytes(), &signature)
        .is_ok()
}

/// `GET /v1/notifications/certs/{id}`: anyone may have it.
pub(super) async fn certificate(id: Path<String>) -> Result<HttpResponse, Refusal> {
    if *id != CERTIFICATE_ID {
        return Err(Refusal::not_found(&id));
    }
    Ok(HttpResponse::Ok().content_type("application/x-pem-file").body(CERTIFICATE))
}

#[derive(Deserialize)]
struct Verification<'a> {
    auth_algo: String,
    cert_url: String,
    transmission_id: String,
    transmission_sig: String,
    transmission_time: String,
    webhook_id: String,
    /// As it was sent, byte for byte: the checksum is made over it.
    #[serde(borrow)]
    webhook_event: &'a RawValue,
}

/// `POST /v1/notifications/verify-webhook-signature`.
pub(super) async fn verify(paypal: Data<Paypal>, bytes: Bytes) -> Result<HttpResponse, Refusal> {
    let asked: Verification<'_> =
        serde_json::from_slice(&bytes).map_err(|_| Refusal::issue("MALFORMED_REQUEST_JSON"))?;
    let text = message(
        &asked.transmission_id,
        &asked.transmission_time,
        &asked.webhook_id,
        asked.webhook_event.get().as_bytes(),
    );
    let is_ours = asked.webhook_id == paypal.account.webhook_id
        && asked.auth_algo == ALGORITHM
        && asked.cert_url.ends_with(CERTIFICATE_ID);
    let is_good = is_ours && is_signed(&text, &asked.transmission_sig);
    let status = if is_good { "SUCCESS" } else { "FAILURE" };
    Ok(HttpResponse::Ok().json(json!({"verification_status": status})))
}

/// Where no handler is.
pub(super) async fn unknown(request: actix_web::HttpRequest) -> Result<HttpResponse, Refusal> {
    Err(Refusal::not_found(request.path()).linked("self", &call::base(&request)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_protocol() {
        assert_eq!(crc32(b"{\"id\":\"WH-1\"}"), 838_965_618);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn what_is_signed_verifies_and_nothing_else_does() {
        let text = message("id", "2026-01-01T00:00:00Z", "WH", b"{}");
        let signature = sign(&text).unwrap();
        assert!(is_signed(&text, &signature));
        assert!(!is_signed(&message("id", "2026-01-01T00:00:00Z", "WH2", b"{}"), &signature));
        assert!(!is_signed(&text, "AAAA"));
    }
}
