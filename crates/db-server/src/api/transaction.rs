//! `/generic/transaction/`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;
use wire::{Currency, Money};

use super::{Id, Shown, listed, money};
use crate::{
    caller::{Caller, Read, Write},
    domain::{
        Domain, DomainError,
        transaction::{self, Patch, Transaction, cannot_alter},
    },
    error::ApiError,
    etag::IfMatch,
    field_errors::FieldErrors,
    form::Form,
    page::Query,
    store::{
        code::{Provider, TransactionStatus, TransactionType},
        id::{BuyerId, ProductId, SellerId, TransactionId},
        transaction::{NewTransaction, TransactionFilter, TransactionRow},
    },
    uri::Kind,
};

/// `POST`: creates a transaction.
///
/// # Errors
/// [`ApiError`].
pub async fn create(
    caller: Caller<Write>,
    domain: Data<Domain>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let transaction = transaction::create(&domain, read_new(form)?, caller.actor()).await?;
    Ok(show(&transaction).created())
}

/// `GET` of the list; filters `uuid`, `seller`, `provider`.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = TransactionFilter {
        uuid: query.text("uuid"),
        seller_id: query.reference("seller", Kind::Seller),
        provider: query.provider("provider"),
    };
    let page = query.finish()?;
    let list = transaction::list(&domain, filter, page.rows()).await?;
    listed(&request, &page, Kind::Transaction.list_path(), list.rows.iter().map(show).collect(), list.total)
}

/// `GET` of one transaction.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Read>,
    request: HttpRequest,
    domain: Data<Domain>,
    Id(id): Id<TransactionId>,
) -> Result<HttpResponse, ApiError> {
    Ok(show(&transaction::get(&domain, id).await?).found(&request))
}

/// `PATCH`: changes what may change.
///
/// # Errors
/// [`ApiError`].
pub async fn patch(
    caller: Caller<Write>,
    domain: Data<Domain>,
    Id(id): Id<TransactionId>,
    expected: IfMatch,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let patch = read_patch(form)?;
    let transaction = transaction::update(&domain, id, expected, patch, caller.actor()).await?;
    Ok(show(&transaction).changed())
}

fn read_new(mut form: Form) -> Result<NewTransaction, FieldErrors> {
    let amount = money::read_optional(&mut form, "amount", "currency");
    let kind = form.choice("type", TransactionType::from_code);
    let kind = form.not_null("type", kind).unwrap_or_default();
    let status = form.choice("status", TransactionStatus::from_code);
    let status = form.not_null("status", status).unwrap_or_default();
    let new = NewTransaction {
        uuid: form.id("uuid").flatten().unwrap_or_else(|| format!("solitude:{}", Uuid::new_v4())),
        amount_minor: amount.map(|amount| amount.minor_units),
        currency: amount.map(|amount| amount.currency.code().to_owned()),
        buyer_id: form.reference::<BuyerId>("buyer", Kind::Buyer).flatten(),
        seller_id: form.reference::<SellerId>("seller", Kind::Seller).flatten(),
        product_id: form.reference::<ProductId>("seller_product", Kind::Product).flatten(),
        related_id: form.reference::<TransactionId>("related", Kind::Transaction).flatten(),
        provider: form.choice("provider", Provider::from_code).flatten(),
        region: form.text("region").flatten(),
        carrier: form.text("carrier").flatten(),
        source: form.text("source").flatten(),
        status_reason: form.text("status_reason").flatten(),
        uid_pay: form.id("uid_pay").flatten(),
        uid_support: form.id("uid_support").flatten(),
        pay_url: form.url("pay_url").flatten(),
        notes: form.notes("notes").flatten(),
        kind,
        status,
    };
    form.ignore(&super::READ_ONLY);
    form.ignore(&["relations"]);
    form.finish().map(|()| new)
}

fn read_patch(mut form: Form) -> Result<Patch, DomainError> {
    let status = form.choice("status", TransactionStatus::from_code);
    let patch = Patch {
        status: form.not_null("status", status),
        notes: form.notes("notes"),
        pay_url: form.url("pay_url"),
        status_reason: form.text("status_reason"),
        uid_pay: form.id("uid_pay"),
        provider: form.choice("provider", Provider::from_code),
    };
    form.refuse_card_numbers()?;
    let mut others = form.names().peekable();
    if others.peek().is_some() {
        return Err(cannot_alter(others));
    }
    drop(others);
    form.finish()?;
    Ok(patch)
}

/// A transaction as a client sees it. A relation is shown without relations of its own.
#[derive(Serialize)]
struct Body<'a> {
    resource_pk: i64,
    resource_uri: String,
    uuid: &'a str,
    amount: Option<String>,
    currency: Option<&'a str>,
    buyer: Option<String>,
    seller: Option<String>,
    seller_product: Option<String>,
    provider: Option<i16>,
    region: Option<&'a str>,
    carrier: Option<&'a str>,
    source: Option<&'a str>,
    #[serde(rename = "type")]
    kind: i16,
    status: i16,
    status_reason: Option<&'a str>,
    uid_pay: Option<&'a str>,
    uid_support: Option<&'a str>,
    pay_url: Option<&'a str>,
    related: Option<String>,
    notes: Option<&'a str>,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
    counter: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    relations: Option<Vec<Body<'a>>>,
}

fn show(transaction: &Transaction) -> Shown<Body<'_>> {
    let row = &transaction.row;
    let relations = Some(transaction.relations.iter().map(show_row).collect());
    let body = Body { relations, ..show_row(row) };
    if transaction.relations.is_empty() {
        return Shown::of_row(row.id.0, row.counter, body);
    }
    Shown::of_more(row.id.0, row.counter, body)
}

/// The transaction without its version.
pub(super) fn show_body(transaction: &Transaction) -> serde_json::Value {
    // Of texts and numbers alone, it always has a JSON form.
    serde_json::to_value(show(transaction).body).unwrap_or_default()
}

fn show_row(row: &TransactionRow) -> Body<'_> {
    Body {
        resource_pk: row.id.0,
        resource_uri: Kind::Transaction.uri(row.id),
        uuid: &row.uuid,
        amount: amount(row),
        currency: row.currency.as_deref(),
        buyer: row.buyer_id.map(|id| Kind::Buyer.uri(id)),
        seller: row.seller_id.map(|id| Kind::Seller.uri(id)),
        seller_product: row.product_id.map(|id| Kind::Product.uri(id)),
        provider: row.provider.map(Provider::code),
        region: row.region.as_deref(),
        carrier: row.carrier.as_deref(),
        source: row.source.as_deref(),
        kind: row.kind.code(),
        status: row.status.code(),
        status_reason: row.status_reason.as_deref(),
        uid_pay: row.uid_pay.as_deref(),
        uid_support: row.uid_support.as_deref(),
        pay_url: row.pay_url.as_deref(),
        related: row.related_id.map(|id| Kind::Transaction.uri(id)),
        notes: row.notes.as_deref(),
        created: row.created,
        modified: row.modified,
        counter: row.counter,
        relations: None,
    }
}

fn amount(row: &TransactionRow) -> Option<String> {
    let currency = Currency::parse(row.currency.as_deref()?).ok()?;
    Some(Money { minor_units: row.amount_minor?, currency }.decimal())
}

#[cfg(test)]
mod tests;
