//! Compares payments and refunds with the ledger, both ways, payment by payment.

use diesel::PgConnection;

use super::books::{Difference, compare, without_payment};
use crate::store::{
    StoreError,
    ledger_sum::{self, BookedPayment, BookedRefund, EntrySum, Window},
};

/// How many payments are compared at a time.
const BATCH: i64 = 500;

/// What was compared.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Checked {
    /// How many payments, those included of which there are only entries.
    pub payments: u64,
    /// How many differences were found.
    pub differences: u64,
}

/// Compares all payments with their entries, while the servers may go on. Each batch is of one moment.
///
/// # Errors
/// [`StoreError`].
pub fn check(
    connection: &mut PgConnection,
    found: &mut dyn FnMut(Difference),
) -> Result<Checked, StoreError> {
    let (mut checked, mut after) = (Checked::default(), 0);
    while let Some(window) = ledger_sum::next_window(connection, after, BATCH)? {
        let batch = Batch::read(connection, window)?;
        for difference in batch.compare(&mut checked) {
            checked.differences += 1;
            found(difference);
        }
        after = window.1;
    }
    Ok(checked)
}

/// The rows of a window, each list by payment.
struct Batch {
    payments: Vec<BookedPayment>,
    refunds: Vec<BookedRefund>,
    entries: Vec<EntrySum>,
}

impl Batch {
    fn read(connection: &mut PgConnection, window: Window) -> Result<Self, StoreError> {
        // A settlement that comes between is seen wholly or not at all.
        connection.build_transaction().read_only().repeatable_read().run(|connection| {
            Ok(Self {
                payments: ledger_sum::payments_in(connection, window)?,
                refunds: ledger_sum::refunds_in(connection, window)?,
                entries: ledger_sum::sums_in(connection, window)?,
            })
        })
    }

    fn compare(&self, checked: &mut Checked) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut of_nobody = self.entries.as_slice();
        for payment in &self.payments {
            let before = of_nobody.partition_point(|entry| entry.payment_id < payment.id);
            let (unknown, rest) = of_nobody.split_at(before);
            let (entries, rest) = rest.split_at(rest.partition_point(|entry| entry.payment_id == payment.id));
            of_nobody = rest;
            differences.extend(unknown_payments(unknown, checked));
            let start = self.refunds.partition_point(|refund| refund.payment_id < payment.id);
            let end = self.refunds.partition_point(|refund| refund.payment_id <= payment.id);
            let refunds = self.refunds.get(start..end).unwrap_or_default();
            checked.payments += 1;
            differences.extend(compare(payment, refunds, entries));
        }
        differences.extend(unknown_payments(of_nobody, checked));
        differences
    }
}

fn unknown_payments(entries: &[EntrySum], checked: &mut Checked) -> Vec<Difference> {
    let of_each = entries.chunk_by(|one, next| one.payment_id == next.payment_id);
    let difference = |of_one: &[EntrySum]| Some(without_payment(of_one.first()?.payment_id, of_one));
    let differences: Vec<_> = of_each.filter_map(difference).collect();
    checked.payments += u64::try_from(differences.len()).unwrap_or_default();
    differences
}
