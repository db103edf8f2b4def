//! The ledger: every movement of money as one balanced set of entries, in a chain that shows what was changed.

pub mod account;
pub mod books;
pub mod chain;
pub mod check;
pub mod verify;

use diesel::PgConnection;
use wire::Money;

use self::account::pairs;
use super::{Domain, DomainError};
use crate::store::{
    Listed, Page, StoreError,
    id::RefundId,
    ledger::{self, PostedEntry, Posting},
    ledger_sum::{self, AccountBalance, BalanceFilter, CurrencyTotal},
    payment::PaymentRow,
};

pub use crate::store::ledger::MovementKind;

/// One movement of money of a payment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Movement {
    /// What moved.
    pub kind: MovementKind,
    /// How much, in minor units of the payment's currency; more than nothing.
    pub amount_minor: i64,
}

/// What is asked for about the balances, as of one moment.
#[derive(Clone, Debug)]
pub struct Balances {
    /// A page of the accounts.
    pub accounts: Listed<AccountBalance>,
    /// What all accounts add up to, by currency: nothing.
    pub totals: Vec<CurrencyTotal>,
}

/// The balances of the accounts, by name.
///
/// # Errors
/// What the database gives.
pub async fn balances(domain: &Domain, filter: BalanceFilter, page: Page) -> Result<Balances, DomainError> {
    let read = move |connection: &mut PgConnection| {
        let accounts = ledger_sum::balances(connection, &filter, page)?;
        Ok(Balances { accounts, totals: ledger_sum::totals(connection)? })
    };
    domain.database.read(read).await
}

/// Writes movements down, in the database transaction that settles them; none is no statement. `refund` is the one that
/// a refund or its reversal is about.
///
/// It locks the end of a chain until the transaction ends, see [`ledger::post`].
///
/// # Errors
/// What the database gives.
pub fn post(
    connection: &mut PgConnection,
    payment: &PaymentRow,
    refund: Option<RefundId>,
    movements: &[Movement],
) -> Result<(), DomainError> {
    let about_refund =
        |movement: &&Movement| matches!(movement.kind, MovementKind::Refund | MovementKind::Reversal);
    let (of_refund, others): (Vec<_>, Vec<_>) = movements.iter().partition(about_refund);
    for (refund, movements) in [(None, others), (refund, of_refund)] {
        if !movements.is_empty() {
            let posting = Posting { refund_id: refund, ..posting(payment, &movements) };
            ledger::post(connection, &posting)?;
        }
    }
    Ok(())
}

/// Writes down what the provider has kept of a payment, once for each `reference`, the provider's id of it. An amount
/// below nothing is what the provider gives back. It may be of another currency than the payment.
///
/// True when it is posted now; false when it was before, or when there is nothing to post. What is said above of the
/// lock goes for this as well.
///
/// # Errors
/// What the database gives, also for a reference that is another payment's, or that is no word of at most 255
/// characters.
pub fn post_fee(
    connection: &mut PgConnection,
    payment: &PaymentRow,
    fee: Money,
    reference: &str,
) -> Result<bool, StoreError> {
    if fee.minor_units == 0 {
        return Ok(false);
    }
    let movement = Movement { kind: MovementKind::Fee, amount_minor: fee.minor_units };
    let posting = Posting {
        reference: Some(reference.to_owned()),
        currency: fee.currency.code().to_owned(),
        ..posting(payment, &[&movement])
    };
    ledger::post(connection, &posting)
}

fn posting(payment: &PaymentRow, movements: &[&Movement]) -> Posting {
    let sets = (1_i16..).zip(movements);
    let entries = sets.flat_map(|(set, movement)| entries(payment, set, movement)).collect();
    Posting {
        payment_id: payment.id,
        provider: payment.provider,
        seller_id: payment.seller_id,
        refund_id: None,
        reference: None,
        currency: payment.currency.clone(),
        entries,
    }
}

/// The set of a movement.
fn entries(payment: &PaymentRow, set: i16, movement: &Movement) -> Vec<PostedEntry> {
    let Movement { kind, amount_minor } = *movement;
    let entry = |account: account::Account, amount_minor| PostedEntry {
        set,
        movement: kind,
        account: account.name(payment.provider, payment.seller_id),
        amount_minor,
    };
    let both = |&(debit, credit): &(_, _)| [entry(debit, amount_minor), entry(credit, -amount_minor)];
    pairs(kind).iter().flat_map(both).collect()
}
