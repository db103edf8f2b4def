//! `[payments]`: what holds for payments at every provider.

use std::time::Duration;

use chassis::settings::Section;
use wire::Currency;

use super::positive;

/// For how long the answer to a key is kept at least, in hours.
const LEAST_HOURS: u32 = 24;

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
    /// How often a janitor looks whether something is due.
    pub janitor: Duration,
}

/// Nothing when the currency is none, which is a fault.
pub(super) fn read(section: &Section) -> Option<PaymentSettings> {
    let max_methods = section.or("max_methods", 10_u32);
    if max_methods == 0 {
        section.fault("max_methods", "expected at least 1");
    }
    let hours = section.or("idempotency_hours", LEAST_HOURS);
    if hours < LEAST_HOURS {
        section.fault("idempotency_hours", "expected at least 24");
    }
    let idempotency = Duration::from_secs(u64::from(hours) * 60 * 60);
    // Longer than a call to provider-proxy with its two database transactions.
    let idempotency_lease = positive(section, "idempotency_lease", Duration::from_secs(60));
    let seconds = section.or("janitor_seconds", 1_u32);
    if !(1..=60).contains(&seconds) {
        section.fault("janitor_seconds", "expected 1 to 60");
    }
    let janitor = Duration::from_secs(u64::from(seconds));
    let code: String = section.or("currency", "USD".to_owned());
    match Currency::parse(&code) {
        Ok(currency) => {
            Some(PaymentSettings { currency, max_methods, idempotency, idempotency_lease, janitor })
        }
        Err(error) => {
            section.fault("currency", error.to_string());
            None
        }
    }
}
