//! The test's side of PayPal, under `/_sandbox/paypal`: the clock, the tokens, the transaction search, what is
//! pending, disputes, cards.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use serde::Deserialize;
use serde_json::json;

use super::error::Refusal;
use super::instrument::{Card, WrittenCard};
use super::pay;
use super::reporting::Reporting;
use super::state::{Paypal, random_id, written};
use super::vault::Stored;
use super::webhook::Event;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/clock", web::post().to(advance))
        .service(web::resource("/tokens").route(web::put().to(live)).route(web::delete().to(revoke)))
        .route("/reporting", web::put().to(report))
        .route("/captures/{id}/settle", web::post().to(settle_capture))
        .route("/captures/{id}/dispute", web::post().to(dispute))
        .route("/authorizations/{id}/settle", web::post().to(settle_authorization))
        .route("/refunds/{id}/settle", web::post().to(settle_refund))
        .route("/setup-tokens/{id}/card", web::post().to(fill_in));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u32,
}

/// Puts PayPal's clock forward: tokens end, keys are forgotten, authorizations expire.
async fn advance(paypal: Data<Paypal>, by: Json<Advance>) -> HttpResponse {
    let mut books = paypal.books();
    books.advance(by.seconds);
    HttpResponse::Ok().json(json!({"now": written(books.now())}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Life {
    expires_in: u32,
}

/// How long the next access tokens live.
async fn live(paypal: Data<Paypal>, life: Json<Life>) -> HttpResponse {
    paypal.books().tokens.life = life.expires_in;
    HttpResponse::Ok().json(json!({"expires_in": life.expires_in}))
}

/// Takes every access token back.
async fn revoke(paypal: Data<Paypal>) -> HttpResponse {
    paypal.books().tokens.revoke_all();
    HttpResponse::NoContent().finish()
}

/// How far the transaction search is behind, and how much it gives at most.
async fn report(paypal: Data<Paypal>, reporting: Json<Reporting>) -> HttpResponse {
    paypal.books().reporting = *reporting;
    HttpResponse::NoContent().finish()
}

/// What becomes of something pending.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Settled {
    Completed,
    Declined,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settlement {
    status: Settled,
}

async fn settle_capture(
    paypal: Data<Paypal>,
    id: Path<String>,
    to: Json<Settlement>,
) -> Result<HttpResponse, Refusal> {
    paypal.act(|books, effects| {
        let now = books.now();
        let capture = books.captures.get_mut(&*id).filter(|capture| capture.status == "PENDING");
        let capture = capture.ok_or_else(|| Refusal::not_found(&id))?;
        capture.status = match to.status {
            Settled::Completed => "COMPLETED",
            Settled::Declined => "DECLINED",
        };
        (capture.reason, capture.updated) = (None, now);
        pay::tell_capture(capture, effects);
        Ok(HttpResponse::Ok().json(json!({"status": capture.status})))
    })
}

async fn settle_authorization(
    paypal: Data<Paypal>,
    id: Path<String>,
    to: Json<Settlement>,
) -> Result<HttpResponse, Refusal> {
    paypal.act(|books, effects| {
        let now = books.now();
        let found = books.authorizations.get_mut(&*id).filter(|found| found.status == "PENDING");
        let found = found.ok_or_else(|| Refusal::not_found(&id))?;
        let (status, event) = match to.status {
            Settled::Completed => ("CREATED", "PAYMENT.AUTHORIZATION.CREATED"),
            Settled::Declined => ("DENIED", "PAYMENT.AUTHORIZATION.DENIED"),
        };
        (found.status, found.reason, found.updated) = (status, None, now);
        effects.event(Event::of_authorization(found, event));
        Ok(HttpResponse::Ok().json(json!({"status": status})))
    })
}

async fn settle_refund(
    paypal: Data<Paypal>,
    id: Path<String>,
    to: Json<Settlement>,
) -> Result<HttpResponse, Refusal> {
    paypal.act(|books, effects| {
        let now = books.now();
        let refund = books.refunds.get_mut(&*id).filter(|refund| refund.status == "PENDING");
        let refund = refund.ok_or_else(|| Refusal::not_found(&id))?;
        refund.status = match to.status {
            Settled::Completed => "COMPLETED",
            Settled::Declined => "FAILED",
        };
        (refund.reason, refund.updated) = (None, now);
        let refund = refund.clone();
        pay::tell_refund(&refund, effects);
        if refund.status == "FAILED" {
            pay::book_refund(books, &refund.capture, -refund.amount.minor);
        }
        Ok(HttpResponse::Ok().json(json!({"status": refund.status})))
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dispute {
    event: DisputeEvent,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DisputeEvent {
    Created,
    Updated,
    Resolved,
}

/// Has the payer dispute a capture: a webhook, and nothing else.
async fn dispute(
    paypal: Data<Paypal>,
    id: Path<String>,
    what: Json<Dispute>,
) -> Result<HttpResponse, Refusal> {
    paypal.act(|books, effects| {
        let now = books.now();
        let capture = books.captures.get(&*id).ok_or_else(|| Refusal::not_found(&id))?;
        let (event, status) = match what.event {
            DisputeEvent::Created => ("CUSTOMER.DISPUTE.CREATED", "OPEN"),
            DisputeEvent::Updated => ("CUSTOMER.DISPUTE.UPDATED", "UNDER_REVIEW"),
            DisputeEvent::Resolved => ("CUSTOMER.DISPUTE.RESOLVED", "RESOLVED"),
        };
        let resource = json!({
            "dispute_id": format!("PP-D-{}", random_id(5)), "create_time": written(now),
            "update_time": written(now), "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "status": status,
            "dispute_amount": capture.amount.show(),
            "disputed_transactions": [{
                "seller_transaction_id": capture.id, "custom": capture.custom_id,
                "invoice_number": capture.invoice_id,
            }],
        });
        effects.event(Event::of_value(event, "dispute", move |_| resource.clone(), now));
        Ok(HttpResponse::Ok().json(json!({"event": event})))
    })
}

/// The payer fills in the card fields of a setup token, as PayPal's script does in the browser.
async fn fill_in(
    paypal: Data<Paypal>,
    id: Path<String>,
    card: Json<WrittenCard>,
) -> Result<HttpResponse, Refusal> {
    let mut books = paypal.books();
    let card = Card::read(&card, &books)?;
    let token = books.setup_tokens.get_mut(&*id).ok_or_else(|| Refusal::not_found(&id))?;
    if !matches!(token.stored, Stored::EmptyCard) {
        return Err(Refusal::issue("SETUP_TOKEN_NOT_APPROVED"));
    }
    token.status = if card.challenge { "PAYER_ACTION_REQUIRED" } else { "APPROVED" };
    token.stored = Stored::Card(card);
    Ok(HttpResponse::Ok().json(json!({"status": token.status})))
}
