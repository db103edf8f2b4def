//! `/payments/`: money that moves once, at whichever provider.

mod keyed;
mod new;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    web::Data,
};
use serde_json::{Value, json};
use wire::payment::Provider;

pub use keyed::{Keyed, MaybeKeyed};

use super::{Id, Shown, list_answer, list_tag, money::read_decimal};
use crate::{
    caller::{Caller, Read, Refund, Write},
    domain::{
        Domain,
        detached::detached,
        payment::{
            self, WantedRefund,
            answer::{Answer, payment_json, refund_json},
        },
        payment_event,
    },
    error::ApiError,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    proxy_client::ProxyClient,
    store::{
        id::{PaymentEventId, PaymentId},
        payment::{PaymentFilter, PaymentRow},
        payment_code::PaymentStatus,
    },
    uri::Kind,
};

/// `POST`: creates a payment and has it executed, unless the payer goes to a page first.
///
/// # Errors
/// [`ApiError`].
pub async fn create(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    keyed: Keyed,
) -> Result<HttpResponse, ApiError> {
    let (once, form) = keyed.into_parts(&caller.actor());
    let wanted = new::read(form)?;
    let made = detached(async move { payment::create(&domain, &proxy, once, wanted).await });
    Ok(answer(made.await?))
}

/// `GET` of the list; filters `status`, `provider`, `buyer`, `seller`, `seller_product`, `created__gte`, `created__lt`.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = PaymentFilter {
        status: query.word::<PaymentStatus>("status"),
        provider: query.word::<Provider>("provider").map(Into::into),
        buyer_id: query.reference("buyer", Kind::Buyer),
        seller_id: query.reference("seller", Kind::Seller),
        product_id: query.reference("seller_product", Kind::Product),
        created_from: query.time("created__gte"),
        created_before: query.time("created__lt"),
    };
    let cursor = query.finish_cursor()?;
    let rows = payment::list(&domain, filter, cursor.after().map(PaymentId), cursor.rows()).await?;
    let shown: Result<Vec<_>, ApiError> = rows.iter().map(|row| show(&domain, row)).collect();
    let shown = shown?;
    let tag = list_tag(&request, &shown, cursor.rows());
    let objects = rows.iter().zip(shown).map(|(row, shown)| (row.id.0, shown.body)).collect();
    Ok(list_answer(&request, &tag, cursor.answer(Kind::Payment.list_path(), objects)))
}

/// `GET` of one payment.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<PaymentId>,
) -> Result<HttpResponse, ApiError> {
    let row = payment::get(&domain, id).await?;
    Ok(show(&domain, &row)?.found(&request))
}

/// `POST /payments/ID/capture/`: takes what is authorized, or a part of it.
///
/// # Errors
/// [`ApiError`].
pub async fn capture(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<PaymentId>,
    keyed: Keyed,
) -> Result<HttpResponse, ApiError> {
    let (once, form) = keyed.into_parts(&caller.actor());
    let (amount, last) = read_capture(form)?;
    let made = detached(async move { payment::capture(&domain, &proxy, once, id, amount, last).await });
    Ok(answer(made.await?))
}

/// `POST /payments/ID/cancel/`: gives up an authorization.
///
/// # Errors
/// [`ApiError`].
pub async fn cancel(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<PaymentId>,
    keyed: Keyed,
) -> Result<HttpResponse, ApiError> {
    let (once, form) = keyed.into_parts(&caller.actor());
    form.finish()?;
    let made = detached(async move { payment::cancel(&domain, &proxy, once, id).await });
    Ok(answer(made.await?))
}

/// `POST /payments/ID/complete/`: the payer has come back.
///
/// # Errors
/// [`ApiError`].
pub async fn complete(
    caller: Caller<Write>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<PaymentId>,
    keyed: Keyed,
) -> Result<HttpResponse, ApiError> {
    let (once, form) = keyed.into_parts(&caller.actor());
    form.finish()?;
    let made = detached(async move { payment::complete(&domain, &proxy, once, id).await });
    Ok(answer(made.await?))
}

/// `POST /payments/ID/refunds/`: gives back what was captured, or a part of it.
///
/// # Errors
/// [`ApiError`].
pub async fn refund(
    caller: Caller<Refund>,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
    Id(id): Id<PaymentId>,
    keyed: Keyed,
) -> Result<HttpResponse, ApiError> {
    let (once, form) = keyed.into_parts(&caller.actor());
    let wanted = read_refund(form)?;
    let made = detached(async move { payment::refund(&domain, &proxy, once, id, wanted).await });
    Ok(answer(made.await?))
}

/// `GET /payments/ID/refunds/`: the refunds of a payment, oldest first.
///
/// # Errors
/// [`ApiError`].
pub async fn refunds(
    _: Caller<Read>,
    domain: Data<Domain>,
    Id(id): Id<PaymentId>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.none()?;
    let list = payment::refunds(&domain, id).await?;
    let show = |(refund, operation): &(_, Option<_>)| refund_json(&list.payment, refund, operation.as_ref());
    let objects: Vec<Value> = list.refunds.iter().map(show).collect();
    Ok(HttpResponse::Ok().json(json!({ "objects": objects })))
}

/// `GET /payments/ID/events/`: the history of a payment, oldest first.
///
/// # Errors
/// [`ApiError`].
pub async fn events(
    _: Caller<Read>,
    domain: Data<Domain>,
    Id(id): Id<PaymentId>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let cursor = query.finish_cursor()?;
    let after = PaymentEventId(cursor.after().unwrap_or(0));
    let rows = payment::events(&domain, id, after, cursor.rows()).await?;
    let objects = rows.iter().map(|row| (row.id.0, payment_event::body(row))).collect();
    let path = format!("{}events/", Kind::Payment.uri(id));
    Ok(HttpResponse::Ok().json(cursor.answer(&path, objects)))
}

fn read_capture(mut form: Form) -> Result<(Option<String>, bool), FieldErrors> {
    let amount = read_decimal(&mut form, "amount");
    let last = form.boolean("last").flatten().unwrap_or(false);
    form.finish().map(|()| (amount, last))
}

fn read_refund(mut form: Form) -> Result<WantedRefund, FieldErrors> {
    let amount = read_decimal(&mut form, "amount");
    let capture = form.id("capture").flatten();
    form.finish().map(|()| WantedRefund { amount, capture })
}

fn show(domain: &Domain, row: &PaymentRow) -> Result<Shown, ApiError> {
    Ok(Shown::of_row(row.id.0, row.counter, payment_json(&domain.keys, row)?))
}

/// Byte for byte as it is kept.
pub(super) fn answer(answer: Answer) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(answer.status).unwrap_or_default();
    let mut response = HttpResponse::build(status);
    response.insert_header((CONTENT_TYPE, "application/json"));
    if answer.replayed {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    let retry_after = answer.retry_after.as_deref().and_then(|value| HeaderValue::from_str(value).ok());
    if let Some(value) = retry_after {
        response.insert_header((RETRY_AFTER, value));
    }
    response.body(answer.body)
}
