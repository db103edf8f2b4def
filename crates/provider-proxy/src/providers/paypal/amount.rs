//! Amounts as PayPal writes them: only its own currencies, three of them without the decimals that ISO 4217 gives them.

use serde::{Deserialize, Serialize};
use wire::{Currency, Money};

use crate::{providers::exchange::Unintelligible, shape::ShapeError};

/// An amount in a request or an answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Amount {
    currency_code: String,
    value: String,
}

/// PayPal's currencies (developer.paypal.com, "Currency codes"). Nothing in another one is sent.
const CURRENCIES: [&str; 24] = [
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN", "MYR",
    "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD",
];

/// Those of them that PayPal takes in whole units only.
const WHOLE: [&str; 3] = ["HUF", "JPY", "TWD"];

impl Amount {
    /// Writes an amount.
    ///
    /// # Errors
    /// [`ShapeError`] when PayPal has no such currency, or no such fraction of it.
    pub(super) fn write(money: Money) -> Result<Self, ShapeError> {
        let code = money.currency.code();
        if !CURRENCIES.contains(&code) {
            return Err(ShapeError::field("amount.currency", format!("PayPal has no {code}")));
        }
        let decimal = money.decimal();
        let value = match decimal.split_once('.') {
            Some((whole, fraction)) if WHOLE.contains(&code) => {
                if fraction.bytes().any(|digit| digit != b'0') {
                    let problem = format!("PayPal takes {code} without decimals");
                    return Err(ShapeError::field("amount.minor_units", problem));
                }
                whole.to_owned()
            }
            _ => decimal,
        };
        Ok(Self { currency_code: code.to_owned(), value })
    }

    /// Reads an amount of an answer.
    ///
    /// # Errors
    /// [`Unintelligible`] when it is none.
    pub(super) fn read(&self) -> Result<Money, Unintelligible> {
        self.parse(&self.value)
    }

    /// Whether it has a minus before it: in reports, money that goes out.
    pub(super) fn is_negative(&self) -> bool {
        self.value.starts_with('-')
    }

    /// Reads an amount of a report without the minus that may be before it.
    ///
    /// # Errors
    /// [`Unintelligible`] when it is none.
    pub(super) fn read_unsigned(&self) -> Result<Money, Unintelligible> {
        self.parse(self.value.strip_prefix('-').unwrap_or(&self.value))
    }

    fn parse(&self, value: &str) -> Result<Money, Unintelligible> {
        let wrong = |error: wire::MoneyError| Unintelligible::field("amount", error.to_string());
        let currency = Currency::parse(&self.currency_code).map_err(wrong)?;
        // PayPal has been seen to write decimals of nothing where there are none.
        let value = match value.split_once('.') {
            Some((whole, fraction))
                if currency.minor_digits() == 0 && fraction.bytes().all(|digit| digit == b'0') =>
            {
                whole
            }
            _ => value,
        };
        Money::parse(value, currency).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor_units: i64, currency: &str) -> Money {
        Money { minor_units, currency: Currency::parse(currency).unwrap() }
    }

    #[test]
    fn an_amount_reads_back_as_it_was_written() {
        for (minor_units, currency, value) in
            [(1050, "EUR", "10.50"), (120, "JPY", "120"), (12_000, "HUF", "120"), (500, "TWD", "5")]
        {
            let amount = Amount::write(money(minor_units, currency)).unwrap();
            assert_eq!(amount.value, value);
            assert_eq!(amount.read().unwrap(), money(minor_units, currency));
        }
    }

    #[test]
    fn what_paypal_does_not_take_is_not_sent() {
        for (minor_units, currency, message) in [
            (12_050, "HUF", "amount.minor_units: PayPal takes HUF without decimals"),
            (1000, "KWD", "amount.currency: PayPal has no KWD"),
        ] {
            assert_eq!(Amount::write(money(minor_units, currency)).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn an_amount_of_a_report_may_have_a_minus() {
        for (value, minor_units, negative) in [("-10.50", 1050, true), ("10.50", 1050, false)] {
            let amount = Amount { currency_code: "EUR".into(), value: value.into() };
            assert_eq!(amount.read_unsigned().unwrap(), money(minor_units, "EUR"));
            assert_eq!(amount.is_negative(), negative);
        }
        for value in ["--1.00", "-", "+1.00"] {
            let amount = Amount { currency_code: "EUR".into(), value: value.into() };
            assert!(amount.read_unsigned().is_err(), "{value}");
        }
    }

    #[test]
    fn what_is_no_amount_is_not_read() {
        for (currency, value) in
            [("EUR", "1.005"), ("EUR", "-1.00"), ("XXX", "1"), ("JPY", "1.50"), ("EUR", "")]
        {
            let amount = Amount { currency_code: currency.into(), value: value.into() };
            assert!(amount.read().is_err(), "{value} {currency}");
        }
    }
}
