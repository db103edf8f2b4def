//! `/sellers`: who sells.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::describe;
use super::error::Refusal;
use super::fields::{Fields, Rule};
use super::state::Reference;

const NAME: &str = "sellers";
const STATUS: Rule = Rule::OneOf(&["ACTIVE", "INACTIVE", "DISABLED"]);

#[derive(Clone, Debug, Serialize)]
pub(super) struct Seller {
    uuid: String,
    pub(super) name: String,
    email: String,
    pub(super) status: String,
    /// When the seller agreed to the terms, as `YYYY-MM-DD`.
    pub(super) agreement: Option<String>,
}

/// A list that takes no filter: a misspelt one must not return everything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFilter {}

pub(super) async fn list(
    reference: Data<Reference>,
    filter: Result<Query<NoFilter>, actix_web::Error>,
) -> Result<HttpResponse, Refusal> {
    filter.map_err(|error| Refusal::field("query", error.to_string()))?;
    let books = reference.books();
    let sellers: Vec<Value> =
        books.sellers.iter().map(|(uuid, seller)| describe(NAME, uuid, seller)).collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok().json(sellers))
}

pub(super) async fn create(reference: Data<Reference>, mut fields: Fields) -> Result<HttpResponse, Refusal> {
    let seller = Seller {
        uuid: fields.required("uuid", Rule::Key),
        name: fields.required("name", Rule::Text),
        email: fields.required("email", Rule::Email),
        status: fields.required("status", STATUS),
        agreement: fields.date("agreement").flatten(),
    };
    let mut books = reference.books();
    if books.sellers.contains_key(&seller.uuid) {
        fields.problem("uuid", "UUID must be unique");
    }
    fields.finish()?;
    let shown = describe(NAME, &seller.uuid, &seller)?;
    books.sellers.insert(seller.uuid.clone(), seller);
    Ok(HttpResponse::Created().json(shown))
}

pub(super) async fn read(reference: Data<Reference>, uuid: Path<String>) -> Result<HttpResponse, Refusal> {
    let books = reference.books();
    let seller = books.sellers.get(&*uuid).ok_or_else(|| Refusal::no_resource(&uuid))?;
    Ok(HttpResponse::Ok().json(describe(NAME, &uuid, seller)?))
}

pub(super) async fn update(
    reference: Data<Reference>,
    uuid: Path<String>,
    mut fields: Fields,
) -> Result<HttpResponse, Refusal> {
    let mut books = reference.books();
    let seller = books.sellers.get_mut(&*uuid).ok_or_else(|| Refusal::no_resource(&uuid))?;
    fields.fixed("uuid", &uuid);
    let mut changed = seller.clone();
    for (name, rule, value) in [
        ("name", Rule::Text, &mut changed.name),
        ("email", Rule::Email, &mut changed.email),
        ("status", STATUS, &mut changed.status),
    ] {
        if let Some(text) = fields.optional(name, rule) {
            *value = text;
        }
    }
    if let Some(agreement) = fields.date("agreement") {
        changed.agreement = agreement;
    }
    fields.finish()?;
    *seller = changed;
    Ok(HttpResponse::Ok().json(describe(NAME, &uuid, seller)?))
}
