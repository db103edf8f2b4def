//! The windows, their file, and what becomes of a refund's place.

use std::{
    cell::Cell,
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use proptest::prelude::*;
use tempfile::TempDir;
use wire::Currency;

use super::{
    limits::{DAY, HOUR},
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

fn in_folder() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("refunds");
    (folder, path)
}

/// Fills a file with places, the first of which are free again.
fn fill(path: &Path, count: u64, back: u64) {
    let (mut file, mut windows) = StateFile::open(path).unwrap();
    for index in 0..count {
        let entry = windows.reserve(place(&index.to_string(), 1), true, &Limits::default(), index).unwrap();
        file.refund(&entry).unwrap();
        if index < back {
            assert!(windows.give_back(entry.id));
            file.back(entry.id).unwrap();
        }
    }
}

#[test]
fn a_file_is_read_back_as_it_was() {
    let (_folder, path) = in_folder();
    fill(&path, 5, 2);
    let (_, windows) = StateFile::open(&path).unwrap();
    let ids: Vec<_> = windows.entries().map(|entry| (entry.id, entry.place.key.clone())).collect();
    assert_eq!(ids, [(2, "2".into()), (3, "3".into()), (4, "4".into())]);
    assert_eq!(windows.next(), 5);
}

#[test]
fn a_torn_last_line_is_cut_off_wherever_it_ends() {
    let (_folder, path) = in_folder();
    fill(&path, 2, 0);
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for end in first..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let (mut file, mut windows) = StateFile::open(&path).unwrap();
        assert_eq!(windows.entries().len(), 1, "{end}");
        file.refund(&windows.reserve(place("x", 1), true, &Limits::default(), 9).unwrap()).unwrap();
        drop(file);
        assert_eq!(StateFile::open(&path).unwrap().1.entries().len(), 2, "{end}");
    }
}

#[test]
fn a_line_that_is_none_of_ours_is_an_error_and_no_refund_is_forgotten() {
    let (_folder, path) = in_folder();
    fill(&path, 2, 0);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}nonsense\n{text}")).unwrap();
    let error = StateFile::open(&path).unwrap_err();
    assert!(matches!(error, StateError::NotOurs { line: 3, .. }), "{error}");
}

#[test]
fn two_processes_do_not_share_a_file() {
    let (_folder, path) = in_folder();
    let _first = StateFile::open(&path).unwrap();
    assert!(matches!(StateFile::open(&path).unwrap_err(), StateError::InUse { .. }));
}

#[test]
fn a_long_file_is_written_anew_and_says_the_same() {
    let (_folder, path) = in_folder();
    fill(&path, 700, 690);
    let before = fs::metadata(&path).unwrap().len();
    let (file, windows) = StateFile::open(&path).unwrap();
    assert_eq!(windows.next(), 700);
    drop(file);
    assert!(fs::metadata(&path).unwrap().len() < before / 10);
    let (_file, windows) = StateFile::open(&path).unwrap();
    assert_eq!((windows.entries().len(), windows.next()), (10, 700));
    assert!(
        matches!(StateFile::open(&path).unwrap_err(), StateError::InUse { .. }),
        "the new one is locked too"
    );
}

#[test]
fn a_file_without_any_place_still_knows_which_ids_there_were() {
    let (_folder, path) = in_folder();
    fill(&path, 600, 600);
    drop(StateFile::open(&path).unwrap());
    let (_, windows) = StateFile::open(&path).unwrap();
    assert_eq!((windows.entries().len(), windows.next()), (0, 600));
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

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
}

/// What a test does to a ledger.
#[derive(Clone, Debug)]
enum Step {
    /// So many minutes pass.
    Wait(u64),
    /// One of a few requests is sent, and may move money.
    Send { request: u8, amount: i64 },
    /// The first that is under way is evidently refused.
    Refused,
    /// The first that is under way is over, and nobody knows how.
    Over,
    /// The process is killed, and half a line is left.
    Restart { torn: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0u64..200).prop_map(Step::Wait),
        6 => (0u8..40, 1i64..40).prop_map(|(request, amount)| Step::Send { request, amount }),
        2 => Just(Step::Refused),
        1 => Just(Step::Over),
        1 => any::<bool>().prop_map(|torn| Step::Restart { torn }),
    ];
    proptest::collection::vec(step, 1..80)
}

/// What money may have been moved: at which minute, how much, by which request.
#[derive(Clone, Debug)]
struct Moved {
    at: u64,
    amount: i64,
    request: (u8, i64),
}

fn check_windows(moved: &[Moved], per_hour: usize, per_day: i64) {
    for last in moved {
        let within = |window: Duration| {
            let minutes = window.as_secs() / 60;
            moved.iter().filter(move |other| other.at <= last.at && last.at - other.at < minutes)
        };
        assert!(within(HOUR).count() <= per_hour, "{moved:?}");
        assert!(within(DAY).map(|moved| moved.amount).sum::<i64>() <= per_day, "{moved:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_window_ever_holds_more_than_its_limit(steps in steps()) {
        const PER_HOUR: u64 = 4;
        const PER_DAY: i64 = 150;
        let limits = limits(PER_HOUR, PER_DAY);
        let (_folder, path) = in_folder();
        let clock = || UNIX_EPOCH + Duration::from_secs(60 * NOW.with(Cell::get));
        let open = || Arc::new(RefundLedger::with_clock(Some(&path), clock as fn() -> SystemTime).unwrap());
        let runtime = actix_web::rt::System::new();
        NOW.with(|now| now.set(0));
        let mut refunds = open();
        // With its place in the list of what may have been moved; a request that had one already has none of its own.
        let mut under_way: Vec<(Reservation, (u8, i64))> = Vec::new();
        let mut moved: Vec<Moved> = Vec::new();
        let mut sent_again = false;
        for step in steps {
            match step {
                Step::Wait(minutes) => NOW.with(|now| now.set(now.get() + minutes)),
                Step::Send { request, amount } => {
                    let gate = gate(&limits, &refunds);
                    let name = format!("{request} {amount}");
                    let reserved = runtime.block_on(gate.refund(Provider::Stripe, money(amount), true, &name));
                    if let Ok(Some(reservation)) = reserved {
                        let at = NOW.with(Cell::get);
                        let request = (request, amount);
                        let within = |moved: &&Moved| moved.request == request && at - moved.at < DAY.as_secs() / 60;
                        if moved.iter().find(within).is_some() {
                            sent_again = true;
                        } else {
                            moved.push(Moved { at, amount, request });
                        }
                        under_way.push((reservation, request));
                    }
                }
                Step::Refused if !under_way.is_empty() && !sent_again => {
                    let (reservation, request) = under_way.remove(0);
                    runtime.block_on(reservation.give_back());
                    let last = moved.iter().rposition(|moved| moved.request == request).unwrap();
                    moved.remove(last);
                }
                Step::Over if !under_way.is_empty() => drop(under_way.remove(0)),
                Step::Refused | Step::Over => {}
                Step::Restart { torn } => {
                    under_way.clear();
                    drop(refunds);
                    if torn {
                        let mut bytes = fs::read(&path).unwrap();
                        bytes.extend_from_slice(b"{\"refund\":{\"id\":99");
                        fs::write(&path, bytes).unwrap();
                    }
                    refunds = open();
                }
            }
            check_windows(&moved, PER_HOUR as usize, PER_DAY);
        }
    }
}
