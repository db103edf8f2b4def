//! Events: what happened, as `GET /v1/events` lists it and webhooks tell it, signed with `Stripe-Signature`.
//!
//! Source: Stripe's pages "Events" and "Verify webhook signatures": `t=UNIX,v1=HEX`, where HEX is HMAC-SHA256 over
//! `UNIX.BODY` with the whole secret as the key.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::books::{Books, Call, Origin, new_id};
use super::error::Failure;
use super::shelf::Object;
use crate::deliveries::{Announcement, Message};
use crate::provider::Provider;

/// One event.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Event {
    id: String,
    object: &'static str,
    api_version: String,
    created: i64,
    data: Value,
    livemode: bool,
    pending_webhooks: u32,
    request: Value,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl Object for Event {
    const NAME: &'static str = "event";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Event {
    pub(super) fn new(origin: &Origin, kind: &'static str, object: Value) -> Self {
        Self {
            id: new_id("evt"),
            object: "event",
            api_version: origin.version.clone(),
            created: origin.seconds(),
            data: json!({"object": object}),
            livemode: false,
            pending_webhooks: 1,
            request: json!({"id": origin.request_id, "idempotency_key": origin.idempotency_key}),
            kind,
        }
    }

    /// What is announced; it is signed when it is sent.
    pub(super) fn announcement(&self, secret: SecretString) -> Announcement {
        let body = self.show().to_string();
        let make = move |at: DateTime<Utc>| Message {
            headers: vec![
                ("content-type".to_owned(), "application/json; charset=utf-8".to_owned()),
                ("user-agent".to_owned(), "Stripe/1.0 (+https://stripe.com/docs/webhooks)".to_owned()),
                ("stripe-signature".to_owned(), signature(&secret, at.timestamp(), &body)),
            ],
            body: body.clone(),
        };
        Announcement {
            provider: Provider::Stripe,
            event_id: self.id.clone(),
            event: self.kind.to_owned(),
            make: Box::new(make),
        }
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length; the error cannot happen")]
fn signature(secret: &SecretString, time: i64, body: &str) -> String {
    let key = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(format!("{time}.{body}").as_bytes());
    format!("t={time},v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

pub(super) fn list(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let kind = call.params.text("type")?;
    let wanted = |event: &Event| kind.as_ref().is_none_or(|kind| kind == event.kind);
    let page = books.events.list("/v1/events", &mut call.params, wanted)?;
    call.finish()?;
    Ok(page)
}

pub(super) fn retrieve(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    call.finish()?;
    books.events.in_path(&call.id).map(Object::show)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed apart from this program: `printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_test`.
    #[test]
    fn an_event_is_signed_over_its_time_and_body() {
        assert_eq!(
            signature(&"whsec_test".into(), 1_700_000_000, "{}"),
            "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"
        );
    }
}
