//! Whatever is asked for, however it ends, and whenever the process is killed: no window holds more than its limit.

use std::{
    cell::Cell,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use proptest::prelude::*;

use super::*;
use crate::policy::limits::{DAY, HOUR};

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
