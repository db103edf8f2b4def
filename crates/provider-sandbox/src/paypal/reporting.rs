//! `GET /v1/reporting/transactions`: the transaction search.
//!
//! Source: PayPal's OpenAPI description of "Transaction Search" 1.9 and its page "Transaction event codes". Captures are
//! T0006, refunds T1107. What is pending touches no balance and is shown only to who asks for all records. A search may
//! be behind: `PUT /_sandbox/paypal/reporting` says how far, and how many transactions a search gives at most.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Refusal;
use super::payment::{Capture, Refund};
use super::state::{Books, Paypal};

/// The longest time that is searched.
const LONGEST: TimeDelta = TimeDelta::days(31);
/// How many transactions a page has, when nobody says, and at most.
const PAGE: (usize, usize) = (100, 500);

/// How the search behaves.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Reporting {
    /// What is newer than this many seconds is not found.
    pub(super) lag_seconds: u32,
    /// How many transactions a search gives at most.
    pub(super) most: usize,
}

impl Default for Reporting {
    fn default() -> Self {
        Self { lag_seconds: 0, most: 10_000 }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    start_date: Option<String>,
    end_date: Option<String>,
    transaction_id: Option<String>,
    transaction_type: Option<String>,
    transaction_status: Option<String>,
    transaction_currency: Option<String>,
    fields: Option<String>,
    balance_affecting_records_only: Option<String>,
    page_size: Option<String>,
    page: Option<String>,
}

/// What of a search is more than a comparison of texts.
struct Search {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// Also what touches no balance.
    all: bool,
    size: usize,
    page: usize,
}

/// A capture or a refund as a transaction.
struct Found {
    created: DateTime<Utc>,
    info: Value,
}

pub(super) async fn search(paypal: Data<Paypal>, wanted: Query<Wanted>) -> Result<HttpResponse, Refusal> {
    let search = check(&wanted)?;
    let books = paypal.books();
    let found = find(&books, &wanted, &search);
    if found.len() > books.reporting.most {
        return Err(Refusal::issue("RESULTSET_TOO_LARGE"));
    }
    let begin = (search.page - 1).saturating_mul(search.size);
    let details: Vec<Value> = found
        .iter()
        .skip(begin)
        .take(search.size)
        .map(|found| json!({"transaction_info": found.info}))
        .collect();
    Ok(HttpResponse::Ok().json(json!({
        "transaction_details": details, "account_number": "XZXSPECPDZHZU",
        "start_date": written(search.from), "end_date": written(search.to),
        "last_refreshed_datetime": written(books.now() - TimeDelta::seconds(books.reporting.lag_seconds.into())),
        "page": search.page, "total_items": found.len(), "total_pages": found.len().div_ceil(search.size),
        "links": [],
    })))
}

fn check(wanted: &Wanted) -> Result<Search, Refusal> {
    let from = time("start_date", wanted.start_date.as_deref())?;
    let to = time("end_date", wanted.end_date.as_deref())?;
    let refuse = |field: &str, value: &str| {
        Err(Refusal::issue("INVALID_PARAMETER_VALUE").located(field, value, "query"))
    };
    if to < from || to - from > LONGEST {
        return refuse("end_date", wanted.end_date.as_deref().unwrap_or_default());
    }
    if let Some(fields) =
        wanted.fields.as_deref().filter(|fields| !matches!(*fields, "transaction_info" | "all"))
    {
        return refuse("fields", fields);
    }
    let all = match wanted.balance_affecting_records_only.as_deref() {
        None | Some("Y") => false,
        Some("N") => true,
        Some(other) => return refuse("balance_affecting_records_only", other),
    };
    let size = number("page_size", wanted.page_size.as_deref(), PAGE.0, PAGE.1)?;
    let page = number("page", wanted.page.as_deref(), 1, usize::MAX)?;
    Ok(Search { from, to, all, size, page })
}

fn time(field: &str, text: Option<&str>) -> Result<DateTime<Utc>, Refusal> {
    let text =
        text.ok_or_else(|| Refusal::issue("MISSING_REQUIRED_PARAMETER").located(field, "", "query"))?;
    let wrong = |_| Refusal::issue("INVALID_PARAMETER_SYNTAX").located(field, text, "query");
    DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).map_err(wrong)
}

fn number(field: &str, text: Option<&str>, usual: usize, most: usize) -> Result<usize, Refusal> {
    let Some(text) = text else { return Ok(usual) };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Refusal::issue("INVALID_PARAMETER_VALUE").located(field, text, "query"))
}

/// All that fits, the oldest first.
fn find(books: &Books, wanted: &Wanted, search: &Search) -> Vec<Found> {
    let newest = books.now() - TimeDelta::seconds(books.reporting.lag_seconds.into());
    let captures = books.captures.values().filter_map(of_capture);
    let refunds = books.refunds.values().filter_map(of_refund);
    let in_time = |at: DateTime<Utc>| at <= newest && search.from <= at && at <= search.to;
    let is = |found: &Found, field: &str, wanted: &Option<String>| {
        wanted.as_ref().is_none_or(|wanted| found.info[field] == wanted.as_str())
    };
    let mut found: Vec<Found> = captures
        .chain(refunds)
        .filter(|found| in_time(found.created) && (search.all || found.info["transaction_status"] != "P"))
        .filter(|found| is(found, "transaction_id", &wanted.transaction_id))
        .filter(|found| is(found, "transaction_event_code", &wanted.transaction_type))
        .filter(|found| is(found, "transaction_status", &wanted.transaction_status))
        .filter(|found| {
            let currency = &found.info["transaction_amount"]["currency_code"];
            wanted.transaction_currency.as_ref().is_none_or(|wanted| currency == wanted.as_str())
        })
        .collect();
    found.sort_by_key(|found| found.created);
    found
}

fn of_capture(capture: &Capture) -> Option<Found> {
    let status = match capture.status {
        "COMPLETED" | "PARTIALLY_REFUNDED" => "S",
        "REFUNDED" => "V",
        "PENDING" => "P",
        "DECLINED" | "FAILED" => "D",
        _ => return None,
    };
    let mut info = json!({
        "paypal_account_id": "6STWC2LSUYYYE", "transaction_id": capture.id, "transaction_event_code": "T0006",
        "transaction_initiation_date": written(capture.created), "transaction_updated_date": written(capture.updated),
        "transaction_amount": capture.amount.show(), "transaction_status": status, "protection_eligibility": "01",
        "instrument_type": "PAYPAL",
    });
    if matches!(status, "S" | "V") {
        let fee = capture.fee().show();
        let value = fee["value"].as_str().unwrap_or_default();
        info["fee_amount"] = json!({"currency_code": fee["currency_code"], "value": format!("-{value}")});
    }
    if let Some(authorization) = &capture.authorization {
        info["paypal_reference_id"] = json!(authorization);
        info["paypal_reference_id_type"] = json!("TXN");
    }
    own_ids(&mut info, &capture.custom_id, &capture.invoice_id);
    Some(Found { created: capture.created, info })
}

fn of_refund(refund: &Refund) -> Option<Found> {
    let status = match refund.status {
        "COMPLETED" => "S",
        "PENDING" => "P",
        "FAILED" | "CANCELLED" => "D",
        _ => return None,
    };
    let amount = refund.amount.show();
    let value = amount["value"].as_str().unwrap_or_default();
    let mut info = json!({
        "paypal_account_id": "6STWC2LSUYYYE", "transaction_id": refund.id, "transaction_event_code": "T1107",
        "paypal_reference_id": refund.capture, "paypal_reference_id_type": "TXN",
        "transaction_initiation_date": written(refund.created), "transaction_updated_date": written(refund.updated),
        "transaction_amount": {"currency_code": amount["currency_code"], "value": format!("-{value}")},
        "transaction_status": status, "protection_eligibility": "02",
    });
    own_ids(&mut info, &refund.custom_id, &refund.invoice_id);
    Some(Found { created: refund.created, info })
}

fn own_ids(info: &mut Value, custom: &Option<String>, invoice: &Option<String>) {
    if let Some(custom) = custom {
        info["custom_field"] = json!(custom);
    }
    if let Some(invoice) = invoice {
        info["invoice_id"] = json!(invoice);
    }
}

/// A time as the reports write it: the offset has no colon.
fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true).replace('Z', "+0000")
}
