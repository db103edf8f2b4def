//! `[reconcile]`: the nightly comparison of our books with the providers' lists.

use chassis::settings::Section;
use chrono::NaiveTime;
use wire::payment::Provider;

/// When, and with whom. Without a provider nothing is compared at night.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NightlySettings {
    /// With whose lists.
    pub providers: Vec<Provider>,
    /// From which time of day on (UTC) the day before is compared.
    pub at: NaiveTime,
}

/// After the three hours by which the slowest list is behind.
const USUAL: &str = "04:00";

/// Nothing when the time is none, which is a fault.
pub(super) fn read(section: &Section) -> Option<NightlySettings> {
    let mut providers = Vec::new();
    for name in section.or("nightly", Vec::<String>::new()) {
        match name.parse() {
            Ok(provider) if providers.contains(&provider) => section.fault("nightly", "one is named twice"),
            Ok(Provider::Reference) => section.fault("nightly", "reference has no list of what it has moved"),
            Ok(provider) => providers.push(provider),
            Err(_) => section.fault("nightly", "expected stripe, paypal or braintree"),
        }
    }
    let at: String = section.or("at", USUAL.to_owned());
    match NaiveTime::parse_from_str(&at, "%H:%M") {
        Ok(at) => Some(NightlySettings { providers, at }),
        Err(_) => {
            section.fault("at", "expected a time of day, such as 04:00");
            None
        }
    }
}
