use chrono::TimeDelta;
use wire::{Currency, ErrorKind, Money, ProviderAnswer, ProxyFailure};

use super::*;
use crate::{
    domain::transaction::tests::row,
    store::code::TransactionStatus::{Cancelled, Checked, Completed, Errored, Failed, Started},
};

const LOCKDOWN: Duration = Duration::from_secs(86_400);

fn request() -> StartTransaction {
    StartTransaction {
        product_id: "p1".into(),
        region: "123".into(),
        carrier: "USA_TMOBILE".into(),
        price: Money::parse("0.99", Currency::parse("EUR").unwrap()).unwrap(),
        pay_method: "OPERATOR".into(),
        callback_success_url: "https://m.example.com/s".into(),
        callback_error_url: "https://m.example.com/e".into(),
        success_url: "https://m.example.com/s".into(),
        error_url: "https://m.example.com/e".into(),
        ext_transaction_id: "solitude:x".into(),
    }
}

fn begun(before: &TransactionRow) -> Result<TransactionChanges, DomainError> {
    begin_changes(before, &request(), LOCKDOWN, Utc::now())
}

fn wrong_field(before: &TransactionRow) -> String {
    match begun(before) {
        Err(DomainError::Fields(errors)) => serde_json::to_string(&errors).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn failure(kind: ErrorKind) -> ProxyError {
    let failure = ProxyFailure { kind, target: "reference".into(), message: "x".into() };
    ProxyError::Failure { status: kind.http_status(), failure }
}

#[test]
fn beginning_makes_a_transaction_pending_with_provider_and_amount() {
    let before = TransactionRow { provider: None, amount_minor: None, currency: None, ..row(Started) };
    let changes = begun(&before).unwrap();
    assert_eq!((changes.status, changes.provider), (Some(Pending), Some(Some(Provider::Reference))));
    assert_eq!((changes.amount_minor, changes.currency), (Some(Some(99)), Some(Some("EUR".into()))));
    assert_eq!((changes.uid_pay, changes.pay_url), (None, None));
}

#[test]
fn another_amount_or_currency_is_refused() {
    let before = TransactionRow { amount_minor: Some(98), ..row(Started) };
    assert!(wrong_field(&before).contains("price"));
    let before = TransactionRow { currency: Some("USD".into()), ..row(Started) };
    assert!(wrong_field(&before).contains("currency"));
}

#[test]
fn only_a_transaction_that_awaits_its_outcome_is_started() {
    for status in [Completed, Failed, Cancelled, Errored, Checked] {
        assert!(wrong_field(&row(status)).contains(TRANSACTION), "{status:?}");
    }
    let old = TransactionRow { created: Utc::now() - LOCKDOWN * 2, ..row(Started) };
    assert!(wrong_field(&old).contains("locked down"));
    let foreign = TransactionRow { provider: Some(Provider::Bango), ..row(Started) };
    assert!(wrong_field(&foreign).contains("another provider"));
    let minimal = TransactionRow { product_id: None, ..row(Started) };
    assert!(wrong_field(&minimal).contains("seller_product"));
}

#[test]
fn a_payment_is_not_started_twice() {
    let started = TransactionRow { uid_pay: Some("7".into()), ..row(Pending) };
    assert!(matches!(begun(&started), Err(DomainError::Conflict(_))));
    let starting = TransactionRow { status_reason: Some(STARTING.into()), ..row(Pending) };
    assert!(matches!(begun(&starting), Err(DomainError::Conflict(_))));
}

#[test]
fn what_was_left_unknown_or_by_a_crash_may_be_started_again() {
    let unknown = TransactionRow { status_reason: Some(UNKNOWN.into()), ..row(Pending) };
    assert!(begun(&unknown).is_ok());
    let crashed = TransactionRow {
        status_reason: Some(STARTING.into()),
        modified: Utc::now() - TimeDelta::seconds(61),
        ..row(Pending)
    };
    assert!(begun(&crashed).is_ok());
}

#[test]
fn an_error_is_unknown_unless_the_provider_cannot_have_acted() {
    for kind in [ErrorKind::Timeout, ErrorKind::Protocol] {
        assert_eq!(Outcome::of(&Err(failure(kind))), Outcome::Unknown);
    }
    for kind in [ErrorKind::Connect, ErrorKind::Tls, ErrorKind::NotConfigured, ErrorKind::Internal] {
        assert!(matches!(Outcome::of(&Err(failure(kind))), Outcome::Not(_)), "{kind:?}");
    }
    let refused = ProviderAnswer { status: 409, body: serde_json::Value::Null, retry_after: None };
    assert!(matches!(Outcome::of(&Err(ProxyError::Refused(refused))), Outcome::Not(_)));
}

#[test]
fn a_started_payment_keeps_the_providers_id() {
    let outcome = Outcome::Started("7".into());
    let changes = settle_changes(&row(Pending), &row(Started), &outcome).unwrap();
    assert_eq!((changes.uid_pay, changes.status_reason), (Some(Some("7".into())), Some(None)));
    assert_eq!((changes.status, changes.pay_url), (None, None));
}

#[test]
fn a_payment_that_was_not_started_goes_back_to_what_it_was() {
    let before = TransactionRow { provider: None, amount_minor: None, currency: None, ..row(Started) };
    let changes = settle_changes(&row(Pending), &before, &Outcome::Not("connect".into())).unwrap();
    assert_eq!((changes.status, changes.provider), (Some(Started), Some(None)));
    assert_eq!((changes.amount_minor, changes.currency), (Some(None), Some(None)));
    assert_eq!(changes.status_reason, Some(Some("connect".into())));
}

#[test]
fn an_unknown_outcome_stays_pending_and_says_so() {
    let changes = settle_changes(&row(Pending), &row(Started), &Outcome::Unknown).unwrap();
    assert_eq!((changes.status, changes.status_reason), (None, Some(Some(UNKNOWN.into()))));
}

#[test]
fn a_notice_that_was_faster_stands() {
    for status in [Completed, Failed] {
        for outcome in [Outcome::Unknown, Outcome::Not("x".into())] {
            assert!(settle_changes(&row(status), &row(Started), &outcome).is_none());
        }
        let changes = settle_changes(&row(status), &row(Started), &Outcome::Started("7".into())).unwrap();
        assert_eq!((changes.status, changes.status_reason), (None, None));
    }
}
