//! The table `ledger_entries`: what has moved. Entries are posted, and never changed.

use chrono::{DateTime, Utc};
use diesel::{
    deserialize::FromSqlRow,
    expression::AsExpression,
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Nullable, SmallInt, Text},
};

use super::{
    StoreError,
    code::{Provider, codes},
    id::{PaymentId, RefundId, SellerId},
    stored_as,
};
use crate::schema::ledger_entries;

codes!(
    /// What moved.
    MovementKind {
        /// The provider holds an amount of the payer's for us.
        Hold = 0,
        /// What is held is given up.
        Release = 1,
        /// What is held is taken.
        Capture = 2,
        /// The provider keeps a part of what was taken.
        Fee = 3,
        /// What was taken goes back.
        Refund = 4,
        /// A refund came back.
        Reversal = 5,
        /// What was taken did not come in: its settlement was declined.
        SettlementDecline = 6,
    }
);

impl MovementKind {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Capture => "capture",
            Self::Fee => "fee",
            Self::Refund => "refund",
            Self::Reversal => "reversal",
            Self::SettlementDecline => "settlement_decline",
        }
    }
}

/// An entry of the ledger, as it stands in its chain.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = ledger_entries, check_for_backend(Pg))]
pub struct LedgerEntryRow {
    /// Which chain.
    pub chain: i16,
    /// Its place in the chain, from 1, without gaps.
    pub position: i64,
    /// The place of the first entry of its set.
    pub set_position: i64,
    /// On which account, as `NAME:KEY`.
    pub account: String,
    /// Through whom.
    pub provider: Provider,
    /// Who sells.
    pub seller_id: SellerId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// About which refund, if it is about one.
    pub refund_id: Option<RefundId>,
    /// What moved.
    pub movement: MovementKind,
    /// How much, in minor units: a debit above zero, a credit below.
    pub amount_minor: i64,
    /// Of this currency (ISO 4217).
    pub currency: String,
    /// The provider's id of what is posted once.
    pub reference: Option<String>,
    /// When it was posted.
    pub created: DateTime<Utc>,
    /// The hash of the entry before; zeros for the first.
    pub previous_hash: Vec<u8>,
    /// The hash of this one.
    pub hash: Vec<u8>,
}

/// Movements of one payment, to be posted in one step.
#[derive(Clone, Debug)]
pub struct Posting {
    /// Of which payment.
    pub payment_id: PaymentId,
    /// Through whom.
    pub provider: Provider,
    /// Who sells.
    pub seller_id: SellerId,
    /// About which refund, if they are about one.
    pub refund_id: Option<RefundId>,
    /// The provider's id of it, for what is posted once.
    pub reference: Option<String>,
    /// The currency of all amounts (ISO 4217).
    pub currency: String,
    /// The entries, set after set.
    pub entries: Vec<PostedEntry>,
}

/// An entry to be posted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PostedEntry {
    /// The number of its set in the posting, from 1.
    pub set: i16,
    /// What moved.
    pub movement: MovementKind,
    /// On which account, as `NAME:KEY`.
    pub account: String,
    /// How much, in minor units: a debit above zero, a credit below.
    pub amount_minor: i64,
}

#[expect(clippy::too_many_arguments, reason = "one statement, with one parameter for each column")]
mod function {
    use super::{Array, BigInt, Nullable, SmallInt, Text};

    diesel::define_sql_function! {
        /// The function of the migration `0012_ledger`.
        fn post_ledger(
            payment: BigInt, provider: SmallInt, seller: BigInt, refund: Nullable<BigInt>,
            reference: Nullable<Text>, currency: Text, sets: Array<SmallInt>, movements: Array<SmallInt>,
            accounts: Array<Text>, amounts: Array<BigInt>,
        ) -> Bool;
    }
}

/// Posts movements, in one statement. False when what has a reference has been posted with it before; nothing is then.
///
/// The end of the payment's chain is locked from here to the end of the database transaction, which therefore posts of
/// one payment only, and as late as it can.
///
/// # Errors
/// [`StoreError`]; `ledger_entries_balanced` for a set that does not add up to zero,
/// `ledger_entries_provider_movement_reference_key` for a reference that belongs to another payment.
pub fn post(connection: &mut PgConnection, posting: &Posting) -> Result<bool, StoreError> {
    let entries = &posting.entries;
    let statement = diesel::select(function::post_ledger(
        posting.payment_id,
        posting.provider,
        posting.seller_id,
        posting.refund_id,
        posting.reference.as_deref(),
        posting.currency.as_str(),
        entries.iter().map(|entry| entry.set).collect::<Vec<_>>(),
        entries.iter().map(|entry| entry.movement).collect::<Vec<_>>(),
        entries.iter().map(|entry| entry.account.as_str()).collect::<Vec<_>>(),
        entries.iter().map(|entry| entry.amount_minor).collect::<Vec<_>>(),
    ));
    Ok(statement.get_result(connection)?)
}
