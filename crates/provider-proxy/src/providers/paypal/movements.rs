//! What was taken and given back in a time, from PayPal's transaction search.
//!
//! Source: PayPal's "Transaction Search" v1 and its page "Transaction event codes". A transaction appears up to three
//! hours after it was made; a search covers at most 31 days and gives at most 10,000 transactions.

use actix_web::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use wire::payment::{ListMovements, Movement, MovementKind, MovementStatus, Movements};

use super::{
    checkout::unexpected,
    client::{Call, Client, invalid, success},
    error::Refusal,
    messages::{Transaction, TransactionInfo, TransactionPage},
    outcome,
};
use crate::{
    error::ProxyError,
    providers::{
        exchange::{Received, Unintelligible},
        period::{self, Period},
    },
    shape::ShapeError,
};

/// How many transactions are asked for at once; PayPal gives no more than 500.
const PAGE: u32 = 500;

/// The longest time that PayPal searches.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// The issue of a search that found more than PayPal gives.
const TOO_MANY: &str = "RESULTSET_TOO_LARGE";

/// One search: a part of the time, and which page of it. As a cursor it is `START/END/PAGE`.
struct Search {
    part: Period,
    page: u32,
}

/// `list_movements`.
pub(super) async fn list(client: &Client, request: &ListMovements) -> Result<Movements, ProxyError> {
    let all = Period::of(request).map_err(invalid)?;
    let search = match &request.cursor {
        Some(cursor) => Search::parse(cursor, all).ok_or_else(|| {
            invalid(ShapeError::field("cursor", "not one that was given here for this time"))
        })?,
        None => Search::first(all.from, all),
    };
    match client.read(search.call(), found).await? {
        Some(page) => {
            let mut movements = Vec::new();
            for transaction in &page.transaction_details {
                movements.extend(movement(transaction, search.part).map_err(unexpected)?);
            }
            Ok(Movements { movements, next: search.next(page.total_pages, all) })
        }
        None => match search.halved() {
            Some(next) => Ok(Movements { movements: Vec::new(), next: Some(next.written()) }),
            None => {
                Err(unexpected(Unintelligible::field(".", "more transactions in a second than PayPal gives")))
            }
        },
    }
}

/// A page, or nothing when there are too many.
fn found(received: &Received) -> Result<Option<TransactionPage>, Unintelligible> {
    if received.status.is_success() {
        return success(received).map(Some);
    }
    let refusal = Refusal::read(received)?;
    if received.status == StatusCode::BAD_REQUEST && refusal.is_about(TOO_MANY) {
        return Ok(None);
    }
    Err(Unintelligible::field(".", "PayPal refuses to say"))
}

impl Search {
    /// The first page of the part that begins at an instant.
    fn first(from: DateTime<Utc>, all: Period) -> Self {
        let longest = from.checked_add_signed(LONGEST).unwrap_or(all.to);
        Self { part: Period { from, to: all.to.min(longest) }, page: 1 }
    }

    fn parse(cursor: &str, all: Period) -> Option<Self> {
        let mut parts = cursor.split('/');
        let (from, to, page) = (parts.next()?, parts.next()?, parts.next()?);
        let part = Period { from: period::parse(from)?, to: period::parse(to)? };
        let page = page.parse().ok().filter(|page| *page > 0)?;
        let fits = all.from <= part.from && part.from < part.to && part.to <= all.to;
        (fits && part.to - part.from <= LONGEST && parts.next().is_none()).then_some(Self { part, page })
    }

    fn written(&self) -> String {
        format!("{}/{}/{}", period::written(self.part.from), period::written(self.part.to), self.page)
    }

    fn call(&self) -> Call {
        // Whether PayPal's end is in the time is not said; what is not in ours is passed over.
        let (from, to) = (period::written(self.part.from), period::written(self.part.to));
        Call::get(format!(
            "/v1/reporting/transactions?start_date={from}&end_date={to}&fields=transaction_info\
             &balance_affecting_records_only=Y&page_size={PAGE}&page={}",
            self.page
        ))
    }

    /// Where it goes on: the next page, or the next part.
    fn next(&self, pages: u32, all: Period) -> Option<String> {
        if self.page < pages {
            return Some(Self { page: self.page + 1, ..*self }.written());
        }
        (self.part.to < all.to).then(|| Self::first(self.part.to, all).written())
    }

    /// The first half of the part, to the second.
    fn halved(&self) -> Option<Self> {
        let half = TimeDelta::seconds((self.part.to - self.part.from).num_seconds() / 2);
        let to = self.part.from.checked_add_signed(half)?;
        (to > self.part.from).then_some(Self { part: Period { from: self.part.from, to }, page: 1 })
    }
}

/// A payment that was received, or a refund of one; none of anything else that moves the account's balance.
fn movement(transaction: &Transaction, part: Period) -> Result<Option<Movement>, Unintelligible> {
    let info = &transaction.transaction_info;
    let Some(kind) = kind(info) else { return Ok(None) };
    let status = match info.transaction_status.as_str() {
        // V is one that was given back since, which is a transaction of its own.
        "S" | "V" => MovementStatus::Succeeded,
        "P" => MovementStatus::Pending,
        "D" => return Ok(None),
        _ => return Err(Unintelligible::field("transaction_status", "not a known status")),
    };
    let wrong = || Unintelligible::field("transaction_initiation_date", "not a time of RFC 3339");
    let at = parse_time(&info.transaction_initiation_date).ok_or_else(wrong)?;
    if !part.holds(at) {
        return Ok(None);
    }
    let amount = info.transaction_amount.read_unsigned()?;
    let order = info.paypal_reference_id_type.as_deref() == Some("ODR");
    Ok(Some(Movement {
        kind,
        reference: info.transaction_id.clone(),
        payment: info.paypal_reference_id.clone().filter(|_| order),
        attempt: outcome::attempt(info.custom_field.as_deref()),
        amount,
        fee: fee(info, amount.currency)?,
        status,
        at: period::written(at),
    }))
}

/// T00nn are payments, received when the amount is positive; T1107 is a refund by the merchant.
fn kind(info: &TransactionInfo) -> Option<MovementKind> {
    let code = info.transaction_event_code.as_str();
    let is_received = !info.transaction_amount.is_negative();
    match code {
        "T1107" if !is_received => Some(MovementKind::Refund),
        _ if code.starts_with("T00") && is_received => Some(MovementKind::Charge),
        _ => None,
    }
}

/// PayPal writes what it takes with a minus.
fn fee(info: &TransactionInfo, currency: wire::Currency) -> Result<Option<i64>, Unintelligible> {
    let Some(fee) = &info.fee_amount else { return Ok(None) };
    let amount = fee.read_unsigned()?;
    let minor_units = if fee.is_negative() { amount.minor_units } else { -amount.minor_units };
    Ok((amount.currency == currency).then_some(minor_units))
}

/// PayPal writes offsets with and without a colon.
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let without_colon = || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z").ok().map(|at| at.to_utc());
    period::parse(text).or_else(without_colon)
}
