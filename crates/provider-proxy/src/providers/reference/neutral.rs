//! The neutral operations in the reference provider's words: a checkout is a transaction, and a webhook is its notice.
//!
//! Source: `docs/payment.rst` of Mozilla's zippy.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wire::{
    Currency, Money,
    payment::{
        Advice, Checkout, CompleteCheckout, Decline, Event, EventKind, FieldError, Found, HealthRequest,
        Healthy, Lookup, LookupBy, OperationName, Outcome, Payment, Provider, Rejection, StartCheckout,
        VerifyWebhook,
    },
    reference::{self, RemoteResource, StartTransaction},
};

use super::{
    NAME, Reference,
    client::Received,
    config::CheckoutSettings,
    error::Error,
    messages::{Message, get_transaction},
    notice,
};
use crate::{
    error::ProxyError,
    providers::{exchange::unless_unknown, posted::Posted},
    shape::{self, ShapeError},
};

impl Reference {
    pub(super) async fn start(&self, request: &StartCheckout) -> Result<Outcome<Checkout>, ProxyError> {
        let settings = self.checkout.as_ref().ok_or(ProxyError::NotConfigured { target: NAME })?;
        let asked = transaction(request, settings)?;
        let call = reference::Start::call(&asked)?;
        let started = self.client.send(call).await.map_err(ProxyError::from);
        unless_unknown(started.and_then(|received| started_checkout(&asked, settings, received)))
    }

    pub(super) async fn complete(&self, request: &CompleteCheckout) -> Result<Outcome<Payment>, ProxyError> {
        let call = get_transaction("checkout", &request.checkout)?;
        let found = self.client.send(call).await.map_err(ProxyError::from);
        unless_unknown(found.and_then(|received| match received {
            Received::Success { body, .. } => Ok(payment(body)?),
            Received::Refused(answer) if answer.status < 500 => Ok(rejected(&answer)),
            Received::Refused(answer) => Err(failed(&answer)),
        }))
    }

    pub(super) async fn find(&self, request: &Lookup) -> Result<Found, ProxyError> {
        let LookupBy::Payment { reference } = &request.by else {
            return Err(ProxyError::Unsupported { target: NAME, operation: OperationName::Lookup });
        };
        match self.client.send(get_transaction("by.payment.reference", reference)?).await? {
            Received::Success { body, .. } => Ok(Found::Payment { outcome: payment(body)? }),
            Received::Refused(answer) if answer.status == 404 => Ok(Found::Nothing),
            Received::Refused(answer) => Err(failed(&answer)),
        }
    }

    /// There is no cheaper question that needs our signature: one for what is not there.
    pub(super) async fn ask(&self, request: &HealthRequest) -> Result<Healthy, ProxyError> {
        let nothing = request.attempt.to_string();
        match self.client.send(get_transaction("attempt", &nothing)?).await? {
            Received::Refused(answer) if answer.status == 404 => Ok(Healthy {}),
            Received::Success { status, .. } => Err(Error::Status(status).into()),
            Received::Refused(answer) => Err(failed(&answer)),
        }
    }

    pub(super) fn verify(&self, request: &VerifyWebhook) -> Result<Event, ProxyError> {
        let posted = Posted::new(request).map_err(Error::Request)?;
        let signed = notice::in_form(&posted.body).map_err(Error::Notice)?;
        let notice = notice::verify(&self.notice_keys, &signed).map_err(Error::Notice)?;
        let payload = signed.rsplit_once('&').map_or(signed.as_str(), |(payload, _)| payload);
        let decline =
            notice.error.clone().map(|code| Outcome::Declined { decline: decline(code), result: None });
        Ok(Event {
            // The provider has no name for a notice. One that is signed again, with another key, is the same.
            id: HEXLOWER.encode(&Sha256::digest(payload)),
            provider: Provider::Reference,
            kind: EventKind::Payment,
            provider_kind: if decline.is_some() { "error" } else { "success" }.to_owned(),
            occurred: None,
            attempt: notice.ext_transaction_id.parse().ok(),
            payment_reference: None,
            payment: decline,
            refund: None,
            subscription: None,
            body: json!({
                "ext_transaction_id": notice.ext_transaction_id,
                "error": notice.error,
                "price": notice.amount.map(|amount| amount.decimal()),
                "currency": notice.amount.map(|amount| amount.currency),
            }),
        })
    }
}

/// A checkout in the provider's words.
fn transaction(request: &StartCheckout, settings: &CheckoutSettings) -> Result<StartTransaction, Error> {
    if !request.capture {
        let message = "expected true: the provider takes the amount when the payer agrees";
        return Err(Error::Request(ShapeError::field("capture", message)));
    }
    let product = request.product.clone();
    let missing =
        || Error::Request(ShapeError::field("product", "missing: the provider sells only what it lists"));
    Ok(StartTransaction {
        product_id: product.ok_or_else(missing)?,
        region: settings.region.clone(),
        carrier: settings.carrier.clone(),
        price: request.amount,
        pay_method: settings.pay_method.clone(),
        callback_success_url: settings.callback_url.as_str().to_owned() + "/",
        callback_error_url: settings.callback_url.as_str().to_owned() + "/",
        success_url: request.return_url.clone(),
        error_url: request.cancel_url.clone(),
        ext_transaction_id: request.attempt.to_string(),
    })
}

fn started_checkout(
    asked: &StartTransaction,
    settings: &CheckoutSettings,
    received: Received,
) -> Result<Outcome<Checkout>, ProxyError> {
    let body = match received {
        Received::Success { body, .. } => body,
        Received::Refused(answer) if answer.status < 500 => return Ok(rejected(&answer)),
        Received::Refused(answer) => return Err(failed(&answer)),
    };
    let started: reference::StartedTransaction = shape::from_value(body).map_err(Error::Answer)?;
    reference::Start::check(asked, &started)?;
    let token = started.token().unwrap_or_default();
    Ok(Outcome::Succeeded {
        result: Checkout {
            reference: started.resource.resource_pk.clone(),
            status: started.status().unwrap_or_default().to_owned(),
            url: settings.page_url.join(&format!("/?tx={}", super::messages::encoded(token))),
        },
    })
}

/// A transaction, and how it stands.
fn payment(body: Value) -> Result<Outcome<Payment>, Error> {
    let resource: RemoteResource = shape::from_value(body).map_err(Error::Answer)?;
    let text = |name: &str| resource.fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let amount = Currency::parse(text("currency")).and_then(|currency| Money::parse(text("price"), currency));
    let amount = amount.map_err(|error| Error::Answer(ShapeError::field("price", error.to_string())))?;
    let status = text("status").to_owned();
    let is_completed = status == "COMPLETED";
    let result = Payment {
        attempt: text("ext_transaction_id").parse().ok(),
        reference: resource.resource_pk.clone(),
        amount,
        captured: if is_completed { amount.minor_units } else { 0 },
        settlement_declined: 0,
        refunded: None,
        voided: false,
        captures: Vec::new(),
        payment_method: None,
        status,
    };
    match result.status.as_str() {
        "COMPLETED" => Ok(Outcome::Succeeded { result }),
        "STARTED" => Ok(Outcome::Pending { result }),
        "FAILED" => Ok(Outcome::Declined { decline: decline("FAILED".to_owned()), result: Some(result) }),
        _ => Err(Error::Answer(ShapeError::field("status", "expected STARTED, COMPLETED or FAILED"))),
    }
}

/// The provider says why in its notice only, and by a code whose meaning is the payer's operator's.
fn decline(code: String) -> Decline {
    Decline { code, message: "The payment failed at the provider.".to_owned(), advice: Advice::OtherMethod }
}

/// `{"code": "…", "message": "…"}`, or with a message for each field.
fn rejected<T>(answer: &wire::ProviderAnswer) -> Outcome<T> {
    let code = answer.body.get("code").and_then(Value::as_str).unwrap_or("unknown");
    let message = answer.body.get("message");
    let errors =
        message.and_then(Value::as_object).into_iter().flatten().map(|(field, problem)| FieldError {
            field: Some(field.clone()),
            code: code.to_owned(),
            message: problem.as_str().map_or_else(|| problem.to_string(), ToOwned::to_owned),
        });
    Outcome::Rejected {
        rejection: Rejection {
            status: answer.status,
            message: message.and_then(Value::as_str).unwrap_or(code).to_owned(),
            errors: errors.collect(),
            retry_after: answer.retry_after.clone(),
        },
    }
}

/// A status from which nothing follows.
const fn failed(answer: &wire::ProviderAnswer) -> ProxyError {
    ProxyError::UnexpectedStatus { target: NAME, status: answer.status }
}

#[cfg(test)]
mod tests;
