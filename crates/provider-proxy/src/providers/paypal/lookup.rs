//! What became of something.
//!
//! PayPal has no search by our attempt. An attempt to make an order is looked up by its own key: PayPal answers a key
//! that it knows with the order as it is now. The request that carries it can make nothing: it is to be paid from a
//! stored account that does not exist.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::http::StatusCode;
use wire::{
    Currency, Money,
    payment::{AttemptId, Found, Lookup, LookupBy},
};

use super::{
    amount::Amount,
    checkout::{order, unexpected},
    client::{Call, Client, invalid, path_id, success},
    error::{Meaning, Refusal},
    messages::{self, Intent, NewOrder, NewUnit, Order, PayingWallet, PaymentSource, Refund},
    outcome,
};
use crate::{
    error::ProxyError,
    providers::exchange::{Received, Unintelligible},
    shape::ShapeError,
};

/// How long PayPal keeps the key of an order, less what two clocks may differ.
const KEY_IS_KEPT: Duration = Duration::from_secs(6 * 3600 - 600);

/// The stored account that does not exist, and what its order is called.
const NOBODY: &str = "lookup-only";

/// `lookup`.
pub(super) async fn lookup(client: &Client, request: &Lookup) -> Result<Found, ProxyError> {
    match &request.by {
        LookupBy::PaymentAttempt { of } => by_attempt(client, *of).await,
        LookupBy::Payment { reference } => {
            by_payment(client, path_id("by.payment.reference", reference)?).await
        }
        LookupBy::RefundAttempt { of, payment } => {
            refund_of(client, path_id("by.refund_attempt.payment", payment)?, *of).await
        }
        LookupBy::Refund { reference } => {
            let id = path_id("by.refund.reference", reference)?;
            let call = Call::get(format!("/v2/payments/refunds/{id}"));
            let refund: Option<Refund> = client.read(call, found).await?;
            refund.as_ref().map_or(Ok(Found::Nothing), of_refund)
        }
    }
}

/// By the order's id, or by that of a capture of it.
async fn by_payment(client: &Client, id: &str) -> Result<Found, ProxyError> {
    let call = Call::get(format!("/v2/checkout/orders/{id}"));
    if let Some(order) = client.read(call, found).await? {
        return of_order(&order);
    }
    let call = Call::get(format!("/v2/payments/captures/{id}"));
    let capture: Option<messages::Capture> = client.read(call, found).await?;
    let Some(order) = capture.and_then(|capture| capture.supplementary_data.related_ids.order_id) else {
        return Ok(Found::Nothing);
    };
    let call = Call::get(format!("/v2/checkout/orders/{}", path_id("by.payment.reference", &order)?));
    client.read(call, found).await?.as_ref().map_or(Ok(Found::Nothing), of_order)
}

/// Among the refunds of the order, each of which bears its attempt.
async fn refund_of(client: &Client, payment: &str, attempt: AttemptId) -> Result<Found, ProxyError> {
    let order: Result<Order, _> = order::<()>(client, payment).await?;
    let Ok(order) = order else { return Ok(Found::Nothing) };
    let refunds = &outcome::only_unit(&order).map_err(unexpected)?.payments.refunds;
    let found = refunds.iter().find(|refund| outcome::attempt(refund.custom_id.as_deref()) == Some(attempt));
    found.map_or(Ok(Found::Nothing), of_refund)
}

async fn by_attempt(client: &Client, attempt: AttemptId) -> Result<Found, ProxyError> {
    if age(attempt, client.clock().now()) > KEY_IS_KEPT {
        let problem = "PayPal knows an attempt for six hours; ask by the id of the order";
        return Err(invalid(ShapeError::field("by.payment_attempt.of", problem)));
    }
    let call = Call::post("/v2/checkout/orders".into(), attempt, Some(&question().map_err(invalid)?))?;
    let order: Option<Order> = client.read(call, |received| known(received, attempt)).await?;
    order.as_ref().map_or(Ok(Found::Nothing), of_order)
}

fn question() -> Result<NewOrder, ShapeError> {
    let euro = Currency::parse("EUR").map_err(|error| ShapeError::field("amount", error.to_string()))?;
    let unit = NewUnit {
        amount: Amount::write(Money { minor_units: 1, currency: euro })?,
        custom_id: NOBODY.to_owned(),
        invoice_id: None,
        description: None,
    };
    let wallet = PayingWallet { vault_id: Some(NOBODY.to_owned()), experience_context: None };
    Ok(NewOrder {
        intent: Intent::Capture,
        purchase_units: [unit],
        payment_source: PaymentSource::Paypal(wallet),
    })
}

/// The order that the key was used for; none when PayPal takes the request for a new one, which it refuses.
fn known(received: &Received, attempt: AttemptId) -> Result<Option<Order>, Unintelligible> {
    if received.status.is_success() {
        let order: Order = success(received)?;
        let unit = outcome::only_unit(&order)?;
        if outcome::attempt(unit.custom_id.as_deref()) != Some(attempt) {
            return Err(Unintelligible::field("purchase_units[0].custom_id", "another attempt"));
        }
        return Ok(Some(order));
    }
    let refusal = Refusal::read(received)?;
    let is_answer = matches!(received.status, StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY);
    if is_answer && refusal.meaning() != Meaning::Unknown {
        return Ok(None);
    }
    Err(Unintelligible::field(".", "PayPal is busy with the attempt, or refuses to say"))
}

/// What is there, or nothing when PayPal says that it is not.
fn found<T: serde::de::DeserializeOwned>(received: &Received) -> Result<Option<T>, Unintelligible> {
    if received.status.is_success() {
        return Ok(Some(success(received)?));
    }
    Refusal::read(received)?;
    if received.status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    Err(Unintelligible::field(".", "PayPal refuses to say"))
}

fn of_order(order: &Order) -> Result<Found, ProxyError> {
    outcome::of_order(order).map(|outcome| Found::Payment { outcome }).map_err(unexpected)
}

fn of_refund(refund: &Refund) -> Result<Found, ProxyError> {
    outcome::of_refund(refund).map(|outcome| Found::Refund { outcome }).map_err(unexpected)
}

/// How old an attempt is: its id says when it was made (RFC 9562, 5.7).
fn age(attempt: AttemptId, now: SystemTime) -> Duration {
    let made = attempt.uuid().get_timestamp().map_or(UNIX_EPOCH, |timestamp| {
        let (seconds, nanoseconds) = timestamp.to_unix();
        UNIX_EPOCH + Duration::new(seconds, nanoseconds)
    });
    now.duration_since(made).unwrap_or_default()
}
