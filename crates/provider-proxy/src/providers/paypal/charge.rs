//! What happens to a payment after it was authorized: captures, a void, refunds.
//!
//! A payment is known by its order. What is captured or voided is the last authorization in it; what is refunded, a
//! capture.

use wire::payment::{Capture, Captured, Outcome, Payment, Refund, Refunded, Void};

use super::{
    amount::Amount,
    checkout::{order, unexpected},
    client::{Call, Client, invalid, path_id, success},
    error::{Meaning, Refusal},
    messages::{self, AuthorizationStatus, NewCapture, NewRefund, Order},
    outcome,
};
use crate::{error::ProxyError, providers::exchange::Unintelligible, shape::ShapeError};

/// `capture`.
pub(super) async fn capture(client: &Client, request: &Capture) -> Result<Outcome<Captured>, ProxyError> {
    let amount = Amount::write(request.amount).map_err(invalid)?;
    let order = match order(client, path_id("payment", &request.payment)?).await? {
        Ok(order) => order,
        Err(refused) => return Ok(refused),
    };
    let authorization = path_id("payment", &last_authorization(&order)?.id)?;
    let wanted = NewCapture { amount, invoice_id: request.attempt.to_string(), final_capture: request.last };
    let path = format!("/v2/payments/authorizations/{authorization}/capture");
    let call = Call::post(path, request.attempt, Some(&wanted))?;
    client
        .change(call, |received| {
            if received.status.is_success() {
                return outcome::of_capture(&success(received)?);
            }
            Ok(Refusal::read(received)?.outcome(received))
        })
        .await
}

/// `void`: one that was voided before is as good.
pub(super) async fn void(client: &Client, request: &Void) -> Result<Outcome<Payment>, ProxyError> {
    let order = match order(client, path_id("payment", &request.payment)?).await? {
        Ok(order) => order,
        Err(refused) => return Ok(refused),
    };
    let authorization = path_id("payment", &last_authorization(&order)?.id)?;
    let path = format!("/v2/payments/authorizations/{authorization}/void");
    let call = Call::post(path, request.attempt, None::<&()>)?;
    let mut voided = order.clone();
    if let Some(last) = last_of(&mut voided) {
        last.status = AuthorizationStatus::Voided;
    }
    client
        .change(call, |received| {
            // 204 when nothing more is said of it.
            if received.status.is_success() {
                if !received.body.is_empty() {
                    is_voided(&success(received)?)?;
                }
                return outcome::of_order(&voided);
            }
            let refusal = Refusal::read(received)?;
            if refusal.meaning() == Meaning::DoneBefore {
                return outcome::of_order(&voided);
            }
            Ok(refusal.outcome(received))
        })
        .await
}

fn is_voided(authorization: &messages::Authorization) -> Result<(), Unintelligible> {
    if authorization.status == AuthorizationStatus::Voided {
        return Ok(());
    }
    Err(Unintelligible::field("status", "not voided"))
}

/// `refund`: of the capture that is named, or else of the last one.
pub(super) async fn refund(client: &Client, request: &Refund) -> Result<Outcome<Refunded>, ProxyError> {
    let amount = Amount::write(request.amount).map_err(invalid)?;
    let capture = match &request.capture {
        Some(capture) => path_id("capture", capture)?.to_owned(),
        None => match order(client, path_id("payment", &request.payment)?).await? {
            Ok(order) => last_capture(&order)?,
            Err(refused) => return Ok(refused),
        },
    };
    let attempt = request.attempt.to_string();
    let wanted = NewRefund { amount, custom_id: attempt.clone(), invoice_id: attempt };
    let path = format!("/v2/payments/captures/{}/refund", path_id("capture", &capture)?);
    let call = Call::post(path, request.attempt, Some(&wanted))?;
    client
        .change(call, |received| {
            if received.status.is_success() {
                let made: messages::Refund = success(received)?;
                outcome::is_of(request.attempt, made.custom_id.as_deref())?;
                return outcome::of_refund(&made);
            }
            Ok(Refusal::read(received)?.outcome(received))
        })
        .await
}

fn last_authorization(order: &Order) -> Result<&messages::Authorization, ProxyError> {
    let unit = outcome::only_unit(order).map_err(unexpected)?;
    let last = unit.payments.authorizations.last();
    last.ok_or_else(|| invalid(ShapeError::field("payment", "PayPal has authorized nothing for it")))
}

fn last_of(order: &mut Order) -> Option<&mut messages::Authorization> {
    order.purchase_units.first_mut()?.payments.authorizations.last_mut()
}

fn last_capture(order: &Order) -> Result<String, ProxyError> {
    let unit = outcome::only_unit(order).map_err(unexpected)?;
    let last = unit.payments.captures.last();
    last.map(|capture| capture.id.clone())
        .ok_or_else(|| invalid(ShapeError::field("payment", "PayPal has captured nothing of it")))
}
