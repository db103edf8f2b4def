//! Captures: the last one submits the payment for settlement, or its last part; every other one is a part.
//!
//! A part is a transaction of its own with the attempt as its order id, and the payment lists its parts: so an attempt
//! that has been captured before is found there, and not captured again.

use wire::payment::{Capture, Captured, Outcome};

use super::{
    Braintree,
    client::{self, Call},
    error::{self, Refused},
    lookup, messages,
    sale::{has_code, in_flight},
    table::{self, Special},
    xml::{Element, Written},
};
use crate::{
    error::ProxyError,
    providers::exchange::{Received, Unintelligible, after_a_change},
};

pub(super) async fn capture(
    braintree: &Braintree,
    request: &Capture,
) -> Result<Outcome<Captured>, ProxyError> {
    client::segment("payment", &request.payment)?;
    if request.last {
        let outcome = whole(braintree, request).await?;
        if !has_code(&outcome, table::CANNOT_SUBMIT) {
            return Ok(outcome);
        }
        return Ok(after_a_change(submitted_before(braintree, request, outcome).await));
    }
    let payment = lookup::transaction(braintree, &request.payment).await?;
    part(braintree, request, payment.as_ref()).await
}

/// Submits the payment itself; what is left of it is given up.
async fn whole(braintree: &Braintree, request: &Capture) -> Result<Outcome<Captured>, ProxyError> {
    let call = Call::put(format!("transactions/{}/submit_for_settlement", request.payment));
    let body = Written::new("transaction").text("amount", &request.amount.decimal());
    let body = braintree.keyed(body, request.attempt);
    let map = |received: &Received, document: &Element| {
        let outcome = captured_or_rejection(received, document)?;
        match outcome.result() {
            Some(captured) if captured.reference != request.payment => {
                Err(Unintelligible::field("id", "another payment"))
            }
            _ => Ok(outcome),
        }
    };
    known(braintree.client.change(call, Some(body), map).await?)
}

/// The payment is not merely authorized: parts of it were captured, or all of it, perhaps by this attempt.
async fn submitted_before(
    braintree: &Braintree,
    request: &Capture,
    rejected: Outcome<Captured>,
) -> Result<Outcome<Captured>, ProxyError> {
    let Some(payment) = lookup::transaction(braintree, &request.payment).await? else { return Ok(rejected) };
    if !payment.items("partial-settlement-transaction-ids").is_empty() {
        return part(braintree, request, Some(&payment)).await;
    }
    // A payment is submitted as a whole once only: that the amount is the same is as good as this attempt.
    match messages::captured(&payment) {
        Ok(outcome) if outcome.result().is_some_and(|made| made.amount == request.amount) => Ok(outcome),
        _ => Ok(rejected),
    }
}

/// Submits a part, unless this attempt has.
async fn part(
    braintree: &Braintree,
    request: &Capture,
    payment: Option<&Element>,
) -> Result<Outcome<Captured>, ProxyError> {
    if let Some(payment) = payment {
        let parts = payment.items("partial-settlement-transaction-ids");
        let made = lookup::made_by(braintree, &parts, request.attempt).await?;
        if let Some(made) = made {
            return messages::captured(&made).map_err(lookup::unexpected);
        }
    }
    let call = Call::post(format!("transactions/{}/submit_for_partial_settlement", request.payment));
    let body = Written::new("transaction")
        .text("amount", &request.amount.decimal())
        .text("order_id", &request.attempt.to_string());
    let body = braintree.keyed(body, request.attempt).flag("final_capture", request.last);
    let map = |received: &Received, document: &Element| {
        let of = document.text("authorized-transaction-id");
        if of.is_some_and(|of| of != request.payment) {
            return Err(Unintelligible::field("authorized-transaction-id", "another payment"));
        }
        captured_or_rejection(received, document)
    };
    known(braintree.client.change(call, Some(body), map).await?)
}

fn captured_or_rejection(
    received: &Received,
    document: &Element,
) -> Result<Outcome<Captured>, Unintelligible> {
    let Some(refused) = Refused::read(document) else { return messages::captured(document) };
    match refused.made("transaction") {
        Some(made) => match messages::captured(made)? {
            declined @ Outcome::Declined { .. } => Ok(declined),
            _ => Err(Unintelligible::field("transaction.status", "an error with a capture that is none")),
        },
        None => Ok(refused.rejected(received)),
    }
}

fn known(outcome: Outcome<Captured>) -> Result<Outcome<Captured>, ProxyError> {
    Ok(if error::special(&outcome) == Some(Special::Unknown) { in_flight() } else { outcome })
}
