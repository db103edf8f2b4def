//! `/transactions`: one purchase each, started by the consumer and confirmed by the payer.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::error::Refusal;
use super::fields::{Fields, Rule};
use super::sellers::NoFilter;
use super::state::{Books, Reference};
use super::{describe, notices::Notice};

const NAME: &str = "transactions";

/// The length of a payer's token in bytes; it is written in twice as many hexadecimal digits.
const TOKEN_BYTES: usize = 64;

const CURRENCY: Rule = Rule::OneOf(&[
    "AUD", "CAD", "CHF", "COP", "DKK", "EGP", "EUR", "GBP", "HUF", "IDR", "MXN", "MYR", "NOK", "NZD", "PHP",
    "PLN", "QAR", "SEK", "SGD", "THB", "USD", "ZAR",
]);
const PAY_METHOD: Rule = Rule::OneOf(&["OPERATOR", "CARD", "INTERNET", "PSMS"]);

#[derive(Clone, Debug, Serialize)]
pub(super) struct Transaction {
    pub(super) uuid: String,
    pub(super) status: Status,
    pub(super) token: String,
    product_id: String,
    region: String,
    carrier: String,
    pub(super) price: String,
    pub(super) currency: String,
    pay_method: String,
    pub(super) callback_success_url: String,
    pub(super) callback_error_url: String,
    success_url: String,
    error_url: String,
    pub(super) ext_transaction_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_image_url: Option<String>,
    /// What was posted when the payer had confirmed.
    #[serde(skip)]
    pub(super) notice: Option<Notice>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Status {
    Started,
    Completed,
    Failed,
}

impl Transaction {
    /// As the consumer sees it.
    pub(super) fn show(&self) -> Result<Value, Refusal> {
        describe(NAME, &self.uuid, self)
    }
}

pub(super) async fn list(
    reference: Data<Reference>,
    filter: Result<Query<NoFilter>, actix_web::Error>,
) -> Result<HttpResponse, Refusal> {
    filter.map_err(|error| Refusal::field("query", error.to_string()))?;
    let books = reference.books();
    let transactions: Vec<Value> =
        books.transactions.values().map(Transaction::show).collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok().json(transactions))
}

pub(super) async fn create(reference: Data<Reference>, mut fields: Fields) -> Result<HttpResponse, Refusal> {
    let transaction = Transaction {
        uuid: Uuid::new_v4().to_string(),
        status: Status::Started,
        token: new_token()?,
        product_id: fields.required("product_id", Rule::Key),
        region: fields.required("region", Rule::Text),
        carrier: fields.required("carrier", Rule::Text),
        price: fields.required("price", Rule::Money),
        currency: fields.required("currency", CURRENCY),
        pay_method: fields.required("pay_method", PAY_METHOD),
        callback_success_url: fields.required("callback_success_url", Rule::Url),
        callback_error_url: fields.required("callback_error_url", Rule::Url),
        success_url: fields.required("success_url", Rule::Url),
        error_url: fields.required("error_url", Rule::Url),
        ext_transaction_id: fields.required("ext_transaction_id", Rule::Text),
        product_image_url: fields.optional("product_image_url", Rule::Url),
        notice: None,
    };
    let mut books = reference.books();
    if fields.is_valid("product_id") && !is_for_sale(&books, &transaction.product_id) {
        fields.problem("product_id", format!("zero results for product_id {}", transaction.product_id));
    }
    fields.finish()?;
    let shown = transaction.show()?;
    books.tokens.insert(transaction.token.clone(), transaction.uuid.clone());
    books.transactions.insert(transaction.uuid.clone(), transaction);
    Ok(HttpResponse::Created().json(shown))
}

pub(super) async fn read(reference: Data<Reference>, uuid: Path<String>) -> Result<HttpResponse, Refusal> {
    let books = reference.books();
    let transaction = books.transactions.get(&*uuid).ok_or_else(|| Refusal::no_resource(&uuid))?;
    Ok(HttpResponse::Ok().json(transaction.show()?))
}

/// A product can be bought while it is active and its seller may sell.
fn is_for_sale(books: &Books, product: &str) -> bool {
    let product = books.products.get(product).filter(|product| product.status == "ACTIVE");
    product.is_some_and(|product| books.may_sell(&product.seller_id))
}

fn new_token() -> Result<String, Refusal> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::Internal)?;
    Ok(HEXLOWER.encode(&bytes))
}
