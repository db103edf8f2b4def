//! What a provider says of the payment itself, of its checkout and of its captures.

use secrecy::ExposeSecret;
use wire::{
    Money,
    payment::{Action, Captured, Checkout, Outcome, Payment},
};

use super::{
    Refused, Taken, Work,
    operation::NOT_SENT,
    settlement::{as_of_operations, kept, taken},
};
use crate::{
    domain::{
        DomainError,
        payment::{
            machine::Evidence,
            parts::{self, Shown},
        },
    },
    store::{
        payment_code::{
            OperationState,
            PaymentOperationKind::{self, Authorize, Capture, CompleteCheckout, Refund, StartCheckout, Void},
            PaymentStatus::{Declined, Failed},
        },
        payment_operation::{self, PaymentOperationRow},
    },
};

impl Work<'_> {
    /// How the payment stands.
    pub(super) fn payment_stands(
        &mut self,
        operation: Option<PaymentOperationRow>,
        outcome: Outcome<Payment>,
    ) -> Result<Taken, DomainError> {
        let kind = operation.as_ref().map(|operation| operation.operation);
        if let Some(result) = outcome.result()
            && !self.is_ours(result.amount)
        {
            return self.contradicts(operation);
        }
        if let Some(result) = outcome.result()
            && let Some(known) = self.known_otherwise(result)
        {
            return self.made_twice(&known, &result.reference, operation);
        }
        let reference = outcome.result().map(|payment| payment.reference.clone());
        if let Some(result) = outcome.result() {
            self.learn(result);
        }
        let believed = match &outcome {
            Outcome::Succeeded { result } => self.succeeded(kind, result),
            Outcome::RequiresAction { action, .. } => self.action_required(action, kind.is_some())?,
            Outcome::Pending { .. } => self.believe(Evidence::Pending),
            Outcome::Declined { decline, result: Some(result) } if result.settlement_declined > 0 => {
                self.taken(result, Some(&decline.into()))
            }
            Outcome::Declined { decline, .. } => {
                let advice = serde_json::to_value(decline.advice).ok();
                let advice = advice.as_ref().and_then(|advice| advice.as_str());
                self.declined(kind, &decline.into(), advice)
            }
            Outcome::Rejected { rejection } => self.rejected(kind, &rejection.into()),
            Outcome::Unknown { .. } => true,
        };
        if !believed {
            return self.contradicts(operation);
        }
        let outcome = as_of_operations(outcome);
        match operation {
            Some(operation) => {
                self.answered(operation, &outcome, reference.as_deref())?;
                if kind == Some(CompleteCheckout) {
                    self.page_is_over(&outcome)?;
                }
            }
            None => self.settle_by_evidence(&outcome)?,
        }
        Ok(Taken::Known)
    }

    /// What came of preparing a checkout.
    pub(super) fn checkout_stands(
        &mut self,
        operation: PaymentOperationRow,
        outcome: Outcome<Checkout>,
    ) -> Result<Taken, DomainError> {
        let reference = outcome.result().map(|checkout| checkout.reference.clone());
        match &outcome {
            Outcome::Succeeded { result }
            | Outcome::RequiresAction { result, .. }
            | Outcome::Pending { result } => {
                self.changes.checkout_reference.get_or_insert_with(|| result.reference.clone());
                let action = Action { url: Some(result.url.clone()), data: None };
                self.action_required(&action, true)?;
                self.page_is_there(operation, reference.as_deref())?;
                return Ok(Taken::Known);
            }
            Outcome::Declined { decline, .. } => {
                self.refuse(Evidence::Declined, &decline.into(), Some("other_method"));
            }
            Outcome::Rejected { rejection } => self.refuse(Evidence::Failed, &rejection.into(), None),
            Outcome::Unknown { .. } => {}
        }
        self.answered(operation, &outcome, reference.as_deref())?;
        Ok(Taken::Known)
    }

    /// What came of a capture.
    pub(super) fn capture_stands(
        &mut self,
        operation: PaymentOperationRow,
        outcome: Outcome<Captured>,
    ) -> Result<Taken, DomainError> {
        let reference = outcome.result().map(|captured| captured.reference.clone());
        let mut not_settled = None;
        if let Some((result, refusal)) = taken(&outcome) {
            let all = payment_operation::of_payment(self.connection, self.payment.id)?;
            not_settled = refusal.map(|refusal| (parts::settlement_declined_with(&all, &operation), refusal));
            let asked = operation.amount_minor == Some(result.amount.minor_units);
            let total = Evidence::Captured(parts::total_with(&all, &operation));
            if !asked || result.amount.currency.code() != self.payment.currency || !self.believe(total) {
                return self.contradicts(Some(operation));
            }
            if operation.last {
                self.believe(Evidence::LastCapture);
            }
        }
        if let Outcome::Succeeded { result } | Outcome::Pending { result } = &outcome {
            // Also of a pending one: another may be done before it, and they are kept in the order of asking.
            self.add_capture(&result.reference);
        }
        if let Some((total, refusal)) = not_settled {
            self.capture_not_settled(operation, total, &refusal, reference.as_deref())?;
            return Ok(Taken::Known);
        }
        self.answered(operation, &outcome, reference.as_deref())?;
        Ok(Taken::Known)
    }

    /// There is evidence that an operation was not done.
    pub(super) fn not_done(
        &mut self,
        operation: PaymentOperationRow,
        refusal: Refused,
    ) -> Result<Taken, DomainError> {
        use crate::store::payment_code::OperationState::{Settled, Watching};
        // What the provider has said of it is stronger.
        if matches!(operation.state, Settled | Watching) {
            self.operation = Some(operation);
            return Ok(Taken::Known);
        }
        match operation.operation {
            Authorize | StartCheckout => self.refuse(Evidence::Failed, &refusal, None),
            Refund => self.refund_failed(&operation, &refusal)?,
            CompleteCheckout | Capture | Void => {}
        }
        self.settle(operation, NOT_SENT, None)?;
        Ok(Taken::Known)
    }

    /// Notes evidence; false when it cannot be true.
    pub(super) fn believe(&mut self, evidence: Evidence) -> bool {
        self.known.with(evidence).map(|known| self.known = known).is_ok()
    }

    fn succeeded(&mut self, kind: Option<PaymentOperationKind>, result: &Payment) -> bool {
        if result.voided || kind == Some(Void) {
            // What was captured before the rest was given up counts.
            return self.taken(result, None) && self.believe(Evidence::Voided);
        }
        self.believe(Evidence::Authorized) && self.taken(result, None)
    }

    /// What the payer must do. A webhook leaves out what lets the payer's browser go on, so that what answered our own
    /// question is kept.
    fn action_required(&mut self, action: &Action, is_answer: bool) -> Result<bool, DomainError> {
        let known = match &self.changes.next_action {
            Some(known) => Some(self.context.keys.decrypt(known)?),
            None => None,
        };
        if let Ok(action) = serde_json::to_string(action) {
            let is_new = known.as_ref().is_none_or(|known| is_answer && known.expose_secret() != action);
            if is_new {
                self.changes.next_action = Some(self.context.keys.encrypt(&action));
            }
        }
        Ok(self.believe(Evidence::RequiresAction))
    }

    /// A capture or a void that is declined leaves the payment as it was.
    fn declined(
        &mut self,
        kind: Option<PaymentOperationKind>,
        refusal: &Refused,
        advice: Option<&str>,
    ) -> bool {
        if matches!(kind, None | Some(Authorize | StartCheckout | CompleteCheckout)) {
            self.refuse(Evidence::Declined, refusal, advice);
        }
        true
    }

    /// A request that was wrong, about a payment that is there, leaves it as it was.
    fn rejected(&mut self, kind: Option<PaymentOperationKind>, refusal: &Refused) -> bool {
        if kind == Some(Authorize) {
            self.refuse(Evidence::Failed, refusal, None);
        }
        true
    }

    /// Notes a refusal. Of two that are as strong one is kept, whichever comes first.
    fn refuse(&mut self, evidence: Evidence, refusal: &Refused, advice: Option<&str>) {
        let before = self.known.standing;
        let stands = if evidence == Evidence::Declined { Declined } else { Failed };
        if !self.believe(evidence) || self.known.standing != stands || self.known.taken() > 0 {
            return;
        }
        let changes = &mut self.changes;
        let known = (&changes.refusal_code, &changes.refusal_message, changes.decline_advice.as_deref());
        let (code, message) = kept(refusal);
        let (code, message) = (Some(code), Some(message));
        if before != stands || (&code, &message, advice) > known {
            changes.refusal_code = code;
            changes.refusal_message = message;
            changes.decline_advice = advice.map(ToOwned::to_owned);
        }
    }

    fn learn(&mut self, result: &Payment) {
        self.changes.provider_reference.get_or_insert_with(|| result.reference.clone());
        for capture in &result.captures {
            self.add_capture(capture);
        }
    }

    pub(super) fn add_capture(&mut self, reference: &str) {
        if !self.changes.captures.iter().any(|known| known == reference) {
            self.changes.captures.push(reference.to_owned());
        }
    }

    fn is_ours(&self, amount: Money) -> bool {
        amount.minor_units == self.payment.amount_minor && amount.currency.code() == self.payment.currency
    }

    /// What a webhook or a look-up at the payment says settles what it shows to have happened.
    fn settle_by_evidence(&mut self, outcome: &Outcome<Payment>) -> Result<(), DomainError> {
        let is_decided = matches!(outcome, Outcome::Succeeded { .. } | Outcome::Declined { .. });
        let is_voided = outcome.result().is_some_and(|payment| payment.voided);
        let all = payment_operation::of_payment(self.connection, self.payment.id)?;
        let total = self.known.taken();
        for operation in all.clone() {
            let reference = outcome.result().map(|payment| payment.reference.clone());
            let is_open = operation.state != OperationState::Settled;
            match operation.operation {
                // Also what was declined, and which the payer has paid with another card.
                Authorize => self.answered(operation, outcome, reference.as_deref())?,
                // That the payer has agreed, or has not, may have been so before it was to be completed.
                StartCheckout | CompleteCheckout if is_open && is_decided => {
                    self.answered(operation, outcome, reference.as_deref())?;
                }
                Capture if is_open && parts::shown(&all, &operation, total) == Shown::Done => {
                    if operation.last {
                        self.believe(Evidence::LastCapture);
                    }
                    self.settle(operation, "succeeded", None)?;
                }
                Void if is_open && is_voided => {
                    self.settle(operation, "succeeded", reference.as_deref())?;
                }
                CompleteCheckout | StartCheckout | Capture | Void | Refund => {}
            }
        }
        // The fact answers none of them.
        self.operation = None;
        Ok(())
    }
}
