//! What a provider says of one payment or refund, when its list and our books do not say the same.

use wire::{
    ErrorKind, Money,
    payment::{AttemptId, Found, Lookup, LookupBy, Outcome, Provider, operations},
};

use super::ReconcileError;
use crate::proxy_client::{ProxyClient, ProxyError};

/// What the provider says of one payment or refund.
pub(super) enum Evidence {
    /// This much was moved.
    Moved(Money),
    /// Nothing was.
    Nothing,
    /// It will say later.
    Later,
}

/// Who is asked.
pub(super) struct Witness<'a> {
    pub(super) proxy: &'a ProxyClient,
    pub(super) provider: Provider,
}

impl Witness<'_> {
    /// What was taken of a payment.
    pub(super) async fn payment(&self, reference: &str) -> Result<Evidence, ReconcileError> {
        let found = self.look_up(LookupBy::Payment { reference: reference.to_owned() }).await?;
        Ok(match found {
            Found::Payment { outcome: Outcome::Unknown { .. } } => Evidence::Later,
            Found::Payment { outcome } => match outcome.result() {
                Some(payment) if payment.captured > 0 => {
                    let minor_units = payment.captured;
                    Evidence::Moved(Money { minor_units, currency: payment.amount.currency })
                }
                _ if matches!(outcome, Outcome::Pending { .. }) => Evidence::Later,
                _ => Evidence::Nothing,
            },
            Found::Refund { .. } | Found::Nothing => Evidence::Nothing,
        })
    }

    /// What a refund gave back.
    pub(super) async fn refund(&self, reference: &str) -> Result<Evidence, ReconcileError> {
        let found = self.look_up(LookupBy::Refund { reference: reference.to_owned() }).await?;
        Ok(match found {
            Found::Refund { outcome: Outcome::Succeeded { result } } => Evidence::Moved(result.amount),
            Found::Refund {
                outcome: Outcome::Pending { .. } | Outcome::RequiresAction { .. } | Outcome::Unknown { .. },
            } => Evidence::Later,
            Found::Refund { outcome: Outcome::Declined { .. } | Outcome::Rejected { .. } }
            | Found::Payment { .. }
            | Found::Nothing => Evidence::Nothing,
        })
    }

    /// Asks for one payment or refund. An id that cannot be the provider's is of nothing.
    async fn look_up(&self, by: LookupBy) -> Result<Found, ReconcileError> {
        let request = Lookup { attempt: AttemptId::new(), by };
        match self.proxy.pay::<operations::Lookup>(self.provider, &request).await {
            Err(ProxyError::Failure { failure, .. }) if failure.kind == ErrorKind::InvalidRequest => {
                Ok(Found::Nothing)
            }
            answer => Ok(answer?),
        }
    }
}
