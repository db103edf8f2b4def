//! The test's side of Braintree, under `/_sandbox/braintree`: what the Control Panel, time, banks and payers do.
//!
//! - `GET`, `PUT /control_panel` `{"duplicate_window": SECONDS, "api_request_keys": BOOL, "cvv_rules": BOOL}`.
//! - `POST /nonces` `{"number", "cvv"?, "expiration_month"?, "expiration_year"?}` is a payer who types a card in; answers
//!   `{"nonce"}`. `DELETE /nonces/NONCE` lets it expire.
//! - `POST /transactions/ID/settle`, `…/settlement_decline`, `…/settlement_confirm`, `…/settlement_pending`, as the
//!   sandbox's own paths; and `…/settling`.
//! - `POST /transactions/ID/expire` lets an authorization expire.
//! - `POST /transactions/ID/dispute` `{"kind": "opened" | "won" | "lost"}` tells `dispute_KIND`.
//! - `POST /subscriptions/ID/charge` `{"declined": CODE?}` makes the next charge.
//! - `POST /check` tells `check`; with `{"seconds_ago": N}` one that is so old, negative for one of the future.
//! - `GET /challenge?url=` asks a new address of webhooks its question and shows the answer.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json, Path, Query, ServiceConfig};
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, Handled};
use super::books::{Books, ControlPanel, new_id};
use super::instrument::{Card, Nonce};
use super::notification::{self, Notification};
use super::refusal::Refusal;
use super::settlement::{self, Wanted};
use super::transaction::Status;
use super::xml::Element;
use super::{Braintree, subscriptions};
use crate::loopback::is_loopback;

/// Mounted under `/_sandbox/braintree`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/control_panel").route(web::get().to(panel)).route(web::put().to(set_panel)))
        .route("/nonces", web::post().to(issue))
        .route("/nonces/{nonce}", web::delete().to(expire_nonce))
        .route("/transactions/{id}/expire", web::post().to(expire))
        .route("/transactions/{id}/dispute", web::post().to(dispute))
        .route("/transactions/{id}/{action}", web::post().to(settle))
        .route("/subscriptions/{id}/charge", web::post().to(charge))
        .route("/check", web::post().to(check))
        .route("/challenge", web::get().to(challenge));
}

async fn panel(braintree: Data<Braintree>) -> HttpResponse {
    HttpResponse::Ok().json(braintree.books().control_panel)
}

async fn set_panel(braintree: Data<Braintree>, panel: Json<ControlPanel>) -> HttpResponse {
    braintree.books().control_panel = *panel;
    HttpResponse::Ok().json(*panel)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    number: String,
    cvv: Option<String>,
    expiration_month: Option<String>,
    expiration_year: Option<String>,
}

async fn issue(braintree: Data<Braintree>, typed: Json<Typed>) -> HttpResponse {
    let Typed { number, cvv, expiration_month, expiration_year } = typed.into_inner();
    let card = Card {
        number,
        cvv,
        month: expiration_month.unwrap_or_else(|| "12".into()),
        year: expiration_year.unwrap_or_else(|| "2031".into()),
        holder: None,
    };
    if !card.number_is_valid() {
        return HttpResponse::BadRequest().json(json!({"detail": "number: not a card's"}));
    }
    let nonce = braintree.books().issue(Nonce::of_card(card));
    HttpResponse::Created().json(json!({"nonce": nonce}))
}

async fn expire_nonce(braintree: Data<Braintree>, nonce: Path<String>) -> HttpResponse {
    if braintree.books().expire(&nonce) { HttpResponse::NoContent().finish() } else { unknown() }
}

async fn settle(braintree: Data<Braintree>, path: Path<(String, String)>) -> HttpResponse {
    let Some(wanted) = Wanted::asked(&path.1) else { return unknown() };
    told(braintree.perform(|books| settlement::settle(books, &path.0, wanted)))
}

async fn expire(braintree: Data<Braintree>, id: Path<String>) -> HttpResponse {
    told(braintree.perform(|books| {
        let transaction = books.transaction_mut(&id).ok_or(Refusal::NotFound)?;
        if transaction.status != Status::Authorized {
            return Err(Refusal::BadRequest);
        }
        transaction.become_status(Status::AuthorizationExpired);
        Ok(Answer::done())
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dispute {
    kind: DisputeKind,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DisputeKind {
    Opened,
    Won,
    Lost,
}

async fn dispute(braintree: Data<Braintree>, id: Path<String>, asked: Json<Dispute>) -> HttpResponse {
    told(braintree.perform(|books| {
        let (kind, status) = match asked.kind {
            DisputeKind::Opened => ("dispute_opened", "open"),
            DisputeKind::Won => ("dispute_won", "won"),
            DisputeKind::Lost => ("dispute_lost", "lost"),
        };
        let subject = describe_dispute(books, &id, status)?;
        books.effects.tell(Notification::new(kind, subject));
        Ok(Answer::done())
    }))
}

fn describe_dispute(books: &Books, id: &str, status: &str) -> Result<Element, Refusal> {
    let transaction = books.transaction(id).ok_or(Refusal::NotFound)?;
    let amount = transaction.account.show(transaction.amount);
    let now = Utc::now();
    Ok(Element::node(
        "dispute",
        vec![
            Element::text("id", format!("dispute{}", new_id())),
            Element::text("amount", amount.as_str()),
            Element::text("amount-disputed", amount.as_str()),
            Element::text("amount-won", if status == "won" { amount.as_str() } else { "0.00" }),
            Element::text("case-number", "CASE-12345"),
            Element::datetime("created-at", now),
            Element::text("currency-iso-code", transaction.account.currency),
            Element::text("kind", "chargeback"),
            Element::text("merchant-account-id", transaction.account.id),
            Element::text("reason", "fraud"),
            Element::nil("reason-code"),
            Element::date("received-date", now.date_naive()),
            Element::date("reply-by-date", now.date_naive()),
            Element::text("status", status),
            Element::datetime("updated-at", now),
            Element::array("status-history", vec![]),
            Element::array("evidence", vec![]),
            Element::node(
                "transaction",
                vec![
                    Element::text("id", transaction.id.as_str()),
                    Element::text("amount", amount.as_str()),
                    Element::datetime("created-at", transaction.created),
                    Element::optional("order-id", transaction.order_id.as_deref()),
                    Element::text("payment-instrument-subtype", "Visa"),
                ],
            ),
            Element::date("date-opened", now.date_naive()),
        ],
    ))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Charge {
    declined: Option<u32>,
}

async fn charge(braintree: Data<Braintree>, id: Path<String>, asked: Option<Json<Charge>>) -> HttpResponse {
    let asked = asked.map(Json::into_inner).unwrap_or_default();
    told(braintree.perform(|books| subscriptions::bill(books, &id, asked.declined)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Check {
    seconds_ago: i32,
}

async fn check(braintree: Data<Braintree>, asked: Option<Json<Check>>) -> HttpResponse {
    let age = asked.map(Json::into_inner).unwrap_or_default().seconds_ago;
    let at = Utc::now() - TimeDelta::seconds(age.into());
    let subject = Element::boolean("check", true);
    braintree.perform(|books| books.effects.tell(Notification::new("check", subject).dated(at)));
    HttpResponse::NoContent().finish()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    url: String,
}

/// What Braintree asks when an address of webhooks is entered, and whether the answer is right.
async fn challenge(braintree: Data<Braintree>, address: Query<Address>) -> HttpResponse {
    if !is_loopback(&address.url) {
        return HttpResponse::BadRequest()
            .json(json!({"detail": "The sandbox asks a loopback address only."}));
    }
    let question = uuid::Uuid::new_v4().simple().to_string();
    let client = awc::Client::builder().disable_redirects().finish();
    let url = format!("{}?bt_challenge={question}", address.url);
    let Ok(mut answer) = client.get(url).send().await else { return unknown() };
    let status = answer.status().as_u16();
    let body = answer.body().await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let account = &braintree.account;
    let expected = format!("{}|{}", account.public_key, notification::sign(account, &question));
    HttpResponse::Ok().json(json!({"status": status, "answer": text, "verified": text.trim() == expected}))
}

fn told(done: Handled) -> HttpResponse {
    match done {
        Ok(_) => HttpResponse::NoContent().finish(),
        Err(Refusal::NotFound) => unknown(),
        Err(refusal) => {
            let status = StatusCode::CONFLICT;
            let reason = refusal.body(None).map(|body| body.document());
            HttpResponse::build(status).json(json!({"detail": reason.unwrap_or_else(|| "not now".into())}))
        }
    }
}

fn unknown() -> HttpResponse {
    HttpResponse::NotFound().json(json!({"detail": "There is no such thing at Braintree."}))
}
