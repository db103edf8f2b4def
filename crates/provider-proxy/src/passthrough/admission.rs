//! Bulkheads: how many requests a target may have at once and in a time, and when it is left alone because it fails.
//!
//! All of it is counted over all workers, with atomics. A request passes in this order: a place among the concurrent
//! ones, the circuit breaker, the rate; what a later step refuses has taken nothing from an earlier one. The rate comes
//! last so that a refused request costs none of it.

mod breaker;
mod clock;
mod in_flight;
mod settings;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock as _,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use wire::passthrough::Kind;

pub use breaker::BreakerState;
pub use clock::Clock;
pub use settings::{AdmissionSettings, BreakerSettings, RateSettings};

use breaker::{Breaker, Pass};
use in_flight::{InFlight, Place};

/// After which time a caller may try again when all places are taken: nobody knows when one will be free.
const BUSY_RETRY: Duration = Duration::from_secs(1);

/// The bulkheads of every target; they outlive a reload of the settings.
#[derive(Default)]
pub struct Bulkheads {
    clock: Clock,
    targets: Mutex<HashMap<String, Arc<Admission>>>,
}

impl Bulkheads {
    /// Starts without any target.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, targets: Mutex::default() }
    }

    /// The bulkhead of a target, once for each time the settings are read.
    ///
    /// What the settings did not change goes on: requests in flight are counted on under a new limit, and a breaker
    /// that is open stays so, unless its own settings are new.
    pub fn admission(&self, target: &str, settings: &AdmissionSettings) -> Arc<Admission> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let admission = match targets.get(target) {
            Some(known) if known.settings == *settings => return Arc::clone(known),
            Some(known) => known.renewed(settings),
            None => Admission::new(settings, self.clock.clone()),
        };
        let admission = Arc::new(admission);
        targets.insert(target.to_owned(), Arc::clone(&admission));
        admission
    }

    /// Calls with the name and the bulkhead of every target that there has been.
    pub fn for_each(&self, mut look: impl FnMut(&str, &Admission)) {
        let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.iter().for_each(|(name, admission)| look(name, admission));
    }
}

type Rate = RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Duration>>;

/// The bulkhead of one target.
pub struct Admission {
    settings: AdmissionSettings,
    in_flight: Arc<InFlight>,
    rate: Option<Arc<Rate>>,
    breaker: Option<Arc<Breaker>>,
    clock: Clock,
}

/// Why a request is not let through. Nothing was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refused {
    /// [`Kind::Busy`], [`Kind::RateLimited`] or [`Kind::CircuitOpen`].
    pub kind: Kind,
    /// When it may be tried again, for the header `Retry-After`.
    pub retry_after: Duration,
}

impl Refused {
    /// The value of `Retry-After` (RFC 9110, 10.2.3): whole seconds, at least one.
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        let seconds = self.retry_after.as_secs();
        if self.retry_after.subsec_nanos() > 0 { seconds.saturating_add(1) } else { seconds.max(1) }
    }
}

impl Admission {
    /// Makes the bulkhead of a target.
    #[must_use]
    pub fn new(settings: &AdmissionSettings, clock: Clock) -> Self {
        Self {
            settings: *settings,
            in_flight: Arc::default(),
            rate: settings.rate.map(|rate| new_rate(rate, &clock)),
            breaker: settings.breaker.map(|breaker| Arc::new(Breaker::new(breaker))),
            clock,
        }
    }

    fn renewed(&self, settings: &AdmissionSettings) -> Self {
        let new = Self::new(settings, self.clock.clone());
        let kept_rate = if self.settings.rate == settings.rate { self.rate.clone() } else { new.rate };
        let kept_breaker =
            if self.settings.breaker == settings.breaker { self.breaker.clone() } else { new.breaker };
        Self { in_flight: Arc::clone(&self.in_flight), rate: kept_rate, breaker: kept_breaker, ..new }
    }

    /// Lets a request through, or says why not; never waits.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn admit(self: &Arc<Self>) -> Result<Permit, Refused> {
        let busy = Refused { kind: Kind::Busy, retry_after: BUSY_RETRY };
        let place = InFlight::enter(&self.in_flight, self.settings.max_concurrent).ok_or(busy)?;
        let pass = match &self.breaker {
            None => None,
            Some(breaker) => Some(Breaker::enter(breaker, self.clock.now())?),
        };
        if let Some(rate) = &self.rate {
            rate.check().map_err(|refused| Refused {
                kind: Kind::RateLimited,
                retry_after: refused.wait_time_from(self.clock.now()),
            })?;
        }
        Ok(Permit { _place: place, pass, clock: self.clock.clone() })
    }

    /// How many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.count()
    }

    /// What the breaker does; closed where there is none.
    #[must_use]
    pub fn breaker_state(&self) -> BreakerState {
        self.breaker.as_ref().map_or(BreakerState::Closed, |breaker| breaker.state(self.clock.now()))
    }
}

/// A request that was let through: keep it until the last byte of the answer, and tell it the verdict as soon as there
/// is one.
///
/// One that is dropped without a verdict, because the caller went away, says nothing about the target.
#[must_use = "dropping it gives the place to another request"]
pub struct Permit {
    _place: Place,
    pass: Option<Pass>,
    clock: Clock,
}

impl Permit {
    /// The target answered with a status: 502, 503 and 504 say that it fails, and anything else that it works.
    pub fn answered(&self, status: u16) {
        if matches!(status, 502..=504) { self.failed() } else { self.succeeded() }
    }

    /// There was no answer: what shows the target itself to fail counts against it, and nothing else does.
    pub fn refused(&self, kind: Kind) {
        if matches!(kind, Kind::Connect | Kind::Tls | Kind::Timeout | Kind::Protocol) {
            self.failed();
        }
    }

    /// The target works. Only the first verdict counts.
    pub fn succeeded(&self) {
        if let Some(pass) = &self.pass {
            pass.succeeded();
        }
    }

    /// The target fails. Only the first verdict counts.
    pub fn failed(&self) {
        if let Some(pass) = &self.pass {
            pass.failed(self.clock.now());
        }
    }
}

fn new_rate(settings: RateSettings, clock: &Clock) -> Arc<Rate> {
    let quota = Quota::per_second(settings.per_second).allow_burst(settings.burst);
    Arc::new(RateLimiter::direct_with_clock(quota, clock.clone()))
}

#[cfg(test)]
mod tests;
