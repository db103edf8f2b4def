//! `[payments]`: what holds for payments at every provider.

use std::time::Duration;

use chassis::settings::Section;
use wire::Currency;

use super::{ProxySettings, positive, proxy::LONGEST_CALL};
use crate::domain::payment::schedule;

/// For how long the answer to a key is kept at least, in hours.
const LEAST_HOURS: u32 = 24;
/// And at most: ten years.
const MOST_HOURS: u32 = 10 * 365 * 24;
/// The longest lease: a client whose server has died is not kept waiting for longer.
const LONGEST_LEASE: Duration = Duration::from_secs(60 * 60);

/// What holds for payments at every provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PaymentSettings {
    /// The currency of an amount that comes without one, of a product without a plan.
    pub currency: Currency,
    /// How many active payment methods a buyer may have at Braintree, through the paths of the Solitude API.
    pub max_methods: u32,
    /// For how long the answer to an `Idempotency-Key` is kept.
    pub idempotency: Duration,
    /// For how long whoever works on an `Idempotency-Key` is taken to be alive.
    pub idempotency_lease: Duration,
    /// How long one call to `provider-proxy` may take: `proxy.timeout`.
    pub longest_call: Duration,
    /// How often a janitor looks whether something is due.
    pub janitor: Duration,
}

/// Nothing when the currency is none, which is a fault.
pub(super) fn read(section: &Section, proxy: &ProxySettings) -> Option<PaymentSettings> {
    let max_methods = section.or("max_methods", 10_u32);
    if max_methods == 0 {
        section.fault("max_methods", "expected at least 1");
    }
    let hours = section.or("idempotency_hours", LEAST_HOURS);
    if !(LEAST_HOURS..=MOST_HOURS).contains(&hours) {
        section.fault("idempotency_hours", format!("expected {LEAST_HOURS} to {MOST_HOURS}"));
    }
    let idempotency = Duration::from_secs(u64::from(hours) * 60 * 60);
    let longest_call = proxy.client.total_timeout;
    let idempotency_lease = lease(section, longest_call);
    let seconds = section.or("janitor_seconds", 1_u32);
    if !(1..=60).contains(&seconds) {
        section.fault("janitor_seconds", "expected 1 to 60");
    }
    let janitor = Duration::from_secs(u64::from(seconds));
    let code: String = section.or("currency", "USD".to_owned());
    match Currency::parse(&code) {
        Ok(currency) => {
            let settings = PaymentSettings {
                currency,
                max_methods,
                idempotency,
                idempotency_lease,
                longest_call,
                janitor,
            };
            Some(settings)
        }
        Err(error) => {
            section.fault("currency", error.to_string());
            None
        }
    }
}

/// Longer than a call to `provider-proxy` with its database transactions: whoever still works on a request is not taken for
/// dead.
fn lease(section: &Section, longest_call: Duration) -> Duration {
    let lease = positive(section, "idempotency_lease", Duration::from_secs(60));
    // A longer call is a fault of its own.
    let least = longest_call.min(LONGEST_CALL).saturating_add(schedule::MARGIN);
    if lease > LONGEST_LEASE {
        section.fault("idempotency_lease", "expected at most 1h");
    } else if !lease.is_zero() && lease < least {
        let message =
            format!("expected at least {}s: proxy.timeout, and 10 s for the database", least.as_secs());
        section.fault("idempotency_lease", message);
    }
    lease
}
