//! What a client is told about a payment or a refund: from the rows, so that whoever answers says the same.

mod sale;

pub(super) use sale::Heard;
pub use sale::ShowSale;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wire::{
    ErrorKind,
    payment::{Advice, Outcome},
};

use super::{Fact, Refused, parts::SETTLEMENT_DECLINED, perform::Flow, record::decimal};
use crate::{
    crypt::EncryptionKeys,
    domain::DomainError,
    error::status_of,
    store::{
        payment::PaymentRow,
        payment_code::{OperationState, PaymentStatus},
        payment_operation::PaymentOperationRow,
        refund::RefundRow,
    },
    uri::Kind,
};

/// An answer, byte for byte as it is given and kept.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON.
    pub body: String,
    /// Whether it has been given before.
    pub replayed: bool,
    /// When the provider asks to be called again: seconds or an HTTP date. It is not kept.
    pub retry_after: Option<String>,
}

/// What there is to tell.
pub(super) struct Rows<'a> {
    /// What was asked for.
    pub flow: Flow,
    /// The payment.
    pub payment: &'a PaymentRow,
    /// What the provider was asked; none when it was not.
    pub operation: Option<&'a PaymentOperationRow>,
    /// The refund, of a refund.
    pub refund: Option<&'a RefundRow>,
    /// Why it was not done, if somebody has just said so.
    pub told: Option<&'a Told>,
}

/// Why something was not done, as a provider or the way to it has just said.
pub(super) struct Told {
    refused: Refused,
    advice: Option<Advice>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Done,
    Unknown,
    Declined,
    Rejected,
    NotSent,
}

impl Told {
    /// What a fact says about it.
    pub(super) fn of(fact: &Fact) -> Option<Self> {
        match fact {
            Fact::Payment { outcome, .. } => Self::of_outcome(outcome),
            Fact::Checkout { outcome, .. } => Self::of_outcome(outcome),
            Fact::Capture { outcome, .. } => Self::of_outcome(outcome),
            Fact::Refund { outcome, .. } => Self::of_outcome(outcome),
            Fact::NotDone { refusal, .. } => Some(Self { refused: refusal.clone(), advice: None }),
            Fact::Unknown { .. } => None,
        }
    }

    fn of_outcome<T>(outcome: &Outcome<T>) -> Option<Self> {
        match outcome {
            Outcome::Declined { decline, .. } => {
                Some(Self { refused: decline.into(), advice: Some(decline.advice) })
            }
            Outcome::Rejected { rejection } => Some(Self { refused: rejection.into(), advice: None }),
            _ => None,
        }
    }
}

impl Rows<'_> {
    /// The answer.
    ///
    /// # Errors
    /// [`DomainError::Crypt`] when what the payer must do cannot be decrypted.
    pub(super) fn answer(&self, keys: &EncryptionKeys) -> Result<Answer, DomainError> {
        let verdict = self.verdict();
        let mut body = match self.refund {
            Some(refund) => refund_json(self.payment, refund, self.operation),
            None => payment_json(keys, self.payment)?,
        };
        let status = match verdict {
            Verdict::Done => self.flow.done(),
            Verdict::Unknown => 202,
            Verdict::Declined => 402,
            Verdict::Rejected => 422,
            Verdict::NotSent => status_of(self.kind()).as_u16(),
        };
        if !matches!(verdict, Verdict::Done | Verdict::Unknown) {
            body["error"] = self.error(verdict);
        }
        Ok(Answer { status, body: body.to_string(), replayed: false, retry_after: None })
    }

    fn verdict(&self) -> Verdict {
        let asked = self.operation.map_or(Verdict::Done, verdict_of);
        if asked == Verdict::Unknown || !matches!(self.flow, Flow::Create | Flow::Sale(_) | Flow::Complete) {
            return asked;
        }
        // A webhook may have known better.
        match self.payment.standing {
            PaymentStatus::Authorized | PaymentStatus::Captured | PaymentStatus::Cancelled => Verdict::Done,
            PaymentStatus::Declined => Verdict::Declined,
            // It was taken, and did not come in.
            PaymentStatus::Failed if self.payment.settlement_declined_minor > 0 => Verdict::Declined,
            PaymentStatus::Failed if asked == Verdict::NotSent => Verdict::NotSent,
            PaymentStatus::Failed => Verdict::Rejected,
            _ => asked,
        }
    }

    fn error(&self, verdict: Verdict) -> Value {
        let (code, message) = self.reason(verdict);
        let advice = self.told.and_then(|told| told.advice).map(|advice| json!(advice));
        let kept = self.payment.decline_advice.as_ref().filter(|_| verdict == Verdict::Declined);
        let advice = advice.or_else(|| kept.filter(|_| self.refund.is_none()).map(|advice| json!(advice)));
        json!({"outcome": verdict.name(), "code": code, "message": message, "advice": advice})
    }

    /// Why it was not done: a code and a text for a person.
    fn reason(&self, verdict: Verdict) -> (&str, &str) {
        match (self.told, self.kept()) {
            (Some(told), _) => (told.refused.code.as_str(), told.refused.message.as_str()),
            (None, (Some(code), message)) => (code, message.unwrap_or(sentence(verdict))),
            (None, (None, _)) => (verdict.name(), sentence(verdict)),
        }
    }

    /// The reason that was kept.
    fn kept(&self) -> (Option<&str>, Option<&str>) {
        match (self.refund, self.flow) {
            (Some(refund), _) => (refund.refusal_code.as_deref(), None),
            (None, Flow::Create | Flow::Sale(_) | Flow::Complete) => {
                (self.payment.refusal_code.as_deref(), self.payment.refusal_message.as_deref())
            }
            (None, Flow::Capture | Flow::Cancel | Flow::Refund) => (None, None),
        }
    }

    /// Why nothing was sent.
    fn kind(&self) -> Option<ErrorKind> {
        let code = self.told.map(|told| told.refused.code.as_str()).or(self.kept().0)?;
        serde_json::from_value(Value::from(code)).ok()
    }
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unknown => "unknown",
            Self::Declined => "declined",
            Self::Rejected => "rejected",
            Self::NotSent => "not_sent",
        }
    }
}

const fn sentence(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "Done.",
        Verdict::Unknown => "Nobody knows what the provider has done.",
        Verdict::Declined => "Declined.",
        Verdict::Rejected => "The provider did not take the request.",
        Verdict::NotSent => "The provider was not asked.",
    }
}

fn verdict_of(operation: &PaymentOperationRow) -> Verdict {
    match (operation.state, operation.outcome.as_deref()) {
        (OperationState::Open | OperationState::Unknown, _) => Verdict::Unknown,
        (_, Some("declined" | SETTLEMENT_DECLINED)) => Verdict::Declined,
        (_, Some("rejected")) => Verdict::Rejected,
        (_, Some("not_sent")) => Verdict::NotSent,
        _ => Verdict::Done,
    }
}

/// A payment as clients see it.
///
/// # Errors
/// [`DomainError::Crypt`] when what the payer must do cannot be decrypted.
pub fn payment_json(keys: &EncryptionKeys, row: &PaymentRow) -> Result<Value, DomainError> {
    let amount = |minor_units| decimal(row, minor_units);
    let refusal = |wanted: PaymentStatus| row.refusal_code.as_ref().filter(|_| row.standing == wanted);
    let decline = refusal(PaymentStatus::Declined)
        .map(|code| json!({"code": code, "message": row.refusal_message, "advice": row.decline_advice}));
    let failure =
        refusal(PaymentStatus::Failed).map(|code| json!({"code": code, "message": row.refusal_message}));
    let metadata = row.metadata.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    Ok(json!({
        "resource_pk": row.id.0,
        "resource_uri": Kind::Payment.uri(row.id),
        "uuid": row.uuid,
        "provider": row.provider.name(),
        "provider_reference": row.provider_reference,
        "checkout_reference": row.checkout_reference,
        "status": row.status.name(),
        "amount": amount(row.amount_minor),
        "captured_amount": amount(row.captured_minor),
        "refunded_amount": amount(row.refunded_minor),
        "currency": row.currency,
        "capture": row.capture,
        "captures": row.captures,
        "next_action": next_action(keys, row)?,
        "decline": decline,
        "failure": failure,
        "buyer": row.buyer_id.map(|id| Kind::Buyer.uri(id)),
        "seller": Kind::Seller.uri(row.seller_id),
        "seller_product": Kind::Product.uri(row.product_id),
        "payment_method": row.payment_method_id.map(|id| Kind::Paymethod.uri(id)),
        "transaction": Kind::Transaction.uri(row.transaction_id),
        "description": row.description,
        "metadata": metadata,
        "created": row.created,
        "modified": row.modified,
        "counter": row.counter,
    }))
}

/// What the payer must do, while that is so.
fn next_action(keys: &EncryptionKeys, row: &PaymentRow) -> Result<Option<Value>, DomainError> {
    match &row.next_action {
        Some(sealed) if row.standing == PaymentStatus::RequiresAction => {
            let text = keys.decrypt(sealed)?;
            Ok(serde_json::from_str(text.expose_secret()).ok())
        }
        _ => Ok(None),
    }
}

/// A refund as clients see it. `operation` is what the provider was asked for it.
#[must_use]
pub fn refund_json(
    payment: &PaymentRow,
    refund: &RefundRow,
    operation: Option<&PaymentOperationRow>,
) -> Value {
    let is_unknown = operation.is_some_and(|operation| operation.state == OperationState::Unknown);
    json!({
        "uuid": refund.uuid,
        "payment": Kind::Payment.uri(payment.id),
        "transaction": Kind::Transaction.uri(refund.transaction_id),
        "provider_reference": refund.provider_reference,
        "status": if is_unknown { PaymentStatus::Unknown.name() } else { refund.standing.name() },
        "amount": decimal(payment, refund.amount_minor),
        "currency": payment.currency,
        "failure": refund.refusal_code.as_ref().map(|code| json!({ "code": code })),
        "created": refund.created,
        "modified": refund.modified,
        "counter": refund.counter,
    })
}
