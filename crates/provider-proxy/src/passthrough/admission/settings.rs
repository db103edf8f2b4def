//! The keys of a target that say how much it is asked.

use std::{num::NonZeroU32, time::Duration};

use chassis::settings::Section;

/// How much a target is asked at most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AdmissionSettings {
    /// How many requests may be in flight.
    pub max_concurrent: u32,
    /// How often it may be asked; as often as anyone likes when absent.
    pub rate: Option<RateSettings>,
    /// When it is left alone; never when absent.
    pub breaker: Option<BreakerSettings>,
}

/// How often a target may be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RateSettings {
    /// Requests in a second, in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once, after a pause.
    pub burst: NonZeroU32,
}

/// When a target that fails is left alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BreakerSettings {
    /// After how many failures without a success between them.
    pub failures: NonZeroU32,
    /// How long, until one request is let through to see.
    pub open_for: Duration,
}

const DEFAULT_MAX_CONCURRENT: u32 = 256;
const DEFAULT_FAILURES: u32 = 5;
const DEFAULT_OPEN_FOR: Duration = Duration::from_secs(10);

impl Default for AdmissionSettings {
    /// 256 at once, no rate, no breaker.
    fn default() -> Self {
        Self { max_concurrent: DEFAULT_MAX_CONCURRENT, rate: None, breaker: None }
    }
}

impl AdmissionSettings {
    /// Reads `max_concurrent` (default 256) and the tables `rate` with `per_second` and `burst` (default: the same
    /// number) and `breaker` with `failures` (default 5) and `open_for` (default 10 s) of a target's section.
    #[must_use]
    pub fn read(target: &Section) -> Self {
        let max_concurrent = target.or("max_concurrent", DEFAULT_MAX_CONCURRENT);
        if max_concurrent == 0 {
            target.fault("max_concurrent", "expected at least 1");
        }
        let (rate, breaker) = (target.section("rate"), target.section("breaker"));
        // Both are read where they are absent too, so that their keys are known.
        let (read_rate, read_breaker) = (read_rate(&rate), read_breaker(&breaker));
        Self {
            max_concurrent,
            rate: read_rate.filter(|_| rate.is_present()),
            breaker: read_breaker.filter(|_| breaker.is_present()),
        }
    }
}

fn read_rate(section: &Section) -> Option<RateSettings> {
    let per_second = section.optional::<u32>("per_second");
    let burst = section.optional::<u32>("burst");
    if section.is_present() && !section.has("per_second") {
        section.fault("per_second", "missing");
    }
    let per_second = at_least_one(section, "per_second", per_second?);
    let burst = burst.map_or(per_second, |burst| at_least_one(section, "burst", burst));
    Some(RateSettings { per_second: per_second?, burst: burst? })
}

fn read_breaker(section: &Section) -> Option<BreakerSettings> {
    let failures = section.or("failures", DEFAULT_FAILURES);
    let open_for = section.or("open_for", DEFAULT_OPEN_FOR);
    if open_for.is_zero() {
        section.fault("open_for", "expected more than 0");
    }
    Some(BreakerSettings { failures: at_least_one(section, "failures", failures)?, open_for })
}

fn at_least_one(section: &Section, key: &str, number: u32) -> Option<NonZeroU32> {
    let number = NonZeroU32::new(number);
    if number.is_none() {
        section.fault(key, "expected at least 1");
    }
    number
}
