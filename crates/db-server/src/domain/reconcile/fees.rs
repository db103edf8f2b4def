//! What the provider has kept of the movements that agree with our books, posted in the ledger.

use diesel::PgConnection;
use wire::{Money, payment::Movement};

use crate::{
    database::Database,
    domain::ledger,
    store::{StoreError, code::Provider, id::PaymentId, payment, refund},
};

/// What the provider's list says that it has kept of one movement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fee {
    /// The provider's id of the movement, and so of its fee.
    reference: String,
    amount: Money,
}

impl Fee {
    /// That of a movement, where the list says one.
    pub(super) fn of(movement: &Movement) -> Option<Self> {
        let minor_units = movement.fee.filter(|&fee| fee != 0)?;
        let amount = Money { minor_units, currency: movement.amount.currency };
        Some(Self { reference: movement.reference.clone(), amount })
    }
}

/// Posts the fees of a payment's charges, and gives how many were not posted before.
pub(super) async fn post_of_payment(
    database: &Database,
    id: PaymentId,
    fees: Vec<Fee>,
) -> Result<u64, StoreError> {
    if fees.is_empty() {
        return Ok(0);
    }
    database.write(move |connection: &mut PgConnection| post(connection, id, &fees)).await
}

/// Posts the fee of a refund, and gives how many were not posted before.
pub(super) async fn post_of_refund(
    database: &Database,
    provider: Provider,
    fee: Fee,
) -> Result<u64, StoreError> {
    let work = move |connection: &mut PgConnection| {
        match refund::by_reference(connection, provider, &fee.reference)? {
            Some(refund) => post(connection, refund.payment_id, &[fee]),
            // It is of one of the older paths, which have no ledger.
            None => Ok(0),
        }
    };
    database.write(work).await
}

/// All of one payment, so that the end of one chain is locked.
fn post(connection: &mut PgConnection, id: PaymentId, fees: &[Fee]) -> Result<u64, StoreError> {
    let Some(payment) = payment::by_id(connection, id)? else { return Ok(0) };
    let mut posted = 0;
    for fee in fees {
        posted += u64::from(ledger::post_fee(connection, &payment, fee.amount, &fee.reference)?);
    }
    Ok(posted)
}
