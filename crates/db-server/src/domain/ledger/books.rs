//! A payment and its entries, each derived from the other: pure functions, by which `db-server ledger check` compares.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Movement, MovementKind,
    account::{Account, pairs},
};
use crate::{
    domain::payment::machine::Known,
    store::{
        code::Provider,
        id::{PaymentId, RefundId, SellerId},
        ledger_sum::{BookedPayment, BookedRefund, EntrySum},
        payment_code::{PaymentStatus, RefundStanding},
    },
};

/// Where the money of a payment is, in minor units of its currency.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Amounts {
    /// Held, and neither taken nor given up.
    pub held: i64,
    /// Taken in all, without what did not come in after all.
    pub captured: i64,
    /// Given back in all.
    pub refunded: i64,
}

impl Amounts {
    /// What follows from the payment.
    #[must_use]
    pub fn of_payment(known: &Known) -> Self {
        let is_held = matches!(known.standing, PaymentStatus::Authorized | PaymentStatus::Captured);
        let held = if is_held && !known.closed { known.amount - known.taken() } else { 0 };
        Self { held, captured: known.captured, refunded: known.refunded }
    }

    /// What follows from the totals of its movements.
    #[must_use]
    pub fn of_totals(total: impl Fn(MovementKind) -> i64) -> Self {
        use MovementKind::{Capture, Hold, Refund, Release, Reversal, SettlementDecline};
        Self {
            held: total(Hold) - total(Release) - total(Capture),
            captured: total(Capture) - total(SettlementDecline),
            refunded: total(Refund) - total(Reversal),
        }
    }

    /// The shortest way there: what would be posted of a payment that was known to stand so from the first.
    #[must_use]
    pub fn movements(&self) -> Vec<Movement> {
        let all = [
            (MovementKind::Hold, self.held + self.captured),
            (MovementKind::Capture, self.captured),
            (MovementKind::Refund, self.refunded),
        ];
        let moved = all.into_iter().filter(|&(_, amount)| amount != 0);
        moved.map(|(kind, amount_minor)| Movement { kind, amount_minor }).collect()
    }
}

/// Sums by account and currency.
pub type Sums = BTreeMap<(String, String), i64>;

/// What the sets of these movements add up to; nothing for accounts on which they cancel out.
#[must_use]
pub fn sums(provider: Provider, seller: SellerId, currency: &str, movements: &[Movement]) -> Sums {
    let mut sums = Sums::new();
    for movement in movements {
        for &(debit, credit) in pairs(movement.kind) {
            for (account, sign) in [(debit, 1), (credit, -1)] {
                let account = (account.name(provider, seller), currency.to_owned());
                *sums.entry(account).or_default() += sign * movement.amount_minor;
            }
        }
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// A way in which a payment's rows and its entries contradict each other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// Which payment.
    pub payment: PaymentId,
    /// In what.
    pub subject: Subject,
    /// Of which currency (ISO 4217).
    pub currency: String,
    /// What follows from the rows, in minor units; none where there is no row.
    pub rows: Option<i64>,
    /// What follows from the entries, in minor units.
    pub entries: i64,
}

/// In what rows and entries differ.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// There is no such payment; the entries say what was taken of it.
    Payment,
    /// What is held.
    Held,
    /// What was taken.
    Captured,
    /// What was given back.
    Refunded,
    /// What was given back by one refund. There may be no such refund.
    Refund(RefundId),
    /// What was given back, and nobody knows by which refund.
    UnnamedRefund,
    /// What is on an account, though the amounts agree.
    Account(String),
}

impl Subject {
    /// Its name, in one word.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Payment => "payment".to_owned(),
            Self::Held => "held".to_owned(),
            Self::Captured => "captured".to_owned(),
            Self::Refunded => "refunded".to_owned(),
            Self::Refund(id) => format!("refund:{id}"),
            Self::UnnamedRefund => "refund:none".to_owned(),
            Self::Account(account) => format!("account:{account}"),
        }
    }
}

/// Compares the rows of a payment with the sums of its entries.
#[must_use]
pub fn compare(payment: &BookedPayment, refunds: &[BookedRefund], entries: &[EntrySum]) -> Vec<Difference> {
    let total = |kind| total(entries, kind, &payment.currency);
    let (rows, posted) = (Amounts::of_payment(&known(payment)), Amounts::of_totals(total));
    let mut differences = Vec::new();
    let mut compare = |subject, rows, entries| {
        if rows != entries {
            let currency = payment.currency.clone();
            let rows = Some(rows);
            differences.push(Difference { payment: payment.id, subject, currency, rows, entries });
        }
    };
    compare(Subject::Held, rows.held, posted.held);
    compare(Subject::Captured, rows.captured, posted.captured);
    compare(Subject::Refunded, rows.refunded, posted.refunded);
    let mut of_refunds = by_refund(entries);
    for refund in refunds {
        let given_back = if refund.standing == RefundStanding::Succeeded { refund.amount_minor } else { 0 };
        let entries = of_refunds.remove(&Some(refund.id)).unwrap_or_default();
        compare(Subject::Refund(refund.id), given_back, entries);
    }
    for (id, entries) in of_refunds {
        compare(id.map_or(Subject::UnnamedRefund, Subject::Refund), 0, entries);
    }
    if differences.is_empty() {
        differences = compare_accounts(payment, &posted, entries);
    }
    differences
}

/// What the machine of the states knows of a payment.
const fn known(row: &BookedPayment) -> Known {
    Known {
        amount: row.amount_minor,
        standing: row.standing,
        captured: row.captured_minor,
        settlement_declined: row.settlement_declined_minor,
        refunded: row.refunded_minor,
        refunding: row.refunding_minor,
        closed: row.closed,
    }
}

/// What is wrong with entries of a payment that is not there.
#[must_use]
pub fn without_payment(payment: PaymentId, entries: &[EntrySum]) -> Difference {
    let currency = entries.first().map(|entry| entry.currency.clone()).unwrap_or_default();
    let captured = total(entries, MovementKind::Capture, &currency);
    Difference { payment, subject: Subject::Payment, currency, rows: None, entries: captured }
}

/// Whether the amounts are on the right accounts, in the right currency, of the right provider and seller.
fn compare_accounts(payment: &BookedPayment, posted: &Amounts, entries: &[EntrySum]) -> Vec<Difference> {
    let (provider, seller) = (payment.provider, payment.seller_id);
    let mut expected = sums(provider, seller, &payment.currency, &posted.movements());
    for currency in currencies(entries) {
        let fee = total(entries, MovementKind::Fee, currency);
        let fee = Movement { kind: MovementKind::Fee, amount_minor: fee };
        for (account, sum) in sums(provider, seller, currency, &[fee]) {
            *expected.entry(account).or_default() += sum;
        }
    }
    let mut found = Sums::new();
    let own = |entry: &&EntrySum| entry.provider == provider && entry.seller_id == seller;
    for entry in entries.iter().filter(own) {
        *found.entry((entry.account.clone(), entry.currency.clone())).or_default() += entry.sum_minor;
    }
    let accounts: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let mut differences = Vec::new();
    for account @ (name, currency) in accounts {
        let [rows, entries] = [&expected, &found].map(|sums| sums.get(account).copied().unwrap_or_default());
        if rows != entries {
            let (subject, currency) = (Subject::Account(name.clone()), currency.clone());
            let rows = Some(rows);
            differences.push(Difference { payment: payment.id, subject, currency, rows, entries });
        }
    }
    differences
}

fn currencies(entries: &[EntrySum]) -> Vec<&str> {
    let mut currencies: Vec<_> = entries.iter().map(|entry| entry.currency.as_str()).collect();
    currencies.sort_unstable();
    currencies.dedup();
    currencies
}

/// How much has moved so, by the first account that such a movement debits.
fn total(entries: &[EntrySum], kind: MovementKind, currency: &str) -> i64 {
    let Some(&(debit, _)) = pairs(kind).first() else { return 0 };
    let is_it = |entry: &&EntrySum| {
        entry.movement == kind
            && entry.currency == currency
            && entry.account == debit.name(entry.provider, entry.seller_id)
    };
    entries.iter().filter(is_it).map(|entry| entry.sum_minor).sum()
}

/// What was given back, by refund.
fn by_refund(entries: &[EntrySum]) -> BTreeMap<Option<RefundId>, i64> {
    let mut sums = BTreeMap::new();
    for entry in entries {
        let of_refund = matches!(entry.movement, MovementKind::Refund | MovementKind::Reversal);
        if of_refund && entry.account == Account::Payable.name(entry.provider, entry.seller_id) {
            *sums.entry(entry.refund_id).or_default() += entry.sum_minor;
        }
    }
    sums
}

#[cfg(test)]
mod tests;
