//! The ledger: every charge, refund and void of all providers, so that a test can say "exactly once".

use std::sync::{Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::provider::Provider;
use crate::shared::Shared;

/// What happened with money.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Money was captured from the payer.
    Charge,
    /// Money went back to the payer.
    Refund,
    /// An authorization was given up before it was captured.
    Void,
}

impl Kind {
    /// As it is written in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Void => "void",
        }
    }
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    /// At which provider.
    pub(crate) provider: Provider,
    /// What happened.
    pub(crate) kind: Kind,
    /// The provider's id of the charge, the refund or the voided authorization.
    pub(crate) id: String,
    /// The amount as a decimal string in the currency's own number of decimals, such as `10.00`.
    pub(crate) amount: String,
    /// ISO 4217, in capitals.
    pub(crate) currency: String,
    /// The merchant's own reference, which is Solitude's attempt id; blank when it gave none.
    pub(crate) reference: String,
    /// When.
    pub(crate) at: DateTime<Utc>,
}

/// All lines since the start, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Vec<Entry>>);

impl Ledger {
    /// Adds a line.
    pub(crate) fn record(&self, entry: Entry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// The lines that fit.
    pub(crate) fn entries(&self, filter: &Filter) -> Vec<Entry> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().filter(|entry| filter.fits(entry)).cloned().collect()
    }
}

/// Which lines are asked for; all without it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    provider: Option<Provider>,
    kind: Option<Kind>,
    reference: Option<String>,
    id: Option<String>,
}

impl Filter {
    fn fits(&self, entry: &Entry) -> bool {
        self.provider.is_none_or(|provider| provider == entry.provider)
            && self.kind.is_none_or(|kind| kind == entry.kind)
            && self.reference.as_ref().is_none_or(|reference| *reference == entry.reference)
            && self.id.as_ref().is_none_or(|id| *id == entry.id)
    }
}

/// `GET /_sandbox/ledger`.
pub(crate) async fn list(shared: Data<Shared>, filter: Query<Filter>) -> HttpResponse {
    HttpResponse::Ok().json(shared.ledger.entries(&filter))
}
