//! `/v2/checkout/orders`.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::call::{self, Call};
use super::effects::Effects;
use super::error::Refusal;
use super::instrument::{Instrument, WrittenSource};
use super::once::{Kind, Time, once};
use super::order::{Funding, Intent, Order, Status, WrittenOrder};
use super::pay;
use super::state::{Books, Paypal};

const CREATE: Kind = Kind { name: "orders.create", kept_hours: 6 };
const CAPTURE: Kind = Kind { name: "orders.capture", kept_hours: 6 };
const AUTHORIZE: Kind = Kind { name: "orders.authorize", kept_hours: 6 };

/// The body of a capture or an authorization of an order.
#[derive(Debug, Deserialize)]
struct Execution {
    payment_source: Option<WrittenSource>,
}

pub(super) async fn create(
    paypal: Data<Paypal>,
    request: HttpRequest,
    bytes: Bytes,
) -> Result<HttpResponse, Refusal> {
    let call = Call::read(&request)?;
    let asked: WrittenOrder = call::body(&bytes)?;
    if asked.payment_source.is_some() && call.key.is_none() {
        return Err(Refusal::issue("PAYPAL_REQUEST_ID_REQUIRED"));
    }
    once(
        &paypal,
        CREATE,
        &call,
        |books, effects| {
            let mut order = Order::read(&asked, books)?;
            if order.instrument.as_ref().is_some_and(Instrument::is_ready) {
                // Whoever is stored or is a card needs not be asked: the order is executed in one step.
                order.status = Status::Approved;
                pay::pay(&mut order, call.key.as_deref(), "", books, effects)?;
            }
            let id = order.id.clone();
            books.orders.insert(id.clone(), order);
            Ok(id)
        },
        |books, id, time| show(books, id, time, &call),
    )
    .await
}

pub(super) async fn read(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let books = paypal.books();
    let order = books.orders.get(&*id).ok_or_else(|| Refusal::not_found(&id))?;
    Ok(HttpResponse::Ok().json(order.show(&books, &call::base(&request))))
}

pub(super) async fn capture(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
    bytes: Bytes,
) -> Result<HttpResponse, Refusal> {
    execute(paypal, request, id, bytes, Intent::Capture).await
}

pub(super) async fn authorize(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
    bytes: Bytes,
) -> Result<HttpResponse, Refusal> {
    execute(paypal, request, id, bytes, Intent::Authorize).await
}

async fn execute(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
    bytes: Bytes,
    intent: Intent,
) -> Result<HttpResponse, Refusal> {
    let call = Call::read(&request)?;
    let asked: Execution = call::body(&bytes)?;
    let kind = if intent == Intent::Capture { CAPTURE } else { AUTHORIZE };
    once(
        &paypal,
        kind,
        &call,
        |books, effects| {
            let mut order = books.orders.get(&*id).ok_or_else(|| Refusal::not_found(&id))?.clone();
            run(&mut order, &asked, intent, &call, books, effects)?;
            books.orders.insert(order.id.clone(), order);
            Ok(id.to_string())
        },
        |books, id, time| show(books, id, time, &call),
    )
    .await
}

fn run(
    order: &mut Order,
    asked: &Execution,
    intent: Intent,
    call: &Call,
    books: &mut Books,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    if order.intent != intent {
        return Err(Refusal::issue("ACTION_DOES_NOT_MATCH_INTENT"));
    }
    let given = Instrument::read(asked.payment_source.as_ref(), books)?;
    if let Some(instrument) = given.filter(|given| order.waits() && given.is_ready()) {
        (order.status, order.instrument) = (Status::Approved, Some(instrument));
    }
    let page = order.payer_page(&call.base);
    match (order.status, intent) {
        (Status::Approved, _) => {}
        (Status::Completed, Intent::Capture) => return Err(Refusal::issue("ORDER_ALREADY_CAPTURED")),
        (Status::Completed, Intent::Authorize) => return Err(Refusal::issue("ORDER_ALREADY_AUTHORIZED")),
        (Status::PayerActionRequired, _) if order.asks_for_authentication() => {
            return Err(Refusal::issue("PAYER_ACTION_REQUIRED").linked("payer-action", &page));
        }
        _ => return Err(Refusal::issue("ORDER_NOT_APPROVED")),
    }
    let declined = order.funding == Funding::Declined;
    let paid = pay::pay(order, call.key.as_deref(), &page, books, effects);
    if declined {
        // The payer is sent back to choose another means of payment.
        if let Some(kept) = books.orders.get_mut(&order.id) {
            (kept.status, kept.funding) = (Status::Created, Funding::Instant);
        }
    }
    paid
}

fn show(books: &Books, id: &str, time: Time, call: &Call) -> Result<HttpResponse, Refusal> {
    let order = books.orders.get(id).ok_or_else(|| Refusal::not_found(id))?;
    let status = if time == Time::First { StatusCode::CREATED } else { StatusCode::OK };
    let shown = if call.representation {
        order.show(books, &call.base)
    } else {
        order.show_minimal(books, &call.base)
    };
    Ok(HttpResponse::build(status).json(shown))
}
