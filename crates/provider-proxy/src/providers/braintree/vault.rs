//! Client tokens, customers and stored payment methods.
//!
//! A customer's id and a payment method's token are the attempt that made them: whoever asks again is told that the id is
//! taken, and what has it is what the first request made.

use wire::payment::{
    AttemptId, ClientToken, ClientTokenRequest, CreateCustomer, Customer, DeletePaymentMethod, Deleted,
    Outcome, PaymentMethod, StorePaymentMethod, Token,
};

use super::{
    Braintree,
    client::{self, Call, object_or_rejection},
    error::{self, Refused},
    lookup::unexpected,
    messages,
    table::{Meaning, Special},
    xml::{Element, Written},
};
use crate::{
    error::ProxyError,
    providers::exchange::{Received, Unintelligible, after_a_change},
};

/// The version of client tokens that today's scripts read.
const TOKEN_VERSION: &str = "2";

pub(super) async fn client_token(
    braintree: &Braintree,
    request: &ClientTokenRequest,
) -> Result<Outcome<ClientToken>, ProxyError> {
    let body = Written::new("client_token")
        .text("version", TOKEN_VERSION)
        .optional("customer_id", request.customer.as_deref());
    let read = |document: &Element| match document.name() {
        "client-token" => Ok(ClientToken { token: Token::from(document.required("value")?) }),
        _ => Err(Unintelligible::field(".", "not a client token")),
    };
    let map = |received: &Received, document: &Element| object_or_rejection(received, document, read);
    braintree.client.ask(Call::post("client_token"), Some(body), map).await
}

pub(super) async fn create_customer(
    braintree: &Braintree,
    request: &CreateCustomer,
) -> Result<Outcome<Customer>, ProxyError> {
    let body = Written::new("customer")
        .text("id", &request.attempt.to_string())
        // The only free text that Braintree's own pages show and search.
        .optional("company", request.reference.as_deref())
        .optional("email", request.email.as_deref());
    let map = |received: &Received, document: &Element| {
        object_or_rejection(received, document, |document| {
            of_attempt(document, "id", request.attempt, messages::customer)
        })
    };
    let outcome = braintree.client.change(Call::post("customers"), Some(body), map).await?;
    if error::special(&outcome) != Some(Special::PerhapsBefore) {
        return Ok(outcome);
    }
    let call = Call::get(format!("customers/{}", request.attempt));
    Ok(after_a_change(made_before(braintree, call, outcome, messages::customer).await))
}

pub(super) async fn store_payment_method(
    braintree: &Braintree,
    request: &StorePaymentMethod,
) -> Result<Outcome<PaymentMethod>, ProxyError> {
    let body = Written::new("payment_method")
        .text("customer_id", &request.customer)
        .text("payment_method_nonce", request.nonce.expose())
        .text("token", &request.attempt.to_string())
        .node(Written::new("options").flag("verify_card", true));
    let map = |received: &Received, document: &Element| stored(received, document, request.attempt);
    let outcome = braintree.client.change(Call::post("payment_methods"), Some(body), map).await?;
    if error::special(&outcome) != Some(Special::PerhapsBefore) {
        return Ok(outcome);
    }
    let call = Call::get(format!("payment_methods/any/{}", request.attempt));
    Ok(after_a_change(made_before(braintree, call, outcome, messages::payment_method).await))
}

/// A payment method, or why it was not verified.
fn stored(
    received: &Received,
    document: &Element,
    attempt: AttemptId,
) -> Result<Outcome<PaymentMethod>, Unintelligible> {
    let Some(refused) = Refused::read(document) else {
        let result = of_attempt(document, "token", attempt, messages::payment_method)?;
        return Ok(Outcome::Succeeded { result });
    };
    match refused.made("verification") {
        Some(verification) => {
            let decline = messages::verification_decline(verification);
            Ok(Outcome::Declined { decline, result: None })
        }
        None => Ok(refused.rejected(received)),
    }
}

/// What was made, if it is under the attempt.
fn of_attempt<T>(
    document: &Element,
    field: &str,
    attempt: AttemptId,
    read: impl FnOnce(&Element) -> Result<T, Unintelligible>,
) -> Result<T, Unintelligible> {
    let made = read(document)?;
    if document.text(field) == Some(attempt.to_string().as_str()) {
        Ok(made)
    } else {
        Err(Unintelligible::field(field, "another than was asked for"))
    }
}

/// What the same attempt has made before; the refusal when it has made nothing.
pub(super) async fn made_before<T>(
    braintree: &Braintree,
    call: Call,
    refused: Outcome<T>,
    read: impl FnOnce(&Element) -> Result<T, Unintelligible>,
) -> Result<Outcome<T>, ProxyError> {
    match braintree.client.read(call, None).await? {
        Some(document) => Ok(Outcome::Succeeded { result: read(&document).map_err(unexpected)? }),
        None => Ok(refused),
    }
}

pub(super) async fn delete_payment_method(
    braintree: &Braintree,
    request: &DeletePaymentMethod,
) -> Result<Outcome<Deleted>, ProxyError> {
    let token = client::segment("payment_method", request.payment_method.expose())?;
    let call = Call::delete(format!("payment_methods/any/{token}"));
    let map = |meaning: Meaning, received: &Received| match meaning {
        Meaning::NotFound => Ok(Outcome::Succeeded { result: Deleted { was_gone: true } }),
        Meaning::Refused => Ok(client::refused(received)),
        Meaning::Unknown => Err(Unintelligible::field(".", "status 408")),
        Meaning::Body if received.body.trim_ascii().is_empty() && received.status.is_success() => {
            Ok(Outcome::Succeeded { result: Deleted::default() })
        }
        Meaning::Body => deleted(received, &client::document(received)?),
    };
    braintree.client.change_without_answer(call, map).await
}

/// A success may come with a document, but not with an error.
fn deleted(received: &Received, document: &Element) -> Result<Outcome<Deleted>, Unintelligible> {
    match Refused::read(document) {
        Some(refused) => Ok(refused.rejected(received)),
        None if received.status.is_success() => Ok(Outcome::Succeeded { result: Deleted::default() }),
        None => Err(Unintelligible::field(".", "not an error")),
    }
}
