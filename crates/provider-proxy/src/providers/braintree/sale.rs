//! Sales, and giving them up.
//!
//! A sale has the attempt as its order id. Braintree keeps no answers: the same sale asked for again is refused as a
//! duplicate within its window, has a consumed nonce, or is charged again. The first two are looked up here, so that they
//! tell what came of the first; and an attempt that is not new is looked up before anything is sent.

use wire::payment::{Authorize, Outcome, Payment, Source, Void};

use super::{
    Braintree,
    client::{self, Call},
    error::{self, Refused},
    lookup,
    messages::{self, Parts},
    table::{self, Special},
    xml::{Element, Written},
};
use crate::{
    error::ProxyError,
    providers::exchange::{Received, Unintelligible, after_a_change},
};

/// An attempt that is younger than this has not been asked for before, in seconds.
const FRESH: i64 = 10;

pub(super) async fn authorize(
    braintree: &Braintree,
    request: &Authorize,
) -> Result<Outcome<Payment>, ProxyError> {
    let body = body(braintree, request)?;
    if !braintree.is_fresh(request)
        && let Some(found) = lookup::sale_of(braintree, request.attempt).await?
    {
        return Ok(found);
    }
    let map = |received: &Received, document: &Element| read(received, document, request);
    let outcome = braintree.client.change(Call::post("transactions"), Some(body), map).await?;
    match error::special(&outcome) {
        None => Ok(outcome),
        Some(Special::Unknown) => Ok(in_flight()),
        Some(Special::PerhapsBefore) => Ok(after_a_change(before(braintree, request, outcome).await)),
    }
}

fn body(braintree: &Braintree, request: &Authorize) -> Result<Written, ProxyError> {
    let account = braintree.accounts.of(request.amount.currency).map_err(client::invalid)?;
    let body = Written::new("transaction")
        .text("type", "sale")
        .text("amount", &request.amount.decimal())
        .text("order_id", &request.attempt.to_string())
        .text("merchant_account_id", account);
    let mut options = Written::new("options").flag("submit_for_settlement", request.capture);
    let body = match &request.source {
        Source::Nonce { nonce } => {
            if braintree.require_three_d_secure {
                options = options.node(Written::new("three_d_secure").flag("required", true));
            }
            body.text("payment_method_nonce", nonce.expose())
        }
        Source::PaymentMethod { token, customer } => {
            body.text("payment_method_token", token.expose()).optional("customer_id", customer.as_deref())
        }
    };
    Ok(braintree.keyed(body, request.attempt).node(options))
}

fn read(
    received: &Received,
    document: &Element,
    request: &Authorize,
) -> Result<Outcome<Payment>, Unintelligible> {
    let outcome = payment_or_rejection(received, document)?;
    let about = outcome.result().map(|payment| payment.attempt);
    if about.is_some_and(|attempt| attempt != Some(request.attempt)) {
        return Err(Unintelligible::field("order-id", "another than was asked for"));
    }
    Ok(match outcome {
        // Agreed to, and not taken as was asked.
        Outcome::Succeeded { result } if request.capture && result.captured == 0 => {
            Outcome::Pending { result }
        }
        outcome => outcome,
    })
}

/// A transaction, or an error with the transaction that was declined.
fn payment_or_rejection(received: &Received, document: &Element) -> Result<Outcome<Payment>, Unintelligible> {
    let Some(refused) = Refused::read(document) else {
        return messages::payment(document, Parts::default());
    };
    let Some(made) = refused.made("transaction") else { return Ok(refused.rejected(received)) };
    match messages::payment(made, Parts::default())? {
        declined @ Outcome::Declined { .. } => Ok(declined),
        _ => Err(Unintelligible::field("transaction.status", "an error with a transaction that is none")),
    }
}

/// The request of the same attempt that came before this one, if there was one.
async fn before(
    braintree: &Braintree,
    request: &Authorize,
    outcome: Outcome<Payment>,
) -> Result<Outcome<Payment>, ProxyError> {
    if let Some(found) = lookup::sale_of(braintree, request.attempt).await? {
        return Ok(found);
    }
    let is_rejected = matches!(outcome, Outcome::Rejected { .. });
    if is_rejected && braintree.is_fresh(request) {
        return Ok(outcome);
    }
    let reason = "Braintree has seen this request before, and does not find it yet.";
    Ok(Outcome::Unknown { reason: reason.to_owned() })
}

impl Braintree {
    /// A UUID of version 7 says when it was made (RFC 9562). The search may be behind, so that nothing found says
    /// nothing about an attempt that is older.
    fn is_fresh(&self, request: &Authorize) -> bool {
        let made = request.attempt.uuid().get_timestamp().map_or(0, |at| at.to_unix().0);
        let age = self.clock.unix_seconds() - i64::try_from(made).unwrap_or_default();
        age < FRESH
    }
}

/// The outcome while a request with the same key is under way.
pub(super) fn in_flight<T>() -> Outcome<T> {
    Outcome::Unknown { reason: "The same request is under way at Braintree.".to_owned() }
}

pub(super) async fn void(braintree: &Braintree, request: &Void) -> Result<Outcome<Payment>, ProxyError> {
    let id = client::segment("payment", &request.payment)?;
    let body =
        braintree.api_request_keys.then(|| braintree.keyed(Written::new("transaction"), request.attempt));
    let call = Call::put(format!("transactions/{id}/void"));
    let map = |received: &Received, document: &Element| {
        let outcome = payment_or_rejection(received, document)?;
        of_payment(&outcome, &request.payment)?;
        match &outcome {
            Outcome::Succeeded { result } if !result.voided => {
                Err(Unintelligible::field("status", "not that of what was given up"))
            }
            _ => Ok(outcome),
        }
    };
    let outcome = braintree.client.change(call, body, map).await?;
    match error::special(&outcome) {
        Some(Special::Unknown) => Ok(in_flight()),
        Some(Special::PerhapsBefore) if has_code(&outcome, table::CANNOT_VOID) => {
            Ok(after_a_change(voided_before(braintree, id, outcome).await))
        }
        _ => Ok(outcome),
    }
}

/// Given up before is as good.
async fn voided_before(
    braintree: &Braintree,
    id: &str,
    rejected: Outcome<Payment>,
) -> Result<Outcome<Payment>, ProxyError> {
    let found = lookup::payment(braintree, id).await?;
    let is_voided = |payment: &Payment| payment.voided;
    Ok(found.filter(|found| found.result().is_some_and(is_voided)).unwrap_or(rejected))
}

/// Whether an answer is about the payment that was asked about.
pub(super) fn of_payment(outcome: &Outcome<Payment>, payment: &str) -> Result<(), Unintelligible> {
    match outcome.result() {
        Some(result) if result.reference != payment => Err(Unintelligible::field("id", "another payment")),
        _ => Ok(()),
    }
}

/// Whether a request was rejected with a code.
pub(super) fn has_code<T>(outcome: &Outcome<T>, code: &str) -> bool {
    match outcome {
        Outcome::Rejected { rejection } => rejection.errors.iter().any(|error| error.code == code),
        _ => false,
    }
}
