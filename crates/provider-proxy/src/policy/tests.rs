//! What the windows let through, and what becomes of a refund's place.

mod file;
mod property;

use std::{
    fs,
    path::{Path, PathBuf},
};

use futures_util::future::join_all;
use tempfile::TempDir;
use wire::Currency;

use super::{
    state_file::StateFile,
    windows::{Place, Windows},
    *,
};

fn money(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

fn limits(per_hour: u64, per_day: i64) -> Limits {
    Limits {
        refunds_per_hour: Some(per_hour),
        refunded_per_day: Some([(money(0).currency, per_day)].into()),
        ..Limits::default()
    }
}

fn place(key: &str, minor_units: i64) -> Place {
    Place { caller: Some("db-server".into()), key: key.into(), amount: money(minor_units) }
}

const HOUR_MS: u64 = 60 * 60 * 1000;

#[test]
fn a_refund_counts_for_an_hour_and_its_amount_for_a_day() {
    let mut windows = Windows::default();
    let limits = limits(2, 100);
    windows.reserve(place("a", 40), true, &limits, 0).unwrap();
    windows.reserve(place("b", 40), true, &limits, 1).unwrap();
    assert_eq!(
        windows.reserve(place("c", 10), true, &limits, HOUR_MS - 1).unwrap_err(),
        Refusal::RefundsPerHour(2)
    );
    windows.reserve(place("c", 10), true, &limits, HOUR_MS).unwrap();
    let later = 5 * HOUR_MS;
    assert_eq!(
        windows.reserve(place("d", 11), true, &limits, later).unwrap_err(),
        Refusal::RefundedPerDay(money(100))
    );
    windows.reserve(place("d", 10), true, &limits, later).unwrap();
    assert!(windows.reserve(place("e", 1), true, &limits, 24 * HOUR_MS - 1).is_err());
    windows.reserve(place("e", 40), true, &limits, 24 * HOUR_MS).unwrap();
}

#[test]
fn another_caller_and_another_currency_have_windows_of_their_own() {
    let mut windows = Windows::default();
    let mut limits = limits(9, 100);
    windows.reserve(place("a", 100), true, &limits, 0).unwrap();
    let other = Place { caller: None, ..place("a", 100) };
    windows.reserve(other, true, &limits, 0).unwrap();
    let yen = Currency::parse("JPY").unwrap();
    let in_yen = Place { amount: Money { minor_units: 100, currency: yen }, ..place("b", 0) };
    assert_eq!(
        windows.reserve(in_yen.clone(), true, &limits, 0).unwrap_err(),
        Refusal::RefundCurrency(yen),
        "a currency without a limit is not without limit"
    );
    limits.refunded_per_day.as_mut().unwrap().insert(yen, 100);
    windows.reserve(in_yen, true, &limits, 0).unwrap();
}

#[test]
fn the_same_request_again_counts_once() {
    let mut windows = Windows::default();
    let limits = limits(1, 100);
    let first = windows.reserve(place("a", 100), true, &limits, 0).unwrap();
    assert_eq!(windows.reserve(place("a", 100), true, &limits, 1).unwrap().id, first.id);
    assert!(windows.reserve(place("a", 99), true, &limits, 1).is_err(), "another amount is another refund");
}

#[test]
fn a_place_is_free_again_only_when_none_of_its_requests_can_have_moved_money() {
    let limits = limits(1, 100);
    let mut windows = Windows::default();
    let id = windows.reserve(place("a", 1), true, &limits, 0).unwrap().id;
    windows.reserve(place("a", 1), true, &limits, 0).unwrap();
    assert!(!windows.give_back(id), "the other one is still under way");
    windows.keep(id);
    assert!(!windows.give_back(id));
    assert!(windows.reserve(place("b", 1), true, &limits, 0).is_err());

    let mut windows = Windows::default();
    let id = windows.reserve(place("a", 1), true, &limits, 0).unwrap().id;
    assert!(windows.give_back(id));
    let next = windows.reserve(place("a", 1), true, &limits, 0).unwrap();
    assert_ne!(next.id, id, "an id is of one place for ever");
    let restarted = Windows::from_file(vec![(next.id, 0, place("a", 1))], 2);
    let mut windows = restarted;
    windows.reserve(place("a", 1), true, &limits, 0).unwrap();
    assert!(!windows.give_back(next.id), "before the restart it may have moved money");
}

#[test]
fn where_a_provider_might_refund_twice_at_once_two_count_as_two() {
    let mut windows = Windows::default();
    let limits = limits(2, 100);
    let first = windows.reserve(place("a", 50), false, &limits, 0).unwrap().id;
    let second = windows.reserve(place("a", 50), false, &limits, 0).unwrap().id;
    assert_ne!(first, second);
    assert!(windows.reserve(place("a", 50), false, &limits, 0).is_err());
    windows.keep(first);
    assert_eq!(windows.reserve(place("a", 50), false, &limits, 0).unwrap().id, first, "one after the other");
}

#[test]
fn a_clock_that_is_set_back_shortens_no_window() {
    let mut windows = Windows::default();
    let limits = limits(1, 100);
    windows.reserve(place("a", 1), true, &limits, 10 * HOUR_MS).unwrap();
    assert!(windows.reserve(place("b", 1), true, &limits, 0).is_err());
    assert!(windows.reserve(place("b", 1), true, &limits, 10 * HOUR_MS + HOUR_MS - 1).is_err());
    windows.reserve(place("b", 1), true, &limits, 11 * HOUR_MS).unwrap();
}

fn in_folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("refunds");
    (folder, path)
}

fn gate<'a>(limits: &'a Limits, refunds: &'a Arc<RefundLedger>) -> Gate<'a> {
    Gate { caller: Some("db-server"), limits, refunds }
}

async fn refund(gate: &Gate<'_>, request: &str) -> Result<Option<Reservation>, ProxyError> {
    gate.refund(Provider::Stripe, money(10), true, &request).await
}

#[actix_web::test]
async fn a_refund_is_on_the_disk_before_it_is_sent_and_outlasts_a_restart() {
    let (_folder, path) = in_folder();
    let limits = limits(2, 1000);
    let refunds = Arc::new(RefundLedger::open(Some(&path)).unwrap());
    let first = refund(&gate(&limits, &refunds), "a").await.unwrap().unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains("\"refund\""));
    let second = refund(&gate(&limits, &refunds), "b").await.unwrap().unwrap();
    second.give_back().await;
    drop((first, refunds));
    let refunds = Arc::new(RefundLedger::open(Some(&path)).unwrap());
    drop(refund(&gate(&limits, &refunds), "c").await.unwrap());
    let error = refund(&gate(&limits, &refunds), "d").await.unwrap_err();
    assert_eq!(error.failure().kind, wire::ErrorKind::Policy);
    assert_eq!(error.failure().message, "Not allowed here: there may be 2 refunds in an hour.");
}

#[actix_web::test]
async fn a_caller_that_goes_away_keeps_its_place() {
    let (_folder, path) = in_folder();
    let limits = limits(1, 1000);
    let refunds = Arc::new(RefundLedger::open(Some(&path)).unwrap());
    drop(refund(&gate(&limits, &refunds), "a").await.unwrap());
    refund(&gate(&limits, &refunds), "a").await.unwrap().unwrap().give_back().await;
    assert!(refund(&gate(&limits, &refunds), "b").await.is_err());
}

#[actix_web::test]
async fn without_a_file_that_can_be_written_there_are_payments_and_no_refunds() {
    let limits = Limits { largest_payment: None, ..limits(9, 1000) };
    // Every write to it fails with "no space left on device".
    let full = Path::new("/dev/full");
    let refunds = Arc::new(RefundLedger::on(StateFile::with(full, options_of(full))));
    for refunds in [refunds, Arc::new(RefundLedger::open(None).unwrap())] {
        let gate = gate(&limits, &refunds);
        for _ in 0..20 {
            let error = refund(&gate, "a").await.unwrap_err();
            assert!(matches!(error, ProxyError::PolicyState { .. }), "{error}");
            assert_eq!(error.failure().kind, wire::ErrorKind::Internal);
        }
        gate.amount(Provider::Stripe, OperationName::Authorize, Some(money(5))).unwrap();
    }
}

fn options_of(path: &Path) -> fs::File {
    fs::OpenOptions::new().append(true).open(path).unwrap()
}

#[test]
fn an_amount_has_a_limit_by_currency() {
    let (_folder, path) = in_folder();
    let refunds = Arc::new(RefundLedger::open(Some(&path)).unwrap());
    let limits = Limits {
        largest_payment: Some([(money(0).currency, 100)].into()),
        largest_refund: Some([(money(0).currency, 50)].into()),
        ..Limits::default()
    };
    let gate = gate(&limits, &refunds);
    let amount =
        |operation, amount| gate.amount(Provider::Paypal, operation, amount).map_err(|error| error.failure());
    for operation in OperationName::ALL {
        let most = if operation == OperationName::Refund { 50 } else { 100 };
        amount(operation, None).unwrap();
        amount(operation, Some(money(most))).unwrap();
        let failure = amount(operation, Some(money(most + 1))).unwrap_err();
        assert_eq!(failure.kind, wire::ErrorKind::Policy);
        let yen = Money { minor_units: 1, currency: Currency::parse("JPY").unwrap() };
        assert!(amount(operation, Some(yen)).unwrap_err().message.contains("in JPY"), "{operation}");
    }
}

#[actix_web::test]
async fn of_many_refunds_at_once_no_more_get_through_than_may() {
    let (_folder, path) = in_folder();
    let limits = limits(5, 1000);
    let refunds = Arc::new(RefundLedger::open(Some(&path)).unwrap());
    let gate = gate(&limits, &refunds);
    let names: Vec<String> = (0..40).map(|index| index.to_string()).collect();
    let results = join_all(names.iter().map(|name| refund(&gate, name))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5);
    drop((results, refunds));
    assert_eq!(StateFile::open(&path).unwrap().1.entries().len(), 5);
}
