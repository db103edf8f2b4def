//! The circuit breaker: closed until a target has failed so many times in a row, then open, then half open.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use wire::passthrough::Kind;

use super::{BreakerSettings, Refused, clock::as_nanoseconds};

/// What a breaker does with the next request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BreakerState {
    /// It lets it through.
    Closed,
    /// It lets one through to see whether the target works, and no other meanwhile.
    HalfOpen,
    /// It refuses it.
    Open,
}

/// The time at which the breaker may be tried, in nanoseconds, when it is closed.
const CLOSED: u64 = 0;

/// After which time to try again while another request is being waited for to see whether the target works.
const PROBE_RETRY: Duration = Duration::from_secs(1);

/// Its time is up, and nobody knows yet whether the target works again.
struct HalfOpen;

/// One target's breaker, shared over all workers.
pub(super) struct Breaker {
    settings: BreakerSettings,
    /// Failures without a success between them, while closed.
    failures: AtomicU32,
    /// [`CLOSED`], or when it turns half open, in nanoseconds.
    open_until: AtomicU64,
    /// Whether a probe is on its way.
    probing: AtomicBool,
}

impl Breaker {
    pub(super) const fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            failures: AtomicU32::new(0),
            open_until: AtomicU64::new(CLOSED),
            probing: AtomicBool::new(false),
        }
    }

    /// Lets a request through, as a probe when half open.
    pub(super) fn enter(shared: &Arc<Self>, now: Duration) -> Result<Pass, Refused> {
        let mut probe = false;
        if shared.wait(now)?.is_some() {
            if shared.probing.swap(true, Ordering::AcqRel) {
                return Err(Refused { kind: Kind::CircuitOpen, retry_after: PROBE_RETRY });
            }
            // The probe before may have had its verdict between the two looks.
            let still_open = shared.wait(now);
            probe = matches!(still_open, Ok(Some(HalfOpen)));
            if !probe {
                shared.probing.store(false, Ordering::Release);
                still_open?;
            }
        }
        Ok(Pass { breaker: Arc::clone(shared), probe, judged: AtomicBool::new(false) })
    }

    /// Nothing while it is closed.
    fn wait(&self, now: Duration) -> Result<Option<HalfOpen>, Refused> {
        match self.open_until.load(Ordering::Acquire) {
            CLOSED => Ok(None),
            until => match Duration::from_nanos(until).checked_sub(now) {
                Some(left) if !left.is_zero() => Err(Refused { kind: Kind::CircuitOpen, retry_after: left }),
                _ => Ok(Some(HalfOpen)),
            },
        }
    }

    pub(super) fn state(&self, now: Duration) -> BreakerState {
        match self.open_until.load(Ordering::Acquire) {
            CLOSED => BreakerState::Closed,
            until if now < Duration::from_nanos(until) => BreakerState::Open,
            _ => BreakerState::HalfOpen,
        }
    }

    fn opens_until(&self, now: Duration) -> u64 {
        as_nanoseconds(now.saturating_add(self.settings.open_for)).max(CLOSED + 1)
    }
}

/// A request that the breaker let through.
pub(super) struct Pass {
    breaker: Arc<Breaker>,
    probe: bool,
    judged: AtomicBool,
}

impl Pass {
    pub(super) fn succeeded(&self) {
        if self.judged.swap(true, Ordering::Relaxed) {
            return;
        }
        self.breaker.failures.store(0, Ordering::Relaxed);
        if self.probe {
            self.breaker.open_until.store(CLOSED, Ordering::Release);
            self.end_probe();
        }
    }

    pub(super) fn failed(&self, now: Duration) {
        if self.judged.swap(true, Ordering::Relaxed) {
            return;
        }
        let breaker = &self.breaker;
        if self.probe {
            breaker.open_until.store(breaker.opens_until(now), Ordering::Release);
            self.end_probe();
            return;
        }
        let failures = breaker.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures >= breaker.settings.failures.get() {
            // One that was let through before it opened does not keep it open for longer.
            let opened = breaker.open_until.compare_exchange(
                CLOSED,
                breaker.opens_until(now),
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            if opened.is_ok() {
                breaker.failures.store(0, Ordering::Relaxed);
            }
        }
    }

    fn end_probe(&self) {
        self.breaker.probing.store(false, Ordering::Release);
    }
}

impl Drop for Pass {
    /// A probe without a verdict leaves the question open for the next one.
    fn drop(&mut self) {
        if self.probe && !self.judged.load(Ordering::Relaxed) {
            self.end_probe();
        }
    }
}
