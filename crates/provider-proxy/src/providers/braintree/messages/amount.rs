//! Amounts: decimal strings beside a currency, or beside a merchant account that has one.

use std::collections::BTreeMap;

use wire::{Currency, Money};

use crate::{
    providers::{braintree::xml::Element, exchange::Unintelligible},
    shape::ShapeError,
};

/// The merchant account of each currency.
#[derive(Clone, Debug)]
pub(in crate::providers::braintree) struct Accounts(BTreeMap<Currency, String>);

impl Accounts {
    pub(in crate::providers::braintree) fn new(accounts: &BTreeMap<Currency, String>) -> Self {
        Self(accounts.clone())
    }

    /// The merchant account through which a currency is charged.
    ///
    /// # Errors
    /// [`ShapeError`] when there is none; nothing was sent.
    pub(in crate::providers::braintree) fn of(&self, currency: Currency) -> Result<&str, ShapeError> {
        let account = self.0.get(&currency).map(String::as_str);
        account.ok_or_else(|| ShapeError::field("amount.currency", "no merchant account has this currency"))
    }

    /// The currency of a merchant account, if it is one of ours.
    pub(super) fn currency(&self, account: &str) -> Option<Currency> {
        self.0.iter().find(|(_, known)| *known == account).map(|(&currency, _)| currency)
    }
}

/// The amount of an object that says its currency.
pub(super) fn read(object: &Element, field: &str, currency: Currency) -> Result<Money, Unintelligible> {
    parse(object.required(field)?, currency)
        .ok_or_else(|| Unintelligible::field(field, "not an amount of the currency"))
}

/// The currency that an object says.
pub(super) fn currency(object: &Element) -> Result<Currency, Unintelligible> {
    const FIELD: &str = "currency-iso-code";
    Currency::parse(object.required(FIELD)?).map_err(|error| Unintelligible::field(FIELD, error.to_string()))
}

/// Zeros beyond the currency's own decimals say nothing: `120.00` JPY are 120.
pub(super) fn parse(text: &str, currency: Currency) -> Option<Money> {
    let digits = usize::try_from(currency.minor_digits()).ok()?;
    let text = match text.split_once('.') {
        Some((whole, fraction)) => {
            let (kept, beyond) = fraction.split_at_checked(digits).unwrap_or((fraction, ""));
            if beyond.bytes().any(|byte| byte != b'0') {
                return None;
            }
            if kept.is_empty() { whole.to_owned() } else { format!("{whole}.{kept}") }
        }
        None => text.to_owned(),
    };
    Money::parse(&text, currency).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_beyond_the_currency_s_decimals_say_nothing() {
        let currency = |code| Currency::parse(code).unwrap();
        for (text, code, minor_units) in [
            ("10.00", "USD", Some(1000)),
            ("10", "USD", Some(1000)),
            ("10.000", "USD", Some(1000)),
            ("120.00", "JPY", Some(120)),
            ("10.001", "USD", None),
            ("120.50", "JPY", None),
            ("-1.00", "USD", None),
            ("1e3", "USD", None),
            ("", "USD", None),
        ] {
            let amount = parse(text, currency(code)).map(|money| money.minor_units);
            assert_eq!(amount, minor_units, "{text} {code}");
        }
    }
}
