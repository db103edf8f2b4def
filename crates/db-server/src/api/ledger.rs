//! `/ledger/`: what the accounts of the ledger add up to.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Serialize;
use serde_json::{Value, json};
use wire::{Currency, Money, payment::Provider};

use super::list_answer;
use crate::{
    caller::{Caller, Read},
    domain::{Domain, DomainError, ledger},
    error::ApiError,
    etag::{Digest, ETag},
    page::{List, Query},
    store::ledger_sum::BalanceFilter,
};

const PATH: &str = "/ledger/balances/";

/// A page of balances, and what all of them add up to.
#[derive(Serialize)]
struct Balances {
    #[serde(flatten)]
    list: List<Value>,
    totals: Vec<Value>,
}

/// `GET`: the balance of every account; filters `account`, `currency`, `provider`.
///
/// # Errors
/// [`ApiError`].
pub async fn balances(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = BalanceFilter {
        account: query.text("account"),
        currency: query.text("currency"),
        provider: query.word::<Provider>("provider").map(Into::into),
    };
    let page = query.finish()?;
    let balances = ledger::balances(&domain, filter, page.rows()).await?;
    let accounts = balances.accounts.rows.iter().map(|row| {
        let balance = decimal(row.balance_minor, &row.currency);
        json!({"account": row.account, "currency": row.currency, "balance": balance})
    });
    let totals = balances
        .totals
        .iter()
        .map(|row| json!({"currency": row.currency, "total": decimal(row.total_minor, &row.currency)}));
    let list = page.answer(PATH, accounts.collect(), balances.accounts.total).ok_or(DomainError::NotFound)?;
    let body = Balances { list, totals: totals.collect() };
    let digest = Digest::new().bytes(&serde_json::to_vec(&body).unwrap_or_default());
    Ok(list_answer(&request, &ETag::of_list(digest), body))
}

/// An amount as a decimal; none in a currency that is none.
fn decimal(minor_units: i64, currency: &str) -> Option<String> {
    let currency = Currency::parse(currency).ok()?;
    Some(Money { minor_units, currency }.decimal())
}
