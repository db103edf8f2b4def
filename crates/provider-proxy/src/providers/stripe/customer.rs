//! Payers and their stored means of payment.

use wire::payment::{
    ClientToken, ClientTokenRequest, CreateCustomer, Customer, DeletePaymentMethod, Deleted, Outcome,
    PaymentMethod, StorePaymentMethod,
};

use super::{
    Stripe,
    client::{Call, id},
    messages::{self, ATTEMPT, SetupIntent, rfc3339},
};
use crate::{
    error::ProxyError,
    providers::exchange::{Unintelligible, no_such_nonce},
};

impl Stripe {
    /// `POST /v1/setup_intents`, whose client secret Stripe's script starts with. It charges nothing.
    pub(super) async fn make_client_token(
        &self,
        request: &ClientTokenRequest,
    ) -> Result<Outcome<ClientToken>, ProxyError> {
        let call = Call::post("/v1/setup_intents", request.attempt)
            .with("usage", "off_session")
            .with("automatic_payment_methods[enabled]", "true")
            .with("automatic_payment_methods[allow_redirects]", "never")
            .with_some("customer", request.customer.as_deref())
            .with(&format!("metadata[{ATTEMPT}]"), &request.attempt.to_string());
        let map = |intent: SetupIntent| {
            let secret = intent.client_secret.filter(|secret| !secret.is_empty());
            let secret = secret.ok_or_else(|| Unintelligible::field("client_secret", "missing"))?;
            Ok(Outcome::Succeeded { result: ClientToken { token: secret.into() } })
        };
        self.client.ask(call, map).await
    }

    /// `POST /v1/customers`.
    pub(super) async fn make_customer(
        &self,
        request: &CreateCustomer,
    ) -> Result<Outcome<Customer>, ProxyError> {
        let call = Call::post("/v1/customers", request.attempt)
            .with_some("email", request.email.as_deref())
            .with_some("metadata[reference]", request.reference.as_deref())
            .with(&format!("metadata[{ATTEMPT}]"), &request.attempt.to_string());
        let map = |customer: messages::Customer| {
            let created = rfc3339(customer.created);
            Ok(Outcome::Succeeded { result: Customer { reference: customer.id, created, modified: None } })
        };
        self.client.change(call, map, |_| Ok(None)).await
    }

    /// `POST /v1/payment_methods/{id}/attach`; the card's bank may say no.
    pub(super) async fn attach(
        &self,
        request: &StorePaymentMethod,
    ) -> Result<Outcome<PaymentMethod>, ProxyError> {
        // A payer's browser chose it: one that leads elsewhere is as good as one that Stripe does not know.
        let Ok(nonce) = id("nonce", request.nonce.expose()) else { return Ok(no_such_nonce()) };
        let path = format!("/v1/payment_methods/{nonce}/attach");
        let call =
            Call::post(path, request.attempt).with("customer", &request.customer).hiding(&request.nonce);
        let map = |method: messages::PaymentMethod| {
            if method.customer.as_ref() != Some(&request.customer) {
                return Err(Unintelligible::field("customer", "not the customer that was sent"));
            }
            Ok(Outcome::Succeeded { result: method.to_wire() })
        };
        self.client.change(call, map, |_| Ok(None)).await
    }

    /// `POST /v1/payment_methods/{id}/detach`. One that has no owner any more is as good.
    pub(super) async fn detach(&self, request: &DeletePaymentMethod) -> Result<Outcome<Deleted>, ProxyError> {
        let method = id("payment_method", request.payment_method.expose())?;
        let call = Call::post(format!("/v1/payment_methods/{method}/detach"), request.attempt)
            .hiding(&request.payment_method);
        let map = |method: messages::PaymentMethod| match method.customer {
            None => Ok(Outcome::Succeeded { result: Deleted { was_gone: false } }),
            Some(_) => Err(Unintelligible::field("customer", "expected none")),
        };
        let outcome = self.client.change(call, map, |_| Ok(None)).await?;
        let refused =
            matches!(&outcome, Outcome::Rejected { rejection } if matches!(rejection.status, 400 | 404));
        if !refused {
            return Ok(outcome);
        }
        // Evidence is asked for; without it the rejection stands.
        let now = Call::get(format!("/v1/payment_methods/{method}"));
        match self.client.read::<messages::PaymentMethod>(now).await {
            Ok(None) => Ok(Outcome::Succeeded { result: Deleted { was_gone: true } }),
            Ok(Some(method)) if method.customer.is_none() => {
                Ok(Outcome::Succeeded { result: Deleted { was_gone: true } })
            }
            _ => Ok(outcome),
        }
    }
}
