//! Webhooks: a form with the notification's XML in base64 and its signature; and the question for a new address.
//!
//! Source: `webhook_notification_gateway.py` of the official Python SDK; `../shared/spec/providers.md`. The text is
//! made once: a notification that is posted again is the same, its time included.

use chrono::{DateTime, Utc};
use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha1::{Digest, Sha1};

use super::xml::Element;
use crate::deliveries::{Announcement, Message};
use crate::provider::Provider;
use crate::settings::BraintreeAccount;

/// What is told.
#[derive(Clone, Debug)]
pub(super) struct Notification {
    kind: String,
    subject: Element,
    at: DateTime<Utc>,
}

/// Ruby's base64 has lines of this length.
const LINE: usize = 60;

impl Notification {
    /// A notification of a kind about something, of now.
    pub(super) fn new(kind: &str, subject: Element) -> Self {
        Self { kind: kind.to_owned(), subject, at: Utc::now() }
    }

    /// The same, of another time.
    pub(super) fn dated(self, at: DateTime<Utc>) -> Self {
        Self { at, ..self }
    }

    /// As it is announced.
    pub(super) fn announcement(self, account: &BraintreeAccount) -> Announcement {
        let payload = self.payload();
        let signature = format!("{}|{}", account.public_key, sign(account, &payload));
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("bt_signature", &signature)
            .append_pair("bt_payload", &payload)
            .finish();
        let message = Message {
            headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
            body: form,
        };
        Announcement {
            provider: Provider::Braintree,
            event_id: format!("bt_{}", uuid::Uuid::new_v4().simple()),
            event: self.kind,
            make: Box::new(move |_| message.clone()),
        }
    }

    fn payload(&self) -> String {
        let notification = Element::node(
            "notification",
            vec![
                Element::datetime("timestamp", self.at),
                Element::text("kind", self.kind.as_str()),
                Element::node("subject", vec![self.subject.clone()]),
            ],
        );
        let encoded = BASE64.encode(notification.document().as_bytes());
        let lines =
            encoded.as_bytes().chunks(LINE).map(|line| String::from_utf8_lossy(line).into_owned() + "\n");
        lines.collect()
    }
}

/// HMAC-SHA1 with the SHA-1 of the private key, in hex.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length; the error cannot happen")]
pub(super) fn sign(account: &BraintreeAccount, text: &str) -> String {
    let key = Sha1::digest(account.private_key.expose_secret().as_bytes());
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of `../shared/spec/providers.md`.
    #[test]
    fn a_payload_is_signed_with_the_digest_of_the_private_key() {
        let account = BraintreeAccount {
            merchant_id: "m".into(),
            public_key: "integration_public_key".into(),
            private_key: "integration_private_key".into(),
        };
        let payload = "PG5vdGlmaWNhdGlvbj48a2luZD5jaGVjazwva2luZD48L25vdGlmaWNhdGlvbj4=\n";
        assert_eq!(sign(&account, payload), "d53eaf7e941a322fd63f23a4c014828169ba83f4");
    }
}
