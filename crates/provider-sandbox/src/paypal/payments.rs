//! `/v2/payments`: authorizations, captures and refunds.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::Value;

use super::amount::{Amount, Written};
use super::call::{self, Call};
use super::error::Refusal;
use super::once::{Kind, Time, once};
use super::order::bounded;
use super::pay::{self, WantedCapture, WantedRefund};
use super::payment::minimal;
use super::state::Paypal;

/// 45 days.
const KEPT_HOURS: i64 = 45 * 24;
const CAPTURE: Kind = Kind { name: "authorizations.capture", kept_hours: KEPT_HOURS };
const REAUTHORIZE: Kind = Kind { name: "authorizations.reauthorize", kept_hours: KEPT_HOURS };
const VOID: Kind = Kind { name: "authorizations.void", kept_hours: KEPT_HOURS };
const REFUND: Kind = Kind { name: "captures.refund", kept_hours: KEPT_HOURS };

#[derive(Debug, Deserialize)]
struct WrittenCapture {
    amount: Option<Written>,
    invoice_id: Option<String>,
    #[serde(default)]
    final_capture: bool,
    note_to_payer: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WrittenRefund {
    amount: Option<Written>,
    invoice_id: Option<String>,
    custom_id: Option<String>,
    note_to_payer: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WrittenReauthorization {
    amount: Option<Written>,
}

pub(super) async fn read_authorization(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let books = paypal.books();
    let found = books.authorizations.get(&*id).ok_or_else(|| Refusal::not_found(&id))?;
    Ok(HttpResponse::Ok().json(found.show(&call::base(&request))))
}

pub(super) async fn read_capture(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let books = paypal.books();
    let found = books.captures.get(&*id).ok_or_else(|| Refusal::not_found(&id))?;
    Ok(HttpResponse::Ok().json(found.show(&call::base(&request))))
}

pub(super) async fn read_refund(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let books = paypal.books();
    let found = books.refunds.get(&*id).ok_or_else(|| Refusal::not_found(&id))?;
    Ok(HttpResponse::Ok().json(found.show(&call::base(&request))))
}

pub(super) async fn capture(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
    bytes: Bytes,
) -> Result<HttpResponse, Refusal> {
    let call = Call::read(&request)?;
    let asked: WrittenCapture = call::body(&bytes)?;
    bounded("/invoice_id", asked.invoice_id.as_deref(), 127)?;
    bounded("/note_to_payer", asked.note_to_payer.as_deref(), 255)?;
    let amount = optional(asked.amount.as_ref())?;
    let wanted = WantedCapture {
        amount,
        invoice_id: asked.invoice_id,
        final_capture: asked.final_capture,
        note_to_payer: asked.note_to_payer,
    };
    once(
        &paypal,
        CAPTURE,
        &call,
        |books, effects| pay::capture(&id, wanted, call.key.as_deref(), books, effects),
        |books, made, time| show(books.captures.get(made).map(|made| made.show(&call.base)), time, &call),
    )
    .await
}

pub(super) async fn reauthorize(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
    bytes: Bytes,
) -> Result<HttpResponse, Refusal> {
    let call = Call::read(&request)?;
    let asked: WrittenReauthorization = call::body(&bytes)?;
    let amount = optional(asked.amount.as_ref())?;
    once(
        &paypal,
        REAUTHORIZE,
        &call,
        |books, effects| pay::reauthorize(&id, amount, call.key.as_deref(), books, effects),
        |books, made, time| {
            show(books.authorizations.get(made).map(|made| made.show(&call.base)), time, &call)
        },
    )
    .await
}

pub(super) async fn void(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let call = Call::read(&request)?;
    once(
        &paypal,
        VOID,
        &call,
        |books, effects| pay::void(&id, call.key.as_deref(), books, effects),
        |books, made, _| {
            if !call.representation {
                return Ok(HttpResponse::NoContent().finish());
            }
            // Nothing is made, so the answer is no 201.
            show(books.authorizations.get(made).map(|made| made.show(&call.base)), Time::Again, &call)
        },
    )
    .await
}

pub(super) async fn refund(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
    bytes: Bytes,
) -> Result<HttpResponse, Refusal> {
    let call = Call::read(&request)?;
    let asked: WrittenRefund = call::body(&bytes)?;
    bounded("/invoice_id", asked.invoice_id.as_deref(), 127)?;
    bounded("/custom_id", asked.custom_id.as_deref(), 127)?;
    bounded("/note_to_payer", asked.note_to_payer.as_deref(), 255)?;
    let amount = optional(asked.amount.as_ref())?;
    let wanted = WantedRefund {
        amount,
        invoice_id: asked.invoice_id,
        custom_id: asked.custom_id,
        note_to_payer: asked.note_to_payer,
    };
    once(
        &paypal,
        REFUND,
        &call,
        |books, effects| pay::refund(&id, wanted, call.key.as_deref(), books, effects),
        |books, made, time| show(books.refunds.get(made).map(|made| made.show(&call.base)), time, &call),
    )
    .await
}

fn optional(written: Option<&Written>) -> Result<Option<Amount>, Refusal> {
    written.map(|written| Amount::read(Some(written), "/amount")).transpose()
}

fn show(found: Option<Value>, time: Time, call: &Call) -> Result<HttpResponse, Refusal> {
    let shown = found.ok_or_else(|| Refusal::issue("INTERNAL_SERVER_ERROR"))?;
    let status = if time == Time::First { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(if call.representation { shown } else { minimal(shown) }))
}
