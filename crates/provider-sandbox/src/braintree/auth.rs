//! Who may come in: the merchant's own keys, with a version of the API that is still spoken.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use data_encoding::BASE64;
use secrecy::ExposeSecret;

use super::refusal::Refusal;
use crate::settings::BraintreeAccount;

/// The version that the SDKs of today speak.
const API_VERSION: &str = "6";

/// Checks the keys, the merchant in the path, and the version.
pub(super) fn check(request: &HttpRequest, account: &BraintreeAccount) -> Result<(), Refusal> {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let pair = format!("{}:{}", account.public_key, account.private_key.expose_secret());
    let expected = format!("Basic {}", BASE64.encode(pair.as_bytes()));
    // The keys of one merchant open nothing of another.
    if given != Some(expected.as_str()) || !of_merchant(request, account) {
        return Err(Refusal::Unauthorized);
    }
    check_version(request)
}

/// Whether the path is of the account's merchant.
pub(super) fn of_merchant(request: &HttpRequest, account: &BraintreeAccount) -> bool {
    request.match_info().get("merchant_id") == Some(account.merchant_id.as_str())
}

fn check_version(request: &HttpRequest) -> Result<(), Refusal> {
    let version = request.headers().get("x-apiversion").and_then(|value| value.to_str().ok());
    if version == Some(API_VERSION) { Ok(()) } else { Err(Refusal::UpgradeRequired) }
}
