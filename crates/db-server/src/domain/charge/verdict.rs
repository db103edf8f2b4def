//! What a provider's outcome means for a transaction, and where it may still take it.

use diesel::PgConnection;
use wire::payment::{Outcome, Payment};

use super::{Rules, actor};
use crate::{
    domain::{
        DomainError,
        lifecycle::{self, State},
        notice,
    },
    store::{
        code::TransactionStatus::{self, Checked, Failed},
        transaction::{self, TransactionChanges, TransactionRow},
    },
};

/// What an outcome means for a transaction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Verdict {
    pub(super) status: TransactionStatus,
    pub(super) reason: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) amount: Option<wire::Money>,
}

impl Verdict {
    /// Nothing when the provider has not decided.
    pub(super) fn of(outcome: &Outcome<Payment>) -> Option<Self> {
        let (status, reason) = match outcome {
            Outcome::Succeeded { .. } => (Checked, None),
            Outcome::Declined { decline, .. } => (Failed, Some(notice::reason(&decline.code))),
            Outcome::Rejected { rejection } => {
                let code = rejection.errors.first().map_or(rejection.message.as_str(), |error| &error.code);
                (Failed, Some(notice::reason(code)))
            }
            Outcome::RequiresAction { .. } | Outcome::Pending { .. } | Outcome::Unknown { .. } => {
                return None;
            }
        };
        let payment = outcome.result();
        Some(Self {
            status,
            reason,
            reference: payment.map(|payment| payment.reference.clone()),
            amount: payment.map(|payment| payment.amount),
        })
    }
}

/// Takes a transaction to where the provider says that it is, if it may still go there.
pub(super) fn advance(
    connection: &mut PgConnection,
    row: TransactionRow,
    verdict: &Verdict,
    rules: Rules,
) -> Result<TransactionRow, DomainError> {
    match changes(&row, verdict, rules) {
        Some(changes) => {
            let actor = actor(row.provider);
            Ok(transaction::update(connection, row.id, Some(row.counter), &changes, &actor)?)
        }
        None => Ok(row),
    }
}

/// What an outcome changes; nothing when it is known, or when it comes too late.
fn changes(row: &TransactionRow, verdict: &Verdict, rules: Rules) -> Option<TransactionChanges> {
    if row.status == verdict.status || !lifecycle::awaits_outcome(row.status) {
        return None;
    }
    if let Some(amount) = verdict.amount
        && (row.amount_minor, row.currency.as_deref())
            != (Some(amount.minor_units), Some(amount.currency.code()))
    {
        log::error!("transaction {}: the provider names another amount; nothing is changed", row.id);
        return None;
    }
    let allowed = lifecycle::check_age(row.created, rules.now, rules.lockdown)
        .and_then(|()| lifecycle::check_move(State::of(row), verdict.status));
    if let Err(rule) = allowed {
        log::error!("transaction {} does not take what the provider says: {rule}", row.id);
        return None;
    }
    Some(TransactionChanges {
        status: Some(verdict.status),
        status_reason: Some(verdict.reason.clone()),
        uid_support: row.uid_support.is_none().then(|| verdict.reference.clone()).filter(Option::is_some),
        ..TransactionChanges::default()
    })
}

#[cfg(test)]
mod tests;
