//! The page to which a payer is sent: where the payer pays on it, that is looked at until it is known how it ends.

use wire::payment::{Outcome, Payment};

use super::Work;
use crate::{
    domain::{DomainError, payment::rules},
    store::{payment_code::PaymentOperationKind::StartCheckout, payment_operation::PaymentOperationRow},
};

impl Work<'_> {
    /// Notes that there is a page. Where the payer only agrees on it there is nothing to look at: no money moves before
    /// it is completed.
    pub(super) fn page_is_there(
        &mut self,
        operation: PaymentOperationRow,
        reference: Option<&str>,
    ) -> Result<(), DomainError> {
        if self.pays_on_page() {
            self.watch(operation, reference)
        } else {
            self.settle(operation, "succeeded", reference)
        }
    }

    /// The page on which the payer has paid, or cannot pay any more, is looked at no longer.
    pub(super) fn page_is_over(&mut self, outcome: &Outcome<Payment>) -> Result<(), DomainError> {
        let is_decided = matches!(outcome, Outcome::Succeeded { .. } | Outcome::Declined { .. });
        if !is_decided || !self.pays_on_page() {
            return Ok(());
        }
        let answered = self.operation.take();
        for operation in self.open_operations()?.into_iter().filter(|one| one.operation == StartCheckout) {
            self.answered(operation, outcome, None)?;
        }
        self.operation = answered;
        Ok(())
    }

    fn pays_on_page(&self) -> bool {
        self.payment.provider.neutral().is_some_and(rules::pays_on_page)
    }
}
