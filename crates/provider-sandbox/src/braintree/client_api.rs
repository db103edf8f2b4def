//! What the script on the payer's side uses: the client token, nonces for cards, and 3-D Secure.
//!
//! Source: `ClientApiHttp` in the tests of the official Python SDK: JSON, and instead of the merchant's keys the
//! fingerprint that the client token holds.

use actix_web::http::header::HOST;
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Handled};
use super::books::Books;
use super::instrument::{Card, Nonce};
use super::refusal::Fault;
use super::xml::{Element, Node};
use super::{Braintree, notification, three_d_secure};

const PATH: &[&str] = &["client_token"];

/// `POST /client_token`: base64 of what the script starts with.
pub(super) fn token(braintree: &Braintree, books: &Books, base: &str, request: &Node) -> Handled {
    if request.get("version").is_some_and(|version| !matches!(version, "1" | "2" | "3")) {
        return Err(Fault::new(PATH, "version", "92806", "Version is not supported.").into());
    }
    let customer = request.get("customer_id");
    if customer.is_some_and(|id| !books.customers.contains_key(id)) {
        let message = "Customer specified by customer_id does not exist.";
        return Err(Fault::new(PATH, "customer_id", "92804", message).into());
    }
    let merchant = &braintree.account.merchant_id;
    let content = json!({
        "version": 2,
        "authorizationFingerprint": braintree.fingerprint(customer),
        "configUrl": format!("{base}/merchants/{merchant}/client_api/v1/configuration"),
        "clientApiUrl": format!("{base}/merchants/{merchant}/client_api"),
        "merchantId": merchant,
        "environment": "sandbox",
        "threeDSecureEnabled": true,
    });
    let value = BASE64.encode(content.to_string().as_bytes());
    Ok(Answer::created(Element::node("client-token", vec![Element::text("value", value)])))
}

impl Braintree {
    /// Signed, so that nobody makes one without the merchant.
    fn fingerprint(&self, customer: Option<&str>) -> String {
        let text =
            format!("customer_id={}&merchant_id={}", customer.unwrap_or_default(), self.account.merchant_id);
        format!("{}|{text}", notification::sign(&self.account, &text))
    }

    fn knows(&self, fingerprint: &str) -> bool {
        let Some((signature, text)) = fingerprint.split_once('|') else { return false };
        notification::sign(&self.account, text) == signature
    }
}

/// A card as the script sends it.
#[derive(Debug, Deserialize)]
pub(super) struct Tokenize {
    #[serde(rename = "authorizationFingerprint")]
    fingerprint: String,
    #[serde(alias = "creditCard")]
    credit_card: WrittenCard,
}

#[derive(Debug, Deserialize)]
struct WrittenCard {
    number: String,
    #[serde(default)]
    cvv: Option<String>,
    #[serde(alias = "expirationMonth")]
    expiration_month: String,
    #[serde(alias = "expirationYear")]
    expiration_year: String,
    #[serde(default, alias = "cardholderName")]
    cardholder_name: Option<String>,
}

/// `POST …/client_api/v1/payment_methods/credit_cards`: a nonce for a card.
pub(super) fn tokenize(braintree: &Braintree, asked: Tokenize) -> HttpResponse {
    if !braintree.knows(&asked.fingerprint) {
        return unauthorized();
    }
    let WrittenCard { number, cvv, expiration_month, expiration_year, cardholder_name } = asked.credit_card;
    let card = Card { number, cvv, month: expiration_month, year: expiration_year, holder: cardholder_name };
    if !card.number_is_valid() {
        let error = json!({"field": "creditCard", "fieldErrors": [
            {"field": "number", "code": "81715", "message": "Credit card number is invalid"},
        ]});
        let body = json!({"error": {"message": "Credit card is invalid"}, "fieldErrors": [error]});
        return HttpResponse::UnprocessableEntity().json(body);
    }
    let (brand, last_4) = (card.brand(), card.last_4().to_owned());
    let nonce = braintree.books().issue(Nonce::of_card(card));
    HttpResponse::Accepted().json(json!({"creditCards": [describe(&nonce, brand, &last_4)]}))
}

fn describe(nonce: &str, brand: &str, last_4: &str) -> Value {
    json!({
        "type": "CreditCard",
        "nonce": nonce,
        "description": format!("ending in {}", last_4.get(2..).unwrap_or_default()),
        "consumed": false,
        "threeDSecureInfo": null,
        "details": {"cardType": brand, "lastTwo": last_4.get(2..), "lastFour": last_4},
    })
}

/// A nonce that is to be authenticated.
#[derive(Debug, Deserialize)]
pub(super) struct LookUp {
    #[serde(rename = "authorizationFingerprint")]
    fingerprint: String,
    amount: String,
}

/// `POST …/client_api/v1/payment_methods/{nonce}/three_d_secure/lookup`.
pub(super) fn look_up(braintree: &Braintree, base: &str, nonce: &str, asked: LookUp) -> HttpResponse {
    if !braintree.knows(&asked.fingerprint) {
        return unauthorized();
    }
    let Some(found) = three_d_secure::look_up(&mut braintree.books(), nonce, asked.amount) else {
        let body = json!({"error": {"message": "Unknown or expired payment_method_nonce."}});
        return HttpResponse::UnprocessableEntity().json(body);
    };
    let info = json!({
        "liabilityShifted": found.info.liability_shifted,
        "liabilityShiftPossible": found.info.liability_shift_possible,
        "status": found.info.status,
        "enrolled": found.info.enrolled,
    });
    let lookup = found.question.map(|id| {
        json!({
            "acsUrl": format!("{base}/three_d_secure/{id}"),
            "termUrl": format!("{base}/three_d_secure/{id}/return"),
            "md": id,
            "pareq": "sandbox",
        })
    });
    let method = json!({"type": "CreditCard", "nonce": found.nonce, "threeDSecureInfo": info});
    HttpResponse::Created().json(json!({"paymentMethod": method, "lookup": lookup}))
}

fn unauthorized() -> HttpResponse {
    HttpResponse::Unauthorized().json(json!({"error": {"message": "Authorization fingerprint is invalid."}}))
}

/// Where the sandbox is for whoever asks.
pub(super) fn base(request: &HttpRequest) -> String {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("http://{host}/braintree")
}

/// The page on which the payer is asked.
pub(super) fn page(books: &Books, id: &str) -> HttpResponse {
    let waiting = three_d_secure::waiting(books).into_iter().find(|waiting| waiting.id == id);
    let Some(waiting) = waiting else { return HttpResponse::NotFound().finish() };
    let button = |decision: &str| {
        format!(
            "<form method=\"post\" action=\"/_sandbox/waiting/braintree/{id}/{decision}\"><button>{decision}</button></form>"
        )
    };
    // Ids and nonces are made here, and the amount is shown as the script sent it.
    let amount = quick_xml::escape::escape(waiting.amount.as_str()).into_owned();
    let page = format!(
        "<!doctype html><title>3-D Secure</title><h1>3-D Secure</h1><p>Do you pay {amount}?</p>{}{}",
        button("approve"),
        button("decline"),
    );
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page)
}
