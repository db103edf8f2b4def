//! Money that was taken and did not come in after all, because its settlement was declined.

use wire::payment::{Captured, Outcome, Payment};

use super::{Refused, Work};
use crate::{
    domain::{
        DomainError,
        payment::{machine::Evidence, parts::SETTLEMENT_DECLINED},
    },
    store::payment_operation::PaymentOperationRow,
};

/// Why money that was taken did not come in, when the provider gives no reason.
const NOT_SETTLED: &str = "The settlement was declined.";

impl Work<'_> {
    /// What was taken of the payment, and what of that did not come in; `refusal` is why.
    pub(super) fn taken(&mut self, result: &Payment, refusal: Option<&Refused>) -> bool {
        self.believe(Evidence::Captured(result.taken()))
            && self.settlement_declined(result.settlement_declined, refusal)
    }

    /// Notes how much in all was taken and did not come in, and why. Of several reasons one is kept, whichever comes first.
    pub(super) fn settlement_declined(&mut self, total: i64, refusal: Option<&Refused>) -> bool {
        let before = self.known.settlement_declined;
        if total == 0 {
            return true;
        }
        if !self.believe(Evidence::SettlementDeclined(total)) {
            return false;
        }
        let unnamed = (SETTLEMENT_DECLINED.to_owned(), NOT_SETTLED.to_owned());
        let changes = &mut self.changes;
        let known = changes.refusal_code.take().zip(changes.refusal_message.take());
        let known = known.filter(|known| before > 0 && *known != unnamed);
        let reason = known.max(refusal.map(kept)).unwrap_or(unnamed);
        (changes.refusal_code, changes.refusal_message) = (Some(reason.0), Some(reason.1));
        changes.decline_advice = None;
        if self.known.settlement_declined > before {
            log::warn!("payment {}: {total} of what was captured did not come in", self.payment.uuid);
            self.told.push("payment.settlement_declined".to_owned());
        }
        true
    }

    /// A capture that was made, and so counts beside others, and whose money did not come in; `total` is what did not in
    /// all.
    pub(super) fn capture_not_settled(
        &mut self,
        operation: PaymentOperationRow,
        total: i64,
        refusal: &Refused,
        reference: Option<&str>,
    ) -> Result<(), DomainError> {
        if let Some(reference) = reference {
            self.add_capture(reference);
        }
        self.settlement_declined(total, Some(refusal));
        self.settle(operation, SETTLEMENT_DECLINED, reference)
    }
}

/// What a capture took, if it has taken anything; and why that did not come in, if it did not.
pub(super) fn taken(outcome: &Outcome<Captured>) -> Option<(&Captured, Option<Refused>)> {
    match outcome {
        Outcome::Succeeded { result } => Some((result, None)),
        Outcome::Declined { decline, result: Some(result) } if result.settlement_declined => {
            Some((result, Some(decline.into())))
        }
        _ => None,
    }
}

/// What is said of the payment, as an answer to what was asked about it: a payment whose settlement was declined was made.
pub(super) fn as_of_operations(outcome: Outcome<Payment>) -> Outcome<Payment> {
    match outcome {
        Outcome::Declined { result: Some(result), .. } if result.settlement_declined > 0 => {
            Outcome::Succeeded { result }
        }
        outcome => outcome,
    }
}

/// A refusal as it is kept: no longer than its columns.
pub(super) fn kept(refusal: &Refused) -> (String, String) {
    (refusal.code.chars().take(255).collect(), refusal.message.chars().take(1024).collect())
}
