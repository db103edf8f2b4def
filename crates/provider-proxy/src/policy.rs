//! What callers may ask for, and how much of it: enforced here, where the keys are, before anything is sent.
//!
//! A db-server that somebody broke into asks as before. So limits that it could lift would be none: they are in this
//! host's settings, and what has been refunded is kept in this host's file.

mod ledger;
mod limits;
mod settings;
mod state_file;
mod windows;

use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use wire::{
    Money,
    payment::{OperationName, Provider},
};

pub use ledger::{RefundLedger, Reservation};
pub use limits::{Limits, Refusal};
pub use settings::{Allowed, PolicySettings};
pub use state_file::StateError;

use crate::error::ProxyError;

/// Why a refund's place in the windows cannot be had.
#[derive(Debug, Error)]
pub enum ReserveError {
    /// It would be more than the limits allow.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Nobody could tell after a restart that it was made.
    #[error("the file of refunds cannot be written: {0}")]
    State(#[from] StateError),
}

/// What one request has to pass, after its caller is known.
pub struct Gate<'request> {
    /// The caller's entry in `[callers]`; none where no client certificate is asked for.
    pub caller: Option<&'request str>,
    /// The limits of that caller.
    pub limits: &'request Limits,
    /// What has been refunded.
    pub refunds: &'request Arc<RefundLedger>,
}

impl Gate<'_> {
    /// Refuses an amount above the limit for one payment.
    ///
    /// # Errors
    /// [`ProxyError::Policy`].
    pub(crate) fn payment(&self, target: &'static str, amount: Money) -> Result<(), ProxyError> {
        self.limits.payment(amount).map_err(|refusal| ProxyError::Policy { target, refusal })
    }

    /// Refuses a neutral operation about more than one payment or refund may be about.
    ///
    /// # Errors
    /// [`ProxyError::Policy`].
    pub(crate) fn amount(
        &self,
        provider: Provider,
        operation: OperationName,
        amount: Option<Money>,
    ) -> Result<(), ProxyError> {
        let target = provider.name();
        match (operation, amount) {
            (_, None) => Ok(()),
            (OperationName::Refund, Some(amount)) => {
                self.limits.refund(amount).map_err(|refusal| ProxyError::Policy { target, refusal })
            }
            (_, Some(amount)) => self.payment(target, amount),
        }
    }

    /// Takes a refund's place in the windows, and brings that to the disk. `request` is the whole request: the same one
    /// again has the place that it has already. If it is not `idempotent`, the two must not be under way at once for
    /// that.
    ///
    /// # Errors
    /// [`ProxyError::Policy`], [`ProxyError::PolicyState`].
    pub(crate) async fn refund(
        &self,
        provider: Provider,
        amount: Money,
        idempotent: bool,
        request: &impl Serialize,
    ) -> Result<Option<Reservation>, ProxyError> {
        if !self.limits.have_windows() {
            return Ok(None);
        }
        let target = provider.name();
        let request = serde_json::to_vec(request)
            .map_err(|source| ProxyError::Unsendable { target, source: source.into() })?;
        let place =
            windows::Place { caller: self.caller.map(Into::into), key: key(provider, &request), amount };
        match self.refunds.reserve(place, idempotent, self.limits).await {
            Ok(reservation) => Ok(Some(reservation)),
            Err(ReserveError::Refused(refusal)) => Err(ProxyError::Policy { target, refusal }),
            Err(ReserveError::State(source)) => Err(ProxyError::PolicyState { target, source }),
        }
    }
}

#[cfg(test)]
impl Gate<'static> {
    /// One that lets everything through.
    pub(crate) fn open() -> Self {
        let refunds = Arc::new(RefundLedger::open(None).unwrap());
        Self { caller: None, limits: Box::leak(Box::default()), refunds: Box::leak(Box::new(refunds)) }
    }
}

/// Stands for a request in the file, which need not show what it was.
fn key(provider: Provider, request: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(provider.name());
    hash.update([0]);
    hash.update(request);
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

#[cfg(test)]
mod tests;
