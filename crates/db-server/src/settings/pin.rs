//! `[pin]`: how PINs are kept and guarded.

use std::time::Duration;

use chassis::settings::{ExposeSecret, SecretString, Section};
use chrono::TimeDelta;

use super::{MIN_SECRET, positive, secret};
use crate::{
    domain::pin::PinRules,
    pin::{ITERATIONS, MEMORY_KIB, PinHasher},
};

/// The most misses that an operator may allow: a tenth of a percent of all PINs, and far too many.
const MAX_FAILURES: u32 = 10;
/// The longest lock-out, 365 days.
const MAX_WINDOW: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The most that one hash may cost: a gigabyte, a hundred times over.
const MAX_COST: (u32, u32) = (1 << 20, 100);

/// How PINs are kept and guarded.
#[derive(Debug)]
pub struct PinSettings {
    /// What hashes them.
    pub hasher: PinHasher,
    /// How often they may be guessed.
    pub rules: PinRules,
}

pub(super) fn read(section: &Section, loopback: bool) -> Option<PinSettings> {
    let pepper: SecretString = section.required("pepper");
    if section.has("pepper") && pepper.expose_secret().chars().count() < MIN_SECRET {
        section.fault("pepper", format!("the pepper has at least {MIN_SECRET} characters"));
    }
    let pepper = secret(section, "pepper", Some(pepper))?;
    let rules = rules(section);
    let memory = cost(section, loopback, "memory_kib", MEMORY_KIB, MAX_COST.0);
    let iterations = cost(section, loopback, "iterations", ITERATIONS, MAX_COST.1);
    let hasher = PinHasher::new(pepper, memory, iterations)
        .map_err(|error| section.fault("memory_kib", error.to_string()))
        .ok()?;
    Some(PinSettings { hasher, rules: rules? })
}

/// How often a secret may be guessed: `max_failures` and `failure_window`, of PINs and of passwords alike.
pub(super) fn rules(section: &Section) -> Option<PinRules> {
    let max_failures = section.or("max_failures", 5_u32);
    if !(1..=MAX_FAILURES).contains(&max_failures) {
        section.fault("max_failures", format!("expected a whole number from 1 to {MAX_FAILURES}"));
    }
    let window = positive(section, "failure_window", Duration::from_secs(300));
    if window > MAX_WINDOW {
        section.fault("failure_window", "expected at most 365 days");
    }
    Some(PinRules {
        max_failures: i32::try_from(max_failures).ok()?,
        window: TimeDelta::from_std(window).ok()?,
    })
}

/// A hash may be made cheaper than it should be only where nobody else calls: in tests.
fn cost(section: &Section, loopback: bool, key: &str, default: u32, max: u32) -> u32 {
    let cost = section.or(key, default);
    if cost < default && !loopback {
        section.fault(
            key,
            format!("less than {default} is only for a server that listens on a loopback address"),
        );
    }
    if cost > max {
        section.fault(key, format!("expected at most {max}"));
    }
    cost
}
