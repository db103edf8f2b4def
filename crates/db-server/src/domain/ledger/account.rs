//! The accounts, and which of them a movement debits and credits: the one table of what is posted.

use crate::store::{code::Provider, id::SellerId, ledger::MovementKind};

/// An account, of a provider or of a seller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Account {
    /// Memorandum: what the provider holds for us and has not taken.
    Holds,
    /// Memorandum: the other side of it, what may be taken for the seller.
    Authorizations,
    /// An asset: what the provider has taken and owes us.
    Receivable,
    /// A liability: what was taken for the seller.
    Payable,
    /// An expense: what the provider has kept.
    Fees,
}

impl Account {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Holds, Self::Authorizations, Self::Receivable, Self::Payable, Self::Fees];

    /// Its name in the ledger, as `NAME:KEY`: `receivable:stripe`, `payable:7`.
    #[must_use]
    pub fn name(self, provider: Provider, seller: SellerId) -> String {
        match self {
            Self::Holds => format!("holds:{}", provider.name()),
            Self::Authorizations => format!("authorizations:{seller}"),
            Self::Receivable => format!("receivable:{}", provider.name()),
            Self::Payable => format!("payable:{seller}"),
            Self::Fees => format!("fees:{}", provider.name()),
        }
    }
}

/// What a movement debits and what it credits, in pairs of one amount each.
#[must_use]
pub const fn pairs(kind: MovementKind) -> &'static [(Account, Account)] {
    use Account::{Authorizations, Fees, Holds, Payable, Receivable};
    match kind {
        MovementKind::Hold => &[(Holds, Authorizations)],
        MovementKind::Release => &[(Authorizations, Holds)],
        MovementKind::Capture => &[(Authorizations, Holds), (Receivable, Payable)],
        MovementKind::Fee => &[(Fees, Receivable)],
        MovementKind::Refund | MovementKind::SettlementDecline => &[(Payable, Receivable)],
        MovementKind::Reversal => &[(Receivable, Payable)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_that_of_a_provider_or_of_a_seller() {
        let names = Account::ALL.map(|account| account.name(Provider::Stripe, SellerId(7)));
        let expected = ["holds:stripe", "authorizations:7", "receivable:stripe", "payable:7", "fees:stripe"];
        assert_eq!(names, expected);
    }
}
