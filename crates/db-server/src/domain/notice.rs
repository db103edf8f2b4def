//! What a genuine notice of the reference provider does to a transaction.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use wire::reference::Notice;

use super::{
    Domain, DomainError,
    lifecycle::{self, State},
};
use crate::{
    form,
    store::{
        code::{
            Provider,
            TransactionStatus::{Completed, Failed},
        },
        transaction::{self, TransactionChanges, TransactionRow},
    },
};

/// The name under which the audit events of notices are written.
const ACTOR: &str = "provider:reference";
const WRONG_PROVIDER: &str = "The transaction belongs to another provider.";
const WRONG_AMOUNT: &str = "The amount of the notice is not the transaction's.";
const DECIDED: &str = "The transaction has another outcome already.";
const NOT_PAYABLE: &str = "The transaction cannot take this outcome.";
/// As many characters as `status_reason` holds.
const MAX_REASON: usize = 255;

/// Applies a genuine notice. A notice that says what is known already changes nothing.
///
/// # Errors
/// [`DomainError::NotFound`] for a transaction that we do not have, [`DomainError::Integrity`] when the notice
/// contradicts what we hold, and what the database gives. Then nothing has changed.
pub async fn apply(domain: &Domain, notice: Notice) -> Result<(), DomainError> {
    // Postgres holds no such text, so that no transaction has it.
    form::check_text(&notice.ext_transaction_id).map_err(|_| DomainError::NotFound)?;
    let (lockdown, now) = (domain.lockdown, domain.clock.now());
    let apply = move |connection: &mut PgConnection| {
        let row = transaction::by_uuid_for_update(connection, &notice.ext_transaction_id)?
            .ok_or(DomainError::NotFound)?;
        if let Some(changes) = changes(&row, &notice, lockdown, now)? {
            transaction::update(connection, row.id, Some(row.counter), &changes, ACTOR)?;
        }
        Ok(())
    };
    domain.database.write(apply).await
}

/// What a notice changes; nothing when the transaction has that outcome already.
fn changes(
    row: &TransactionRow,
    notice: &Notice,
    lockdown: Duration,
    now: DateTime<Utc>,
) -> Result<Option<TransactionChanges>, DomainError> {
    if row.provider.is_some_and(|provider| provider != Provider::Reference) {
        return Err(DomainError::Integrity(WRONG_PROVIDER));
    }
    check_amount(row, notice)?;
    let status = if notice.error.is_some() { Failed } else { Completed };
    if row.status == status {
        return Ok(None);
    }
    if !lifecycle::awaits_outcome(row.status) {
        return Err(DomainError::Integrity(DECIDED));
    }
    let state = State { provider: Some(Provider::Reference), ..State::of(row) };
    lifecycle::check_age(row.created, now, lockdown)
        .and_then(|()| lifecycle::check_move(state, status))
        .map_err(|rule| {
            log::error!("a notice for transaction {} cannot be applied: {rule}", row.id);
            DomainError::Integrity(NOT_PAYABLE)
        })?;
    let learnt = row.amount_minor.is_none().then_some(notice.amount).flatten();
    let reason = notice.error.as_deref().map(reason);
    Ok(Some(TransactionChanges {
        provider: Some(Some(Provider::Reference)),
        status: Some(status),
        status_reason: Some(reason),
        amount_minor: learnt.map(|amount| Some(amount.minor_units)),
        currency: learnt.map(|amount| Some(amount.currency.code().to_owned())),
        ..TransactionChanges::default()
    }))
}

/// The provider's text as the field holds it.
#[must_use]
pub fn reason(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_REASON).collect()
}

fn check_amount(row: &TransactionRow, notice: &Notice) -> Result<(), DomainError> {
    let (Some(told), Some(minor_units)) = (notice.amount, row.amount_minor) else { return Ok(()) };
    if told.minor_units == minor_units && Some(told.currency.code()) == row.currency.as_deref() {
        return Ok(());
    }
    log::error!("a notice for transaction {} names another amount", row.id);
    Err(DomainError::Integrity(WRONG_AMOUNT))
}

#[cfg(test)]
mod tests {
    use wire::{Currency, Money};

    use super::*;
    use crate::{
        domain::transaction::tests::row,
        store::code::TransactionStatus::{self, Cancelled, Errored, Pending, Started},
    };

    const LOCKDOWN: Duration = Duration::from_secs(86_400);

    fn notice(error: Option<&str>, amount: Option<(&str, &str)>) -> Notice {
        let amount = amount.map(|(text, code)| Money::parse(text, Currency::parse(code).unwrap()).unwrap());
        Notice { ext_transaction_id: "solitude:x".into(), error: error.map(Into::into), amount }
    }

    fn integrity(row: &TransactionRow, notice: &Notice) -> &'static str {
        match changes(row, notice, LOCKDOWN, Utc::now()) {
            Err(DomainError::Integrity(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_success_completes_and_an_error_fails_with_its_code() {
        for status in [Started, Pending, TransactionStatus::Checked, TransactionStatus::Received] {
            let success = changes(&row(status), &notice(None, None), LOCKDOWN, Utc::now()).unwrap().unwrap();
            assert_eq!((success.status, success.status_reason), (Some(Completed), Some(None)));
            let failure = changes(&row(status), &notice(Some("CC_ERROR"), None), LOCKDOWN, Utc::now())
                .unwrap()
                .unwrap();
            assert_eq!(failure.status, Some(Failed));
            assert_eq!(failure.status_reason, Some(Some("CC_ERROR".into())));
        }
    }

    #[test]
    fn the_same_notice_again_changes_nothing() {
        assert!(changes(&row(Completed), &notice(None, None), LOCKDOWN, Utc::now()).unwrap().is_none());
        assert!(changes(&row(Failed), &notice(Some("X"), None), LOCKDOWN, Utc::now()).unwrap().is_none());
        let old = TransactionRow { created: Utc::now() - LOCKDOWN * 2, ..row(Completed) };
        assert!(changes(&old, &notice(None, None), LOCKDOWN, Utc::now()).unwrap().is_none());
    }

    #[test]
    fn a_notice_never_undoes_an_outcome() {
        assert_eq!(integrity(&row(Completed), &notice(Some("X"), None)), DECIDED);
        for status in [Failed, Cancelled, Errored] {
            assert_eq!(integrity(&row(status), &notice(None, None)), DECIDED);
        }
    }

    #[test]
    fn another_amount_or_currency_is_an_integrity_error() {
        for amount in [("0.98", "EUR"), ("0.99", "USD"), ("99", "JPY")] {
            assert_eq!(integrity(&row(Pending), &notice(None, Some(amount))), WRONG_AMOUNT);
            assert_eq!(integrity(&row(Completed), &notice(None, Some(amount))), WRONG_AMOUNT);
        }
        assert!(
            changes(&row(Pending), &notice(None, Some(("0.99", "EUR"))), LOCKDOWN, Utc::now())
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn an_amount_that_was_not_known_is_learnt() {
        let unknown = TransactionRow { amount_minor: None, currency: None, ..row(Pending) };
        let changes =
            changes(&unknown, &notice(None, Some(("0.99", "EUR"))), LOCKDOWN, Utc::now()).unwrap().unwrap();
        assert_eq!((changes.amount_minor, changes.currency), (Some(Some(99)), Some(Some("EUR".into()))));
    }

    #[test]
    fn a_transaction_of_another_provider_is_not_touched() {
        let bango = TransactionRow { provider: Some(Provider::Bango), ..row(Pending) };
        assert_eq!(integrity(&bango, &notice(None, None)), WRONG_PROVIDER);
        let unset = TransactionRow { provider: None, ..row(Pending) };
        let changes = changes(&unset, &notice(None, None), LOCKDOWN, Utc::now()).unwrap().unwrap();
        assert_eq!(changes.provider, Some(Some(Provider::Reference)));
    }

    #[test]
    fn nothing_changes_after_the_lockdown_or_without_a_product() {
        let old = TransactionRow { created: Utc::now() - LOCKDOWN * 2, ..row(Pending) };
        assert_eq!(integrity(&old, &notice(None, None)), NOT_PAYABLE);
        let minimal = TransactionRow { product_id: None, ..row(Started) };
        assert_eq!(integrity(&minimal, &notice(None, None)), NOT_PAYABLE);
    }

    #[test]
    fn a_long_code_is_cut_to_what_the_field_holds() {
        let long = format!("\0{}", "é".repeat(300));
        let changes =
            changes(&row(Pending), &notice(Some(&long), None), LOCKDOWN, Utc::now()).unwrap().unwrap();
        assert_eq!(changes.status_reason.unwrap().unwrap().chars().count(), 255);
    }
}
