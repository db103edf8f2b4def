//! `/webhooks/{provider}/`: what providers post by themselves.

use std::str::FromStr;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION},
    web::{Bytes, Data, Payload},
};
use data_encoding::BASE64;
use serde_json::json;
use wire::payment::{Header, Provider, VerifyWebhook, WebhookChallenge, operations};

use crate::{
    domain::{Domain, DomainError, detached::detached, inbox},
    error::ApiError,
    field_errors::{FieldError, FieldErrors},
    form::read_body,
    page::Query,
    proxy_client::ProxyClient,
};

/// The question with which Braintree checks the address of its webhooks.
const CHALLENGE: &str = "bt_challenge";

/// `POST` of whatever the provider sends, by the provider: keeps it in the inbox. Nobody is asked who they are; the
/// signature is what is believed, and it is checked on provider-proxy, where the secret is.
///
/// # Errors
/// [`ApiError`]; the provider delivers it again on each.
pub async fn receive(
    request: HttpRequest,
    payload: Payload,
    domain: Data<Domain>,
    proxy: Data<ProxyClient>,
) -> Result<HttpResponse, ApiError> {
    let provider = provider_of(&request)?;
    let body = read_body(&request, &mut payload.into_inner()).await?;
    let posted = posted(&request, &body);
    detached(async move { inbox::receive(&domain, &proxy, provider, &posted).await }).await?;
    Ok(HttpResponse::Ok().json(json!({"result": "OK"})))
}

/// `GET` with `bt_challenge`, by a provider that checks whether the address is ours.
///
/// # Errors
/// [`ApiError`].
pub async fn challenge(
    request: HttpRequest,
    proxy: Data<ProxyClient>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let provider = provider_of(&request)?;
    let challenge = query.text(CHALLENGE);
    query.none()?;
    let challenge = challenge.ok_or_else(|| FieldErrors::of(CHALLENGE, FieldError::required()))?;
    let asked = WebhookChallenge { challenge };
    let answer = proxy.pay::<operations::AnswerWebhookChallenge>(provider, &asked).await;
    let answer = answer.map_err(ApiError::of_webhook)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .body(answer.verification))
}

/// What a provider has posted, for provider-proxy to verify.
pub(crate) fn posted(request: &HttpRequest, body: &Bytes) -> VerifyWebhook {
    VerifyWebhook { headers: headers(request), body: BASE64.encode(body) }
}

/// The headers as they came, but for what would be a credential of somebody's.
fn headers(request: &HttpRequest) -> Vec<Header> {
    let private = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];
    let headers = request.headers().iter().filter(|(name, _)| !private.contains(name));
    let headers = headers.filter_map(|(name, value)| {
        Some(Header { name: name.as_str().to_owned(), value: value.to_str().ok()?.to_owned() })
    });
    headers.collect()
}

fn provider_of(request: &HttpRequest) -> Result<Provider, DomainError> {
    let name = request.match_info().get("provider").unwrap_or_default();
    Provider::from_str(name).map_err(|_| DomainError::NotFound)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_webhook_goes_on_byte_for_byte_with_its_headers_and_without_anybodys_credentials() {
        let request = TestRequest::post()
            .insert_header(("Stripe-Signature", "t=1,v1=aa"))
            .append_header(("X-Twice", "one"))
            .append_header(("X-Twice", "two"))
            .insert_header(("Authorization", "Bearer dummy"))
            .insert_header(("Cookie", "dummy"))
            .to_http_request();
        let posted = posted(&request, &Bytes::from_static(b"\x00{}\n"));
        assert_eq!(posted.body, "AHt9Cg==");
        let of = |name: &str| -> Vec<_> {
            posted.headers.iter().filter(|header| header.name == name).map(|header| &header.value).collect()
        };
        assert_eq!(of("stripe-signature"), ["t=1,v1=aa"]);
        assert_eq!(of("x-twice"), ["one", "two"]);
        assert!(of("authorization").is_empty() && of("cookie").is_empty());
    }

    #[test]
    fn a_provider_that_is_none_is_not_found() {
        let of =
            |name: &'static str| provider_of(&TestRequest::post().param("provider", name).to_http_request());
        assert_eq!(of("stripe").unwrap(), Provider::Stripe);
        for name in ["Stripe", "bango", ""] {
            assert!(matches!(of(name), Err(DomainError::NotFound)), "{name}");
        }
    }
}
