//! `POST /v1/payment_intents/{id}/confirm`: the payer's bank is asked.

use serde_json::{Value, json};

use super::confirmation::Confirmation;
use super::{PaymentIntent, Status, keep};
use crate::stripe::books::{Books, Call, Origin};
use crate::stripe::cards::{Behaviour, Decline};
use crate::stripe::error::Failure;
use crate::stripe::payment_method::PaymentMethod;
use crate::stripe::shelf::Object as _;
use crate::stripe::{charge, dispute, invoice};

pub(in crate::stripe) fn confirm(books: &mut Books, call: &mut Call) -> Result<Value, Failure> {
    let mut intent = books.payment_intents.in_path(&call.id)?.clone();
    let confirmation = Confirmation::take(&call.origin, &mut call.params)?;
    call.finish()?;
    let open = [Status::RequiresPaymentMethod, Status::RequiresConfirmation, Status::RequiresAction];
    intent.must_be(&open, "confirmed")?;
    confirmation.choose(books, &call.origin, &mut intent)?;
    confirmation.check(&intent)?;
    run(books, &call.origin, intent, &confirmation)
}

/// Asks the payer, or the bank. The intent is kept whatever comes of it.
pub(in crate::stripe) fn run(
    books: &mut Books,
    origin: &Origin,
    mut intent: PaymentIntent,
    confirmation: &Confirmation,
) -> Result<Value, Failure> {
    intent.confirmed_by.clone_from(&origin.idempotency_key);
    intent.next_action = None;
    intent.last_payment_error = None;
    let id = intent.payment_method.clone().unwrap_or_default();
    let method = books.payment_methods.in_param(&id, "payment_method")?.clone();
    if method.customer.is_none()
        && let Some(kept) = books.payment_methods.find_mut(&id)
    {
        kept.is_used_up = true;
    }
    match method.behaviour {
        Behaviour::Authenticates(_) if confirmation.off_session || confirmation.error_on_requires_action => {
            let message = "Your card was declined. This transaction requires authentication.";
            let failure =
                Failure::card("authentication_required", message).decline("authentication_required", None);
            Err(refuse(books, origin, intent, &method, failure))
        }
        Behaviour::Authenticates(_) => {
            intent.status = Status::RequiresAction;
            intent.next_action = Some(next_action(origin, &intent.id, intent.return_url.as_deref()));
            let shown = keep(&mut books.payment_intents, intent);
            books.happened(origin, "payment_intent.requires_action", shown.clone());
            Ok(shown)
        }
        Behaviour::Debits => {
            intent.status = Status::Processing;
            let shown = keep(&mut books.payment_intents, intent);
            books.happened(origin, "payment_intent.processing", shown.clone());
            Ok(shown)
        }
        Behaviour::Declines(decline) | Behaviour::DeclinesWhenCharged(decline) => {
            Err(decline_it(books, origin, intent, &method, decline))
        }
        Behaviour::Pays | Behaviour::RefundsLate | Behaviour::RefundsFail | Behaviour::Disputes => {
            Ok(pay(books, origin, intent, &method))
        }
    }
}

/// What the payer must do: go to a page when there is a way back, or have Stripe's script do it.
pub(in crate::stripe) fn next_action(origin: &Origin, id: &str, return_url: Option<&str>) -> Value {
    let url = format!("{}/authenticate/{id}", origin.pages);
    match return_url {
        Some(return_url) => json!({
            "type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}
        }),
        None => json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url, "source": "src_sandbox"}
        }),
    }
}

/// The bank has paid, or has set the amount aside.
fn pay(books: &mut Books, origin: &Origin, mut intent: PaymentIntent, method: &PaymentMethod) -> Value {
    let captures = intent.capture_method != "manual";
    let charge = charge::made(origin, &intent, method, captures);
    intent.latest_charge = Some(charge.id().to_owned());
    intent.next_action = None;
    if intent.setup_future_usage.is_some()
        && let Some(kept) = books.payment_methods.find_mut(method.id())
        && intent.customer.is_some()
    {
        kept.customer.clone_from(&intent.customer);
        kept.is_used_up = false;
    }
    let money = (intent.amount, intent.currency.clone());
    if captures {
        intent.status = Status::Succeeded;
        intent.amount_received = intent.amount;
        books.record(
            origin,
            crate::ledger::Kind::Charge,
            charge.id(),
            (money.0, &money.1),
            intent.reference(),
        );
    } else {
        intent.status = Status::RequiresCapture;
        intent.amount_capturable = intent.amount;
    }
    let charge = books.charges.add(charge);
    let invoice = intent.invoice.clone();
    let shown = keep(&mut books.payment_intents, intent);
    books.happened(origin, "charge.succeeded", charge.clone());
    let kind = if captures { "payment_intent.succeeded" } else { "payment_intent.amount_capturable_updated" };
    books.happened(origin, kind, shown.clone());
    if method.behaviour == Behaviour::Disputes {
        dispute::open(books, origin, &charge);
    }
    if let Some(invoice) = invoice {
        invoice::paid(books, origin, &invoice);
    }
    shown
}

/// The bank says no: a failed charge stays in the books.
fn decline_it(
    books: &mut Books,
    origin: &Origin,
    mut intent: PaymentIntent,
    method: &PaymentMethod,
    decline: Decline,
) -> Failure {
    let charge = charge::refused(origin, &intent, method, decline);
    let id = charge.id().to_owned();
    intent.latest_charge = Some(id.clone());
    let charge = books.charges.add(charge);
    books.happened(origin, "charge.failed", charge);
    let mut failure = Failure::card(decline.code, decline.message)
        .decline(decline.decline_code, decline.advice)
        .charge(&id);
    if decline.code == "incorrect_cvc" {
        failure = failure.about("cvc");
    }
    refuse(books, origin, intent, method, failure)
}

/// Takes the intent back to the choice of a payment method, and tells why.
fn refuse(
    books: &mut Books,
    origin: &Origin,
    mut intent: PaymentIntent,
    method: &PaymentMethod,
    failure: Failure,
) -> Failure {
    let failure = failure.payment_method(method.show());
    intent.status = Status::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.next_action = None;
    intent.last_payment_error = Some(failure.object());
    let invoice = intent.invoice.clone();
    let shown = keep(&mut books.payment_intents, intent);
    books.happened(origin, "payment_intent.payment_failed", shown.clone());
    if let Some(invoice) = invoice {
        invoice::not_paid(books, origin, &invoice);
    }
    failure.payment_intent(shown)
}

/// The payer has authenticated, or the bank has cleared a debit; or not.
pub(in crate::stripe) fn decide(books: &mut Books, origin: &Origin, id: &str, agreed: bool) -> Option<Value> {
    let intent = books.payment_intents.find(id)?.clone();
    let method = books.payment_methods.find(intent.payment_method.as_deref()?)?.clone();
    match (intent.status, method.behaviour) {
        (Status::RequiresAction, Behaviour::Authenticates(Some(decline))) if agreed => {
            drop(decline_it(books, origin, intent, &method, decline));
        }
        (Status::RequiresAction | Status::Processing, _) if agreed => {
            drop(pay(books, origin, intent, &method))
        }
        (Status::RequiresAction, _) => {
            let message = "We are unable to authenticate your payment method. Please choose a different payment \
                           method and try again.";
            let failure = Failure::state("payment_intent_authentication_failure", message);
            drop(refuse(books, origin, intent, &method, failure));
        }
        (Status::Processing, _) => {
            let message = "The payment failed: the bank returned the debit.";
            let failure = Failure::card("payment_intent_payment_attempt_failed", message)
                .decline("insufficient_funds", Some("try_again_later"));
            drop(refuse(books, origin, intent, &method, failure));
        }
        _ => return None,
    }
    books.payment_intents.find(id).map(|intent| intent.show())
}
