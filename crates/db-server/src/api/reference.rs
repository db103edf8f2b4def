//! `/provider/reference/`: sellers, products, terms and the start of a payment.

pub mod products;
pub mod sellers;
pub mod terms;
pub mod transactions;

use actix_web::HttpResponse;
use serde_json::{Value, json};
use wire::reference::RemoteResource;

use super::Shown;
use crate::{
    caller::{Caller, Write},
    error::ApiError,
};

/// `DELETE`: never offered.
///
/// # Errors
/// Always [`ApiError::NotOffered`].
pub async fn delete(_: Caller<Write>) -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotOffered)
}

/// The provider's object as we show it: its path is ours, and its key is also its `id`.
fn show_remote(remote: &RemoteResource, uri: &str) -> Value {
    let mut object = remote.fields.clone();
    object.insert("id".into(), json!(remote.resource_pk));
    object.insert("resource_pk".into(), json!(remote.resource_pk));
    if let Some(name) = &remote.resource_name {
        object.insert("resource_name".into(), json!(name));
    }
    object.insert("resource_uri".into(), json!(uri));
    Value::Object(object)
}
