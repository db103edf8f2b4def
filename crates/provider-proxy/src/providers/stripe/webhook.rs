//! Stripe's webhooks: `Stripe-Signature: t=UNIX,v1=HEX[,v1=HEX…]`, and the event in the body.
//!
//! Source: Stripe's page "Verify webhook signatures": HEX is HMAC-SHA256 with the whole secret over `UNIX.BODY`.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use serde_json::Value;
use sha2::Sha256;
use wire::payment::{Event, EventKind, Provider, Subscription, SubscriptionStatus, VerifyWebhook};

use super::{
    Stripe, amount,
    client::invalid,
    messages::{self, Dispute, Expandable, Invoice, PaymentIntent, Refund, Shape, attempt, rfc3339},
    payment::{outcome, refund_outcome},
    subscription::to_wire,
};
use crate::{
    error::ProxyError,
    providers::{
        exchange::Unintelligible,
        posted::{Posted, WebhookError},
    },
};

const SIGNATURE: &str = "stripe-signature";

/// The event of a PaymentIntent that nobody has confirmed.
const MERELY_CREATED: &str = "payment_intent.created";

/// A header with more signatures is nobody's rotation.
const MOST_SIGNATURES: usize = 16;

impl Stripe {
    pub(super) fn verify(&self, request: &VerifyWebhook) -> Result<Event, ProxyError> {
        let posted = Posted::new(request).map_err(invalid)?;
        self.check(&posted).map_err(|error| error.of(Provider::Stripe))?;
        // Nothing of it is read before.
        read(&posted).map_err(|error| error.of(Provider::Stripe))
    }

    /// Whether one of our secrets has signed it, and not long ago.
    fn check(&self, posted: &Posted<'_>) -> Result<(), WebhookError> {
        let Signed { at, time, signatures } = Signed::parse(posted.header(SIGNATURE)?)?;
        let is_signed = self.webhook_secrets.iter().any(|secret| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
                return false;
            };
            mac.update(time.as_bytes());
            mac.update(b".");
            mac.update(&posted.body);
            // In constant time, one by one.
            signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
        });
        if !is_signed {
            return Err(WebhookError::Mismatch);
        }
        // Last: who has not signed learns nothing about our clock.
        self.clock.check(at)
    }
}

/// The parts of the header.
struct Signed<'header> {
    at: i64,
    /// As it was signed.
    time: &'header str,
    signatures: Vec<Vec<u8>>,
}

impl<'header> Signed<'header> {
    fn parse(header: &'header str) -> Result<Self, WebhookError> {
        let malformed = || WebhookError::Malformed(SIGNATURE);
        let (mut time, mut signatures) = (None, Vec::new());
        for part in header.split(',') {
            match part.split_once('=').ok_or_else(malformed)? {
                ("t", value) if time.is_none() => time = Some(value),
                ("t", _) => return Err(WebhookError::Repeated("time in it")),
                ("v1", value) => signatures.push(HEXLOWER.decode(value.as_bytes()).map_err(|_| malformed())?),
                // Other schemes may come; they prove nothing to us.
                _ => {}
            }
        }
        let time = time.ok_or_else(malformed)?;
        let is_number = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit());
        let at = time.parse().ok().filter(|_| is_number).ok_or_else(malformed)?;
        if signatures.is_empty() || signatures.len() > MOST_SIGNATURES {
            return Err(malformed());
        }
        Ok(Self { at, time, signatures })
    }
}

fn read(posted: &Posted<'_>) -> Result<Event, WebhookError> {
    let unreadable = |error: Unintelligible| WebhookError::Unreadable(error.0);
    let mut body: Value = posted.json()?;
    forget_client_secrets(&mut body);
    let event = messages::Event::from_value(body.clone()).map_err(unreadable)?;
    let mut told = Event {
        id: event.id,
        provider: Provider::Stripe,
        kind: EventKind::Other,
        provider_kind: event.kind.clone(),
        occurred: rfc3339(event.created),
        attempt: None,
        payment_reference: None,
        payment: None,
        refund: None,
        subscription: None,
        body,
    };
    tell(&mut told, event.data.object).map_err(unreadable)?;
    Ok(told)
}

/// Fills in what the event's object says.
fn tell(told: &mut Event, object: Value) -> Result<(), Unintelligible> {
    let kind = told.provider_kind.clone();
    if kind == MERELY_CREATED {
        // It stands as it did before anybody was asked to pay: that is no decline.
    } else if kind.starts_with("payment_intent.") {
        let intent = PaymentIntent::from_value(object)?;
        told.kind = EventKind::Payment;
        told.attempt = attempt(&intent.metadata);
        told.payment_reference = Some(intent.id.clone());
        told.payment = Some(outcome(&intent)?);
    } else if kind.starts_with("refund.") || kind == "charge.refund.updated" {
        let refund = Refund::from_value(object)?;
        told.kind = EventKind::Refund;
        told.attempt = refund.metadata.as_ref().and_then(attempt);
        told.payment_reference = refund.payment_intent.as_ref().map(intent_id);
        told.refund = Some(refund_outcome(&refund)?);
    } else if kind.starts_with("charge.dispute.") {
        let dispute = Dispute::from_value(object)?;
        told.kind = EventKind::Dispute;
        told.payment_reference = dispute.payment_intent.as_ref().map(intent_id);
    } else if kind.starts_with("customer.subscription.") {
        let subscription = messages::Subscription::from_value(object)?;
        told.kind = if kind.ends_with(".deleted") {
            EventKind::SubscriptionCancelled
        } else {
            EventKind::Subscription
        };
        told.attempt = attempt(&subscription.metadata);
        told.subscription = Some(to_wire(&subscription)?);
    } else if let Some(charged) = charged(&kind) {
        let invoice = Invoice::from_value(object)?;
        if let Some(subscription) = subscription_of(&invoice, charged)? {
            told.kind = charged;
            told.attempt = invoice_attempt(&invoice);
            told.subscription = Some(subscription);
        }
    }
    Ok(())
}

fn charged(kind: &str) -> Option<EventKind> {
    match kind {
        "invoice.paid" => Some(EventKind::SubscriptionCharged),
        "invoice.payment_failed" => Some(EventKind::SubscriptionChargeFailed),
        _ => None,
    }
}

pub(super) fn intent_id(intent: &Expandable<PaymentIntent>) -> String {
    match intent {
        Expandable::Id(id) => id.clone(),
        Expandable::Object(intent) => intent.id.clone(),
    }
}

/// What an invoice says about its subscription; none for one of another kind.
fn subscription_of(invoice: &Invoice, charged: EventKind) -> Result<Option<Subscription>, Unintelligible> {
    let details = invoice.parent.as_ref().and_then(|parent| parent.subscription_details.as_ref());
    let Some(details) = details else { return Ok(None) };
    let is_first = invoice.billing_reason.as_deref() == Some("subscription_create");
    let status = match charged {
        EventKind::SubscriptionCharged => SubscriptionStatus::Active,
        _ if is_first => SubscriptionStatus::Pending,
        _ => SubscriptionStatus::PastDue,
    };
    Ok(Some(Subscription {
        reference: details.subscription.clone(),
        status,
        provider_status: format!("invoice {}", invoice.status.as_deref().unwrap_or_default()),
        amount: Some(amount::from_stripe(invoice.amount_due, &invoice.currency)?),
        period_start: None,
        period_end: None,
        next_billing: None,
        first_payment: None,
    }))
}

fn invoice_attempt(invoice: &Invoice) -> Option<wire::payment::AttemptId> {
    let details = invoice.parent.as_ref()?.subscription_details.as_ref()?;
    details.metadata.as_ref().and_then(attempt)
}

/// With a client secret a browser can act for the payer; nobody who reads an inbox needs one.
fn forget_client_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("client_secret");
            fields.values_mut().for_each(forget_client_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_client_secrets),
        _ => {}
    }
}
