//! What Stripe sends, at random: given to what reads it, for the fuzz targets.

use actix_web::http::{StatusCode, header::HeaderMap};
use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wire::payment::{Header, VerifyWebhook};

use super::{
    Stripe, StripeSettings, WallClock,
    error::refusal,
    messages::{Page, PaymentIntent, PaymentMethod, Refund, Shape, Subscription},
    payment::{outcome, refund_outcome},
    subscription::to_wire,
};
use crate::providers::exchange::Received;

const SECRET: &str = "whsec_dummy";

thread_local! {
    /// One for all inputs: making one reads the system's authorities.
    static CONNECTOR: Option<Stripe> = connector();
}

/// An answer: read as whatever it could be.
pub(crate) fn answer(bytes: &[u8]) {
    let received =
        |status| Received { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(bytes) };
    let found = received(StatusCode::OK);
    drop(PaymentIntent::read(&found).and_then(|intent| outcome(&intent)));
    drop(Refund::read(&found).and_then(|refund| refund_outcome(&refund)));
    drop(Subscription::read(&found).and_then(|subscription| to_wire(&subscription)));
    drop(PaymentMethod::read(&found).map(|method| method.to_wire()));
    drop(Page::<PaymentIntent>::read(&found));
    for status in [StatusCode::BAD_REQUEST, StatusCode::PAYMENT_REQUIRED, StatusCode::CONFLICT] {
        drop(refusal::<()>(&received(status), &["pm_dummy".into()], |_| Ok(None)));
    }
}

/// A webhook: as anybody may post it, when it is never believed, and signed, when it is only read.
pub(crate) fn webhook(bytes: &[u8]) {
    CONNECTOR.with(|stripe| stripe.iter().for_each(|stripe| judge(stripe, bytes)));
}

fn judge(stripe: &Stripe, bytes: &[u8]) {
    let (header, body) = bytes.split_at(bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0));
    if let Ok(header) = std::str::from_utf8(header) {
        assert!(stripe.verify(&posted(header, body)).is_err(), "nobody has signed it");
    }
    let now = WallClock::default().unix_seconds();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else { return };
    mac.update(format!("{now}.").as_bytes());
    mac.update(bytes);
    let header = format!("t={now},v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()));
    drop(stripe.verify(&posted(&header, bytes)));
}

fn connector() -> Option<Stripe> {
    let settings = StripeSettings {
        url: chassis::base_url::BaseUrl::parse("http://127.0.0.1:1").ok()?,
        secret_key: "sk_test_dummy".into(),
        webhook_secrets: vec![SECRET.into()],
        api_version: "2026-10-28.endive".to_owned(),
        client: chassis::client::ClientSettings::default(),
    };
    Stripe::new(&settings).ok()
}

fn posted(header: &str, body: &[u8]) -> VerifyWebhook {
    let headers = vec![Header { name: "stripe-signature".to_owned(), value: header.to_owned() }];
    VerifyWebhook { headers, body: BASE64.encode(body) }
}
