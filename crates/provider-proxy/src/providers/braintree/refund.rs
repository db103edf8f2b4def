//! Refunds: transactions of their own with the attempt as their order id.
//!
//! The payment lists its refunds: so an attempt that has refunded before is found there, and does not refund again.

use wire::payment::{Outcome, Refund, Refunded};

use super::{
    Braintree,
    client::{self, Call},
    error::{self, Refused},
    lookup, messages,
    sale::in_flight,
    table::Special,
    xml::{Element, Written},
};
use crate::{
    error::ProxyError,
    providers::exchange::{Received, Unintelligible},
};

pub(super) async fn refund(braintree: &Braintree, request: &Refund) -> Result<Outcome<Refunded>, ProxyError> {
    let capture = request.capture.as_deref().unwrap_or(&request.payment);
    client::segment("payment", &request.payment)?;
    client::segment("capture", capture)?;
    let Some((id, taken)) = taken(braintree, request, capture).await? else {
        return Ok(missing());
    };
    let made = lookup::made_by(braintree, &taken.items("refund-ids"), request.attempt).await?;
    if let Some(made) = made {
        return messages::refunded(&made).map_err(lookup::unexpected);
    }
    let body = Written::new("transaction")
        .text("amount", &request.amount.decimal())
        .text("order_id", &request.attempt.to_string());
    let body = braintree.keyed(body, request.attempt);
    let call = Call::post(format!("transactions/{id}/refund"));
    let map = |received: &Received, document: &Element| read(received, document, request, &id);
    let outcome = braintree.client.change(call, Some(body), map).await?;
    Ok(if error::special(&outcome) == Some(Special::Unknown) { in_flight() } else { outcome })
}

/// The transaction that took the money: the capture that is named, the payment, or the last of its parts.
async fn taken(
    braintree: &Braintree,
    request: &Refund,
    capture: &str,
) -> Result<Option<(String, Element)>, ProxyError> {
    let Some(transaction) = lookup::transaction(braintree, capture).await? else { return Ok(None) };
    let last = transaction.items("partial-settlement-transaction-ids").pop();
    match last.filter(|_| request.capture.is_none()) {
        None => Ok(Some((capture.to_owned(), transaction))),
        Some(part) => {
            client::segment("capture", &part)?;
            Ok(lookup::transaction(braintree, &part).await?.map(|transaction| (part, transaction)))
        }
    }
}

fn missing() -> Outcome<Refunded> {
    let message = "Braintree has no such payment.".to_owned();
    let rejection = wire::payment::Rejection { status: 404, message, ..Default::default() };
    Outcome::Rejected { rejection }
}

fn read(
    received: &Received,
    document: &Element,
    request: &Refund,
    of: &str,
) -> Result<Outcome<Refunded>, Unintelligible> {
    let refused = Refused::read(document);
    let is_error = refused.is_some();
    let made = match refused {
        None => document,
        Some(refused) => match refused.made("transaction") {
            Some(made) => made,
            None => return Ok(refused.rejected(received)),
        },
    };
    let outcome = messages::refunded(made)?;
    if !messages::is_of(made, request.attempt) {
        return Err(Unintelligible::field("order-id", "another than was asked for"));
    }
    if made.text("refunded-transaction-id").is_some_and(|refunded| refunded != of) {
        return Err(Unintelligible::field("refunded-transaction-id", "another payment"));
    }
    let is_declined = matches!(outcome, Outcome::Declined { .. });
    if is_error && !is_declined {
        return Err(Unintelligible::field("transaction.status", "an error with a refund that is none"));
    }
    Ok(outcome)
}
