//! Authorizations, captures and refunds as they are kept and shown.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::amount::Amount;
use super::state::{random_id, written};

/// How long an authorization lasts, in days.
const AUTHORIZATION_DAYS: i64 = 29;

/// How long the funds are sure, in days; only then it may be authorized again.
const HONOR_DAYS: i64 = 3;

/// What a payment is made of: the same for all that comes of one unit of an order.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) order: String,
    /// The unit's place in the order.
    pub(super) unit: usize,
    pub(super) amount: Amount,
    pub(super) custom_id: Option<String>,
    pub(super) invoice_id: Option<String>,
    /// Whoever asked calls it so: its key, or else its own ids.
    pub(super) reference: String,
    pub(super) now: DateTime<Utc>,
}

/// An authorized payment.
#[derive(Clone, Debug)]
pub(super) struct Authorization {
    pub(super) id: String,
    pub(super) order: String,
    pub(super) unit: usize,
    pub(super) amount: Amount,
    /// In the currency's smallest unit.
    pub(super) captured: i64,
    pub(super) status: &'static str,
    pub(super) reason: Option<&'static str>,
    pub(super) processor: Option<&'static str>,
    pub(super) custom_id: Option<String>,
    pub(super) invoice_id: Option<String>,
    pub(super) reference: String,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
    /// When the first of its line was made: an authorization made again does not last longer.
    pub(super) begun: DateTime<Utc>,
}

/// A captured payment.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    pub(super) id: String,
    pub(super) order: String,
    pub(super) unit: usize,
    pub(super) authorization: Option<String>,
    pub(super) amount: Amount,
    /// In the currency's smallest unit.
    pub(super) refunded: i64,
    pub(super) status: &'static str,
    pub(super) reason: Option<&'static str>,
    pub(super) processor: Option<&'static str>,
    pub(super) final_capture: bool,
    pub(super) custom_id: Option<String>,
    pub(super) invoice_id: Option<String>,
    pub(super) note_to_payer: Option<String>,
    pub(super) reference: String,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
}

/// A refund of a capture.
#[derive(Clone, Debug)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) capture: String,
    pub(super) amount: Amount,
    pub(super) status: &'static str,
    pub(super) reason: Option<&'static str>,
    pub(super) custom_id: Option<String>,
    pub(super) invoice_id: Option<String>,
    pub(super) note_to_payer: Option<String>,
    /// All that has been refunded of the capture with this one, in the currency's smallest unit.
    pub(super) total: i64,
    pub(super) reference: String,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
}

impl Authorization {
    pub(super) fn new(ground: Ground) -> Self {
        Self {
            id: random_id(17),
            order: ground.order,
            unit: ground.unit,
            amount: ground.amount,
            captured: 0,
            status: "CREATED",
            reason: None,
            processor: None,
            custom_id: ground.custom_id,
            invoice_id: ground.invoice_id,
            reference: ground.reference,
            created: ground.now,
            updated: ground.now,
            begun: ground.now,
        }
    }

    /// When it ends by itself.
    pub(super) fn expires(&self) -> DateTime<Utc> {
        self.begun + TimeDelta::days(AUTHORIZATION_DAYS)
    }

    /// From when on it may be authorized again.
    pub(super) fn honored_until(&self) -> DateTime<Utc> {
        self.created + TimeDelta::days(HONOR_DAYS)
    }

    pub(super) fn show(&self, base: &str) -> Value {
        let path = format!("{base}/v2/payments/authorizations/{}", self.id);
        let mut shown = json!({
            "id": self.id, "status": self.status, "amount": self.amount.show(),
            "seller_protection": protection(), "expiration_time": written(self.expires()),
            "supplementary_data": {"related_ids": {"order_id": self.order}},
            "links": [
                link(&path, "self", "GET"), link(&format!("{path}/capture"), "capture", "POST"),
                link(&format!("{path}/void"), "void", "POST"),
                link(&format!("{path}/reauthorize"), "reauthorize", "POST"),
                link(&format!("{base}/v2/checkout/orders/{}", self.order), "up", "GET"),
            ],
        });
        describe(&mut shown, &self.custom_id, &self.invoice_id, self.reason, self.processor);
        date(&mut shown, self.created, self.updated);
        shown
    }
}

impl Capture {
    pub(super) fn new(ground: Ground) -> Self {
        Self {
            id: random_id(17),
            order: ground.order,
            unit: ground.unit,
            authorization: None,
            amount: ground.amount,
            refunded: 0,
            status: "COMPLETED",
            reason: None,
            processor: None,
            final_capture: true,
            custom_id: ground.custom_id,
            invoice_id: ground.invoice_id,
            note_to_payer: None,
            reference: ground.reference,
            created: ground.now,
            updated: ground.now,
        }
    }

    pub(super) fn show(&self, base: &str) -> Value {
        let path = format!("{base}/v2/payments/captures/{}", self.id);
        let up = match &self.authorization {
            Some(authorization) => format!("{base}/v2/payments/authorizations/{authorization}"),
            None => format!("{base}/v2/checkout/orders/{}", self.order),
        };
        let mut related = json!({"order_id": self.order});
        if let Some(authorization) = &self.authorization {
            related["authorization_id"] = json!(authorization);
        }
        let mut shown = json!({
            "id": self.id, "status": self.status, "amount": self.amount.show(),
            "final_capture": self.final_capture, "seller_protection": protection(),
            "supplementary_data": {"related_ids": related},
            "links": [
                link(&path, "self", "GET"), link(&format!("{path}/refund"), "refund", "POST"),
                link(&up, "up", "GET"),
            ],
        });
        if self.status == "COMPLETED" {
            shown["seller_receivable_breakdown"] = self.breakdown();
        }
        if let Some(note) = &self.note_to_payer {
            shown["note_to_payer"] = json!(note);
        }
        describe(&mut shown, &self.custom_id, &self.invoice_id, self.reason, self.processor);
        date(&mut shown, self.created, self.updated);
        shown
    }

    fn breakdown(&self) -> Value {
        let fee = self.fee();
        json!({
            "gross_amount": self.amount.show(), "paypal_fee": fee.show(),
            "net_amount": self.amount.of(self.amount.minor - fee.minor).show(),
        })
    }

    /// 3 %, rounded down.
    pub(super) fn fee(&self) -> Amount {
        self.amount.of(self.amount.minor * 3 / 100)
    }
}

impl Refund {
    pub(super) fn show(&self, base: &str) -> Value {
        let path = format!("{base}/v2/payments/refunds/{}", self.id);
        let mut shown = json!({
            "id": self.id, "status": self.status, "amount": self.amount.show(),
            "seller_payable_breakdown": {
                "gross_amount": self.amount.show(), "paypal_fee": self.amount.of(0).show(),
                "net_amount": self.amount.show(),
                "total_refunded_amount": self.amount.of(self.total).show(),
            },
            "links": [
                link(&path, "self", "GET"),
                link(&format!("{base}/v2/payments/captures/{}", self.capture), "up", "GET"),
            ],
        });
        if let Some(note) = &self.note_to_payer {
            shown["note_to_payer"] = json!(note);
        }
        describe(&mut shown, &self.custom_id, &self.invoice_id, self.reason, None);
        date(&mut shown, self.created, self.updated);
        shown
    }
}

pub(super) fn link(href: &str, rel: &str, method: &str) -> Value {
    json!({"href": href, "rel": rel, "method": method})
}

/// What a minimal answer holds of a payment.
pub(super) fn minimal(mut shown: Value) -> Value {
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|name, _| matches!(name.as_str(), "id" | "status" | "status_details" | "links"));
    }
    shown
}

fn protection() -> Value {
    json!({"status": "ELIGIBLE", "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"]})
}

fn describe(
    shown: &mut Value,
    custom_id: &Option<String>,
    invoice_id: &Option<String>,
    reason: Option<&str>,
    processor: Option<&str>,
) {
    if let Some(custom_id) = custom_id {
        shown["custom_id"] = json!(custom_id);
    }
    if let Some(invoice_id) = invoice_id {
        shown["invoice_id"] = json!(invoice_id);
    }
    if let Some(reason) = reason {
        shown["status_details"] = json!({"reason": reason});
    }
    if let Some(code) = processor {
        shown["processor_response"] = json!({"avs_code": "A", "cvv_code": "M", "response_code": code});
    }
}

fn date(shown: &mut Value, created: DateTime<Utc>, updated: DateTime<Utc>) {
    shown["create_time"] = json!(written(created));
    shown["update_time"] = json!(written(updated));
}
