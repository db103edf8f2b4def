//! `/services/proxy/`: where the door leads, for administrators.

use actix_web::{HttpResponse, web::Data};
use chassis::base_url::BaseUrl;
use serde_json::json;

use super::Door;
use crate::{
    caller::{Admin, Caller},
    error::ApiError,
    field_errors::{FieldError, FieldErrors},
    form::Form,
};

/// `GET`: where the door leads; null when it is off.
///
/// # Errors
/// [`ApiError`].
pub async fn get(_: Caller<Admin>, door: Data<Door>) -> Result<HttpResponse, ApiError> {
    Ok(shown(door.leads_to().await?.as_ref()))
}

/// `PUT {url}`: switches the door to a URL that the settings allow, or off with null.
///
/// # Errors
/// [`ApiError`].
pub async fn put(caller: Caller<Admin>, door: Data<Door>, form: Form) -> Result<HttpResponse, ApiError> {
    let url = read(form, &door)?;
    door.switch(url.as_ref(), &caller.actor()).await?;
    Ok(shown(url.as_ref()))
}

fn shown(url: Option<&BaseUrl>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "url": url.map(BaseUrl::as_str) }))
}

/// Null switches it off; a missing field is a mistake.
fn read(mut form: Form, door: &Door) -> Result<Option<BaseUrl>, FieldErrors> {
    let given = form.id("url");
    if given.is_none() && !form.has_error("url") {
        form.error("url", FieldError::required());
    }
    let mut url = None;
    if let Some(text) = given.flatten() {
        match BaseUrl::parse(&text) {
            Ok(parsed) if door.allows(&parsed) => url = Some(parsed),
            Ok(_) => form.error("url", FieldError::invalid("Not on the operator's list, door.allowed.")),
            Err(what) => form.error("url", FieldError::invalid(format!("Enter a valid URL: {what}."))),
        }
    }
    form.finish()?;
    Ok(url)
}
