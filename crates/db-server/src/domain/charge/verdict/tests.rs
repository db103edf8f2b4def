use std::time::Duration;

use chrono::Utc;
use wire::{
    Currency, Money,
    payment::{Advice, Decline, Rejection},
};

use super::*;
use crate::{
    domain::transaction::tests::row,
    store::code::TransactionStatus::{Cancelled, Completed, Errored, Pending, Received, Started},
};

fn eur(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

fn payment(amount: Money) -> Payment {
    Payment {
        reference: "bt-1".into(),
        attempt: None,
        status: "settled".into(),
        amount,
        captured: amount.minor_units,
        settlement_declined: 0,
        refunded: None,
        voided: false,
        captures: Vec::new(),
        payment_method: None,
    }
}

fn rules() -> Rules {
    Rules { lockdown: Duration::from_secs(86_400), now: Utc::now() }
}

fn success() -> Verdict {
    Verdict::of(&Outcome::Succeeded { result: payment(eur(99)) }).unwrap()
}

fn decline() -> Verdict {
    let decline =
        Decline { code: "4001".into(), message: "Settlement declined".into(), advice: Advice::Retry };
    Verdict::of(&Outcome::Declined { decline, result: Some(payment(eur(99))) }).unwrap()
}

#[test]
fn what_is_settled_is_checked_and_what_is_declined_has_failed_with_its_code() {
    assert_eq!((success().status, success().reason), (Checked, None));
    assert_eq!((decline().status, decline().reason), (Failed, Some("4001".into())));
    let rejection = Rejection { status: 422, message: "failed".into(), ..Rejection::default() };
    let failed = Verdict::of(&Outcome::Rejected { rejection }).unwrap();
    assert_eq!((failed.status, failed.reason, failed.reference), (Failed, Some("failed".into()), None));
}

#[test]
fn what_is_not_decided_changes_nothing() {
    assert_eq!(Verdict::of(&Outcome::Pending { result: payment(eur(99)) }), None);
    assert_eq!(Verdict::of(&Outcome::Unknown { reason: "x".into() }), None);
}

#[test]
fn a_sale_of_unknown_outcome_is_decided_by_the_webhook() {
    for status in [Started, Pending] {
        let changes = changes(&row(status), &success(), rules()).unwrap();
        assert_eq!((changes.status, changes.uid_support), (Some(Checked), Some(Some("bt-1".into()))));
    }
}

#[test]
fn a_settlement_that_is_declined_takes_a_checked_sale_back() {
    for status in [Checked, Received] {
        let changes = changes(&row(status), &decline(), rules()).unwrap();
        assert_eq!((changes.status, changes.status_reason), (Some(Failed), Some(Some("4001".into()))));
    }
}

#[test]
fn what_is_decided_stays_and_what_is_known_changes_nothing() {
    for status in [Completed, Failed, Cancelled, Errored] {
        assert!(changes(&row(status), &success(), rules()).is_none(), "{status:?}");
        assert!(changes(&row(status), &decline(), rules()).is_none(), "{status:?}");
    }
    assert!(changes(&row(Checked), &success(), rules()).is_none());
}

#[test]
fn another_amount_or_an_old_transaction_changes_nothing() {
    let other = Verdict { amount: Some(eur(98)), ..success() };
    assert!(changes(&row(Pending), &other, rules()).is_none());
    let old = TransactionRow { created: Utc::now() - Duration::from_secs(90_000), ..row(Pending) };
    assert!(changes(&old, &success(), rules()).is_none());
}
