//! Payments: authorize, capture, void and refund.

use std::fmt::Write as _;

use serde_json::json;
use wire::{
    Money,
    payment::{
        Action, Authorize, Capture, Captured, Decline, Outcome, Payment, Refund, Refunded, Source, Void,
    },
};

use super::{
    Stripe, amount,
    client::{Call, id, invalid},
    error::{self, Standing, standing},
    messages::{self, ATTEMPT, ErrorBody, PaymentIntent, attempt},
};
use crate::{error::ProxyError, providers::exchange::Unintelligible, shape::ShapeError};

/// What stands before an attempt in the name of the metadata that says how much it captured.
const CAPTURED_BY: &str = "capture_";

impl Stripe {
    /// `POST /v1/payment_intents` with `confirm=true`.
    pub(super) async fn authorize_payment(
        &self,
        request: &Authorize,
    ) -> Result<Outcome<Payment>, ProxyError> {
        let call = authorize_call(request)?;
        let map = |intent: PaymentIntent| {
            if attempt(&intent.metadata) != Some(request.attempt) {
                return Err(Unintelligible::field("metadata.attempt", "not the attempt that was sent"));
            }
            outcome(&intent)
        };
        self.client.change(call, map, kept_payment).await
    }

    /// `POST /v1/payment_intents/{id}/capture`.
    ///
    /// Stripe says how much was captured in all. Each capture leaves its own amount in the metadata, so that what
    /// is left of Stripe's sum without the others is the amount of this one, in Stripe's words.
    pub(super) async fn capture_payment(&self, request: &Capture) -> Result<Outcome<Captured>, ProxyError> {
        let path = format!("/v1/payment_intents/{}/capture", id("payment", &request.payment)?);
        let asked = amount::to_stripe(request.amount).map_err(invalid)?.to_string();
        let mine = format!("{CAPTURED_BY}{}", request.attempt.uuid().simple());
        let call = Call::post(path, request.attempt)
            .with("amount_to_capture", &asked)
            .with("final_capture", if request.last { "true" } else { "false" })
            .with(&format!("metadata[{mine}]"), &asked);
        let map = |intent: PaymentIntent| {
            same_object(&intent.id, &request.payment)?;
            let captured = Captured {
                reference: intent.id.clone(),
                status: intent.status.clone(),
                amount: amount::from_stripe(by_this_one(&intent, &mine)?, &intent.currency)?,
                settlement_declined: false,
            };
            match standing(error::PAYMENT_INTENT, &intent.status)? {
                Standing::Succeeded if intent.status != "canceled" => {
                    Ok(Outcome::Succeeded { result: captured })
                }
                Standing::Pending => Ok(Outcome::Pending { result: captured }),
                _ => Err(Unintelligible::field("status", "not the status of a captured payment")),
            }
        };
        self.client.change(call, map, |_| Ok(None)).await
    }

    /// `POST /v1/payment_intents/{id}/cancel`. One that has been given up before is as good.
    pub(super) async fn void_payment(&self, request: &Void) -> Result<Outcome<Payment>, ProxyError> {
        let payment = id("payment", &request.payment)?;
        let call = Call::post(format!("/v1/payment_intents/{payment}/cancel"), request.attempt);
        let map = |intent: PaymentIntent| {
            same_object(&intent.id, payment)?;
            if intent.status != "canceled" {
                return Err(Unintelligible::field("status", "expected canceled"));
            }
            outcome(&intent)
        };
        let outcome = self.client.change(call, map, |_| Ok(None)).await?;
        if !matches!(&outcome, Outcome::Rejected { rejection } if rejection.status == 400) {
            return Ok(outcome);
        }
        // Evidence is asked for; without it the rejection stands.
        let now =
            self.client.read::<PaymentIntent>(Call::get(format!("/v1/payment_intents/{payment}"))).await;
        match now {
            Ok(Some(intent)) if intent.status == "canceled" => {
                Ok(Outcome::Succeeded { result: payment_of(&intent).map_err(unexpected)? })
            }
            _ => Ok(outcome),
        }
    }

    /// `POST /v1/refunds`.
    pub(super) async fn refund_payment(&self, request: &Refund) -> Result<Outcome<Refunded>, ProxyError> {
        let payment = id("payment", &request.payment)?;
        if request.capture.as_ref().is_some_and(|capture| capture != payment) {
            return Err(invalid(ShapeError::field("capture", "Stripe's captures have no ids of their own")));
        }
        let call = Call::post("/v1/refunds", request.attempt)
            .with("payment_intent", payment)
            .with("amount", &amount::to_stripe(request.amount).map_err(invalid)?.to_string())
            .with(&format!("metadata[{ATTEMPT}]"), &request.attempt.to_string());
        let map = |refund: messages::Refund| {
            let refunded = refund_outcome(&refund)?;
            if refunded.result().is_some_and(|refunded| refunded.attempt != Some(request.attempt)) {
                return Err(Unintelligible::field("metadata.attempt", "not the attempt that was sent"));
            }
            Ok(refunded)
        };
        self.client.change(call, map, |_| Ok(None)).await
    }
}

fn authorize_call(request: &Authorize) -> Result<Call, ProxyError> {
    let redirects = if request.return_url.is_some() { "always" } else { "never" };
    let mut call = Call::post("/v1/payment_intents", request.attempt)
        .with("amount", &amount::to_stripe(request.amount).map_err(invalid)?.to_string())
        .with("currency", &amount::currency_to_stripe(request.amount.currency))
        .with("confirm", "true")
        .with("capture_method", if request.capture { "automatic" } else { "manual" })
        .with("automatic_payment_methods[enabled]", "true")
        .with("automatic_payment_methods[allow_redirects]", redirects)
        .with_some("description", request.description.as_deref())
        .with_some("return_url", request.return_url.as_deref())
        .with("expand[]", "latest_charge")
        .with("expand[]", "payment_method");
    if !request.capture {
        call = call.with("payment_method_options[card][request_multicapture]", "if_available");
    }
    call = match &request.source {
        Source::Nonce { nonce } => call.with_token("payment_method", nonce),
        Source::PaymentMethod { token, customer } => {
            call.with_token("payment_method", token).with_some("customer", customer.as_deref())
        }
    };
    for (name, value) in request.metadata.iter().filter(|(name, _)| *name != ATTEMPT) {
        if name.is_empty() || name.contains(['[', ']']) {
            return Err(invalid(ShapeError::field("metadata", "expected names without brackets")));
        }
        call = call.with(&format!("metadata[{name}]"), value);
    }
    Ok(call.with(&format!("metadata[{ATTEMPT}]"), &request.attempt.to_string()))
}

/// What a capture has taken: all that was, without what the other captures left in the metadata.
fn by_this_one(intent: &PaymentIntent, mine: &str) -> Result<i64, Unintelligible> {
    let others = intent.metadata.iter().filter(|(name, _)| name.starts_with(CAPTURED_BY) && *name != mine);
    let mut others = others.filter_map(|(_, amount)| amount.parse::<i64>().ok());
    let left = others.try_fold(intent.amount_received, i64::checked_sub);
    left.ok_or_else(|| Unintelligible::field("metadata", "not the amounts of captures"))
}

/// An answer about another object than was asked for says nothing about this one.
fn same_object(answered: &str, asked: &str) -> Result<(), Unintelligible> {
    if answered == asked {
        Ok(())
    } else {
        Err(Unintelligible::field("id", "not the object that was asked for"))
    }
}

/// The payment that Stripe keeps of a declined attempt.
fn kept_payment(body: &ErrorBody) -> Result<Option<Payment>, Unintelligible> {
    let Some(intent) = &body.error.payment_intent else { return Ok(None) };
    let mut payment = payment_of(intent)?;
    payment.payment_method = body.error.payment_method.as_ref().map(|method| method.to_wire());
    Ok(Some(payment))
}

/// A payment in our words.
pub(super) fn payment_of(intent: &PaymentIntent) -> Result<Payment, Unintelligible> {
    let minor_units =
        |theirs| amount::from_stripe(theirs, &intent.currency).map(|money: Money| money.minor_units);
    let charge = intent.latest_charge.as_ref().and_then(|charge| charge.object());
    // Stripe counts an authorization that was given up as refunded; nothing had been taken.
    let refunded = charge.map(|charge| charge.amount_refunded.min(intent.amount_received));
    let method = intent.payment_method.as_ref().and_then(|method| method.object());
    Ok(Payment {
        reference: intent.id.clone(),
        attempt: attempt(&intent.metadata),
        status: intent.status.clone(),
        amount: amount::from_stripe(intent.amount, &intent.currency)?,
        captured: minor_units(intent.amount_received)?,
        settlement_declined: 0,
        refunded: refunded.map(minor_units).transpose()?,
        voided: intent.status == "canceled",
        captures: Vec::new(),
        payment_method: method.map(messages::PaymentMethod::to_wire),
    })
}

/// How a payment stands.
pub(super) fn outcome(intent: &PaymentIntent) -> Result<Outcome<Payment>, Unintelligible> {
    let result = payment_of(intent)?;
    Ok(match standing(error::PAYMENT_INTENT, &intent.status)? {
        Standing::Succeeded => Outcome::Succeeded { result },
        Standing::Pending => Outcome::Pending { result },
        Standing::RequiresAction => Outcome::RequiresAction { action: action(intent), result },
        Standing::Declined => Outcome::Declined { decline: declined(intent), result: Some(result) },
    })
}

/// What the payer must do: go to a page, or let Stripe's script do it with the client secret.
pub(super) fn action(intent: &PaymentIntent) -> Action {
    let next = intent.next_action.as_ref();
    let url = next.and_then(|next| next.redirect_to_url.as_ref()).and_then(|redirect| redirect.url.clone());
    let kind = next.map_or(intent.status.as_str(), |next| next.kind.as_str());
    let data = json!({"type": kind, "client_secret": intent.client_secret});
    Action { url, data: Some(data) }
}

/// Why an intent is back at the choice of a payment method.
pub(super) fn declined(intent: &PaymentIntent) -> Decline {
    match &intent.last_payment_error {
        Some(error) => error::decline(error),
        None => Decline {
            code: intent.status.clone(),
            message: "Nothing was charged: the payment has no payment method.".to_owned(),
            advice: wire::payment::Advice::OtherMethod,
        },
    }
}

/// How a refund stands.
pub(super) fn refund_outcome(refund: &messages::Refund) -> Result<Outcome<Refunded>, Unintelligible> {
    let result = Refunded {
        reference: refund.id.clone(),
        attempt: refund.metadata.as_ref().and_then(attempt),
        status: refund.status.clone(),
        amount: amount::from_stripe(refund.amount, &refund.currency)?,
    };
    Ok(match standing(error::REFUND, &refund.status)? {
        Standing::Succeeded => Outcome::Succeeded { result },
        Standing::Pending => Outcome::Pending { result },
        Standing::RequiresAction => Outcome::RequiresAction { action: Action::default(), result },
        Standing::Declined => {
            let code = refund.failure_reason.clone().unwrap_or_else(|| refund.status.clone());
            let mut message = "The refund did not reach the payer".to_owned();
            let _ = write!(message, ": {code}.");
            let decline = Decline { code, message, advice: wire::payment::Advice::OtherMethod };
            Outcome::Declined { decline, result: Some(result) }
        }
    })
}

/// The error of a question whose answer cannot be read.
pub(super) fn unexpected(error: Unintelligible) -> ProxyError {
    ProxyError::UnexpectedAnswer { target: wire::payment::Provider::Stripe.name(), source: error.0 }
}
