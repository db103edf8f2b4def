//! The payer: the page to approve on, the way back to the shop, and what a person decides on the sandbox's own page.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::call;
use super::effects::Effects;
use super::error::Refusal;
use super::instrument::{Instrument, PAYER_ID};
use super::order::{Funding, Order, Status};
use super::state::{Books, Paypal};
use super::vault::Stored;
use super::webhook::Event;
use crate::provider::Provider;
use crate::waiting::{Decision, Payers, Undecided, Waiting};

/// What the payer chose on the page.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Choice {
    /// Pays with money that is there, or passes 3-D Secure.
    Approve,
    /// Approves with a card whose bank says no, or fails 3-D Secure.
    Declined,
    /// Approves with a bank transfer that takes days.
    Echeck,
    /// Approves with money that PayPal looks at first.
    Review,
    /// Goes back to the shop.
    Cancel,
}

#[derive(Debug, Deserialize)]
pub(super) struct Visit {
    #[serde(alias = "approval_session_id")]
    token: String,
    choice: Option<Choice>,
}

/// `GET /checkoutnow`, `/webapps/helios` and `/agreements/approve`: the page, with a button for each choice.
pub(super) async fn page(
    paypal: Data<Paypal>,
    request: HttpRequest,
    visit: Query<Visit>,
) -> Result<HttpResponse, Refusal> {
    let books = paypal.books();
    let (what, choices) = match books.orders.get(&visit.token) {
        Some(order) if order.asks_for_authentication() => {
            ("Confirm that the card is yours", &["approve", "declined", "cancel"][..])
        }
        Some(_) => ("Approve the payment", &["approve", "declined", "echeck", "review", "cancel"][..]),
        None if books.setup_tokens.contains_key(&visit.token) => {
            ("Save your means of payment", &["approve", "cancel"][..])
        }
        None => return Err(Refusal::not_found(&visit.token)),
    };
    let to = call::base(&request);
    let buttons: String = choices
        .iter()
        .map(|choice| {
            format!(
                "<form method=\"post\" action=\"{to}/checkoutnow?token={}&amp;choice={choice}\">\
                 <button id=\"{choice}\">{choice}</button></form>",
                visit.token
            )
        })
        .collect();
    let html = format!("<!doctype html><title>PayPal sandbox</title><h1>{what}</h1>{buttons}");
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html))
}

/// `POST /checkoutnow`: decides, and sends the payer back to the shop.
pub(super) async fn choose(paypal: Data<Paypal>, visit: Query<Visit>) -> Result<HttpResponse, Refusal> {
    let choice = visit.choice.ok_or_else(|| Refusal::missing("choice"))?;
    let back = paypal
        .act(|books, effects| decide(books, effects, &visit.token, choice))
        .map_err(|_| Refusal::not_found(&visit.token))?;
    Ok(match back {
        Some(url) => HttpResponse::SeeOther().insert_header((LOCATION, url)).finish(),
        None => HttpResponse::Ok().content_type("text/html; charset=utf-8").body("<!doctype html>Done."),
    })
}

/// Carries a choice out; gives where the payer goes then.
fn decide(
    books: &mut Books,
    effects: &mut Effects,
    token: &str,
    choice: Choice,
) -> Result<Option<String>, Undecided> {
    let now = books.now();
    if let Some(setup) = books.setup_tokens.get_mut(token) {
        let is_fillable = !matches!(setup.stored, Stored::EmptyCard);
        if setup.status != "PAYER_ACTION_REQUIRED" || choice == Choice::Approve && !is_fillable {
            return Err(Undecided::NotWaiting);
        }
        let approves = choice == Choice::Approve;
        if approves {
            setup.status = "APPROVED";
        }
        let url = if approves { &setup.context.return_url } else { &setup.context.cancel_url };
        return Ok(back(url.as_deref(), &[("approval_token_id", token), ("approval_session_id", token)]));
    }
    let order = books.orders.get_mut(token).filter(|order| order.waits()).ok_or(Undecided::NotWaiting)?;
    if choice == Choice::Cancel {
        return Ok(back(order.context.cancel_url.as_deref(), &[("token", token)]));
    }
    let url = approve(order, choice);
    order.updated = now;
    let told = order.clone();
    let shown = told.show(books, "");
    effects.event(Event::of_value(
        "CHECKOUT.ORDER.APPROVED",
        "checkout-order",
        move |base| rebase(&shown, base),
        now,
    ));
    Ok(url)
}

/// An order's links are relative until the base URL is known.
fn rebase(shown: &Value, base: &str) -> Value {
    let mut shown = shown.clone();
    for link in shown.get_mut("links").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(href) = link.get("href").and_then(Value::as_str).map(|href| format!("{base}{href}")) {
            link["href"] = Value::String(href);
        }
    }
    shown
}

fn approve(order: &mut Order, choice: Choice) -> Option<String> {
    let id = order.id.clone();
    order.status = Status::Approved;
    let passed = choice != Choice::Declined;
    if let Some(Instrument::Card(card)) = &mut order.instrument {
        card.authenticated = Some(passed);
        let shift = if passed { "POSSIBLE" } else { "NO" };
        return back(order.context.return_url.as_deref(), &[("token", &id), ("liability_shift", shift)]);
    }
    order.instrument = Some(Instrument::Wallet { stored: false });
    order.funding = match choice {
        Choice::Approve | Choice::Cancel => Funding::Instant,
        Choice::Declined => Funding::Declined,
        Choice::Echeck => Funding::Echeck,
        Choice::Review => Funding::Review,
    };
    back(order.context.return_url.as_deref(), &[("token", &id), ("PayerID", PAYER_ID)])
}

fn back(url: Option<&str>, pairs: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::parse(url?).ok()?;
    url.query_pairs_mut().extend_pairs(pairs);
    Some(url.into())
}

/// What waits is told to the sandbox's own page; a decline there is an order that the payer goes back from.
impl Payers for Paypal {
    fn waiting(&self) -> Vec<Waiting> {
        let books = self.books();
        let orders = books.orders.values().filter(|order| order.waits());
        let waiting = orders.filter_map(|order| {
            let unit = order.units.first()?;
            let what = if order.asks_for_authentication() { "3-D Secure" } else { "Approval" };
            Some(Waiting {
                provider: Provider::Paypal,
                id: order.id.clone(),
                text: format!("{what} of {}", unit.custom_id.as_ref().unwrap_or(&order.id)),
                amount: unit.amount.decimal(),
                currency: unit.amount.currency().to_owned(),
            })
        });
        waiting.collect()
    }

    async fn decide(&self, id: &str, decision: Decision) -> Result<(), Undecided> {
        let is_authentication = self.books().orders.get(id).is_some_and(Order::asks_for_authentication);
        let choice = match decision {
            Decision::Approve => Choice::Approve,
            Decision::Decline if is_authentication => Choice::Declined,
            Decision::Decline => {
                // Nothing more comes of an order that its payer refused.
                return self.act(|books, _| {
                    let order = books.orders.get_mut(id).filter(|order| order.waits());
                    order.map(|order| order.status = Status::Voided).ok_or(Undecided::NotWaiting)
                });
            }
        };
        self.act(|books, effects| decide(books, effects, id, choice).map(drop))
    }
}
