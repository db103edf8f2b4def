//! Asking a provider for what has been written down: the first time, and again under the same attempt.

use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use wire::{
    ErrorKind,
    payment::{AttemptId, Found, Lookup, LookupBy, Outcome, PaymentOperation, Provider, operations},
};

use super::{Fact, Refused};
use crate::{
    crypt::{Ciphertext, EncryptionKeys},
    domain::DomainError,
    error,
    proxy_client::{ProxyClient, ProxyError, Unanswered},
    store::{
        payment::PaymentRow, payment_code::PaymentOperationKind, payment_operation::PaymentOperationRow,
    },
};

/// The code of a request that a server on the way has refused, without a reason of its own.
const REFUSED: &str = "refused";

/// Asks the provider, for the first time, for what an operation says, under its attempt, and gives what that means for the payment. No
/// database transaction may be open meanwhile.
///
/// # Errors
/// [`DomainError::Crypt`] when the request cannot be decrypted, [`DomainError::Integrity`] when there is none: the
/// operation is settled. Whatever comes of the call itself is a fact.
pub async fn ask(
    keys: &EncryptionKeys,
    proxy: &ProxyClient,
    provider: Provider,
    operation: &PaymentOperationRow,
) -> Result<Fact, DomainError> {
    let asking = Asking { keys, proxy, provider, row: operation };
    let row = operation.clone();
    match operation.operation {
        PaymentOperationKind::Authorize => {
            let outcome = asking.ask::<operations::Authorize, _>().await?;
            Ok(fact(row, outcome, |row, outcome| Fact::Payment { operation: Some(row), outcome }))
        }
        PaymentOperationKind::StartCheckout => {
            let outcome = asking.ask::<operations::StartCheckout, _>().await?;
            Ok(fact(row, outcome, |operation, outcome| Fact::Checkout { operation, outcome }))
        }
        PaymentOperationKind::CompleteCheckout => {
            let outcome = asking.ask::<operations::CompleteCheckout, _>().await?;
            Ok(fact(row, outcome, |row, outcome| Fact::Payment { operation: Some(row), outcome }))
        }
        PaymentOperationKind::Capture => {
            let outcome = asking.ask::<operations::Capture, _>().await?;
            Ok(fact(row, outcome, |operation, outcome| Fact::Capture { operation, outcome }))
        }
        PaymentOperationKind::Void => {
            let outcome = asking.ask::<operations::Void, _>().await?;
            Ok(fact(row, outcome, |row, outcome| Fact::Payment { operation: Some(row), outcome }))
        }
        PaymentOperationKind::Refund => {
            let outcome = asking.ask::<operations::Refund, _>().await?;
            Ok(fact(row, outcome, |row, outcome| Fact::Refund { operation: Some(row), outcome }))
        }
    }
}

/// Asks again for what the provider may have been asked before. That nothing was sent this time says nothing about the
/// time before, so that the outcome stays unknown.
///
/// # Errors
/// As [`ask`].
pub async fn ask_again(
    keys: &EncryptionKeys,
    proxy: &ProxyClient,
    provider: Provider,
    operation: &PaymentOperationRow,
) -> Result<Fact, DomainError> {
    Ok(match ask(keys, proxy, provider, operation).await? {
        Fact::NotDone { operation, why, .. } => Fact::Unknown { operation, why },
        fact => fact,
    })
}

/// Asks the provider how a payment stands that it has given an id; none when it knows of nothing, or has given none.
///
/// # Errors
/// [`ProxyError`]; whatever it is, the provider has changed nothing.
pub async fn look(
    proxy: &ProxyClient,
    provider: Provider,
    payment: &PaymentRow,
) -> Result<Option<Fact>, ProxyError> {
    let reference = payment.provider_reference.as_ref().or(payment.checkout_reference.as_ref());
    let Some(reference) = reference.cloned() else { return Ok(None) };
    let lookup = Lookup { attempt: AttemptId::new(), by: LookupBy::Payment { reference } };
    match proxy.pay::<operations::Lookup>(provider, &lookup).await? {
        Found::Payment { outcome } => Ok(Some(Fact::Payment { operation: None, outcome })),
        Found::Refund { .. } | Found::Nothing => Ok(None),
    }
}

/// A request as an operation keeps it.
///
/// # Errors
/// [`DomainError::Integrity`] when it cannot be written as JSON, which is a defect.
pub fn sealed(keys: &EncryptionKeys, request: &impl Serialize) -> Result<Ciphertext, DomainError> {
    let text = serde_json::to_string(request);
    let text = text.map_err(|_| DomainError::Integrity("The request cannot be written."))?;
    Ok(keys.encrypt(&text))
}

/// The question.
struct Asking<'a> {
    keys: &'a EncryptionKeys,
    proxy: &'a ProxyClient,
    provider: Provider,
    row: &'a PaymentOperationRow,
}

impl Asking<'_> {
    async fn ask<O, T>(&self) -> Result<Result<Outcome<T>, ProxyError>, DomainError>
    where
        O: PaymentOperation<Answer = Outcome<T>>,
    {
        let request = self.request::<O::Request>()?;
        Ok(self.proxy.pay::<O>(self.provider, &request).await)
    }

    fn request<Q: DeserializeOwned>(&self) -> Result<Q, DomainError> {
        let sealed = self.row.request.as_ref();
        let sealed = sealed.ok_or(DomainError::Integrity("The operation is settled."))?;
        let request = self.keys.decrypt(sealed)?;
        serde_json::from_str(request.expose_secret())
            .map_err(|_| DomainError::Integrity("The request that was kept cannot be read."))
    }
}

/// What an answer means; none is known to mean that nothing was done only when nothing was sent.
fn fact<T>(
    operation: PaymentOperationRow,
    answer: Result<Outcome<T>, ProxyError>,
    of: impl FnOnce(PaymentOperationRow, Outcome<T>) -> Fact,
) -> Fact {
    let (attempt, kind) = (operation.attempt, operation.operation.name());
    match answer {
        Ok(outcome) => of(operation, outcome),
        Err(error) if error.outcome_is_unknown() => {
            log::warn!("{kind} {attempt}: {}", error::chain(&error));
            Fact::Unknown { operation, why: Some(Unanswered::of(&error)) }
        }
        Err(error) => {
            log::warn!("{kind} {attempt}: {}", error::chain(&error));
            Fact::NotDone { operation, refusal: refused(&error), why: Some(Unanswered::of(&error)) }
        }
    }
}

/// Why nothing was sent, without what a client has no business with.
fn refused(error: &ProxyError) -> Refused {
    Refused {
        code: error.kind().map_or(REFUSED, ErrorKind::name).to_owned(),
        message: error::sentence(error),
    }
}
