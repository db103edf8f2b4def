//! The payer, whom a person plays: the pages of 3-D Secure and of open invoices, and what `/` shows of both.

use actix_web::HttpResponse;
use actix_web::http::header::{ContentType, LOCATION};
use actix_web::web::{self, Data, Form, Path, ServiceConfig};
use serde::Deserialize;
use url::Url;

use super::Stripe;
use super::books::{Books, Origin};
use super::currency::decimal;
use super::payment_intent::{Status, confirm};
use super::shelf::Object as _;
use super::{refund, setup_intent};
use crate::provider::Provider;
use crate::waiting::{Decision, Payers, Undecided, Waiting};

/// The pages, under `/stripe/pages`; a payer's browser has no key.
pub(super) fn routes(config: &mut ServiceConfig) {
    let page = || web::resource("/{kind}/{id}");
    config.service(page().route(web::get().to(show)).route(web::post().to(decide)));
}

#[derive(Debug, Deserialize)]
struct Chosen {
    decision: Decision,
}

impl Payers for Stripe {
    fn waiting(&self) -> Vec<Waiting> {
        let books = self.books();
        let line = |id: &str, text: String, money: (i64, &str)| Waiting {
            provider: Provider::Stripe,
            id: id.to_owned(),
            text,
            amount: decimal(money.0, money.1),
            currency: money.1.to_ascii_uppercase(),
        };
        let intents = books.payment_intents.iter().filter_map(|intent| {
            let what = match intent.status {
                Status::RequiresAction => "3-D Secure",
                Status::Processing => "Bank debit",
                _ => return None,
            };
            Some(line(&intent.id, format!("{what} of {}", intent.id), (intent.amount, &intent.currency)))
        });
        let setups = books.setup_intents.iter().filter(|setup| setup.waits().is_some());
        let setups =
            setups.map(|setup| line(setup.id(), format!("3-D Secure of {}", setup.id()), (0, "usd")));
        let refunds = books.refunds.iter().filter(|refund| refund.status == "pending").map(|refund| {
            line(refund.id(), format!("Refund {}", refund.id()), (refund.amount, &refund.currency))
        });
        intents.chain(setups).chain(refunds).collect()
    }

    async fn decide(&self, id: &str, decision: Decision) -> Result<(), Undecided> {
        let agreed = decision == Decision::Approve;
        self.by_itself(|books, origin| settle(books, origin, id, agreed)).ok_or(Undecided::NotWaiting)
    }
}

/// None when nothing of this id waits.
fn settle(books: &mut Books, origin: &Origin, id: &str, agreed: bool) -> Option<()> {
    match id.split_once('_')?.0 {
        "pi" => confirm::decide(books, origin, id, agreed).map(drop),
        "seti" => setup_intent::decide(books, origin, id, agreed).map(drop),
        "re" => refund::decide(books, origin, id, agreed),
        _ => None,
    }
}

/// The intent of a page: of an invoice it is the one that pays it.
fn intent_of(books: &Books, kind: &str, id: &str) -> Option<String> {
    match kind {
        "authenticate" => Some(id.to_owned()),
        "invoice" => books.invoices.find(id)?.payment_intent.clone(),
        _ => None,
    }
}

async fn show(stripe: Data<Stripe>, path: Path<(String, String)>) -> HttpResponse {
    let (kind, id) = path.into_inner();
    let Some(intent) = intent_of(&stripe.books(), &kind, &id) else { return gone() };
    let waiting = stripe.waiting().into_iter().find(|waiting| waiting.id == intent);
    let Some(Waiting { text, amount, currency, .. }) = waiting else { return gone() };
    // Ids, amounts and currencies are the sandbox's own: nothing in the page came from outside.
    let button = |decision: &str, label: &str| {
        format!(
            "<form method=\"post\"><input type=\"hidden\" name=\"decision\" value=\"{decision}\">\
             <button type=\"submit\" id=\"{decision}\">{label}</button></form>"
        )
    };
    HttpResponse::Ok().insert_header(ContentType::html()).body(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Your bank asks</title></head>\
         <body><h1>Your bank asks</h1><p>{text}: {amount} {currency}</p>{}{}</body></html>",
        button("approve", "Approve"),
        button("decline", "Decline")
    ))
}

async fn decide(stripe: Data<Stripe>, path: Path<(String, String)>, chosen: Form<Chosen>) -> HttpResponse {
    let (kind, id) = path.into_inner();
    let Some(intent) = intent_of(&stripe.books(), &kind, &id) else { return gone() };
    let back = way_back(&stripe.books(), &intent);
    if Payers::decide(&**stripe, &intent, chosen.decision).await.is_err() {
        return gone();
    }
    match back {
        Some((name, mut url, secret)) => {
            let status = if chosen.decision == Decision::Approve { "succeeded" } else { "failed" };
            url.query_pairs_mut()
                .append_pair(name, &intent)
                .append_pair(&format!("{name}_client_secret"), &secret)
                .append_pair("redirect_status", status);
            HttpResponse::SeeOther().insert_header((LOCATION, url.as_str())).finish()
        }
        None => HttpResponse::Ok().content_type("text/plain").body("Thank you."),
    }
}

/// What the intent is called in the way back, the merchant's address, and the secret that goes along.
fn way_back(books: &Books, id: &str) -> Option<(&'static str, Url, String)> {
    if let Some(setup) = books.setup_intents.find(id) {
        let url = setup.waits()??.parse().ok()?;
        return Some(("setup_intent", url, setup.client_secret().to_owned()));
    }
    let intent = books.payment_intents.find(id)?;
    let url = intent.return_url.as_deref()?.parse().ok()?;
    Some(("payment_intent", url, intent.client_secret.clone()))
}

fn gone() -> HttpResponse {
    HttpResponse::NotFound().content_type("text/plain").body("Nothing waits here.")
}
