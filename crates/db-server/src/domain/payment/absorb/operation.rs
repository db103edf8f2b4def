//! What became of an operation.

use chrono::{DateTime, Utc};
use wire::payment::Outcome;

use super::Work;
use crate::{
    domain::{
        DomainError,
        payment::{parts::SETTLEMENT_DECLINED, schedule},
    },
    store::{
        payment_code::OperationState::{self, Settled, Unknown, Watching},
        payment_operation::{self, PaymentOperationChanges, PaymentOperationRow},
    },
};

/// The outcome of what never reached the provider, or what it does not know of.
pub(super) const NOT_SENT: &str = "not_sent";

/// The outcomes, the weaker ones first: of two the stronger one is kept, in whichever order they come.
const OUTCOMES: [&str; 8] = [
    "unknown",
    NOT_SENT,
    "requires_action",
    "pending",
    "rejected",
    "declined",
    "succeeded",
    SETTLEMENT_DECLINED,
];

impl Work<'_> {
    /// Notes that nobody knows what came of an operation. What is known by now stays known.
    pub(super) fn unknown(&mut self, operation: PaymentOperationRow) -> Result<(), DomainError> {
        self.change(operation, Unknown, "unknown", None)
    }

    /// Notes what the provider says of an operation. What is settled stays so.
    pub(super) fn answered<T>(
        &mut self,
        operation: PaymentOperationRow,
        outcome: &Outcome<T>,
        reference: Option<&str>,
    ) -> Result<(), DomainError> {
        let state = match outcome {
            Outcome::Unknown { .. } => Unknown,
            Outcome::RequiresAction { .. } | Outcome::Pending { .. } => Watching,
            Outcome::Succeeded { .. } | Outcome::Declined { .. } | Outcome::Rejected { .. } => Settled,
        };
        self.change(operation, state, outcome.name(), reference)
    }

    /// Has the provider asked for how it ends, with the payer, what an operation has begun.
    pub(super) fn watch(
        &mut self,
        operation: PaymentOperationRow,
        reference: Option<&str>,
    ) -> Result<(), DomainError> {
        self.change(operation, Watching, "requires_action", reference)
    }

    /// Settles an operation.
    pub(super) fn settle(
        &mut self,
        operation: PaymentOperationRow,
        outcome: &str,
        reference: Option<&str>,
    ) -> Result<(), DomainError> {
        self.change(operation, Settled, outcome, reference)
    }

    /// Adds to what is known of an operation; nothing is written when it is known already.
    fn change(
        &mut self,
        operation: PaymentOperationRow,
        state: OperationState,
        outcome: &str,
        reference: Option<&str>,
    ) -> Result<(), DomainError> {
        let state = if state.code() > operation.state.code() { state } else { operation.state };
        let known = operation.outcome.as_deref();
        let outcome = known.filter(|known| strength(known) >= strength(outcome)).unwrap_or(outcome);
        let learnt = reference.filter(|_| operation.provider_reference.is_none());
        if state == operation.state && known == Some(outcome) && learnt.is_none() {
            self.operation = Some(operation);
            return Ok(());
        }
        let kept = state != Settled;
        let reference = learnt.or(operation.provider_reference.as_deref());
        let changes = PaymentOperationChanges {
            state,
            outcome: Some(outcome.to_owned()),
            provider_reference: reference.map(ToOwned::to_owned),
            request: operation.request.clone().filter(|_| kept),
            next_look: if kept { self.next_look(&operation, state) } else { None },
            looks: operation.looks,
        };
        self.operation = Some(payment_operation::update(self.connection, operation.id, &changes)?);
        Ok(())
    }

    /// When a janitor looks at an operation that is written anew now.
    fn next_look(&self, operation: &PaymentOperationRow, state: OperationState) -> Option<DateTime<Utc>> {
        let now = self.context.now;
        let decisive = schedule::decisive(self.payment.provider, operation.operation, state, now);
        schedule::next_look(operation.looks, operation.created, now, decisive)
    }

    /// The operations on this payment that are not settled.
    pub(super) fn open_operations(&mut self) -> Result<Vec<PaymentOperationRow>, DomainError> {
        let mut all = payment_operation::of_payment(self.connection, self.payment.id)?;
        all.retain(|operation| operation.state != Settled);
        Ok(all)
    }
}

fn strength(outcome: &str) -> Option<usize> {
    OUTCOMES.iter().position(|known| *known == outcome)
}
