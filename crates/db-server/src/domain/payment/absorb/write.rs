//! The rows that follow from what is known now: the payment, its transaction, the ledger, the events.

use super::{Absorbed, Taken, Work, contradiction::INTEGRITY};
use crate::{
    domain::{
        DomainError,
        ledger::{self, Movement, MovementKind},
        payment::{
            machine::Known,
            record::{payment_body, record, refund_body},
        },
    },
    store::{
        code::TransactionStatus,
        id::TransactionId,
        payment::{self, PaymentChanges, PaymentRow},
        payment_code::{
            OperationState,
            PaymentStatus::{self, Authorized, Captured},
        },
        transaction::{self, TransactionChanges},
    },
};

impl Work<'_> {
    /// Writes what has changed; nothing when nothing has.
    pub(super) fn write(mut self, taken: Taken) -> Result<Absorbed, DomainError> {
        let before = Known::of(&self.payment);
        let after = self.known;
        let is_refused = matches!(after.standing, PaymentStatus::Failed | PaymentStatus::Declined);
        if !is_refused && after.settlement_declined == 0 {
            // It was refused, and has been paid all the same: no order of the two leaves a trace of the refusal here.
            self.changes.refusal_code = None;
            self.changes.refusal_message = None;
            self.changes.decline_advice = None;
        }
        let changes = PaymentChanges {
            standing: after.standing,
            status: self.status()?,
            captured_minor: after.captured,
            settlement_declined_minor: after.settlement_declined,
            refunded_minor: after.refunded,
            refunding_minor: after.refunding,
            closed: after.closed,
            ..self.changes.clone()
        };
        let payment = if changes == PaymentChanges::of(&self.payment) {
            self.payment.clone()
        } else {
            payment::update(self.connection, self.payment.id, &changes)?
        };
        self.take_transaction_along(&payment)?;
        let refund = self.refund.as_ref().map(|refund| refund.id);
        ledger::post(self.connection, &payment, refund, &movements(&before, &after))?;
        self.tell(&payment)?;
        Ok(Absorbed { payment, operation: self.operation, refund: self.refund, taken })
    }

    /// What is shown: unknown while an operation is.
    fn status(&mut self) -> Result<PaymentStatus, DomainError> {
        let is_unknown = |state| state == OperationState::Unknown;
        let concerned = self.payment.status == PaymentStatus::Unknown
            || self.operation.as_ref().is_some_and(|operation| is_unknown(operation.state));
        if !concerned {
            return Ok(self.known.standing);
        }
        let unknown = self.open_operations()?.iter().any(|operation| is_unknown(operation.state));
        Ok(if unknown { PaymentStatus::Unknown } else { self.known.standing })
    }

    fn take_transaction_along(&mut self, payment: &PaymentRow) -> Result<(), DomainError> {
        let moved = payment.standing != self.payment.standing || payment.status != self.payment.status;
        let learnt = payment.provider_reference != self.payment.provider_reference;
        let said = payment.refusal_code != self.payment.refusal_code;
        if !moved && !learnt && !said {
            return Ok(());
        }
        let reason = match payment.status {
            PaymentStatus::Unknown => Some("unknown".to_owned()),
            PaymentStatus::Failed | PaymentStatus::Declined => payment.refusal_code.clone(),
            _ => None,
        };
        let reference = payment.provider_reference.as_deref().filter(|_| learnt);
        let changes = TransactionChanges {
            status: Some(transaction_status(payment)),
            status_reason: Some(reason),
            uid_support: self.free_uid_support(payment.transaction_id, reference)?,
            ..TransactionChanges::default()
        };
        transaction::update(self.connection, payment.transaction_id, None, &changes, &self.context.actor)?;
        Ok(())
    }

    /// The provider's id for a transaction, unless another one has it: a client may have written that one, and what the
    /// provider did with the money is on the books all the same.
    pub(super) fn free_uid_support(
        &mut self,
        id: TransactionId,
        reference: Option<&str>,
    ) -> Result<Option<Option<String>>, DomainError> {
        let Some(reference) = reference else { return Ok(None) };
        let provider = self.payment.provider;
        match transaction::by_uid_support(self.connection, provider, reference)? {
            Some(other) if other.id != id => {
                log::warn!("transaction {} has the uid_support of payment {}", other.id, self.payment.uuid);
                Ok(None)
            }
            _ => Ok(Some(Some(reference.to_owned()))),
        }
    }

    fn tell(&mut self, payment: &PaymentRow) -> Result<(), DomainError> {
        let captured_more = payment.captured_minor > self.payment.captured_minor;
        if payment.status != self.payment.status || (captured_more && payment.status == Captured) {
            let kind = format!("payment.{}", payment.status.name());
            record(self.connection, payment, &kind, payment_body(payment), &self.context.actor)?;
        }
        for kind in std::mem::take(&mut self.told) {
            let mut body = match &self.refund {
                Some(refund) if kind.starts_with("refund.") => refund_body(payment, refund),
                _ => payment_body(payment),
            };
            if let (INTEGRITY, Some(other)) = (kind.as_str(), &self.other_reference) {
                body["other_reference"] = other.clone().into();
            }
            record(self.connection, payment, &kind, body, &self.context.actor)?;
        }
        Ok(())
    }
}

/// How the same payment stands in the generic API.
#[must_use]
pub fn transaction_status(payment: &PaymentRow) -> TransactionStatus {
    match payment.standing {
        PaymentStatus::Created if payment.status == PaymentStatus::Unknown => TransactionStatus::Pending,
        PaymentStatus::Created => TransactionStatus::Started,
        PaymentStatus::RequiresAction | PaymentStatus::Pending | Authorized | PaymentStatus::Unknown => {
            TransactionStatus::Pending
        }
        PaymentStatus::Failed if payment.settlement_declined_minor > 0 => TransactionStatus::Failed,
        PaymentStatus::Failed => TransactionStatus::Errored,
        PaymentStatus::Declined => TransactionStatus::Failed,
        PaymentStatus::Cancelled => TransactionStatus::Cancelled,
        Captured => TransactionStatus::Checked,
    }
}

/// What has moved between two states of knowledge. What is taken was held before, whether or not anybody told us then.
pub(in crate::domain) fn movements(before: &Known, after: &Known) -> Vec<Movement> {
    let is_held = |known: &Known| known.taken() > 0 || known.standing == Authorized;
    let captured = after.taken() - before.taken();
    let held = match (before.closed, is_held(before), is_held(after)) {
        // What was given up, and is taken all the same.
        (true, ..) => captured,
        (false, false, true) => after.amount,
        (false, ..) => 0,
    };
    let held_in_all = is_held(before) || is_held(after);
    let released =
        if held_in_all && after.closed && !before.closed { after.amount - after.taken() } else { 0 };
    let refunded = after.refunded - before.refunded;
    [
        (MovementKind::Hold, held),
        (MovementKind::Capture, captured),
        (MovementKind::Release, released),
        (MovementKind::SettlementDecline, after.settlement_declined - before.settlement_declined),
        (MovementKind::Refund, refunded.max(0)),
        (MovementKind::Reversal, (-refunded).max(0)),
    ]
    .into_iter()
    .filter(|&(_, amount)| amount > 0)
    .map(|(kind, amount_minor)| Movement { kind, amount_minor })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::payment::machine::Evidence;

    fn known(evidence: &[Evidence]) -> Known {
        let new = Known {
            amount: 1000,
            standing: PaymentStatus::Created,
            captured: 0,
            settlement_declined: 0,
            refunded: 0,
            refunding: 0,
            closed: false,
        };
        evidence.iter().fold(new, |known, &evidence| known.with(evidence).unwrap())
    }

    fn moved(before: &[Evidence], after: &[Evidence]) -> Vec<(MovementKind, i64)> {
        let all: Vec<_> = before.iter().chain(after).copied().collect();
        movements(&known(before), &known(&all)).iter().map(|m| (m.kind, m.amount_minor)).collect()
    }

    #[test]
    fn what_is_taken_at_once_was_held_for_a_moment() {
        let expected = [(MovementKind::Hold, 1000), (MovementKind::Capture, 1000)];
        assert_eq!(moved(&[], &[Evidence::Captured(1000)]), expected);
        assert_eq!(moved(&[Evidence::Authorized], &[Evidence::Captured(1000)]), expected[1..]);
    }

    #[test]
    fn what_did_not_come_in_goes_back_however_late_we_hear_of_it() {
        let declined = Evidence::SettlementDeclined(400);
        let back = (MovementKind::SettlementDecline, 400);
        assert_eq!(moved(&[Evidence::Captured(1000)], &[declined]), [back]);
        let all = [(MovementKind::Hold, 1000), (MovementKind::Capture, 400), back];
        assert_eq!(moved(&[], &[declined]), all);
        assert_eq!(moved(&[declined], &[Evidence::Captured(400)]), []);
        assert_eq!(moved(&[declined], &[Evidence::Voided]), [(MovementKind::Release, 600)]);
    }

    #[test]
    fn the_last_capture_and_a_void_release_the_rest() {
        let held = [Evidence::Authorized];
        let last = [Evidence::Captured(400), Evidence::LastCapture];
        assert_eq!(moved(&held, &last), [(MovementKind::Capture, 400), (MovementKind::Release, 600)]);
        assert_eq!(moved(&held, &[Evidence::Voided]), [(MovementKind::Release, 1000)]);
        assert_eq!(moved(&[], &[Evidence::Voided]), []);
    }

    #[test]
    fn what_was_given_up_and_is_taken_all_the_same_balances() {
        let before = [Evidence::Captured(400), Evidence::LastCapture];
        let after = [Evidence::Captured(1000)];
        assert_eq!(moved(&before, &after), [(MovementKind::Hold, 600), (MovementKind::Capture, 600)]);
    }
}
