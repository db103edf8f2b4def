//! `/services/settings/`: what this server runs with, its secrets withheld.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    caller::{Admin, Caller},
    cleansed::CleansedSettings,
    domain::DomainError,
    error::ApiError,
    page::{List, Meta, Query},
};

/// `GET` of all, by key. 403 unless `services.cleansed_settings_access` is true.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    _: Caller<Admin>,
    settings: Data<CleansedSettings>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let all = allowed(&settings)?;
    query.none()?;
    let objects: Vec<_> = all.iter().map(|(key, value)| show(key, value)).collect();
    let total_count = i64::try_from(objects.len()).unwrap_or(i64::MAX);
    let meta = Meta { next: None, prev: None, page: 1, total_count };
    Ok(HttpResponse::Ok().json(List { meta, objects }))
}

/// `GET` of one, by its full name. 403 unless `services.cleansed_settings_access` is true.
///
/// # Errors
/// [`ApiError`].
pub async fn get(
    _: Caller<Admin>,
    settings: Data<CleansedSettings>,
    name: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let value = allowed(&settings)?.get(name.as_str()).ok_or(DomainError::NotFound)?;
    Ok(HttpResponse::Ok().json(show(&name, value)))
}

/// What a path cannot hold, or would read as something else; a client's name may hold anything.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

fn allowed(settings: &CleansedSettings) -> Result<&BTreeMap<String, Value>, ApiError> {
    settings.all().ok_or(ApiError::Forbidden)
}

fn show(key: &str, value: &Value) -> Value {
    json!({
        "key": key,
        "value": value,
        "resource_pk": key,
        "resource_uri": format!("/services/settings/{}/", utf8_percent_encode(key, ESCAPED)),
    })
}
