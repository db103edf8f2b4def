//! The moves of money: what each does to the books, and what follows from it.

use super::amount::Amount;
use super::effects::Effects;
use super::error::Refusal;
use super::order::{Funding, Intent, Order, Status};
use super::payment::{Authorization, Capture, Ground, Refund};
use super::state::{Books, random_id};
use super::webhook::Event;

/// What a capture of an authorization asks for.
pub(super) struct WantedCapture {
    pub(super) amount: Option<Amount>,
    pub(super) invoice_id: Option<String>,
    pub(super) final_capture: bool,
    pub(super) note_to_payer: Option<String>,
}

/// What a refund asks for.
pub(super) struct WantedRefund {
    pub(super) amount: Option<Amount>,
    pub(super) invoice_id: Option<String>,
    pub(super) custom_id: Option<String>,
    pub(super) note_to_payer: Option<String>,
}

/// Executes an order that may be executed: every unit of it.
pub(super) fn pay(
    order: &mut Order,
    key: Option<&str>,
    page: &str,
    books: &mut Books,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    if order.funding == Funding::Declined {
        return Err(Refusal::issue("INSTRUMENT_DECLINED").linked("redirect", page));
    }
    for (index, unit) in order.units.iter().enumerate() {
        if let Some(invoice) = unit.invoice_id.as_ref().filter(|invoice| books.invoices.contains(*invoice)) {
            let at = format!("/purchase_units/{index}/invoice_id");
            return Err(Refusal::issue("DUPLICATE_INVOICE_ID").at(&at, invoice));
        }
    }
    let now = books.now();
    for index in 0..order.units.len() {
        let unit = &order.units[index];
        let named = key.map(ToOwned::to_owned).or_else(|| unit.custom_id.clone());
        let ground = Ground {
            order: order.id.clone(),
            unit: index,
            amount: unit.amount,
            custom_id: unit.custom_id.clone(),
            invoice_id: unit.invoice_id.clone(),
            reference: named.or_else(|| unit.invoice_id.clone()).unwrap_or_default(),
            now,
        };
        books.invoices.extend(unit.invoice_id.clone());
        match order.intent {
            Intent::Capture => {
                let capture = taken(order, ground, effects);
                order.units[index].captures.push(capture.id.clone());
                books.captures.insert(capture.id.clone(), capture);
            }
            Intent::Authorize => {
                let authorization = authorized(order, ground, effects);
                order.units[index].authorizations.push(authorization.id.clone());
                books.authorizations.insert(authorization.id.clone(), authorization);
            }
        }
    }
    order.status = Status::Completed;
    order.updated = now;
    Ok(())
}

fn taken(order: &Order, ground: Ground, effects: &mut Effects) -> Capture {
    let mut capture = Capture::new(ground);
    let instrument = order.instrument.as_ref();
    capture.processor = instrument.and_then(|instrument| instrument.rejection().or(instrument.acceptance()));
    (capture.status, capture.reason) = match order.funding {
        _ if instrument.is_some_and(|instrument| instrument.rejection().is_some()) => ("DECLINED", None),
        Funding::Echeck => ("PENDING", Some("ECHECK")),
        Funding::Review => ("PENDING", Some("PENDING_REVIEW")),
        Funding::Instant | Funding::Declined => ("COMPLETED", None),
    };
    tell_capture(&capture, effects);
    capture
}

/// The line of the ledger and the webhook of a capture as it stands.
pub(super) fn tell_capture(capture: &Capture, effects: &mut Effects) {
    if capture.status == "COMPLETED" {
        effects.charged(capture);
    }
    effects.event(Event::of_capture(capture));
}

fn authorized(order: &Order, ground: Ground, effects: &mut Effects) -> Authorization {
    let mut authorization = Authorization::new(ground);
    let instrument = order.instrument.as_ref();
    authorization.processor =
        instrument.and_then(|instrument| instrument.rejection().or(instrument.acceptance()));
    (authorization.status, authorization.reason) = match order.funding {
        _ if instrument.is_some_and(|instrument| instrument.rejection().is_some()) => ("DENIED", None),
        Funding::Review | Funding::Echeck => ("PENDING", Some("PENDING_REVIEW")),
        Funding::Instant | Funding::Declined => ("CREATED", None),
    };
    if authorization.status == "CREATED" {
        effects.event(Event::of_authorization(&authorization, "PAYMENT.AUTHORIZATION.CREATED"));
    }
    authorization
}

/// Captures an authorization or a part of it; gives the capture's id.
pub(super) fn capture(
    id: &str,
    wanted: WantedCapture,
    key: Option<&str>,
    books: &mut Books,
    effects: &mut Effects,
) -> Result<String, Refusal> {
    let now = books.now();
    let authorization = books.authorizations.get(id).ok_or_else(|| Refusal::not_found(id))?;
    let amount = wanted.amount.unwrap_or(authorization.amount);
    may_capture(authorization, amount)?;
    if now >= authorization.expires() {
        return Err(Refusal::issue("AUTHORIZATION_EXPIRED"));
    }
    if let Some(invoice) = wanted.invoice_id.as_ref().filter(|invoice| books.invoices.contains(*invoice)) {
        return Err(Refusal::issue("DUPLICATE_INVOICE_ID").at("/invoice_id", invoice));
    }
    let authorization = books.authorizations.get_mut(id).ok_or_else(|| Refusal::not_found(id))?;
    authorization.captured += amount.minor;
    let is_last = wanted.final_capture || authorization.captured == authorization.amount.minor;
    authorization.status = if is_last { "CAPTURED" } else { "PARTIALLY_CAPTURED" };
    authorization.updated = now;
    let named = key.map(ToOwned::to_owned).or_else(|| wanted.invoice_id.clone());
    let mut capture = Capture::new(Ground {
        order: authorization.order.clone(),
        unit: authorization.unit,
        amount,
        custom_id: authorization.custom_id.clone(),
        invoice_id: wanted.invoice_id.clone().or_else(|| authorization.invoice_id.clone()),
        reference: named.unwrap_or_else(|| authorization.reference.clone()),
        now,
    });
    capture.authorization = Some(id.to_owned());
    capture.final_capture = wanted.final_capture;
    capture.note_to_payer = wanted.note_to_payer;
    capture.processor = authorization.processor;
    books.invoices.extend(wanted.invoice_id);
    if let Some(unit) =
        books.orders.get_mut(&capture.order).and_then(|order| order.units.get_mut(capture.unit))
    {
        unit.captures.push(capture.id.clone());
    }
    tell_capture(&capture, effects);
    let id = capture.id.clone();
    books.captures.insert(id.clone(), capture);
    Ok(id)
}

fn may_capture(authorization: &Authorization, amount: Amount) -> Result<(), Refusal> {
    let issue = match authorization.status {
        "VOIDED" => "AUTHORIZATION_VOIDED",
        "CAPTURED" => "AUTHORIZATION_ALREADY_CAPTURED",
        "DENIED" | "PENDING" => "AUTHORIZATION_DENIED",
        _ if amount.currency() != authorization.amount.currency() => "AUTH_CAPTURE_CURRENCY_MISMATCH",
        _ if authorization.captured + amount.minor > authorization.amount.minor => {
            "MAX_CAPTURE_AMOUNT_EXCEEDED"
        }
        _ => return Ok(()),
    };
    Err(Refusal::issue(issue))
}

/// Gives up an authorization that is not fully captured.
pub(super) fn void(
    id: &str,
    key: Option<&str>,
    books: &mut Books,
    effects: &mut Effects,
) -> Result<String, Refusal> {
    let now = books.now();
    let authorization = books.authorizations.get_mut(id).ok_or_else(|| Refusal::not_found(id))?;
    let issue = match authorization.status {
        "VOIDED" => Some("PREVIOUSLY_VOIDED"),
        "CAPTURED" => Some("PREVIOUSLY_CAPTURED"),
        "DENIED" => Some("AUTHORIZATION_DENIED"),
        _ => None,
    };
    if let Some(issue) = issue {
        return Err(Refusal::issue(issue));
    }
    authorization.status = "VOIDED";
    authorization.updated = now;
    let reference = key.map_or_else(|| authorization.reference.clone(), ToOwned::to_owned);
    effects.voided(authorization, &reference);
    effects.event(Event::of_authorization(authorization, "PAYMENT.AUTHORIZATION.VOIDED"));
    Ok(id.to_owned())
}

/// Authorizes again: a new authorization takes the place of the old one.
pub(super) fn reauthorize(
    id: &str,
    amount: Option<Amount>,
    key: Option<&str>,
    books: &mut Books,
    effects: &mut Effects,
) -> Result<String, Refusal> {
    let now = books.now();
    let old = books.authorizations.get(id).ok_or_else(|| Refusal::not_found(id))?.clone();
    let amount = amount.unwrap_or(old.amount);
    may_capture(&old, amount)?;
    if now < old.honored_until() {
        return Err(Refusal::issue("REAUTHORIZATION_TOO_SOON"));
    }
    if now >= old.expires() {
        return Err(Refusal::issue("AUTHORIZATION_EXPIRED"));
    }
    let mut new = Authorization::new(Ground {
        order: old.order,
        unit: old.unit,
        amount,
        custom_id: old.custom_id,
        invoice_id: old.invoice_id,
        reference: key.map(ToOwned::to_owned).unwrap_or(old.reference),
        now,
    });
    (new.begun, new.processor) = (old.begun, old.processor);
    if let Some(replaced) = books.authorizations.get_mut(id) {
        (replaced.status, replaced.updated) = ("VOIDED", now);
    }
    if let Some(unit) = books.orders.get_mut(&new.order).and_then(|order| order.units.get_mut(new.unit)) {
        unit.authorizations.push(new.id.clone());
    }
    effects.event(Event::of_authorization(&new, "PAYMENT.AUTHORIZATION.CREATED"));
    let id = new.id.clone();
    books.authorizations.insert(id.clone(), new);
    Ok(id)
}

/// Gives back a capture or a part of it; gives the refund's id.
pub(super) fn refund(
    id: &str,
    wanted: WantedRefund,
    key: Option<&str>,
    books: &mut Books,
    effects: &mut Effects,
) -> Result<String, Refusal> {
    let now = books.now();
    let capture = books.captures.get(id).ok_or_else(|| Refusal::not_found(id))?;
    let amount = wanted.amount.unwrap_or(capture.amount.of(capture.amount.minor - capture.refunded));
    let issue = match capture.status {
        "PENDING" => Some("PENDING_CAPTURE"),
        "DECLINED" | "FAILED" => Some("REFUND_NOT_ALLOWED"),
        "REFUNDED" => Some("CAPTURE_FULLY_REFUNDED"),
        _ if amount.currency() != capture.amount.currency() => Some("REFUND_CAPTURE_CURRENCY_MISMATCH"),
        _ if amount.minor > capture.amount.minor - capture.refunded => Some("REFUND_AMOUNT_EXCEEDED"),
        _ => None,
    };
    if let Some(issue) = issue {
        return Err(Refusal::issue(issue));
    }
    let (order, unit) = (capture.order.clone(), capture.unit);
    let named = key.map(ToOwned::to_owned).or_else(|| wanted.custom_id.clone());
    let is_slow = books.orders.get(&order).is_some_and(|order| order.funding == Funding::Echeck);
    let refund = Refund {
        id: random_id(17),
        capture: id.to_owned(),
        amount,
        status: if is_slow { "PENDING" } else { "COMPLETED" },
        reason: is_slow.then_some("ECHECK"),
        custom_id: wanted.custom_id.or_else(|| capture.custom_id.clone()),
        reference: named.or_else(|| wanted.invoice_id.clone()).unwrap_or_else(|| capture.reference.clone()),
        invoice_id: wanted.invoice_id.or_else(|| capture.invoice_id.clone()),
        note_to_payer: wanted.note_to_payer,
        total: capture.refunded + amount.minor,
        created: now,
        updated: now,
    };
    book_refund(books, id, amount.minor);
    if let Some(unit) = books.orders.get_mut(&order).and_then(|order| order.units.get_mut(unit)) {
        unit.refunds.push(refund.id.clone());
    }
    tell_refund(&refund, effects);
    let id = refund.id.clone();
    books.refunds.insert(id.clone(), refund);
    Ok(id)
}

/// The line of the ledger and the webhook of a refund as it stands.
pub(super) fn tell_refund(refund: &Refund, effects: &mut Effects) {
    match refund.status {
        "COMPLETED" => {
            effects.refunded(refund);
            effects.event(Event::of_refund(refund, "PAYMENT.CAPTURE.REFUNDED"));
        }
        "PENDING" => effects.event(Event::of_refund(refund, "PAYMENT.REFUND.PENDING")),
        _ => effects.event(Event::of_refund(refund, "PAYMENT.REFUND.FAILED")),
    }
}

/// Counts a refund on its capture; a failed one is counted back.
pub(super) fn book_refund(books: &mut Books, capture: &str, minor: i64) {
    let now = books.now();
    if let Some(capture) = books.captures.get_mut(capture) {
        capture.refunded += minor;
        capture.updated = now;
        capture.status = match capture.refunded {
            0 => "COMPLETED",
            all if all == capture.amount.minor => "REFUNDED",
            _ => "PARTIALLY_REFUNDED",
        };
    }
}
