//! What a target's callers see of its bulkhead, with a clock that the test moves.

use std::{
    num::NonZeroU32,
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use chassis::{environment::Environment, settings::Reader};

use super::*;

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn breaker(failures: u32, open_for: u64) -> AdmissionSettings {
    let open_for = Duration::from_secs(open_for);
    AdmissionSettings {
        breaker: Some(BreakerSettings { failures: number(failures), open_for }),
        ..AdmissionSettings::default()
    }
}

fn rate(per_second: u32, burst: u32) -> AdmissionSettings {
    AdmissionSettings {
        rate: Some(RateSettings { per_second: number(per_second), burst: number(burst) }),
        ..AdmissionSettings::default()
    }
}

fn admission(settings: AdmissionSettings) -> (Arc<Admission>, Clock) {
    let clock = Clock::held();
    (Arc::new(Admission::new(&settings, clock.clone())), clock)
}

fn refused(admission: &Arc<Admission>) -> (Kind, u64) {
    let refused = admission.admit().err().unwrap();
    (refused.kind, refused.retry_after_seconds())
}

fn fail(admission: &Arc<Admission>, times: usize) {
    for _ in 0..times {
        admission.admit().unwrap().refused(Kind::Connect);
    }
}

#[test]
fn a_place_is_taken_until_the_permit_is_dropped() {
    let (admission, _) = admission(AdmissionSettings { max_concurrent: 2, ..AdmissionSettings::default() });
    let (first, second) = (admission.admit().unwrap(), admission.admit().unwrap());
    assert_eq!(refused(&admission), (Kind::Busy, 1));
    assert_eq!(admission.in_flight(), 2);
    drop(first);
    let third = admission.admit().unwrap();
    assert_eq!(refused(&admission).0, Kind::Busy);
    drop((second, third));
    assert_eq!(admission.in_flight(), 0);
}

#[test]
fn no_thread_ever_gets_a_place_too_many_and_every_place_comes_back() {
    let (admission, _) = admission(AdmissionSettings { max_concurrent: 3, ..AdmissionSettings::default() });
    let inside = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (admission, inside) = (Arc::clone(&admission), Arc::clone(&inside));
            thread::spawn(move || {
                let mut entered = 0_u32;
                while entered < 2000 {
                    let Ok(permit) = admission.admit() else { continue };
                    let others = inside.fetch_add(1, Ordering::SeqCst);
                    assert!(others < 3, "{others} others are inside");
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                    entered += 1;
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(admission.in_flight(), 0);
}

#[test]
fn a_rate_lets_its_burst_through_at_once_and_then_one_after_another() {
    let (admission, clock) = admission(rate(2, 3));
    for _ in 0..3 {
        drop(admission.admit().unwrap());
    }
    assert_eq!(refused(&admission), (Kind::RateLimited, 1));
    clock.advance(Duration::from_millis(499));
    assert_eq!(refused(&admission).0, Kind::RateLimited);
    clock.advance(Duration::from_millis(1));
    drop(admission.admit().unwrap());
    assert_eq!(refused(&admission).0, Kind::RateLimited);
    assert_eq!(admission.in_flight(), 0, "a refused request keeps no place");
}

#[test]
fn the_breaker_opens_after_so_many_failures_in_a_row_and_says_when_to_come_back() {
    let (admission, clock) = admission(breaker(3, 10));
    fail(&admission, 2);
    admission.admit().unwrap().answered(404);
    fail(&admission, 2);
    assert_eq!(admission.breaker_state(), BreakerState::Closed);
    fail(&admission, 1);
    assert_eq!(admission.breaker_state(), BreakerState::Open);
    assert_eq!(refused(&admission), (Kind::CircuitOpen, 10));
    clock.advance(Duration::from_millis(6500));
    assert_eq!(refused(&admission), (Kind::CircuitOpen, 4));
    assert_eq!(admission.in_flight(), 0);
}

#[test]
fn half_open_lets_one_request_through_whose_success_closes_it() {
    let (admission, clock) = admission(breaker(1, 10));
    fail(&admission, 1);
    clock.advance(Duration::from_secs(10));
    assert_eq!(admission.breaker_state(), BreakerState::HalfOpen);
    let probe = admission.admit().unwrap();
    assert_eq!(refused(&admission), (Kind::CircuitOpen, 1));
    probe.answered(200);
    assert_eq!(admission.breaker_state(), BreakerState::Closed);
    let others = (admission.admit().unwrap(), admission.admit().unwrap());
    drop((probe, others));
}

#[test]
fn a_probe_that_fails_opens_it_for_as_long_again() {
    let (admission, clock) = admission(breaker(5, 10));
    fail(&admission, 5);
    clock.advance(Duration::from_secs(11));
    admission.admit().unwrap().refused(Kind::Timeout);
    assert_eq!(refused(&admission), (Kind::CircuitOpen, 10));
    clock.advance(Duration::from_secs(10));
    admission.admit().unwrap().answered(500);
    assert_eq!(admission.breaker_state(), BreakerState::Closed);
}

#[test]
fn a_probe_whose_caller_went_away_leaves_the_question_to_the_next_one() {
    let (admission, clock) = admission(breaker(1, 10));
    fail(&admission, 1);
    clock.advance(Duration::from_secs(10));
    drop(admission.admit().unwrap());
    assert_eq!(admission.breaker_state(), BreakerState::HalfOpen);
    admission.admit().unwrap().succeeded();
    assert_eq!(admission.breaker_state(), BreakerState::Closed);
}

#[test]
fn a_probe_that_the_rate_refuses_leaves_the_question_to_the_next_one() {
    let breaker = Some(BreakerSettings { failures: number(1), open_for: Duration::from_millis(500) });
    let (admission, clock) = admission(AdmissionSettings { breaker, ..rate(1, 1) });
    admission.admit().unwrap().failed();
    clock.advance(Duration::from_millis(500));
    assert_eq!(refused(&admission), (Kind::RateLimited, 1));
    assert_eq!(admission.breaker_state(), BreakerState::HalfOpen);
    clock.advance(Duration::from_millis(500));
    admission.admit().unwrap().succeeded();
    assert_eq!(admission.breaker_state(), BreakerState::Closed);
}

#[test]
fn only_what_the_target_does_counts_against_it() {
    let counted: Vec<_> = Kind::ALL
        .iter()
        .filter(|kind| {
            let (admission, _) = admission(breaker(1, 10));
            admission.admit().unwrap().refused(**kind);
            admission.breaker_state() == BreakerState::Open
        })
        .map(|kind| kind.name())
        .collect();
    assert_eq!(counted, ["connect", "tls", "timeout", "protocol"]);
    let failing: Vec<_> = (100..600)
        .filter(|status| {
            let (admission, _) = admission(breaker(1, 10));
            admission.admit().unwrap().answered(*status);
            admission.breaker_state() == BreakerState::Open
        })
        .collect();
    assert_eq!(failing, [502, 503, 504]);
}

#[test]
fn only_the_first_verdict_of_a_request_counts() {
    let (admission, _) = admission(breaker(1, 10));
    let permit = admission.admit().unwrap();
    permit.answered(200);
    // The connection broke in the middle of the body: the answer's head has said that the target works.
    permit.refused(Kind::Protocol);
    assert_eq!(admission.breaker_state(), BreakerState::Closed);
}

#[test]
fn requests_that_were_let_through_before_it_opened_do_not_keep_it_open() {
    let (admission, clock) = admission(breaker(2, 10));
    let early: Vec<_> = (0..5).map(|_| admission.admit().unwrap()).collect();
    early[0].failed();
    early[1].failed();
    clock.advance(Duration::from_secs(9));
    early[2].failed();
    early[3].succeeded();
    assert_eq!(refused(&admission), (Kind::CircuitOpen, 1));
    clock.advance(Duration::from_secs(1));
    admission.admit().unwrap().succeeded();
    early[4].failed();
    assert_eq!(admission.breaker_state(), BreakerState::Closed);
}

#[test]
fn many_threads_at_a_half_open_breaker_send_one_probe() {
    let (admission, clock) = admission(breaker(1, 10));
    fail(&admission, 1);
    clock.advance(Duration::from_secs(10));
    let (start, all_asked) = (Arc::new(Barrier::new(4)), Arc::new(Barrier::new(4)));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (admission, start, all_asked) =
                (Arc::clone(&admission), Arc::clone(&start), Arc::clone(&all_asked));
            thread::spawn(move || {
                start.wait();
                let permit = admission.admit();
                all_asked.wait();
                permit.is_ok()
            })
        })
        .collect();
    let probes = threads.into_iter().map(|thread| thread.join().unwrap());
    assert_eq!(probes.filter(|let_through| *let_through).count(), 1);
}

#[test]
fn a_reload_keeps_what_it_does_not_change() {
    let clock = Clock::held();
    let bulkheads = Bulkheads::new(clock);
    let settings = AdmissionSettings { max_concurrent: 2, ..breaker(1, 10) };
    let first = bulkheads.admission("shop", &settings);
    assert!(Arc::ptr_eq(&first, &bulkheads.admission("shop", &settings)));
    let in_flight = first.admit().unwrap();
    fail(&first, 1);
    let wider = bulkheads.admission("shop", &AdmissionSettings { max_concurrent: 3, ..settings });
    assert_eq!(wider.in_flight(), 1, "requests in flight count under the new limit");
    assert_eq!(refused(&wider).0, Kind::CircuitOpen);
    let closed = bulkheads.admission("shop", &AdmissionSettings { max_concurrent: 3, ..breaker(2, 10) });
    assert_eq!(closed.breaker_state(), BreakerState::Closed, "its own settings are new");
    drop(in_flight);
    assert_eq!(closed.in_flight(), 0);
}

#[test]
fn one_targets_bulkhead_is_not_anothers() {
    let bulkheads = Bulkheads::new(Clock::held());
    let settings = AdmissionSettings { max_concurrent: 1, ..breaker(1, 10) };
    let (hanging, good) = (bulkheads.admission("hanging", &settings), bulkheads.admission("good", &settings));
    let _held = hanging.admit().unwrap();
    for _ in 0..1000 {
        assert_eq!(refused(&hanging).0, Kind::Busy);
        good.admit().unwrap().succeeded();
    }
    let mut names = Vec::new();
    bulkheads.for_each(|name, _| names.push(name.to_owned()));
    names.sort();
    assert_eq!(names, ["good", "hanging"]);
}

fn read(text: &str) -> Result<AdmissionSettings, String> {
    let reader = Reader::new(text.parse().unwrap(), Environment::default());
    let settings = AdmissionSettings::read(&reader.root());
    reader.finish().map(|()| settings).map_err(|error| error.to_string())
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    assert_eq!(read("").unwrap(), AdmissionSettings::default());
    assert_eq!(read("breaker = {}").unwrap(), breaker(5, 10));
    assert_eq!(read("rate = { per_second = 7 }").unwrap(), rate(7, 7));
    assert_eq!(read("rate = { per_second = 7, burst = 9 }").unwrap(), rate(7, 9));
}

#[test]
fn a_bulkhead_that_lets_nothing_through_is_a_fault() {
    for (text, key) in [
        ("max_concurrent = 0", "max_concurrent"),
        ("rate = { per_second = 0 }", "rate.per_second"),
        ("rate = { per_second = 1, burst = 0 }", "rate.burst"),
        ("rate = { burst = 1 }", "rate.per_second"),
        ("breaker = { failures = 0 }", "breaker.failures"),
        ("breaker = { open_for = 0 }", "breaker.open_for"),
    ] {
        let report = read(text).unwrap_err();
        let keys: Vec<_> = report.lines().filter_map(|line| line.split(": ").next()).collect();
        assert_eq!(keys, [key], "{text}: {report}");
    }
}
