//! `/braintree/token/generate/`.

use actix_web::{HttpResponse, web::Data};
use serde_json::json;

use crate::{
    caller::{Caller, Write},
    domain::braintree,
    error::ApiError,
    form::Form,
    proxy_client::ProxyClient,
};

/// `POST`: what Braintree's script on the payer's side starts with.
///
/// # Errors
/// [`ApiError`].
pub async fn generate(
    _: Caller<Write>,
    proxy: Data<ProxyClient>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    form.finish()?;
    let token = braintree::client_token(&proxy).await?;
    Ok(HttpResponse::Ok().json(json!({"token": token.expose()})))
}
