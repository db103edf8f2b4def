//! PayPal, under `/paypal`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};

use crate::settings::PaypalAccount;
use crate::shared::Shared;
use crate::waiting::{Decision, Payers, Undecided, Waiting};

/// The whole provider, shared by all its handlers.
pub(crate) struct Paypal {
    account: PaypalAccount,
    shared: Data<Shared>,
}

impl Paypal {
    pub(crate) fn new(account: PaypalAccount, shared: Data<Shared>) -> Self {
        Self { account, shared }
    }
}

impl Payers for Paypal {
    fn waiting(&self) -> Vec<Waiting> {
        Vec::new()
    }

    async fn decide(&self, _id: &str, _decision: Decision) -> Result<(), Undecided> {
        Err(Undecided::NotWaiting)
    }
}

/// The provider's own paths, under `/paypal`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.default_service(web::to(HttpResponse::NotFound));
}

/// The test's side of it, under `/_sandbox/paypal`.
pub(crate) fn control(_config: &mut ServiceConfig) {}
