//! Checkouts: an order that the payer approves on PayPal's page, and its execution.

use std::cell::Cell;

use wire::{
    Money,
    payment::{
        AttemptId, Authorize, Checkout, CompleteCheckout, Outcome, Payment, Provider, Source, StartCheckout,
    },
};

use super::{
    amount::Amount,
    client::{Call, Client, invalid, path_id, success},
    error::{Meaning, Refusal},
    messages::{
        Context, Intent, NewOrder, NewUnit, Order, OrderStatus, PayingCard, PayingWallet, PaymentSource,
        Verification,
    },
    outcome,
    vault::Stored,
};
use crate::{
    error::ProxyError,
    providers::exchange::{Received, Unintelligible, after_a_change},
    shape::ShapeError,
};

/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 127;

/// `start_checkout`.
pub(super) async fn start(client: &Client, request: &StartCheckout) -> Result<Outcome<Checkout>, ProxyError> {
    let context = Context {
        return_url: request.return_url.clone(),
        cancel_url: request.cancel_url.clone(),
        user_action: Some("PAY_NOW"),
        shipping_preference: Some("NO_SHIPPING"),
    };
    let wallet = PayingWallet { vault_id: None, experience_context: Some(context) };
    let order = NewOrder {
        intent: Intent::of(request.capture),
        purchase_units: [unit(request.attempt, request.amount, request.description.as_deref())?],
        payment_source: PaymentSource::Paypal(wallet),
    };
    let call = Call::post("/v2/checkout/orders".into(), request.attempt, Some(&order))?;
    let made = client.change(call, |received| started(received, request)).await?;
    if let Outcome::Succeeded { result: (_, amount) } = &made {
        same(request.amount, *amount)?;
    }
    Ok(made.map(|(checkout, _)| checkout))
}

fn started(
    received: &Received,
    request: &StartCheckout,
) -> Result<Outcome<(Checkout, Money)>, Unintelligible> {
    if !received.status.is_success() {
        return Ok(Refusal::read(received)?.outcome(received));
    }
    let order: Order = success(received)?;
    let unit = outcome::only_unit(&order)?;
    outcome::is_of(request.attempt, unit.custom_id.as_deref())?;
    let amount = unit.amount.read()?;
    let url = match outcome::payer_page(&order) {
        Some(url) => url.to_owned(),
        // Asked again after the payer has been there: back to the shop, which completes it.
        None if matches!(order.status, OrderStatus::Approved | OrderStatus::Completed) => {
            request.return_url.clone()
        }
        None => return Err(Unintelligible::field("links", "no page for the payer")),
    };
    let checkout = Checkout { reference: order.id, status: order.status.word().to_owned(), url };
    Ok(Outcome::Succeeded { result: (checkout, amount) })
}

/// `complete_checkout`: only an order of exactly this amount is executed, and only once.
pub(super) async fn complete(
    client: &Client,
    request: &CompleteCheckout,
) -> Result<Outcome<Payment>, ProxyError> {
    let id = path_id("checkout", &request.checkout)?;
    let order = match order(client, id).await? {
        Ok(order) => order,
        Err(refused) => return Ok(refused),
    };
    let wrong = |field: &str, problem: &str| Err(invalid(ShapeError::field(field, problem)));
    let amount = outcome::only_unit(&order).and_then(|unit| unit.amount.read()).map_err(unexpected)?;
    if amount != request.amount {
        return wrong("amount", "the checkout is about another amount");
    }
    if order.intent != Intent::of(request.capture) {
        return wrong("capture", "the checkout was started otherwise");
    }
    if order.status != OrderStatus::Approved {
        return outcome::of_order(&order).map_err(unexpected);
    }
    let path = format!("/v2/checkout/orders/{id}/{}", order.intent.path());
    let call = Call::post(path, request.attempt, None::<&()>)?;
    let ask_again = Cell::new(false);
    let executed = client.change(call, |received| executed(received, &ask_again)).await?;
    if !ask_again.get() {
        return Ok(executed);
    }
    // Somebody was faster, or the payer is not done: the order says how it stands.
    let seen = self::order(client, id).await;
    let seen = seen.and_then(|order| match order {
        Ok(order) => outcome::of_order(&order).map_err(unexpected),
        Err(refused) => Ok(refused),
    });
    Ok(after_a_change(seen))
}

/// What an order came to, and whether it is to be read again to know.
fn executed(received: &Received, ask_again: &Cell<bool>) -> Result<Outcome<Payment>, Unintelligible> {
    if received.status.is_success() {
        return outcome::of_order(&success(received)?);
    }
    let refusal = Refusal::read(received)?;
    ask_again.set(matches!(refusal.meaning(), Meaning::PayerAction | Meaning::DoneBefore));
    Ok(refusal.outcome(received))
}

/// The order of an id, or the outcome when PayPal does not give it.
pub(super) async fn order<T>(client: &Client, id: &str) -> Result<Result<Order, Outcome<T>>, ProxyError> {
    let call = Call::get(format!("/v2/checkout/orders/{id}"));
    client
        .read(call, |received| {
            if received.status.is_success() {
                let order: Order = success(received)?;
                if order.id != id {
                    return Err(Unintelligible::field("id", "another order"));
                }
                return Ok(Ok(order));
            }
            Ok(Err(Refusal::read(received)?.outcome(received)))
        })
        .await
}

/// `authorize`: an order that is paid with what is stored, in one step.
pub(super) async fn authorize(client: &Client, request: &Authorize) -> Result<Outcome<Payment>, ProxyError> {
    let order = NewOrder {
        intent: Intent::of(request.capture),
        purchase_units: [unit(request.attempt, request.amount, request.description.as_deref())?],
        payment_source: source(request)?,
    };
    let call = Call::post("/v2/checkout/orders".into(), request.attempt, Some(&order))?;
    client
        .change(call, |received| {
            if received.status.is_success() {
                let order: Order = success(received)?;
                outcome::is_of(request.attempt, outcome::only_unit(&order)?.custom_id.as_deref())?;
                return outcome::of_order(&order);
            }
            Ok(Refusal::read(received)?.outcome(received))
        })
        .await
}

fn source(request: &Authorize) -> Result<PaymentSource, ProxyError> {
    let Source::PaymentMethod { token, .. } = &request.source else {
        let problem = "PayPal charges a stored payment method, or a checkout that its payer approves";
        return Err(invalid(ShapeError::field("source", problem)));
    };
    let context = request.return_url.as_ref().map(|url| Context {
        return_url: url.clone(),
        cancel_url: url.clone(),
        user_action: None,
        shipping_preference: None,
    });
    Ok(match Stored::read("source.payment_method.token", token)? {
        Stored::Card(id) => PaymentSource::Card(PayingCard {
            vault_id: id.to_owned(),
            // Without a way back the payer cannot be asked.
            attributes: context.is_some().then(Verification::when_required),
            experience_context: context,
        }),
        Stored::Wallet(id) => {
            PaymentSource::Paypal(PayingWallet { vault_id: Some(id.to_owned()), experience_context: context })
        }
    })
}

/// The one unit of an order: it bears our attempt, under which PayPal takes no second payment.
fn unit(attempt: AttemptId, amount: Money, description: Option<&str>) -> Result<NewUnit, ProxyError> {
    let attempt = attempt.to_string();
    let description = description.filter(|text| !text.trim().is_empty());
    Ok(NewUnit {
        amount: Amount::write(amount).map_err(invalid)?,
        custom_id: attempt.clone(),
        invoice_id: Some(attempt),
        description: description.map(|text| text.chars().take(LONGEST_DESCRIPTION).collect()),
    })
}

fn same(asked: Money, answered: Money) -> Result<(), ProxyError> {
    let target = Provider::Paypal.name();
    if asked == answered { Ok(()) } else { Err(ProxyError::AmountMismatch { target, asked }) }
}

/// An answer to a question that is not understood.
pub(super) fn unexpected(error: Unintelligible) -> ProxyError {
    ProxyError::UnexpectedAnswer { target: Provider::Paypal.name(), source: error.0 }
}
