//! `/v3/vault`: setup tokens, which the payer approves, and the payment tokens that come of them.

mod token;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{self, Call};
use super::effects::Effects;
use super::error::Refusal;
use super::instrument::{Card, WrittenSource};
use super::once::{Kind, Time, once};
use super::payment::link;
use super::state::{Books, Paypal, random_id};
use super::webhook::Event;
use token::Customer;
pub(super) use token::{PaymentToken, SetupToken, Stored};

const SETUP: Kind = Kind { name: "vault.setup-tokens", kept_hours: 3 };
const STORE: Kind = Kind { name: "vault.payment-tokens", kept_hours: 3 };

#[derive(Debug, Deserialize)]
struct Setup {
    payment_source: Option<WrittenSource>,
    customer: Option<Customer>,
}

#[derive(Debug, Deserialize)]
struct Store {
    payment_source: Option<StoreSource>,
    customer: Option<Customer>,
}

#[derive(Debug, Deserialize)]
struct StoreSource {
    token: Option<TokenSource>,
    card: Option<super::instrument::WrittenCard>,
}

#[derive(Debug, Deserialize)]
struct TokenSource {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

pub(super) async fn create_setup(
    paypal: Data<Paypal>,
    request: HttpRequest,
    bytes: Bytes,
) -> Result<HttpResponse, Refusal> {
    let call = Call::read(&request)?;
    let asked: Setup = call::body(&bytes)?;
    once(
        &paypal,
        SETUP,
        &call,
        |books, _| {
            let token = set_up(&asked, books)?;
            let id = token.id.clone();
            books.setup_tokens.insert(id.clone(), token);
            Ok(id)
        },
        |books, id, time| answer(books.setup_tokens.get(id).map(|token| token.show(&call.base)), time),
    )
    .await
}

fn set_up(asked: &Setup, books: &Books) -> Result<SetupToken, Refusal> {
    let source = asked.payment_source.as_ref().ok_or_else(|| Refusal::missing("/payment_source"))?;
    let customer = Customer::known(asked.customer.as_ref());
    let (stored, status, context) = match (&source.card, &source.paypal) {
        (Some(card), None) if card.number.is_none() => {
            (Stored::EmptyCard, "PAYER_ACTION_REQUIRED", card.experience_context.clone())
        }
        (Some(written), None) => {
            let card = Card::read(written, books)?;
            let status = if card.challenge { "PAYER_ACTION_REQUIRED" } else { "APPROVED" };
            (Stored::Card(card), status, written.experience_context.clone())
        }
        (None, Some(wallet)) => (Stored::Wallet, "PAYER_ACTION_REQUIRED", wallet.experience_context.clone()),
        _ => return Err(Refusal::issue("UNSUPPORTED_PAYMENT_SOURCE").at("/payment_source", "")),
    };
    Ok(SetupToken { id: random_id(17), status, stored, customer, context: context.unwrap_or_default() })
}

pub(super) async fn read_setup(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let books = paypal.books();
    let token = books.setup_tokens.get(&*id).ok_or_else(|| Refusal::not_found(&id))?;
    Ok(HttpResponse::Ok().json(token.show(&call::base(&request))))
}

pub(super) async fn create(
    paypal: Data<Paypal>,
    request: HttpRequest,
    bytes: Bytes,
) -> Result<HttpResponse, Refusal> {
    let call = Call::read(&request)?;
    let asked: Store = call::body(&bytes)?;
    once(
        &paypal,
        STORE,
        &call,
        |books, effects| store(&asked, books, effects),
        |books, id, time| answer(books.payment_tokens.get(id).map(|token| token.show(&call.base)), time),
    )
    .await
}

fn store(asked: &Store, books: &mut Books, effects: &mut Effects) -> Result<String, Refusal> {
    let source = asked.payment_source.as_ref().ok_or_else(|| Refusal::missing("/payment_source"))?;
    let (stored, customer) = match (&source.token, &source.card) {
        (Some(token), None) => used_up(token, books)?,
        (None, Some(card)) => {
            (Stored::Card(Card::read(card, books)?), Customer::known(asked.customer.as_ref()))
        }
        _ => return Err(Refusal::missing("/payment_source/token")),
    };
    let token = PaymentToken { id: random_id(17).to_lowercase(), stored, customer };
    effects.event(Event::of_payment_token(&token, "VAULT.PAYMENT-TOKEN.CREATED"));
    let id = token.id.clone();
    books.payment_tokens.insert(id.clone(), token);
    Ok(id)
}

/// A setup token is good once.
fn used_up(source: &TokenSource, books: &mut Books) -> Result<(Stored, Customer), Refusal> {
    if source.kind.as_deref() != Some("SETUP_TOKEN") {
        return Err(Refusal::invalid(
            "/payment_source/token/type",
            source.kind.as_deref().unwrap_or_default(),
        ));
    }
    let id = source.id.as_deref().ok_or_else(|| Refusal::missing("/payment_source/token/id"))?;
    let unknown = || Refusal::issue("TOKEN_NOT_FOUND").at("/payment_source/token/id", id);
    let token = books.setup_tokens.get_mut(id).ok_or_else(unknown)?;
    match token.status {
        "APPROVED" => {
            token.status = "VAULTED";
            Ok((token.stored.clone(), token.customer.clone()))
        }
        "VAULTED" => Err(unknown()),
        _ => Err(Refusal::issue("SETUP_TOKEN_NOT_APPROVED").at("/payment_source/token/id", id)),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Listing {
    customer_id: Option<String>,
    page_size: Option<usize>,
    page: Option<usize>,
    total_required: Option<bool>,
}

pub(super) async fn list(
    paypal: Data<Paypal>,
    request: HttpRequest,
    listing: Query<Listing>,
) -> Result<HttpResponse, Refusal> {
    let customer = listing.customer_id.as_deref();
    let customer = customer
        .ok_or_else(|| Refusal::issue("MISSING_REQUIRED_PARAMETER").located("customer_id", "", "query"))?;
    let (size, page) = (listing.page_size.unwrap_or(5).clamp(1, 5), listing.page.unwrap_or(1).max(1));
    let base = call::base(&request);
    let books = paypal.books();
    let all: Vec<&PaymentToken> = books
        .payment_tokens
        .values()
        .filter(|token| token.customer.id.as_deref() == Some(customer))
        .collect();
    let shown: Vec<Value> =
        all.iter().skip((page - 1).saturating_mul(size)).take(size).map(|token| token.show(&base)).collect();
    let path = format!("{base}/v3/vault/payment-tokens?customer_id={customer}&page={page}&page_size={size}");
    let mut answer = json!({
        "customer": {"id": customer}, "payment_tokens": shown, "links": [link(&path, "self", "GET")],
    });
    if listing.total_required == Some(true) {
        answer["total_items"] = json!(all.len());
        answer["total_pages"] = json!(all.len().div_ceil(size));
    }
    Ok(HttpResponse::Ok().json(answer))
}

pub(super) async fn read(
    paypal: Data<Paypal>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let books = paypal.books();
    let token = books.payment_tokens.get(&*id).ok_or_else(|| Refusal::not_found(&id))?;
    Ok(HttpResponse::Ok().json(token.show(&call::base(&request))))
}

/// Deleting what is gone is a 204 as well.
pub(super) async fn delete(paypal: Data<Paypal>, id: Path<String>) -> HttpResponse {
    paypal.act(|books, effects| {
        if let Some(token) = books.payment_tokens.remove(&*id) {
            effects.event(Event::of_payment_token(&token, "VAULT.PAYMENT-TOKEN.DELETED"));
        }
    });
    HttpResponse::NoContent().finish()
}

fn answer(found: Option<Value>, time: Time) -> Result<HttpResponse, Refusal> {
    let shown = found.ok_or_else(|| Refusal::issue("INTERNAL_SERVER_ERROR"))?;
    let status = if time == Time::First { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(shown))
}
