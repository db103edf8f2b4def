//! `POST /v1/oauth2/token`, and the check of the tokens that it gave.

use std::collections::HashMap;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpRequest, HttpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Refusal;
use super::state::{Paypal, random_id};

/// Nine hours, as PayPal gives.
const LIFE_SECONDS: u32 = 32_400;

/// The tokens that are good, with the time at which each ends.
pub(super) struct Tokens {
    good: HashMap<String, DateTime<Utc>>,
    /// How long the next ones live, in seconds.
    pub(super) life: u32,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { good: HashMap::new(), life: LIFE_SECONDS }
    }
}

impl Tokens {
    pub(super) fn revoke_all(&mut self) {
        self.good.clear();
    }

    fn is_good(&self, token: &str, now: DateTime<Utc>) -> bool {
        self.good.get(token).is_some_and(|end| now < *end)
    }
}

#[derive(Deserialize)]
struct Form {
    grant_type: Option<String>,
}

/// `POST /v1/oauth2/token` (RFC 6749, section 4.4).
pub(super) async fn grant(paypal: Data<Paypal>, request: HttpRequest, body: Bytes) -> HttpResponse {
    if !is_client(&paypal, request.headers()) {
        return HttpResponse::Unauthorized().json(json!({
            "error": "invalid_client", "error_description": "Client Authentication failed",
        }));
    }
    let pairs = url::form_urlencoded::parse(&body).into_owned();
    let form =
        Form { grant_type: pairs.into_iter().find(|(name, _)| name == "grant_type").map(|(_, value)| value) };
    match form.grant_type.as_deref() {
        Some("client_credentials") => HttpResponse::Ok().json(mint(&paypal)),
        Some(_) => HttpResponse::BadRequest().json(json!({
            "error": "unsupported_grant_type", "error_description": "Grant Type is not supported",
        })),
        None => HttpResponse::BadRequest().json(json!({
            "error": "invalid_request", "error_description": "Grant type is null",
        })),
    }
}

fn mint(paypal: &Paypal) -> Value {
    let token = format!("A21AA{}", random_id(92));
    let mut books = paypal.books();
    let (now, life) = (books.now(), books.tokens.life);
    let nonce = format!("{}{}", now.format("%Y-%m-%dT%H:%M:%SZ"), random_id(43));
    books.tokens.good.insert(token.clone(), now + TimeDelta::seconds(life.into()));
    json!({
        "scope": "https://uri.paypal.com/services/payments/payment/authcapture \
                  https://uri.paypal.com/services/payments/refund https://uri.paypal.com/services/vault/payment-tokens/readwrite \
                  https://uri.paypal.com/services/reporting/search/read",
        "access_token": token, "token_type": "Bearer", "app_id": "APP-80W284485P519543T", "expires_in": life,
        "nonce": nonce,
    })
}

fn is_client(paypal: &Paypal, headers: &HeaderMap) -> bool {
    let account = &paypal.account;
    let expected = format!("{}:{}", account.client_id, account.client_secret.expose_secret());
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let decoded =
        sent.and_then(|text| text.strip_prefix("Basic ")).map(|text| BASE64.decode(text.as_bytes()));
    decoded.is_some_and(|decoded| decoded.is_ok_and(|pair| pair == expected.as_bytes()))
}

/// The middleware: a good token, or nothing is done; and the mock answer when one is asked for.
pub(super) async fn check<B: MessageBody + 'static>(
    paypal: Data<Paypal>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    if let Some(answer) = refuse(&paypal, request.headers()) {
        return Ok(request.into_response(answer).map_into_right_body());
    }
    if let Some(refusal) = mocked(&request) {
        return Ok(request.error_response(refusal).map_into_right_body());
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

fn refuse(paypal: &Paypal, headers: &HeaderMap) -> Option<HttpResponse> {
    let mut sent = headers.get_all(AUTHORIZATION);
    let (first, second) = (sent.next(), sent.next());
    let token = first.and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
    let (Some(token), None) = (token, second) else {
        let refusal = Refusal::issue("AUTHENTICATION_FAILURE");
        return Some(HttpResponse::from_error(refusal));
    };
    let books = paypal.books();
    if books.tokens.is_good(token, books.now()) {
        return None;
    }
    Some(HttpResponse::Unauthorized().json(json!({
        "error": "invalid_token", "error_description": "The token passed in was not found in the system",
    })))
}

/// The negative testing of PayPal's own sandbox: `PayPal-Mock-Response: {"mock_application_codes": "…"}`.
fn mocked(request: &ServiceRequest) -> Option<Refusal> {
    let path = request.path();
    // The calls that document the header.
    if !path.starts_with("/paypal/v2/") || path.ends_with("/reauthorize") {
        return None;
    }
    let written = request.headers().get("PayPal-Mock-Response")?.to_str().ok()?;
    let code = serde_json::from_str::<Value>(written)
        .ok()
        .and_then(|mock| mock.get("mock_application_codes").and_then(Value::as_str).map(ToOwned::to_owned));
    Some(match code {
        Some(code) => Refusal::issue(&code),
        None => Refusal::issue("INVALID_PARAMETER_SYNTAX").located("PayPal-Mock-Response", written, "header"),
    })
}
