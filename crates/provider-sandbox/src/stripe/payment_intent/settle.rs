//! `POST /v1/payment_intents/{id}/capture` and `…/cancel`: what becomes of an amount that was set aside.

use serde_json::Value;

use super::{PaymentIntent, Status, keep};
use crate::ledger::Kind;
use crate::stripe::books::{Books, Call, Origin};
use crate::stripe::currency;
use crate::stripe::error::Failure;
use crate::stripe::shelf::Object as _;

const CANCELLATION_REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer", "abandoned"];

pub(in crate::stripe) fn capture(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut intent = books.payment_intents.in_path(&call.id)?.clone();
    let asked = call.params.integer("amount_to_capture")?;
    let is_final = call.params.boolean("final_capture")?.unwrap_or(true);
    call.params.metadata(&mut intent.metadata)?;
    if let Some(suffix) = call.params.text("statement_descriptor_suffix")? {
        intent.statement_descriptor_suffix = Some(suffix);
    }
    call.finish()?;
    intent.must_be(&[Status::RequiresCapture], "captured")?;
    let amount = asked.unwrap_or(intent.amount_capturable);
    check(&intent, amount, is_final)?;
    let charge = capture_charge(books, &intent, amount, is_final);
    intent.amount_capturable -= amount;
    intent.amount_received += amount;
    if is_final || intent.amount_capturable == 0 {
        intent.amount_capturable = 0;
        intent.status = Status::Succeeded;
    }
    if amount > 0 {
        let money = (amount, intent.currency.as_str());
        let id = intent.latest_charge.as_deref().unwrap_or_default();
        // The capture is an attempt of its own.
        books.record(&call.origin, Kind::Charge, id, money, None);
    }
    let succeeded = intent.status == Status::Succeeded;
    let shown = keep(&mut books.payment_intents, intent);
    if let Some(charge) = charge {
        books.happened(&call.origin, "charge.captured", charge);
    }
    let kind =
        if succeeded { "payment_intent.succeeded" } else { "payment_intent.amount_capturable_updated" };
    books.happened(&call.origin, kind, shown.clone());
    Ok(shown)
}

fn check(intent: &PaymentIntent, amount: i64, is_final: bool) -> Result<(), Failure> {
    // Nothing more is taken, and what is left is given up.
    let releases = amount == 0 && is_final && intent.amount_received > 0;
    if amount < 1 && !releases {
        let message = "This value must be greater than or equal to 1.";
        return Err(Failure::invalid(message, "amount_to_capture").code("parameter_invalid_integer"));
    }
    if !is_final && !intent.is_multicapture {
        let message = "`final_capture` cannot be set to false: multicapture was not requested for this \
                       PaymentIntent, or is not available for its payment method.";
        return Err(Failure::invalid(message, "final_capture"));
    }
    if amount > intent.amount_capturable {
        let message = format!(
            "The amount_to_capture ({amount}) is greater than the amount_capturable ({}).",
            intent.amount_capturable
        );
        return Err(Failure::invalid(message, "amount_to_capture").code("amount_too_large"));
    }
    currency::check_unit(amount, &intent.currency)
}

fn capture_charge(books: &mut Books, intent: &PaymentIntent, amount: i64, is_final: bool) -> Option<Value> {
    let charge = books.charges.find_mut(intent.latest_charge.as_deref()?)?;
    charge.capture(amount, is_final);
    Some(charge.show())
}

pub(in crate::stripe) fn cancel(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let intent = books.payment_intents.in_path(&call.id)?.clone();
    let reason = call.params.one_of("cancellation_reason", CANCELLATION_REASONS)?;
    call.finish()?;
    let open = [
        Status::RequiresPaymentMethod,
        Status::RequiresCapture,
        Status::RequiresConfirmation,
        Status::RequiresAction,
    ];
    intent.must_be(&open, "canceled")?;
    if intent.amount_received > 0 {
        let message = "This PaymentIntent could not be canceled because a part of it has been captured. Release what \
                       is left with a final capture of 0.";
        return Err(Failure::state("payment_intent_unexpected_state", message).payment_intent(intent.show()));
    }
    Ok(give_up(books, &call.origin, intent, reason))
}

fn give_up(
    books: &mut Books,
    origin: &Origin,
    mut intent: PaymentIntent,
    reason: Option<&'static str>,
) -> Value {
    if intent.status == Status::RequiresCapture {
        let id = intent.latest_charge.clone().unwrap_or_default();
        if let Some(charge) = books.charges.find_mut(&id) {
            charge.amount_refunded = charge.amount;
            charge.refunded = true;
        }
        let money = (intent.amount, intent.currency.clone());
        books.record(origin, Kind::Void, &intent.id, (money.0, &money.1), intent.reference());
    }
    intent.status = Status::Canceled;
    intent.amount_capturable = 0;
    intent.next_action = None;
    intent.canceled_at = Some(origin.seconds());
    intent.cancellation_reason = reason;
    let shown = keep(&mut books.payment_intents, intent);
    books.happened(origin, "payment_intent.canceled", shown.clone());
    shown
}
