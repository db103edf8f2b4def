//! The page at `/`: what waits for a person, with buttons, and the ledger. Plain HTML without script.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION};
use actix_web::web::{self, Data, Form, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::SecondsFormat;
use serde::Deserialize;

use crate::ledger::{Entry, Filter};
use crate::provider::Provider;
use crate::shared::Shared;
use crate::waiting::{Decision, Providers, Undecided, Waiting};

/// Where it is.
pub(crate) const PATH: &str = "/";

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1c2330;background:#fff}\
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{margin:.25rem 0;color:#566}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .75rem;border-bottom:1px solid #dde2ea}\
th{font-size:.85rem;color:#566}th.amount,td.amount{text-align:right}td.amount{font-variant-numeric:tabular-nums;white-space:nowrap}\
td.key{font:.8rem/1.4 ui-monospace,monospace;overflow-wrap:anywhere}form{display:flex;gap:.5rem}\
button{font:inherit;padding:.25rem .9rem;border:1px solid #8a94a6;border-radius:.35rem;background:#fff;cursor:pointer}\
button.approve{background:#15703a;border-color:#15703a;color:#fff}\
.refund td.amount,.void td.amount{color:#a3271c}";

/// Mounted at the root.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource(PATH).route(web::get().to(show)).route(web::post().to(decide)));
}

async fn show(providers: Data<Providers>, shared: Data<Shared>) -> HttpResponse {
    let entries = shared.ledger.entries(&Filter::default());
    page(StatusCode::OK, &format!("{}{}", waiting(&providers.waiting()), ledger(&entries)))
}

/// A button that was pressed.
#[derive(Debug, Deserialize)]
struct Pressed {
    provider: Provider,
    id: String,
    decision: Decision,
}

async fn decide(request: HttpRequest, providers: Data<Providers>, pressed: Form<Pressed>) -> HttpResponse {
    let Pressed { provider, id, decision } = pressed.into_inner();
    let (status, problem) = match providers.decide(provider, &id, decision).await {
        Ok(()) => return HttpResponse::SeeOther().insert_header((LOCATION, request.path())).finish(),
        Err(error @ Undecided::NotWaiting) => (StatusCode::NOT_FOUND, error),
        Err(error @ Undecided::Refused(_)) => (StatusCode::CONFLICT, error),
    };
    let problem = escape(&problem.to_string());
    page(status, &format!("<p>{provider}: {problem}.</p><p><a href=\"{PATH}\">Back</a></p>"))
}

fn page(status: StatusCode, content: &str) -> HttpResponse {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Provider sandbox</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\
         <h1>Provider sandbox</h1><p>No money moves here.</p>{content}</body></html>\n"
    );
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
        ))
        .body(html)
}

fn waiting(items: &[Waiting]) -> String {
    if items.is_empty() {
        return "<h2>Waiting for their payer</h2><p>Nothing.</p>".to_owned();
    }
    let rows: String = items.iter().map(waiting_row).collect();
    format!(
        "<h2>Waiting for their payer</h2><table id=\"waiting\"><thead><tr><th>Provider</th><th>What</th>\
         <th class=\"amount\">Amount</th><th>Decision</th></tr></thead><tbody>{rows}</tbody></table>"
    )
}

fn waiting_row(item: &Waiting) -> String {
    let Waiting { provider, id, text, amount, currency } = item;
    let [id, text, amount, currency] = [id, text, amount, currency].map(|text| escape(text));
    format!(
        "<tr><td>{provider}</td><td>{text}</td><td class=\"amount\">{amount} {currency}</td><td>\
         <form method=\"post\" action=\"{PATH}\"><input type=\"hidden\" name=\"provider\" value=\"{provider}\">\
         <input type=\"hidden\" name=\"id\" value=\"{id}\">\
         <button class=\"approve\" name=\"decision\" value=\"approve\">Approve</button>\
         <button name=\"decision\" value=\"decline\">Decline</button></form></td></tr>"
    )
}

fn ledger(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "<h2>Ledger</h2><p>Nothing was charged yet.</p>".to_owned();
    }
    // The latest first: a person looks for what was just done.
    let rows: String = entries.iter().rev().map(ledger_row).collect();
    format!(
        "<h2>Ledger</h2><table id=\"ledger\"><thead><tr><th>At</th><th>Provider</th><th>Kind</th>\
         <th class=\"amount\">Amount</th><th>Reference</th><th>Provider's id</th></tr></thead><tbody>{rows}</tbody></table>"
    )
}

fn ledger_row(entry: &Entry) -> String {
    let Entry { provider, kind, id, amount, currency, reference, at } = entry;
    let [id, amount, currency, reference] = [id, amount, currency, reference].map(|text| escape(text));
    let (kind, at) = (kind.name(), at.to_rfc3339_opts(SecondsFormat::Secs, true));
    format!(
        "<tr class=\"{kind}\"><td>{at}</td><td>{provider}</td><td>{kind}</td>\
         <td class=\"amount\">{amount} {currency}</td><td class=\"key\">{reference}</td><td class=\"key\">{id}</td></tr>"
    )
}

/// For text and for attributes in double quotes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
