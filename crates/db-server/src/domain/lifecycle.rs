//! The rules of a transaction's status: which move is allowed, when, and with what.

use std::time::Duration;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::error::{DomainError, field, whole};
use crate::store::{
    code::{
        Provider,
        TransactionStatus::{
            self, Cancelled, Checked, Completed, Errored, Failed, Pending, Received, Started,
        },
    },
    transaction::TransactionRow,
};

/// Where each status may go. One that is not listed behind the other cannot be reached from it.
///
/// A completed transaction is not final in the Solitude API: a provider may take a payment back. Only a client may
/// say so; a notice never undoes a completion (see [`awaits_outcome`]).
const MOVES: [(TransactionStatus, &[TransactionStatus]); 8] = [
    (Started, ANYWHERE),
    (Pending, ANYWHERE),
    (Checked, &[Completed, Failed]),
    (Received, &[Completed, Failed]),
    (Completed, ANYWHERE),
    (Failed, &[]),
    (Cancelled, &[]),
    (Errored, &[]),
];

const ANYWHERE: &[TransactionStatus] = TransactionStatus::ALL;

/// The statuses that say nothing about money, so that neither provider nor product is needed.
const INCOMPLETE: [TransactionStatus; 2] = [Started, Errored];

/// The statuses in which the outcome is still to come.
const AWAITING: [TransactionStatus; 4] = [Started, Pending, Checked, Received];

/// What the rules look at.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// The status now.
    pub status: TransactionStatus,
    /// The provider, as it will be after the change.
    pub provider: Option<Provider>,
    /// Whether the transaction names what is sold.
    pub has_product: bool,
    /// When the transaction was created.
    pub created: DateTime<Utc>,
}

impl State {
    /// The state of a stored transaction.
    #[must_use]
    pub fn of(row: &TransactionRow) -> Self {
        Self {
            status: row.status,
            provider: row.provider,
            has_product: row.product_id.is_some(),
            created: row.created,
        }
    }
}

/// Why a change is against the rules.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Rule {
    /// The transaction is older than the lockdown.
    #[error("Transaction locked down")]
    LockedDown,
    /// The status cannot be reached from the present one.
    #[error("Cannot change state from: {} to {}", from.code(), to.code())]
    Move {
        /// The status now.
        from: TransactionStatus,
        /// The status asked for.
        to: TransactionStatus,
    },
    /// The status needs a provider.
    #[error("A provider is needed for this status.")]
    NeedsProvider,
    /// The status needs a product.
    #[error("A seller_product is needed for this status.")]
    NeedsProduct,
    /// The status follows a payment or a refund of `/payments/`.
    #[error("The transaction belongs to a payment of /payments/, which its status follows.")]
    FollowsPayment,
}

impl From<Rule> for DomainError {
    fn from(rule: Rule) -> Self {
        let message = rule.to_string();
        match rule {
            Rule::LockedDown | Rule::Move { .. } => whole(message),
            Rule::NeedsProvider => field("provider", message),
            Rule::NeedsProduct => field("seller_product", message),
            Rule::FollowsPayment => field("status", message),
        }
    }
}

/// Whether a transaction may still change at all.
///
/// # Errors
/// [`Rule::LockedDown`] once it is older than the lockdown.
pub fn check_age(created: DateTime<Utc>, now: DateTime<Utc>, lockdown: Duration) -> Result<(), Rule> {
    match (now - created).to_std() {
        Ok(age) if age > lockdown => Err(Rule::LockedDown),
        // Created after `now`: two clocks differ a little.
        _ => Ok(()),
    }
}

/// Whether a transaction may go to a status. Staying where it is needs no permission.
///
/// # Errors
/// The [`Rule`] that forbids it.
pub fn check_move(state: State, to: TransactionStatus) -> Result<(), Rule> {
    if state.status == to {
        return Ok(());
    }
    let from = state.status;
    let allowed = MOVES.iter().any(|(status, reachable)| *status == from && reachable.contains(&to));
    if !allowed {
        return Err(Rule::Move { from, to });
    }
    check_complete(to, state.provider, state.has_product)
}

/// Whether a transaction has what a status needs.
///
/// # Errors
/// [`Rule::NeedsProvider`] or [`Rule::NeedsProduct`].
pub fn check_complete(
    status: TransactionStatus,
    provider: Option<Provider>,
    has_product: bool,
) -> Result<(), Rule> {
    match (INCOMPLETE.contains(&status), provider, has_product) {
        (true, ..) | (false, Some(_), true) => Ok(()),
        (false, None, _) => Err(Rule::NeedsProvider),
        (false, Some(_), false) => Err(Rule::NeedsProduct),
    }
}

/// Whether a provider's notice may still decide the transaction.
#[must_use]
pub fn awaits_outcome(status: TransactionStatus) -> bool {
    AWAITING.contains(&status)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    const LOCKDOWN: Duration = Duration::from_secs(86_400);

    fn state(status: TransactionStatus) -> State {
        State { status, provider: Some(Provider::Reference), has_product: true, created: Utc::now() }
    }

    fn any_status() -> impl Strategy<Value = TransactionStatus> {
        select(TransactionStatus::ALL)
    }

    #[test]
    fn every_status_has_one_row_in_the_table() {
        for status in TransactionStatus::ALL {
            assert_eq!(MOVES.iter().filter(|(from, _)| from == status).count(), 1, "{status:?}");
        }
    }

    #[test]
    fn nothing_changes_once_a_transaction_is_older_than_the_lockdown() {
        let now = Utc::now();
        let age = |seconds: i64| check_age(now - chrono::TimeDelta::seconds(seconds), now, LOCKDOWN);
        assert_eq!((age(0), age(86_400), age(-5)), (Ok(()), Ok(()), Ok(())));
        assert_eq!(age(86_401), Err(Rule::LockedDown));
    }

    #[test]
    fn checked_and_received_go_only_to_completed_or_failed() {
        for from in [Checked, Received] {
            for &to in TransactionStatus::ALL {
                let allowed = to == from || [Completed, Failed].contains(&to);
                assert_eq!(check_move(state(from), to).is_ok(), allowed, "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn a_minimal_transaction_goes_only_to_errored() {
        let minimal = State { provider: None, has_product: false, ..state(Started) };
        for &to in TransactionStatus::ALL {
            assert_eq!(check_move(minimal, to).is_ok(), [Started, Errored].contains(&to), "{to:?}");
        }
    }

    #[test]
    fn a_notice_decides_only_what_is_undecided() {
        let decided = |status: &&TransactionStatus| !awaits_outcome(**status);
        let decided: Vec<_> = TransactionStatus::ALL.iter().filter(decided).copied().collect();
        assert_eq!(decided, [Completed, Failed, Cancelled, Errored]);
    }

    proptest! {
        #[test]
        fn failed_cancelled_and_errored_are_final(
            from in select(vec![Failed, Cancelled, Errored]),
            to in any_status(),
        ) {
            let result = check_move(state(from), to);
            prop_assert_eq!(result, if from == to { Ok(()) } else { Err(Rule::Move { from, to }) });
        }

        #[test]
        fn pending_may_go_anywhere(to in any_status()) {
            prop_assert_eq!(check_move(state(Pending), to), Ok(()));
        }

        #[test]
        fn no_move_says_anything_about_money_without_provider_and_product(
            from in any_status(),
            to in any_status(),
            provider in proptest::option::of(select(Provider::ALL)),
            has_product: bool,
        ) {
            let state = State { provider, has_product, ..state(from) };
            if check_move(state, to).is_ok() && from != to && ![Started, Errored].contains(&to) {
                prop_assert!(provider.is_some() && has_product);
            }
        }

        #[test]
        fn more_knowledge_never_forbids_a_move(from in any_status(), to in any_status(), has_product: bool) {
            let partial = State { provider: None, has_product, ..state(from) };
            if check_move(partial, to).is_ok() {
                prop_assert_eq!(check_move(state(from), to), Ok(()));
            }
        }

        #[test]
        fn no_sequence_of_moves_leaves_a_final_status(moves in proptest::collection::vec(any_status(), 1..30)) {
            let mut current = state(Started);
            for to in moves {
                let was = current.status;
                if check_move(current, to).is_ok() {
                    current.status = to;
                }
                if [Failed, Cancelled, Errored].contains(&was) {
                    prop_assert_eq!(current.status, was);
                }
            }
        }
    }
}
