//! `[payments]`: what holds for payments at every provider.

use chassis::settings::Section;
use wire::Currency;

/// What holds for payments at every provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PaymentSettings {
    /// The currency of an amount that comes without one, of a product without a plan.
    pub currency: Currency,
    /// How many active payment methods a buyer may have at Braintree, through the paths of the Solitude API.
    pub max_methods: u32,
}

/// Nothing when the currency is none, which is a fault.
pub(super) fn read(section: &Section) -> Option<PaymentSettings> {
    let max_methods = section.or("max_methods", 10_u32);
    if max_methods == 0 {
        section.fault("max_methods", "expected at least 1");
    }
    let code: String = section.or("currency", "USD".to_owned());
    match Currency::parse(&code) {
        Ok(currency) => Some(PaymentSettings { currency, max_methods }),
        Err(error) => {
            section.fault("currency", error.to_string());
            None
        }
    }
}
