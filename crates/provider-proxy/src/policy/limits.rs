//! The limits of one caller.

use std::{collections::BTreeMap, time::Duration};

use thiserror::Error;
use wire::{Currency, Money};

/// How much one caller may ask for. What is absent has no limit.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// The most that one payment may be about, in minor units; a currency that is not listed is refused.
    pub largest_payment: Option<BTreeMap<Currency, i64>>,
    /// The most that one refund may be about, in minor units; a currency that is not listed is refused.
    pub largest_refund: Option<BTreeMap<Currency, i64>>,
    /// How many refunds there may be in any hour.
    pub refunds_per_hour: Option<u64>,
    /// How much may be refunded in any 24 hours, in minor units; a currency that is not listed is refused.
    pub refunded_per_day: Option<BTreeMap<Currency, i64>>,
}

/// The window of [`Limits::refunds_per_hour`].
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);
/// The window of [`Limits::refunded_per_day`], and how long a refund is remembered.
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a request is refused. Nothing was sent.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// The settings do not list the operation.
    #[error("the settings do not allow {operation}")]
    Operation {
        /// The operation.
        operation: String,
    },
    /// Nothing may be paid in this currency.
    #[error("no payments in {0} are allowed")]
    PaymentCurrency(Currency),
    /// One payment may not be about this much.
    #[error("a payment may be about {0} at most")]
    Payment(Money),
    /// Nothing may be refunded in this currency.
    #[error("no refunds in {0} are allowed")]
    RefundCurrency(Currency),
    /// One refund may not be about this much.
    #[error("a refund may be about {0} at most")]
    Refund(Money),
    /// There have been as many refunds as there may be.
    #[error("there may be {0} refunds in an hour")]
    RefundsPerHour(u64),
    /// With this one, more would be refunded than may be.
    #[error("refunds in a day may come to {0}")]
    RefundedPerDay(Money),
}

impl Refusal {
    /// The limit's name, for the audit log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Operation { .. } => "operation",
            Self::PaymentCurrency(_) | Self::Payment(_) => "largest_payment",
            Self::RefundCurrency(_) | Self::Refund(_) => "largest_refund",
            Self::RefundsPerHour(_) => "refunds_per_hour",
            Self::RefundedPerDay(_) => "refunded_per_day",
        }
    }
}

impl Limits {
    /// Refuses a payment that is too large.
    ///
    /// # Errors
    /// [`Refusal::Payment`], [`Refusal::PaymentCurrency`].
    pub fn payment(&self, amount: Money) -> Result<(), Refusal> {
        most(self.largest_payment.as_ref(), amount, Refusal::PaymentCurrency, Refusal::Payment)
    }

    /// Refuses a refund that is too large by itself.
    ///
    /// # Errors
    /// [`Refusal::Refund`], [`Refusal::RefundCurrency`].
    pub fn refund(&self, amount: Money) -> Result<(), Refusal> {
        most(self.largest_refund.as_ref(), amount, Refusal::RefundCurrency, Refusal::Refund)
    }

    /// Whether refunds are counted.
    #[must_use]
    pub const fn have_windows(&self) -> bool {
        self.refunds_per_hour.is_some() || self.refunded_per_day.is_some()
    }

    /// Refuses one more refund, after these many in the last hour and as much as this in the last day.
    pub(super) fn window(&self, count: u64, sum: i128, amount: Money) -> Result<(), Refusal> {
        if let Some(most) = self.refunds_per_hour
            && count >= most
        {
            return Err(Refusal::RefundsPerHour(most));
        }
        let Some(limits) = &self.refunded_per_day else { return Ok(()) };
        let currency = amount.currency;
        let &most = limits.get(&currency).ok_or(Refusal::RefundCurrency(currency))?;
        // Neither can overflow: there are not 2^63 refunds.
        if sum.saturating_add(i128::from(amount.minor_units)) > i128::from(most) {
            return Err(Refusal::RefundedPerDay(Money { minor_units: most, currency }));
        }
        Ok(())
    }
}

fn most(
    limits: Option<&BTreeMap<Currency, i64>>,
    amount: Money,
    currency: impl FnOnce(Currency) -> Refusal,
    exceeded: impl FnOnce(Money) -> Refusal,
) -> Result<(), Refusal> {
    let Some(limits) = limits else { return Ok(()) };
    match limits.get(&amount.currency) {
        None => Err(currency(amount.currency)),
        Some(&most) if amount.minor_units > most => Err(exceeded(Money { minor_units: most, ..amount })),
        Some(_) => Ok(()),
    }
}
