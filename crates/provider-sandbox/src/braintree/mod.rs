//! Braintree, under `/braintree`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};

use crate::settings::BraintreeAccount;
use crate::shared::Shared;
use crate::waiting::{Decision, Payers, Undecided, Waiting};

/// The whole provider, shared by all its handlers.
pub(crate) struct Braintree {
    account: BraintreeAccount,
    shared: Data<Shared>,
}

impl Braintree {
    pub(crate) fn new(account: BraintreeAccount, shared: Data<Shared>) -> Self {
        Self { account, shared }
    }
}

impl Payers for Braintree {
    fn waiting(&self) -> Vec<Waiting> {
        Vec::new()
    }

    async fn decide(&self, _id: &str, _decision: Decision) -> Result<(), Undecided> {
        Err(Undecided::NotWaiting)
    }
}

/// The provider's own paths, under `/braintree`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.default_service(web::to(HttpResponse::NotFound));
}

/// The test's side of it, under `/_sandbox/braintree`.
pub(crate) fn control(_config: &mut ServiceConfig) {}
