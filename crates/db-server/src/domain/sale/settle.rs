//! What came of asking the provider, written down. A webhook may have been faster: then its outcome stands.

use diesel::PgConnection;
use wire::payment::Outcome;

use super::{Answer, Sale};
use crate::{
    domain::{Domain, DomainError, notice},
    store::{
        code::TransactionStatus::{self, Checked, Errored, Failed, Pending, Started},
        id::TransactionId,
        transaction::{self, TransactionChanges, TransactionRow},
    },
};

/// The `status_reason` when nobody knows whether the provider has charged anything.
pub(super) const UNKNOWN: &str = "unknown";

/// Commits what came of it; gives the sale as it is now.
pub(super) async fn settle(
    domain: &Domain,
    sale: Sale,
    answer: &Answer,
    actor: String,
) -> Result<Sale, DomainError> {
    let id = sale.transaction.id;
    let verdict = Verdict::of(answer);
    let settle = move |connection: &mut PgConnection| {
        let row = transaction::by_id_for_update(connection, id)?.ok_or(DomainError::NotFound)?;
        match changes(&row, verdict) {
            Some(changes) => Ok(transaction::update(connection, id, Some(row.counter), &changes, &actor)?),
            None => Ok(row),
        }
    };
    let settled: Result<TransactionRow, DomainError> = domain.database.write(settle).await;
    let transaction = settled.map_err(|error| {
        left_unsettled(id, answer);
        not_the_clients(error)
    })?;
    Ok(Sale { transaction, charge: sale.charge })
}

/// The provider has acted by now: whatever cannot be written down, the request was not wrong.
fn not_the_clients(error: DomainError) -> DomainError {
    match error {
        DomainError::Fields(_) => DomainError::Integrity("The provider's id is that of another transaction."),
        error => error,
    }
}

/// The payment itself is not lost: the attempt finds it at the provider, and the provider's webhook finds the attempt.
fn left_unsettled(id: TransactionId, answer: &Answer) {
    let outcome = match answer {
        Ok(outcome) => {
            let reference = outcome.result().map_or("nothing", |payment| payment.reference.as_str());
            format!("said {} and made {}", outcome.name(), reference.escape_debug())
        }
        Err(error) => format!("gave no answer: {error}"),
    };
    log::error!("transaction {id} stays as begun, though the provider {outcome}");
}

/// What an answer means for the transaction.
#[derive(Debug, Eq, PartialEq)]
struct Verdict {
    status: TransactionStatus,
    reason: Option<String>,
    reference: Option<String>,
}

impl Verdict {
    fn of(answer: &Answer) -> Self {
        let outcome = match answer {
            Ok(outcome) => outcome,
            Err(error) if error.outcome_is_unknown() => return Self::new(Pending, Some(UNKNOWN)),
            Err(error) => return Self::new(Errored, Some(&error.to_string())),
        };
        let verdict = match outcome {
            Outcome::Succeeded { .. } => Self::new(Checked, None),
            Outcome::RequiresAction { .. } | Outcome::Pending { .. } => Self::new(Pending, None),
            Outcome::Declined { decline, .. } => Self::new(Failed, Some(&decline.code)),
            Outcome::Rejected { rejection } => {
                let code = rejection.errors.first().map_or(rejection.message.as_str(), |error| &error.code);
                Self::new(Failed, Some(code))
            }
            Outcome::Unknown { .. } => Self::new(Pending, Some(UNKNOWN)),
        };
        Self { reference: outcome.result().map(|payment| payment.reference.clone()), ..verdict }
    }

    fn new(status: TransactionStatus, reason: Option<&str>) -> Self {
        Self { status, reason: reason.map(notice::reason), reference: None }
    }
}

/// What settling changes.
fn changes(row: &TransactionRow, verdict: Verdict) -> Option<TransactionChanges> {
    let undecided = row.status == Started;
    let learnt = verdict.reference.filter(|_| row.uid_support.is_none());
    if !undecided && learnt.is_none() {
        return None;
    }
    Some(TransactionChanges {
        status: undecided.then_some(verdict.status),
        status_reason: undecided.then_some(verdict.reason),
        uid_support: learnt.map(Some),
        ..TransactionChanges::default()
    })
}

#[cfg(test)]
mod tests {
    use wire::{
        Currency, ErrorKind, Money, ProxyFailure,
        payment::{Advice, Decline, FieldError, Payment, Rejection},
    };

    use super::*;
    use crate::{domain::transaction::tests::row, proxy_client::ProxyError};

    fn payment() -> Payment {
        let amount = Money { minor_units: 99, currency: Currency::parse("USD").unwrap() };
        Payment {
            reference: "bt-1".into(),
            attempt: None,
            status: "submitted_for_settlement".into(),
            amount,
            captured: 99,
            settlement_declined: 0,
            refunded: None,
            voided: false,
            captures: Vec::new(),
            payment_method: None,
        }
    }

    fn failure(kind: ErrorKind) -> Answer {
        let failure = ProxyFailure { kind, target: "braintree".into(), message: "x".into() };
        Err(ProxyError::Failure { status: kind.http_status(), failure })
    }

    fn settled(answer: &Answer) -> (TransactionStatus, Option<String>, Option<String>) {
        let changes = changes(&row(Started), Verdict::of(answer)).unwrap();
        (changes.status.unwrap(), changes.status_reason.unwrap(), changes.uid_support.flatten())
    }

    #[test]
    fn a_sale_that_is_accepted_is_checked_under_the_providers_id() {
        let answer = Ok(Outcome::Succeeded { result: payment() });
        assert_eq!(settled(&answer), (Checked, None, Some("bt-1".into())));
    }

    #[test]
    fn a_decline_fails_with_its_code_and_keeps_what_the_provider_keeps() {
        let decline = Decline { code: "2001".into(), message: "m".into(), advice: Advice::Retry };
        let answer = Ok(Outcome::Declined { decline, result: Some(payment()) });
        assert_eq!(settled(&answer), (Failed, Some("2001".into()), Some("bt-1".into())));
    }

    #[test]
    fn a_request_that_was_wrong_fails_with_the_first_code() {
        let error = |code: &str| FieldError { field: None, code: code.into(), message: "m".into() };
        let errors = vec![error("91564"), error("81501")];
        let rejection = Rejection { status: 422, message: "m".into(), errors, retry_after: None };
        assert_eq!(settled(&Ok(Outcome::Rejected { rejection })), (Failed, Some("91564".into()), None));
    }

    #[test]
    fn what_is_not_known_is_pending_and_never_failed() {
        let unknown = Ok(Outcome::Unknown { reason: "no answer".into() });
        assert_eq!(settled(&unknown), (Pending, Some("unknown".into()), None));
        for kind in [ErrorKind::Timeout, ErrorKind::Protocol, ErrorKind::Integrity] {
            assert_eq!(settled(&failure(kind)), (Pending, Some("unknown".into()), None), "{kind:?}");
        }
    }

    #[test]
    fn what_was_never_sent_is_errored() {
        for kind in [ErrorKind::Connect, ErrorKind::NotConfigured, ErrorKind::Policy, ErrorKind::Internal] {
            assert_eq!(settled(&failure(kind)).0, Errored, "{kind:?}");
        }
    }

    #[test]
    fn a_webhook_that_was_faster_stands() {
        let decided = row(Failed);
        let verdict = || Verdict::of(&Ok(Outcome::Succeeded { result: payment() }));
        let late = changes(&decided, verdict()).unwrap();
        assert_eq!((late.status, late.uid_support), (None, Some(Some("bt-1".into()))));
        let known = TransactionRow { uid_support: Some("bt-1".into()), ..decided };
        assert!(changes(&known, verdict()).is_none());
    }
}
