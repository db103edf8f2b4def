//! The states of a payment, as a table: the strongest evidence decides, and nothing takes evidence back.
//!
//! What is known only grows, so that neither the order in which answers, webhooks and look-ups come nor how often they
//! come makes a difference. That captured money did not come in is evidence of its own: what was taken stays so, and how
//! much of it was not settled grows beside it.

use thiserror::Error;

use crate::store::{
    payment::PaymentRow,
    payment_code::{
        PaymentOperationKind::{self, Capture, CompleteCheckout, Refund, Void},
        PaymentStatus::{
            self, Authorized, Cancelled, Captured, Created, Declined, Failed, Pending, RequiresAction,
            Unknown,
        },
        RefundStanding,
    },
};

/// One state.
struct Row {
    /// Its name; the rows are in the order of their strength.
    standing: PaymentStatus,
    /// What may be asked of the provider in it.
    permits: &'static [PaymentOperationKind],
    /// Whether nothing that we do leaves it. Only the provider's evidence that it holds or has taken the money, or that what
    /// it took did not come in, is stronger: the books must tell the truth.
    is_final: bool,
}

/// Every state, the weaker evidence first.
const TABLE: [Row; 8] = [
    Row { standing: Created, permits: &[], is_final: false },
    Row { standing: RequiresAction, permits: &[CompleteCheckout, Void], is_final: false },
    Row { standing: Pending, permits: &[CompleteCheckout, Void], is_final: false },
    Row { standing: Failed, permits: &[], is_final: true },
    Row { standing: Declined, permits: &[], is_final: true },
    Row { standing: Authorized, permits: &[Capture, Void], is_final: false },
    Row { standing: Cancelled, permits: &[], is_final: true },
    Row { standing: Captured, permits: &[Capture, Refund], is_final: true },
];

/// What is known about a payment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Known {
    /// The amount asked for, in minor units.
    pub amount: i64,
    /// The strongest evidence.
    pub standing: PaymentStatus,
    /// How much has been taken, and came in as far as is known.
    pub captured: i64,
    /// How much was taken and did not come in after all.
    pub settlement_declined: i64,
    /// How much has gone back.
    pub refunded: i64,
    /// How much refunds under way would give back.
    pub refunding: i64,
    /// Whether nothing more can be captured.
    pub closed: bool,
}

/// What somebody says about a payment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Evidence {
    /// The payer must do something first.
    RequiresAction,
    /// The provider will say more.
    Pending,
    /// It was not asked for, or the request was wrong.
    Failed,
    /// The bank or the provider said no.
    Declined,
    /// The amount is held.
    Authorized,
    /// The authorization, or what is left of it, has been given up.
    Voided,
    /// This much has been taken in all, in minor units, whether it came in or not.
    Captured(i64),
    /// This much in all was taken and did not come in after all, in minor units.
    SettlementDeclined(i64),
    /// Nothing more will be captured.
    LastCapture,
}

/// Why something cannot be asked for, or cannot be true.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// Another operation has no known outcome yet.
    #[error("The outcome of an earlier request about this payment is not known yet.")]
    Unknown,
    /// The state does not permit it.
    #[error("The payment's status does not allow this.")]
    Status,
    /// The amount is more than what is left to be captured.
    #[error("More than is left to be captured.")]
    AboveAuthorized,
    /// The amount is more than what was captured and not yet refunded.
    #[error("More than is left to be refunded.")]
    AboveCaptured,
    /// The provider says that it took more than it was asked for.
    #[error("More was captured than asked for.")]
    TooMuch,
}

impl Known {
    /// What is known of a stored payment.
    #[must_use]
    pub const fn of(row: &PaymentRow) -> Self {
        Self {
            amount: row.amount_minor,
            standing: row.standing,
            captured: row.captured_minor,
            settlement_declined: row.settlement_declined_minor,
            refunded: row.refunded_minor,
            refunding: row.refunding_minor,
            closed: row.closed,
        }
    }

    /// What is known with this evidence.
    ///
    /// # Errors
    /// [`Refusal::TooMuch`]; such evidence is about something else.
    pub fn with(mut self, evidence: Evidence) -> Result<Self, Refusal> {
        let standing = match evidence {
            Evidence::RequiresAction => RequiresAction,
            Evidence::Pending => Pending,
            Evidence::Failed => Failed,
            Evidence::Declined => Declined,
            Evidence::Authorized => Authorized,
            Evidence::Voided => Cancelled,
            Evidence::Captured(total) | Evidence::SettlementDeclined(total) if total > self.amount => {
                return Err(Refusal::TooMuch);
            }
            Evidence::Captured(_) | Evidence::SettlementDeclined(_) | Evidence::LastCapture => self.standing,
        };
        let mut taken = self.taken();
        if let Evidence::Captured(total) | Evidence::SettlementDeclined(total) = evidence {
            taken = taken.max(total);
        }
        if let Evidence::SettlementDeclined(total) = evidence {
            self.settlement_declined = self.settlement_declined.max(total);
        }
        self.captured = taken - self.settlement_declined;
        self.closed = self.closed
            || taken == self.amount
            || matches!(evidence, Evidence::Voided | Evidence::LastCapture);
        self.standing = match (taken, self.captured) {
            (0, _) => stronger(self.standing, standing),
            // Nothing of what was taken came in. The rest may still be held.
            (_, 0) if self.closed => Failed,
            (_, 0) => Authorized,
            _ => Captured,
        };
        Ok(self)
    }

    /// How much has ever been taken, in minor units, whether it came in or not.
    #[must_use]
    pub const fn taken(&self) -> i64 {
        self.captured + self.settlement_declined
    }

    /// Whether the provider may be asked for this.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] for a payment that is shown as unknown, [`Refusal::Status`], [`Refusal::AboveAuthorized`]
    /// for a capture, and [`Refusal::AboveCaptured`] for a refund.
    pub fn permits(
        &self,
        status: PaymentStatus,
        operation: PaymentOperationKind,
        amount: i64,
    ) -> Result<(), Refusal> {
        if status == Unknown {
            return Err(Refusal::Unknown);
        }
        let listed = row(self.standing).permits.contains(&operation);
        match operation {
            _ if !listed => Err(Refusal::Status),
            Capture if self.closed => Err(Refusal::Status),
            Capture if amount > self.amount - self.taken() => Err(Refusal::AboveAuthorized),
            Refund if amount > self.refundable() => Err(Refusal::AboveCaptured),
            _ => Ok(()),
        }
    }

    /// How much may still go back, in minor units; below zero when what has gone back did not come in after all.
    #[must_use]
    pub const fn refundable(&self) -> i64 {
        self.captured - self.refunded - self.refunding
    }

    /// What is known once a refund of this amount is under way.
    ///
    /// # Errors
    /// [`Refusal::AboveCaptured`].
    pub const fn reserving(mut self, amount: i64) -> Result<Self, Refusal> {
        if amount > self.refundable() {
            return Err(Refusal::AboveCaptured);
        }
        self.refunding += amount;
        Ok(self)
    }

    /// What is known once a refund of this amount stands otherwise than before; one that nobody has begun here was
    /// `None`.
    ///
    /// # Errors
    /// [`Refusal::AboveCaptured`] for one that was made elsewhere and is more than what we know to have been taken,
    /// whether it came in or not.
    pub fn refund_moved(
        mut self,
        from: Option<RefundStanding>,
        to: RefundStanding,
        amount: i64,
    ) -> Result<Self, Refusal> {
        use RefundStanding::{Created, Failed, Pending, Succeeded};
        match from {
            Some(Created | Pending) => self.refunding -= amount,
            Some(Succeeded) => self.refunded -= amount,
            Some(Failed) | None => {}
        }
        match to {
            Created | Pending => self.refunding += amount,
            Succeeded => self.refunded += amount,
            Failed => {}
        }
        if self.taken() < self.refunded + self.refunding { Err(Refusal::AboveCaptured) } else { Ok(self) }
    }
}

/// The stronger of two states.
#[must_use]
pub fn stronger(one: PaymentStatus, other: PaymentStatus) -> PaymentStatus {
    if strength(other) > strength(one) { other } else { one }
}

/// Whether nothing that we do leaves this state.
#[must_use]
pub fn is_final(standing: PaymentStatus) -> bool {
    row(standing).is_final
}

/// What is known of a refund, from the weakest to the strongest evidence: a refund that succeeded and came back has failed,
/// and one that was refused or given up before the provider knew it has not, should the provider say that it was made.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum RefundEvidence {
    /// It was written down.
    Created,
    /// There is no trace of it: the request was refused, or never arrived.
    NotMade,
    /// The provider has it, and will say later.
    Pending,
    /// The money has gone back.
    Succeeded,
    /// The provider has it, and has not given the money back, or no longer.
    Failed,
}

impl RefundEvidence {
    /// All of them.
    #[cfg(test)]
    pub const ALL: &[Self] = &[Self::Created, Self::NotMade, Self::Pending, Self::Succeeded, Self::Failed];

    /// What a refund's row says. `named` is whether the provider has given it an id.
    #[must_use]
    pub const fn of(standing: RefundStanding, named: bool) -> Self {
        match standing {
            RefundStanding::Created => Self::Created,
            RefundStanding::Pending => Self::Pending,
            RefundStanding::Succeeded => Self::Succeeded,
            RefundStanding::Failed if named => Self::Failed,
            RefundStanding::Failed => Self::NotMade,
        }
    }

    /// How the refund stands then.
    #[must_use]
    pub const fn standing(self) -> RefundStanding {
        match self {
            Self::Created => RefundStanding::Created,
            Self::Pending => RefundStanding::Pending,
            Self::Succeeded => RefundStanding::Succeeded,
            Self::NotMade | Self::Failed => RefundStanding::Failed,
        }
    }
}

fn strength(standing: PaymentStatus) -> usize {
    TABLE.iter().position(|row| row.standing == standing).unwrap_or_default()
}

fn row(standing: PaymentStatus) -> &'static Row {
    &TABLE[strength(standing)]
}

#[cfg(test)]
mod tests;
