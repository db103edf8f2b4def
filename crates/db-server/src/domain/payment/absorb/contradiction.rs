//! What a provider says that cannot be about what it was asked for: it is named at once, and closes and changes nothing.

use wire::payment::Payment;

use super::{Taken, Work};
use crate::{
    domain::DomainError,
    store::{payment_code::OperationState, payment_operation::PaymentOperationRow},
};

/// The kind of the event that says that a person is to look at a payment.
pub const INTEGRITY: &str = "payment.integrity";

impl Work<'_> {
    /// The provider speaks of another amount or currency. An operation that it answers has no known outcome.
    pub(super) fn contradicts(
        &mut self,
        operation: Option<PaymentOperationRow>,
    ) -> Result<Taken, DomainError> {
        log::error!("payment {}: the provider names another amount or currency", self.payment.id);
        let is_news = operation.as_ref().is_none_or(|operation| operation.state != OperationState::Unknown);
        if is_news {
            self.told.push(INTEGRITY.to_owned());
        }
        if let Some(operation) = operation {
            self.unknown(operation)?;
        }
        Ok(Taken::Contradicts)
    }

    /// By which id the provider knows the payment already, when it speaks of another one.
    pub(super) fn known_otherwise(&self, said: &Payment) -> Option<String> {
        self.changes.provider_reference.clone().filter(|known| *known != said.reference)
    }

    /// The provider has made a second thing of what it was asked for once: the money of one of them is on the books, and
    /// that of the other is not. What is known stands, and a person sees to the other.
    pub(super) fn made_twice(
        &mut self,
        known: &str,
        other: &str,
        operation: Option<PaymentOperationRow>,
    ) -> Result<Taken, DomainError> {
        log::error!(
            "payment {}: the provider has made {} as well as {}, which is on the books: money may have been moved twice",
            self.payment.id,
            other.escape_debug(),
            known.escape_debug()
        );
        self.told.push(INTEGRITY.to_owned());
        self.other_reference = Some(other.to_owned());
        if let Some(operation) = operation {
            self.unknown(operation)?;
        }
        Ok(Taken::Contradicts)
    }
}
