//! Stored means of payment: setup tokens, which PayPal's script fills in, and the payment tokens made of them.

use actix_web::http::StatusCode;
use wire::payment::{
    ClientToken, ClientTokenRequest, CreateCustomer, Customer, DeletePaymentMethod, Deleted, Outcome,
    PaymentMethod, PaymentMethodKind, StorePaymentMethod, Token,
};

use super::{
    client::{Call, Client, invalid, path_id, success},
    error::Refusal,
    messages::{NewPaymentToken, NewSetupToken, PaymentToken, SetupToken},
};
use crate::{
    error::ProxyError,
    providers::exchange::{Received, Unintelligible, no_such_nonce},
    shape::ShapeError,
};

/// The longest name of a payer, in characters.
const LONGEST_CUSTOMER: usize = 64;

/// A token as db-server has it: PayPal's id, and what it stands for, which an order must say.
pub(super) enum Stored<'token> {
    Card(&'token str),
    Wallet(&'token str),
}

const CARD: &str = "card:";
const WALLET: &str = "paypal:";

impl<'token> Stored<'token> {
    /// Reads one.
    ///
    /// # Errors
    /// [`ProxyError::InvalidRequest`] when it is not one of PayPal's.
    pub(super) fn read(field: &str, token: &'token Token) -> Result<Self, ProxyError> {
        let text = token.expose();
        if let Some(id) = text.strip_prefix(CARD) {
            return Ok(Self::Card(path_id(field, id)?));
        }
        if let Some(id) = text.strip_prefix(WALLET) {
            return Ok(Self::Wallet(path_id(field, id)?));
        }
        Err(invalid(ShapeError::field(field, "not a payment method that is stored at PayPal")))
    }

    const fn id(&self) -> &'token str {
        match self {
            Self::Card(id) | Self::Wallet(id) => id,
        }
    }
}

/// `create_customer`: PayPal keeps the payer by our own name for it, so nothing is sent. A name that PayPal does not take
/// gives way to the attempt's id, which is the same however often it is asked for.
pub(super) fn create_customer(request: &CreateCustomer) -> Outcome<Customer> {
    let fits = |reference: &String| customer("reference", reference).is_ok();
    let reference = request.reference.clone().filter(fits).unwrap_or_else(|| request.attempt.to_string());
    Outcome::Succeeded { result: Customer { reference, created: None, modified: None } }
}

/// `client_token`: a setup token for a card, which PayPal's card fields fill in.
pub(super) async fn client_token(
    client: &Client,
    request: &ClientTokenRequest,
) -> Result<Outcome<ClientToken>, ProxyError> {
    let payer = request.customer.as_deref().map(|payer| customer("customer", payer)).transpose()?;
    let call =
        Call::post("/v3/vault/setup-tokens".into(), request.attempt, Some(&NewSetupToken::card(payer)))?;
    client
        .change(call, |received| {
            if !received.status.is_success() {
                return Ok(Refusal::read(received)?.outcome(received));
            }
            let made: SetupToken = success(received)?;
            Ok(Outcome::Succeeded { result: ClientToken { token: made.id.into() } })
        })
        .await
}

/// `store_payment_method`: of a setup token that the payer has approved.
pub(super) async fn store(
    client: &Client,
    request: &StorePaymentMethod,
) -> Result<Outcome<PaymentMethod>, ProxyError> {
    customer("customer", &request.customer)?;
    let Ok(nonce) = path_id("nonce", request.nonce.expose()) else { return Ok(no_such_nonce()) };
    let token = NewPaymentToken::of(nonce);
    let call = Call::post("/v3/vault/payment-tokens".into(), request.attempt, Some(&token))?;
    client.change(call, |received| stored(received, &request.customer)).await
}

fn stored(received: &Received, customer: &str) -> Result<Outcome<PaymentMethod>, Unintelligible> {
    if !received.status.is_success() {
        return Ok(Refusal::read(received)?.outcome(received));
    }
    let made: PaymentToken = success(received)?;
    if made.customer.merchant_customer_id.as_deref().is_some_and(|known| known != customer) {
        return Err(Unintelligible::field("customer", "another payer"));
    }
    Ok(Outcome::Succeeded { result: payment_method(&made)? })
}

fn payment_method(made: &PaymentToken) -> Result<PaymentMethod, Unintelligible> {
    let blank = |prefix: &str, kind| PaymentMethod {
        token: format!("{prefix}{}", made.id).into(),
        kind,
        brand: None,
        last4: None,
        expiry_month: None,
        expiry_year: None,
        created: None,
        modified: None,
    };
    match (&made.payment_source.card, &made.payment_source.paypal) {
        (Some(card), None) => {
            let (year, month) = card.expiry.as_deref().and_then(|text| text.split_once('-')).unzip();
            Ok(PaymentMethod {
                brand: card.brand.as_deref().map(str::to_lowercase),
                last4: card.last_digits.clone(),
                expiry_month: month.and_then(|month| month.parse().ok()),
                expiry_year: year.and_then(|year| year.parse().ok()),
                ..blank(CARD, PaymentMethodKind::Card)
            })
        }
        (None, Some(_)) => Ok(blank(WALLET, PaymentMethodKind::Paypal)),
        _ => Err(Unintelligible::field("payment_source", "neither a card nor a PayPal account")),
    }
}

/// `delete_payment_method`: one that is gone is as good.
pub(super) async fn delete(
    client: &Client,
    request: &DeletePaymentMethod,
) -> Result<Outcome<Deleted>, ProxyError> {
    let id = Stored::read("payment_method", &request.payment_method)?.id();
    let call = Call::delete(format!("/v3/vault/payment-tokens/{id}"));
    client
        .change(call, |received| {
            if received.status.is_success() {
                return Ok(Outcome::Succeeded { result: Deleted { was_gone: false } });
            }
            let refusal = Refusal::read(received)?;
            if received.status == StatusCode::NOT_FOUND {
                return Ok(Outcome::Succeeded { result: Deleted { was_gone: true } });
            }
            Ok(refusal.outcome(received))
        })
        .await
}

/// Our name for a payer, which PayPal calls the merchant's customer id.
fn customer<'name>(field: &str, name: &'name str) -> Result<&'name str, ProxyError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.^*$@#".contains(&byte);
    if !name.is_empty() && name.len() <= LONGEST_CUSTOMER && name.bytes().all(fits) {
        Ok(name)
    } else {
        Err(invalid(ShapeError::field(field, "expected 1 to 64 letters, digits or one of - _ . ^ * $ @ #")))
    }
}
