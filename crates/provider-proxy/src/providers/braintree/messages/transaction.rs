//! Transactions: payments, captures and refunds.

use wire::{
    Money,
    payment::{
        AttemptId, Captured, Decline, Movement, MovementKind, MovementStatus, Outcome, Payment, Refunded,
    },
};

use super::{amount, vault};
use crate::providers::{
    braintree::{
        table::{self, Standing},
        xml::Element,
    },
    exchange::Unintelligible,
};

/// What a transaction does not say itself: what its parts and refunds come to.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::providers::braintree) struct Parts {
    /// What was captured in parts, in minor units.
    pub(in crate::providers::braintree) captured: Option<i64>,
    /// What of the parts was captured and not settled, in minor units.
    pub(in crate::providers::braintree) settlement_declined: Option<i64>,
    /// What was refunded, in minor units.
    pub(in crate::providers::braintree) refunded: Option<i64>,
}

/// The attempt that made a transaction.
pub(in crate::providers::braintree) fn order_id(transaction: &Element) -> Option<AttemptId> {
    transaction.text("order-id")?.parse().ok()
}

/// Whether a transaction was made by an attempt.
pub(in crate::providers::braintree) fn is_of(transaction: &Element, attempt: AttemptId) -> bool {
    order_id(transaction) == Some(attempt)
}

/// A sale, and how it stands.
pub(in crate::providers::braintree) fn payment(
    transaction: &Element,
    parts: Parts,
) -> Result<Outcome<Payment>, Unintelligible> {
    let standing = check(transaction, "sale")?;
    let now = money(transaction)?;
    let captures = transaction.items("partial-settlement-transaction-ids");
    let in_parts = standing == Standing::InParts && !captures.is_empty();
    let (captured, settlement_declined) = match standing {
        Standing::Taken => (now.minor_units, 0),
        Standing::InParts => {
            (parts.captured.unwrap_or_default(), parts.settlement_declined.unwrap_or_default())
        }
        Standing::NotSettled if was_taken(transaction) => (0, now.minor_units),
        _ => (0, 0),
    };
    let never_refunded = transaction.items("refund-ids").is_empty() && captures.is_empty();
    let result = Payment {
        reference: transaction.required("id")?.to_owned(),
        attempt: order_id(transaction),
        status: transaction.required("status")?.to_owned(),
        amount: authorized(transaction, now)?,
        captured,
        settlement_declined,
        refunded: parts.refunded.or(never_refunded.then_some(0)),
        voided: standing == Standing::GivenUp,
        captures,
        payment_method: vault::of_transaction(transaction),
    };
    Ok(match standing {
        Standing::Taken | Standing::Authorized | Standing::GivenUp => Outcome::Succeeded { result },
        Standing::InParts if in_parts => Outcome::Succeeded { result },
        Standing::Asked | Standing::InParts => Outcome::Pending { result },
        _ => Outcome::Declined { decline: decline(transaction, standing), result: Some(result) },
    })
}

/// What a capture made: a part, or the whole sale.
pub(in crate::providers::braintree) fn captured(
    transaction: &Element,
) -> Result<Outcome<Captured>, Unintelligible> {
    let standing = check(transaction, "sale")?;
    let result = Captured {
        reference: transaction.required("id")?.to_owned(),
        status: transaction.required("status")?.to_owned(),
        amount: money(transaction)?,
        settlement_declined: standing == Standing::NotSettled && was_taken(transaction),
    };
    Ok(match standing {
        Standing::Taken => Outcome::Succeeded { result },
        Standing::InParts => Outcome::Pending { result },
        Standing::ProcessorDeclined | Standing::GatewayRejected | Standing::NotSettled => {
            Outcome::Declined { decline: decline(transaction, standing), result: Some(result) }
        }
        Standing::Asked | Standing::Authorized | Standing::GivenUp => {
            return Err(Unintelligible::field("status", "not that of a capture"));
        }
    })
}

/// A refund, and how it stands.
pub(in crate::providers::braintree) fn refunded(
    transaction: &Element,
) -> Result<Outcome<Refunded>, Unintelligible> {
    let standing = check(transaction, "credit")?;
    let result = Refunded {
        reference: transaction.required("id")?.to_owned(),
        attempt: order_id(transaction),
        status: transaction.required("status")?.to_owned(),
        amount: money(transaction)?,
    };
    Ok(match standing {
        Standing::Taken => Outcome::Succeeded { result },
        Standing::Asked | Standing::Authorized | Standing::InParts => Outcome::Pending { result },
        _ => Outcome::Declined { decline: decline(transaction, standing), result: Some(result) },
    })
}

/// What some transactions come to together, in minor units; without those that moved nothing.
pub(in crate::providers::braintree) fn sum(transactions: &[Element]) -> Result<i64, Unintelligible> {
    sum_of(transactions, |standing, _| {
        matches!(standing, Standing::Taken | Standing::InParts | Standing::Asked)
    })
}

/// What of some transactions was captured and not settled, in minor units.
pub(in crate::providers::braintree) fn sum_not_settled(
    transactions: &[Element],
) -> Result<i64, Unintelligible> {
    sum_of(transactions, |standing, transaction| standing == Standing::NotSettled && was_taken(transaction))
}

fn sum_of(
    transactions: &[Element],
    counts: impl Fn(Standing, &Element) -> bool,
) -> Result<i64, Unintelligible> {
    let mut sum: i64 = 0;
    for transaction in transactions {
        if counts(standing(transaction)?, transaction) {
            let next = sum.checked_add(money(transaction)?.minor_units);
            sum = next.ok_or_else(|| Unintelligible::field("amount", "too large"))?;
        }
    }
    Ok(sum)
}

/// What a transaction moved or is about to; none of one that was only authorized, given up or refused, nor of one whose
/// parts are transactions of their own.
pub(in crate::providers::braintree) fn movement(
    transaction: &Element,
) -> Result<Option<Movement>, Unintelligible> {
    let (kind, payment) = match transaction.required("type")? {
        "sale" => {
            let whole = transaction.text("authorized-transaction-id");
            (MovementKind::Charge, whole.or(transaction.text("id")))
        }
        "credit" => (MovementKind::Refund, transaction.text("refunded-transaction-id")),
        _ => return Err(Unintelligible::field("type", "neither sale nor credit")),
    };
    let in_parts = !transaction.items("partial-settlement-transaction-ids").is_empty();
    let status = match (standing(transaction)?, kind) {
        (Standing::Taken, _) => MovementStatus::Succeeded,
        (Standing::InParts, _) if !in_parts => MovementStatus::Pending,
        // A refund that the bank has yet to take.
        (Standing::Asked | Standing::Authorized, MovementKind::Refund) => MovementStatus::Pending,
        _ => return Ok(None),
    };
    Ok(Some(Movement {
        kind,
        reference: transaction.required("id")?.to_owned(),
        payment: payment.map(str::to_owned),
        attempt: order_id(transaction),
        amount: money(transaction)?,
        fee: None,
        status,
        at: transaction.required("created-at")?.to_owned(),
    }))
}

/// How a transaction stands, if it is one of this type.
fn check(transaction: &Element, kind: &str) -> Result<Standing, Unintelligible> {
    if transaction.name() != "transaction" {
        return Err(Unintelligible::field(".", "not a transaction"));
    }
    if transaction.required("type")? != kind {
        return Err(Unintelligible::field("type", format!("not a {kind}")));
    }
    standing(transaction)
}

fn standing(transaction: &Element) -> Result<Standing, Unintelligible> {
    let status = transaction.required("status")?;
    table::find(&table::STATUSES, status).ok_or_else(|| Unintelligible::field("status", "not a known status"))
}

/// Whether a transaction that was not settled counted as taken before: it does from when it is submitted, unless its
/// history tells that it never was. That is how it was told then.
fn was_taken(transaction: &Element) -> bool {
    let history = history(transaction);
    let is_taken = |event: &Element| {
        let status = event.text("status");
        status.and_then(|status| table::find(&table::STATUSES, status)) == Some(Standing::Taken)
    };
    history.is_empty() || history.iter().any(is_taken)
}

fn history(transaction: &Element) -> &[Element] {
    transaction.child("status-history").map(Element::children).unwrap_or_default()
}

fn money(transaction: &Element) -> Result<Money, Unintelligible> {
    amount::read(transaction, "amount", amount::currency(transaction)?)
}

/// A sale that was submitted for less says so in its amount; what was authorized stands in its history.
fn authorized(transaction: &Element, now: Money) -> Result<Money, Unintelligible> {
    let event = history(transaction).iter().find(|event| event.text("status") == Some("authorized"));
    event.map_or(Ok(now), |event| amount::read(event, "amount", now.currency))
}

/// Why nothing was moved.
fn decline(transaction: &Element, standing: Standing) -> Decline {
    let (code, text, response_type) = match standing {
        Standing::GatewayRejected => {
            let reason = transaction.text("gateway-rejection-reason").unwrap_or("gateway_rejected");
            return rejected(reason);
        }
        Standing::NotSettled => {
            ("processor-settlement-response-code", "processor-settlement-response-text", None)
        }
        _ => (
            "processor-response-code",
            "processor-response-text",
            transaction.text("processor-response-type"),
        ),
    };
    let status = transaction.text("status").unwrap_or_default();
    let code = transaction.text(code).unwrap_or(status);
    let message = transaction.text(text).unwrap_or(status);
    processor_decline(code, message, response_type)
}

/// A decline of the processor.
pub(super) fn processor_decline(code: &str, message: &str, response_type: Option<&str>) -> Decline {
    let advice = table::advice(code, response_type);
    Decline { code: code.to_owned(), message: message.to_owned(), advice }
}

/// A rejection by the gateway's own rules: its code is the reason.
pub(super) fn rejected(reason: &str) -> Decline {
    let advice = table::find(&table::REASONS, reason).unwrap_or(wire::payment::Advice::OtherMethod);
    Decline { code: reason.to_owned(), message: format!("Gateway Rejected: {reason}"), advice }
}
