//! What waits for a person: payments that their payer must still approve or decline.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;

use crate::braintree::Braintree;
use crate::paypal::Paypal;
use crate::provider::Provider;
use crate::reference::Reference;
use crate::stripe::Stripe;

/// One payment that waits.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Waiting {
    /// At which provider.
    pub(crate) provider: Provider,
    /// Names it in a decision; one path segment.
    pub(crate) id: String,
    /// What a person decides, such as "3-D Secure of pi_1".
    pub(crate) text: String,
    /// The amount as a decimal string.
    pub(crate) amount: String,
    /// ISO 4217, in capitals.
    pub(crate) currency: String,
}

/// What the person decides.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    /// Pays.
    Approve,
    /// Refuses.
    Decline,
}

/// Why a decision changes nothing.
#[derive(Debug, Error)]
pub(crate) enum Undecided {
    /// Nothing of this id waits, or not any more.
    #[error("nothing of this id waits for a decision")]
    NotWaiting,
    /// The provider refuses it.
    #[error("{0}")]
    Refused(String),
}

/// A provider whose payers can be played. Both functions go by the provider's own books; nothing is kept beside them.
pub(crate) trait Payers {
    /// All that waits there now.
    fn waiting(&self) -> Vec<Waiting>;

    /// Carries a decision out, webhooks and ledger included.
    async fn decide(&self, id: &str, decision: Decision) -> Result<(), Undecided>;
}

/// Every provider of a sandbox.
#[derive(Clone)]
pub(crate) struct Providers {
    pub(crate) reference: Data<Reference>,
    pub(crate) stripe: Data<Stripe>,
    pub(crate) paypal: Data<Paypal>,
    pub(crate) braintree: Data<Braintree>,
}

impl Providers {
    /// All that waits anywhere.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let mut all = self.reference.waiting();
        all.extend(self.stripe.waiting());
        all.extend(self.paypal.waiting());
        all.extend(self.braintree.waiting());
        all
    }

    /// Carries a decision out at the provider.
    pub(crate) async fn decide(
        &self,
        provider: Provider,
        id: &str,
        decision: Decision,
    ) -> Result<(), Undecided> {
        match provider {
            Provider::Reference => self.reference.decide(id, decision).await,
            Provider::Stripe => self.stripe.decide(id, decision).await,
            Provider::Paypal => self.paypal.decide(id, decision).await,
            Provider::Braintree => self.braintree.decide(id, decision).await,
        }
    }
}

/// `GET /_sandbox/waiting`.
pub(crate) async fn list(providers: Data<Providers>) -> HttpResponse {
    HttpResponse::Ok().json(providers.waiting())
}

/// `POST /_sandbox/waiting/PROVIDER/ID/approve`, or `decline`.
pub(crate) async fn decide(
    providers: Data<Providers>,
    path: Path<(Provider, String, Decision)>,
) -> HttpResponse {
    let (provider, id, decision) = path.into_inner();
    match providers.decide(provider, &id, decision).await {
        Ok(()) => HttpResponse::Ok().json(json!({"provider": provider, "id": id, "decision": decision})),
        Err(error @ Undecided::NotWaiting) => {
            HttpResponse::NotFound().json(json!({"detail": error.to_string()}))
        }
        Err(error @ Undecided::Refused(_)) => {
            HttpResponse::Conflict().json(json!({"detail": error.to_string()}))
        }
    }
}
