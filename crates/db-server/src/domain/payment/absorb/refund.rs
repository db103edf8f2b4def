//! What a provider says of a refund.

use uuid::Uuid;
use wire::payment::{Outcome, Refunded};

use super::{Refused, Taken, Work};
use crate::{
    domain::{DomainError, payment::machine::RefundEvidence},
    store::{
        code::{TransactionStatus, TransactionType},
        payment::PaymentRow,
        payment_code::{
            PaymentOperationKind,
            RefundStanding::{self, Failed, Pending, Succeeded},
        },
        payment_operation::{self, PaymentOperationRow},
        refund::{self, NewRefund, RefundChanges, RefundRow},
        transaction::{self, NewTransaction, TransactionChanges},
    },
};

impl Work<'_> {
    /// How a refund stands.
    pub(super) fn refund_stands(
        &mut self,
        operation: Option<PaymentOperationRow>,
        outcome: Outcome<Refunded>,
    ) -> Result<Taken, DomainError> {
        let evidence = match &outcome {
            Outcome::Succeeded { .. } => RefundEvidence::Succeeded,
            Outcome::Pending { .. } | Outcome::RequiresAction { .. } => RefundEvidence::Pending,
            Outcome::Declined { result: Some(_), .. } => RefundEvidence::Failed,
            Outcome::Declined { result: None, .. } | Outcome::Rejected { .. } => RefundEvidence::NotMade,
            Outcome::Unknown { .. } => {
                if let Some(operation) = operation {
                    self.refund = refund::of_operation(self.connection, operation.id)?;
                    self.unknown(operation)?;
                }
                return Ok(Taken::Known);
            }
        };
        let Some(row) = self.find(operation.as_ref(), outcome.result())? else {
            return self.made_elsewhere(evidence.standing(), &outcome);
        };
        if outcome.result().is_some_and(|said| !self.is_refund(&row, said)) {
            self.refund = Some(row);
            return self.contradicts(operation);
        }
        if let (Some(known), Some(said)) = (&row.provider_reference, outcome.result())
            && *known != said.reference
        {
            let known = known.clone();
            self.refund = Some(row);
            return self.made_twice(&known, &said.reference, operation);
        }
        let refusal = match &outcome {
            Outcome::Declined { decline, .. } => Some(Refused::from(decline)),
            Outcome::Rejected { rejection } => Some(Refused::from(rejection)),
            _ => None,
        };
        let reference = outcome.result().map(|refunded| refunded.reference.as_str());
        let asked = row.operation_id;
        if self.move_refund(row, evidence, reference, refusal.as_ref())? == Taken::TooEarly {
            return Ok(Taken::TooEarly);
        }
        let operation = match (operation, asked) {
            (Some(operation), _) => Some(operation),
            (None, Some(id)) => payment_operation::by_id(self.connection, id)?,
            (None, None) => None,
        };
        if let Some(operation) = operation {
            self.answered(operation, &outcome, reference)?;
        }
        Ok(Taken::Known)
    }

    /// There is evidence that a refund was not made.
    pub(super) fn refund_failed(
        &mut self,
        operation: &PaymentOperationRow,
        refusal: &Refused,
    ) -> Result<(), DomainError> {
        match refund::of_operation(self.connection, operation.id)? {
            Some(row) => self.move_refund(row, RefundEvidence::NotMade, None, Some(refusal)).map(drop),
            None => Ok(()),
        }
    }

    fn find(
        &mut self,
        operation: Option<&PaymentOperationRow>,
        said: Option<&Refunded>,
    ) -> Result<Option<RefundRow>, DomainError> {
        // By the reference first: one that was given up may have been told of as made elsewhere meanwhile.
        if let Some(said) = said
            && let Some(row) = refund::by_reference(self.connection, self.payment.provider, &said.reference)?
            && row.payment_id == self.payment.id
        {
            return Ok(Some(row));
        }
        let Some(operation) = operation else { return Ok(None) };
        Ok(refund::of_operation(self.connection, operation.id)?)
    }

    fn is_refund(&self, row: &RefundRow, said: &Refunded) -> bool {
        said.amount.minor_units == row.amount_minor && said.amount.currency.code() == self.payment.currency
    }

    /// A refund that was made at the provider; or one of ours of which the provider does not say so: while one of ours
    /// is open, nobody can tell.
    fn made_elsewhere(
        &mut self,
        standing: RefundStanding,
        outcome: &Outcome<Refunded>,
    ) -> Result<Taken, DomainError> {
        let Some(said) = outcome.result() else { return Ok(Taken::Known) };
        let open = self.open_operations()?;
        if open.iter().any(|operation| operation.operation == PaymentOperationKind::Refund) {
            return Ok(Taken::TooEarly);
        }
        let amount = said.amount.minor_units;
        let same_currency = said.amount.currency.code() == self.payment.currency;
        let Some(known) = same_currency.then(|| self.known.refund_moved(None, standing, amount)) else {
            return self.contradicts(None);
        };
        let Ok(known) = known else { return Ok(Taken::TooEarly) };
        self.known = known;
        let new = refund_transaction(&self.payment, amount);
        let transaction = transaction::insert(self.connection, &new, &self.context.actor)?;
        let new = NewRefund {
            uuid: Uuid::now_v7(),
            payment_id: self.payment.id,
            operation_id: None,
            transaction_id: transaction.id,
            provider: self.payment.provider,
            amount_minor: amount,
            standing,
            provider_reference: Some(said.reference.clone()),
        };
        let row = refund::insert(self.connection, &new)?;
        self.refund_is(&row)?;
        self.refund = Some(row);
        Ok(Taken::Known)
    }

    /// Too early for one that was given up and turns out to have been made, while what it gave back is on its way in
    /// another refund: the provider takes one of the two.
    fn move_refund(
        &mut self,
        row: RefundRow,
        evidence: RefundEvidence,
        reference: Option<&str>,
        refusal: Option<&Refused>,
    ) -> Result<Taken, DomainError> {
        let before = RefundEvidence::of(row.standing, row.provider_reference.is_some());
        let next = before.max(evidence);
        let learnt = reference.is_some() && row.provider_reference.is_none();
        if next == before && !learnt {
            self.refund = Some(row);
            return Ok(Taken::Known);
        }
        let standing = next.standing();
        let Ok(known) = self.known.refund_moved(Some(row.standing), standing, row.amount_minor) else {
            return Ok(Taken::TooEarly);
        };
        self.known = known;
        // That it was refused once is nothing that is left of a refund that was made.
        let failed = standing == Failed;
        let code = refusal.map(|refusal| refusal.code.clone()).or_else(|| row.refusal_code.clone());
        let changes = RefundChanges {
            standing,
            provider_reference: row.provider_reference.clone().or_else(|| reference.map(ToOwned::to_owned)),
            refusal_code: code.filter(|_| failed),
        };
        let changed = refund::update(self.connection, row.id, &changes)?;
        if changed.standing != row.standing || learnt {
            self.refund_is(&changed)?;
        }
        self.refund = Some(changed);
        Ok(Taken::Known)
    }

    /// Tells of a refund that stands otherwise than before, and takes its transaction along.
    fn refund_is(&mut self, row: &RefundRow) -> Result<(), DomainError> {
        let status = match row.standing {
            RefundStanding::Created => TransactionStatus::Started,
            Pending => TransactionStatus::Pending,
            Succeeded => TransactionStatus::Checked,
            Failed => TransactionStatus::Failed,
        };
        let changes = TransactionChanges {
            status: Some(status),
            status_reason: Some(row.refusal_code.as_ref().map(|code| code.chars().take(255).collect())),
            uid_support: self.free_uid_support(row.transaction_id, row.provider_reference.as_deref())?,
            ..TransactionChanges::default()
        };
        transaction::update(self.connection, row.transaction_id, None, &changes, &self.context.actor)?;
        self.told.push(format!("refund.{}", row.standing.name()));
        Ok(())
    }
}

/// The transaction of the generic API that stands for a refund of a payment.
#[must_use]
pub fn refund_transaction(payment: &PaymentRow, amount_minor: i64) -> NewTransaction {
    NewTransaction {
        uuid: format!("solitude:{}", Uuid::new_v4()),
        amount_minor: Some(amount_minor),
        currency: Some(payment.currency.clone()),
        buyer_id: payment.buyer_id,
        seller_id: Some(payment.seller_id),
        product_id: Some(payment.product_id),
        provider: Some(payment.provider),
        kind: TransactionType::Refund,
        status: TransactionStatus::Started,
        related_id: Some(payment.transaction_id),
        ..NewTransaction::default()
    }
}
