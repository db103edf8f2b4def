//! `/products`: what is sold.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::describe;
use super::error::Refusal;
use super::fields::{Fields, Rule};
use super::state::{Books, Reference};

const NAME: &str = "products";
const STATUS: Rule = Rule::OneOf(&["ACTIVE", "INACTIVE"]);

#[derive(Clone, Debug, Serialize)]
pub(super) struct Product {
    uuid: String,
    /// The key of its seller.
    pub(super) seller_id: String,
    /// Unique for its seller.
    external_id: String,
    name: String,
    pub(super) status: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    seller_id: Option<String>,
    external_id: Option<String>,
}

pub(super) async fn list(
    reference: Data<Reference>,
    filter: Result<Query<Filter>, actix_web::Error>,
) -> Result<HttpResponse, Refusal> {
    let filter = filter.map_err(|error| Refusal::field("query", error.to_string()))?.into_inner();
    let books = reference.books();
    if let Some(seller) = filter.seller_id.as_ref().filter(|seller| !books.sellers.contains_key(*seller)) {
        return Err(Refusal::NotFound(format!("seller with UUID {seller} not found")));
    }
    let fits = |product: &Product| {
        filter.seller_id.as_ref().is_none_or(|wanted| *wanted == product.seller_id)
            && filter.external_id.as_ref().is_none_or(|wanted| *wanted == product.external_id)
    };
    let products: Vec<Value> = books
        .products
        .iter()
        .filter(|(_, product)| fits(product))
        .map(|(uuid, product)| describe(NAME, uuid, product))
        .collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok().json(products))
}

pub(super) async fn create(reference: Data<Reference>, mut fields: Fields) -> Result<HttpResponse, Refusal> {
    let product = Product {
        uuid: fields.required("uuid", Rule::Key),
        seller_id: fields.required("seller_id", Rule::Key),
        external_id: fields.required("external_id", Rule::Text),
        name: fields.required("name", Rule::Text),
        status: fields.optional("status", STATUS).unwrap_or("ACTIVE".into()),
    };
    let mut books = reference.books();
    if books.products.contains_key(&product.uuid) {
        fields.problem("uuid", "UUID must be unique");
    }
    check_seller(&books, &product, &mut fields);
    fields.finish()?;
    let shown = describe(NAME, &product.uuid, &product)?;
    books.products.insert(product.uuid.clone(), product);
    Ok(HttpResponse::Created().json(shown))
}

pub(super) async fn read(reference: Data<Reference>, uuid: Path<String>) -> Result<HttpResponse, Refusal> {
    let books = reference.books();
    let product = books.products.get(&*uuid).ok_or_else(|| Refusal::no_resource(&uuid))?;
    Ok(HttpResponse::Ok().json(describe(NAME, &uuid, product)?))
}

pub(super) async fn update(
    reference: Data<Reference>,
    uuid: Path<String>,
    mut fields: Fields,
) -> Result<HttpResponse, Refusal> {
    let mut books = reference.books();
    let mut changed = books.products.get(&*uuid).ok_or_else(|| Refusal::no_resource(&uuid))?.clone();
    fields.fixed("uuid", &uuid);
    for (name, rule, value) in [
        ("seller_id", Rule::Key, &mut changed.seller_id),
        ("external_id", Rule::Text, &mut changed.external_id),
        ("name", Rule::Text, &mut changed.name),
        ("status", STATUS, &mut changed.status),
    ] {
        if let Some(text) = fields.optional(name, rule) {
            *value = text;
        }
    }
    check_seller(&books, &changed, &mut fields);
    fields.finish()?;
    let shown = describe(NAME, &uuid, &changed)?;
    books.products.insert(uuid.into_inner(), changed);
    Ok(HttpResponse::Ok().json(shown))
}

/// The seller must be there and active, and must not have another product of the same external id.
fn check_seller(books: &Books, product: &Product, fields: &mut Fields) {
    if fields.is_valid("seller_id") && !books.may_sell(&product.seller_id) {
        fields.problem("seller_id", format!("zero results for seller_id {}", product.seller_id));
    }
    let is_twin = |other: &Product| {
        other.seller_id == product.seller_id
            && other.external_id == product.external_id
            && other.uuid != product.uuid
    };
    if fields.is_valid("external_id") && books.products.values().any(is_twin) {
        fields.problem("external_id", "external_id must be unique per seller");
    }
}
