//! Verifies what Braintree posts, and answers the question with which it checks an address.
//!
//! A webhook is a form: `bt_signature` is `public_key|hex` joined by `&`, `bt_payload` base64 of XML. `hex` is
//! HMAC-SHA1 of the payload with the SHA-1 of the private key. Source: `webhook_notification_gateway.py` of the official
//! Python SDK, which takes the payload with and without a newline at its end.
//!
//! The signature covers no time of sending. The time in the payload is that of what happened, and Braintree tries for
//! 24 hours to deliver it: so it may be that old here, and what is repeated within that time has the same event id.

use std::{fmt, time::Duration};

use chrono::DateTime;
use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use wire::payment::{
    AttemptId, ChallengeAnswer, Event, EventKind, Outcome, Payment, Provider, Refunded, Subscription,
    VerifyWebhook, WebhookChallenge,
};

use super::{
    Braintree, BraintreeSettings, client,
    messages::{self, Parts},
    table,
    xml::Element,
};
use crate::{
    error::ProxyError,
    providers::posted::{Posted, TOLERANCE, WebhookError},
    shape::ShapeError,
};

/// How long Braintree tries to deliver a webhook, and an hour for the last try.
const DELIVERY: Duration = Duration::from_secs(25 * 60 * 60);

/// The key pairs that may have signed; the first is that of the requests.
#[derive(Clone)]
pub(super) struct Keys(Vec<(String, SecretString)>);

impl Keys {
    pub(super) fn new(settings: &BraintreeSettings) -> Self {
        let own = (settings.public_key.expose_secret().to_owned(), settings.private_key.clone());
        Self([own].into_iter().chain(settings.webhook_keys.iter().cloned()).collect())
    }

    /// Whether a pair of a public key and a signature is good for one of these texts.
    fn verify(&self, public: &str, signature: &str, texts: [&[u8]; 2]) -> Result<(), WebhookError> {
        let signature =
            HEXLOWER.decode(signature.as_bytes()).map_err(|_| WebhookError::Malformed("bt_signature"))?;
        let mut known = self.0.iter().filter(|(known, _)| known == public).peekable();
        if known.peek().is_none() {
            return Err(WebhookError::UnknownKey);
        }
        let is_good = |key: &SecretString| {
            texts.iter().any(|text| code(key, text).is_some_and(|mac| mac.verify_slice(&signature).is_ok()))
        };
        if known.any(|(_, key)| is_good(key)) { Ok(()) } else { Err(WebhookError::Mismatch) }
    }
}

/// Nothing.
impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keys({})", self.0.len())
    }
}

/// HMAC takes a key of any length, so that there always is one.
fn code(key: &SecretString, text: &[u8]) -> Option<Hmac<Sha1>> {
    let key = Sha1::digest(key.expose_secret().as_bytes());
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).ok()?;
    mac.update(text);
    Some(mac)
}

/// Answers with the key pair of the requests.
pub(super) fn answer(keys: &Keys, request: &WebhookChallenge) -> Result<ChallengeAnswer, ProxyError> {
    let challenge = request.challenge.as_str();
    let is_hex = challenge.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hex || !(20..=32).contains(&challenge.len()) {
        let message = "expected 20 to 32 hexadecimal digits in lower case";
        return Err(client::invalid(ShapeError::field("challenge", message)));
    }
    let signed = keys.0.first().and_then(|(public, key)| Some((public, code(key, challenge.as_bytes())?)));
    let (public, mac) = signed.ok_or(ProxyError::NotConfigured { target: Provider::Braintree.name() })?;
    let hex = HEXLOWER.encode(&mac.finalize().into_bytes());
    Ok(ChallengeAnswer { verification: format!("{public}|{hex}") })
}

pub(super) fn verify(braintree: &Braintree, request: &VerifyWebhook) -> Result<Event, ProxyError> {
    let posted = Posted::new(request).map_err(client::invalid)?;
    let believed = believed(braintree, &posted.body);
    let (payload, notification) = believed.map_err(|error| error.of(Provider::Braintree))?;
    check_time(braintree, &notification).map_err(|error| error.of(Provider::Braintree))?;
    Ok(event(braintree, &payload, &notification))
}

/// The payload and what is in it, once the signature is known to be good.
fn believed(braintree: &Braintree, body: &[u8]) -> Result<(String, Element), WebhookError> {
    let form = std::str::from_utf8(body).map_err(|_| WebhookError::Malformed("body"))?;
    let signatures = field(form, "bt_signature")?;
    let payload = field(form, "bt_payload")?;
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\n');
    if !payload.bytes().all(is_base64) {
        return Err(WebhookError::Malformed("bt_payload"));
    }
    let with_newline = format!("{payload}\n");
    let mut result = Err(WebhookError::UnknownKey);
    for pair in signatures.split('&') {
        let Some((public, signature)) = pair.split_once('|') else { continue };
        match braintree.keys.verify(public, signature, [payload.as_bytes(), with_newline.as_bytes()]) {
            Ok(()) => return Ok((payload.clone(), read(&payload)?)),
            // A key that is known and does not fit says more than one that is not known.
            Err(WebhookError::UnknownKey) => {}
            error => result = error,
        }
    }
    result.and(Err(WebhookError::UnknownKey))
}

/// The only field of a name in a form.
fn field(form: &str, name: &'static str) -> Result<String, WebhookError> {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let value = values.next().ok_or(WebhookError::Missing(name))?;
    if values.next().is_some() {
        return Err(WebhookError::Repeated(name));
    }
    let spaced = value.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().map_err(|_| WebhookError::Malformed(name))?;
    Ok(text.into_owned())
}

fn read(payload: &str) -> Result<Element, WebhookError> {
    let unreadable = |message: &str| WebhookError::Unreadable(ShapeError::field("bt_payload", message));
    let packed = payload.replace('\n', "");
    let xml = BASE64.decode(packed.as_bytes()).map_err(|_| unreadable("not base64"))?;
    let notification = Element::parse(&xml).map_err(|error| unreadable(&error.to_string()))?;
    match notification.name() {
        "notification" if notification.text("kind").is_some() => Ok(notification),
        _ => Err(unreadable("not a notification")),
    }
}

fn check_time(braintree: &Braintree, notification: &Element) -> Result<(), WebhookError> {
    let text = notification.text("timestamp").ok_or(WebhookError::Missing("timestamp"))?;
    let at = DateTime::parse_from_rfc3339(text).map_err(|_| WebhookError::Malformed("timestamp"))?;
    let age = braintree.clock.unix_seconds().saturating_sub(at.timestamp());
    let limit = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    if age > limit(DELIVERY) {
        Err(WebhookError::Outdated(DELIVERY))
    } else if age < -limit(TOLERANCE) {
        Err(WebhookError::Future)
    } else {
        Ok(())
    }
}

/// What a notification is about, as far as it says so.
#[derive(Default)]
struct Subject {
    attempt: Option<AttemptId>,
    reference: Option<String>,
    payment: Option<Outcome<Payment>>,
    refund: Option<Outcome<Refunded>>,
    subscription: Option<Subscription>,
}

fn event(braintree: &Braintree, payload: &str, notification: &Element) -> Event {
    let word = notification.text("kind").unwrap_or_default();
    let subject = notification.child("subject");
    let about = subject.map(|subject| braintree.about(subject)).unwrap_or_default();
    let kind = match table::event_kind(word) {
        EventKind::Payment if about.refund.is_some() => EventKind::Refund,
        kind => kind,
    };
    // Braintree gives a notification no id: what is delivered again is the same text.
    let digest = Sha256::digest(payload.trim_end().as_bytes());
    let mut body = notification.json();
    braintree.client.withheld().clean_value(&mut body);
    Event {
        id: HEXLOWER.encode(&digest),
        provider: Provider::Braintree,
        kind,
        provider_kind: word.to_owned(),
        occurred: notification.text("timestamp").map(str::to_owned),
        attempt: about.attempt,
        payment_reference: about.reference,
        payment: about.payment,
        refund: about.refund,
        subscription: about.subscription,
        body,
    }
}

impl Braintree {
    /// A part that cannot be read is left out: the event itself has been signed, and its body goes along.
    fn about(&self, subject: &Element) -> Subject {
        // What failed is wrapped in an error.
        let subject = subject.child(super::error::NAME).unwrap_or(subject);
        if let Some(transaction) = subject.child("transaction") {
            return about_transaction(transaction);
        }
        if let Some(element) = subject.child("subscription") {
            let charge = element.child("transactions").and_then(|charges| charges.children().first());
            return Subject {
                attempt: element.text("id").and_then(|id| id.parse().ok()),
                reference: charge.and_then(|charge| charge.text("id")).map(str::to_owned),
                payment: charge.and_then(|charge| messages::payment(charge, Parts::default()).ok()),
                subscription: messages::subscription(element, &self.accounts).map(|(made, _)| made).ok(),
                refund: None,
            };
        }
        let disputed = subject.child("dispute").and_then(|dispute| dispute.child("transaction"));
        let text = |name| disputed.and_then(|disputed| disputed.text(name));
        Subject {
            attempt: text("order-id").and_then(|id| id.parse().ok()),
            reference: text("id").map(str::to_owned),
            ..Subject::default()
        }
    }
}

fn about_transaction(transaction: &Element) -> Subject {
    let refund = messages::refunded(transaction).ok();
    let own = transaction.text("id");
    Subject {
        attempt: messages::order_id(transaction),
        reference: transaction.text("refunded-transaction-id").or(own).map(str::to_owned),
        payment: messages::payment(transaction, Parts::default()).ok(),
        refund,
        subscription: None,
    }
}
