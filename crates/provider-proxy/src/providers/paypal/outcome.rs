//! What PayPal's statuses come to: the one place that turns an order, a capture or a refund into an outcome.

use wire::{
    Money,
    payment::{Action, Advice, AttemptId, Captured, Decline, Outcome, Payment, Refunded},
};

use super::{
    error,
    messages::{
        Authorization, AuthorizationStatus, Capture, CaptureStatus, Intent, Order, OrderStatus, Refund,
        RefundStatus, Unit,
    },
};
use crate::providers::exchange::Unintelligible;

/// How the payment of an order stands.
///
/// # Errors
/// [`Unintelligible`] when the order is not one that is made here.
pub(super) fn of_order(order: &Order) -> Result<Outcome<Payment>, Unintelligible> {
    let unit = only_unit(order)?;
    let result = payment(order, unit)?;
    Ok(match order.status {
        OrderStatus::Created | OrderStatus::Saved | OrderStatus::PayerActionRequired => {
            let url = payer_page(order).map(ToOwned::to_owned);
            Outcome::RequiresAction { action: Action { url, data: None }, result }
        }
        OrderStatus::Approved => Outcome::Pending { result },
        OrderStatus::Voided => declined("VOIDED", "The order was voided.", Advice::Retry, result),
        OrderStatus::Completed => match order.intent {
            Intent::Capture => of_last_capture(unit, result)?,
            Intent::Authorize => of_last_authorization(unit, result)?,
        },
    })
}

fn of_last_capture(unit: &Unit, result: Payment) -> Result<Outcome<Payment>, Unintelligible> {
    let capture = unit.payments.captures.last().ok_or_else(|| missing("captures"))?;
    Ok(match capture.status {
        CaptureStatus::Completed | CaptureStatus::PartiallyRefunded | CaptureStatus::Refunded => {
            Outcome::Succeeded { result }
        }
        CaptureStatus::Pending => Outcome::Pending { result },
        CaptureStatus::Declined | CaptureStatus::Failed => {
            let (code, advice) = why(capture.processor_code(), capture.status.word());
            declined(code, "The payment was declined.", advice, result)
        }
    })
}

fn of_last_authorization(unit: &Unit, result: Payment) -> Result<Outcome<Payment>, Unintelligible> {
    let authorization = unit.payments.authorizations.last().ok_or_else(|| missing("authorizations"))?;
    Ok(match authorization.status {
        AuthorizationStatus::Created
        | AuthorizationStatus::Captured
        | AuthorizationStatus::PartiallyCaptured
        | AuthorizationStatus::Voided => Outcome::Succeeded { result },
        AuthorizationStatus::Pending => Outcome::Pending { result },
        AuthorizationStatus::Denied => {
            let (code, advice) = why(authorization.processor_code(), authorization.status.word());
            declined(code, "The payment was declined.", advice, result)
        }
    })
}

/// How a capture of an authorization stands.
///
/// # Errors
/// [`Unintelligible`] when its amount is none.
pub(super) fn of_capture(capture: &Capture) -> Result<Outcome<Captured>, Unintelligible> {
    let result = Captured {
        reference: capture.id.clone(),
        status: capture.status.word().to_owned(),
        amount: capture.amount.read()?,
        settlement_declined: false,
    };
    Ok(match capture.status {
        CaptureStatus::Completed | CaptureStatus::PartiallyRefunded | CaptureStatus::Refunded => {
            Outcome::Succeeded { result }
        }
        CaptureStatus::Pending => Outcome::Pending { result },
        CaptureStatus::Declined | CaptureStatus::Failed => {
            let (code, advice) = why(capture.processor_code(), capture.status.word());
            declined(code, "The capture was declined.", advice, result)
        }
    })
}

/// How a refund stands.
///
/// # Errors
/// [`Unintelligible`] when its amount is none.
pub(super) fn of_refund(refund: &Refund) -> Result<Outcome<Refunded>, Unintelligible> {
    let result = Refunded {
        reference: refund.id.clone(),
        attempt: attempt(refund.custom_id.as_deref()),
        status: refund.status.word().to_owned(),
        amount: refund.amount.read()?,
    };
    let reason = refund.status_details.as_ref().and_then(|details| details.reason.as_deref());
    Ok(match refund.status {
        RefundStatus::Completed => Outcome::Succeeded { result },
        RefundStatus::Pending => Outcome::Pending { result },
        RefundStatus::Cancelled | RefundStatus::Failed => {
            let code = reason.unwrap_or(refund.status.word());
            declined(code, "The refund has failed.", Advice::Retry, result)
        }
    })
}

/// Our attempt, where PayPal keeps it.
pub(super) fn attempt(custom_id: Option<&str>) -> Option<AttemptId> {
    custom_id?.parse().ok()
}

/// Refuses what bears another attempt than was asked with: a key of ours that somebody else has used.
///
/// # Errors
/// [`Unintelligible`].
pub(super) fn is_of(asked: AttemptId, custom_id: Option<&str>) -> Result<(), Unintelligible> {
    match attempt(custom_id) {
        Some(answered) if answered != asked => Err(Unintelligible::field("custom_id", "another attempt")),
        _ => Ok(()),
    }
}

/// The only unit of an order.
///
/// # Errors
/// [`Unintelligible`] when it has another number of them.
pub(super) fn only_unit(order: &Order) -> Result<&Unit, Unintelligible> {
    match &order.purchase_units[..] {
        [unit] => Ok(unit),
        _ => Err(Unintelligible::field("purchase_units", "expected one")),
    }
}

/// The page on which the payer agrees or passes 3-D Secure.
pub(super) fn payer_page(order: &Order) -> Option<&str> {
    let link = |rel: &str| order.links.iter().find(|link| link.rel == rel).map(|link| link.href.as_str());
    link("payer-action").or_else(|| link("approve"))
}

/// A payment as the order has it: its id is the order's.
fn payment(order: &Order, unit: &Unit) -> Result<Payment, Unintelligible> {
    let amount = unit.amount.read()?;
    let payments = &unit.payments;
    let last = payments.authorizations.last();
    let mut captured = Money { minor_units: 0, currency: amount.currency };
    for capture in payments.captures.iter().filter(|capture| capture.took_money()) {
        captured = sum(captured, capture.amount.read()?)?;
    }
    let mut refunded = Money { minor_units: 0, currency: amount.currency };
    for refund in payments.refunds.iter().filter(|refund| refund.status == RefundStatus::Completed) {
        refunded = sum(refunded, refund.amount.read()?)?;
    }
    let status = match (order.status, order.intent) {
        (OrderStatus::Completed, Intent::Authorize) => last.map(|last| last.status.word()),
        (OrderStatus::Completed, Intent::Capture) => {
            payments.captures.last().map(|capture| capture.status.word())
        }
        _ => None,
    };
    Ok(Payment {
        reference: order.id.clone(),
        attempt: attempt(unit.custom_id.as_deref()),
        status: status.unwrap_or(order.status.word()).to_owned(),
        amount,
        captured: captured.minor_units,
        settlement_declined: 0,
        refunded: Some(refunded.minor_units),
        voided: order.status == OrderStatus::Voided
            || last.is_some_and(|last| last.status == AuthorizationStatus::Voided),
        captures: payments.captures.iter().map(|capture| capture.id.clone()).collect(),
        payment_method: None,
    })
}

fn sum(all: Money, more: Money) -> Result<Money, Unintelligible> {
    let total = all.minor_units.checked_add(more.minor_units).filter(|_| all.currency == more.currency);
    let minor_units =
        total.ok_or_else(|| Unintelligible::field("payments", "of several currencies, or too large"))?;
    Ok(Money { minor_units, ..all })
}

fn declined<T>(code: &str, message: &str, advice: Advice, result: T) -> Outcome<T> {
    let decline = Decline { code: code.to_owned(), message: message.to_owned(), advice };
    Outcome::Declined { decline, result: Some(result) }
}

/// The processor's own code, or else PayPal's word.
fn why<'answer>(code: Option<&'answer str>, word: &'answer str) -> (&'answer str, Advice) {
    code.map_or((word, Advice::OtherMethod), |code| (code, error::advice(code)))
}

fn missing(field: &str) -> Unintelligible {
    Unintelligible::field(&format!("purchase_units[0].payments.{field}"), "missing in a completed order")
}

impl Capture {
    fn took_money(&self) -> bool {
        matches!(
            self.status,
            CaptureStatus::Completed | CaptureStatus::PartiallyRefunded | CaptureStatus::Refunded
        )
    }

    fn processor_code(&self) -> Option<&str> {
        let reason = self.status_details.as_ref().and_then(|details| details.reason.as_deref());
        self.processor_response.as_ref().and_then(|said| said.response_code.as_deref()).or(reason)
    }
}

impl Authorization {
    fn processor_code(&self) -> Option<&str> {
        let reason = self.status_details.as_ref().and_then(|details| details.reason.as_deref());
        self.processor_response.as_ref().and_then(|said| said.response_code.as_deref()).or(reason)
    }
}
