//! Amounts as PayPal takes them: only its own currencies, three of them without decimals.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Refusal;

/// An amount as it is written.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Written {
    currency_code: Option<String>,
    value: Option<String>,
}

/// An amount of a currency that PayPal has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Amount {
    /// In the smallest unit that PayPal has of the currency.
    pub(super) minor: i64,
    currency: &'static str,
    digits: usize,
}

/// PayPal's currency codes (developer.paypal.com, "Currency codes"), and how many decimals each has there: HUF and TWD
/// have two in ISO 4217 and none here.
const CURRENCIES: [(&str, usize); 24] = [
    ("AUD", 2),
    ("BRL", 2),
    ("CAD", 2),
    ("CHF", 2),
    ("CNY", 2),
    ("CZK", 2),
    ("DKK", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HKD", 2),
    ("HUF", 0),
    ("ILS", 2),
    ("JPY", 0),
    ("MXN", 2),
    ("MYR", 2),
    ("NOK", 2),
    ("NZD", 2),
    ("PHP", 2),
    ("PLN", 2),
    ("SEK", 2),
    ("SGD", 2),
    ("THB", 2),
    ("TWD", 0),
    ("USD", 2),
];

/// The longest value that the schema allows.
const LONGEST_VALUE: usize = 32;

impl Amount {
    /// Reads an amount of more than nothing.
    pub(super) fn read(written: Option<&Written>, pointer: &str) -> Result<Self, Refusal> {
        let written = written.ok_or_else(|| Refusal::missing(pointer))?;
        let code_at = format!("{pointer}/currency_code");
        let value_at = format!("{pointer}/value");
        let code = written.currency_code.as_deref().ok_or_else(|| Refusal::missing(&code_at))?;
        let value = written.value.as_deref().ok_or_else(|| Refusal::missing(&value_at))?;
        let &(currency, digits) = CURRENCIES
            .iter()
            .find(|(known, _)| *known == code)
            .ok_or_else(|| Refusal::issue("INVALID_CURRENCY_CODE").at(&code_at, code))?;
        let bad = |issue| Refusal::issue(issue).at(&value_at, value);
        let (negative, plain) = value.strip_prefix('-').map_or((false, value), |rest| (true, rest));
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let is_number = !whole.is_empty()
            && whole.len() + fraction.len() < LONGEST_VALUE
            && (whole.bytes().chain(fraction.bytes())).all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(bad("INVALID_PARAMETER_SYNTAX"));
        }
        if digits == 0 && fraction.bytes().any(|byte| byte != b'0') {
            return Err(bad("DECIMALS_NOT_SUPPORTED"));
        }
        let fraction = if digits == 0 { "" } else { fraction };
        if fraction.len() > digits {
            return Err(bad("DECIMAL_PRECISION"));
        }
        let minor: i64 =
            format!("{whole}{fraction:0<digits$}").parse().map_err(|_| bad("INVALID_PARAMETER_SYNTAX"))?;
        if negative || minor == 0 {
            return Err(bad("CANNOT_BE_ZERO_OR_NEGATIVE"));
        }
        Ok(Self { minor, currency, digits })
    }

    /// Another amount of the same currency.
    pub(super) fn of(self, minor: i64) -> Self {
        Self { minor, ..self }
    }

    pub(super) fn currency(self) -> &'static str {
        self.currency
    }

    /// As a decimal number.
    pub(super) fn decimal(self) -> String {
        let digits = format!("{:0>least$}", self.minor, least = self.digits + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.digits);
        if self.digits == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
    }

    pub(super) fn show(self) -> Value {
        json!({"currency_code": self.currency, "value": self.decimal()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(currency: &str, value: &str) -> Result<String, String> {
        let written = Written { currency_code: Some(currency.into()), value: Some(value.into()) };
        Amount::read(Some(&written), "/amount").map(Amount::decimal).map_err(|error| error.to_string())
    }

    #[test]
    fn an_amount_is_what_paypal_takes() {
        assert_eq!(read("EUR", "10"), Ok("10.00".into()));
        assert_eq!(read("EUR", "0.5"), Ok("0.50".into()));
        assert_eq!(read("JPY", "120"), Ok("120".into()));
        assert_eq!(read("HUF", "120.00"), Ok("120".into()));
        for (currency, value, issue) in [
            ("HUF", "1.5", "DECIMALS_NOT_SUPPORTED"),
            ("EUR", "1.005", "DECIMAL_PRECISION"),
            ("EUR", "0.00", "CANNOT_BE_ZERO_OR_NEGATIVE"),
            ("EUR", "-1", "CANNOT_BE_ZERO_OR_NEGATIVE"),
            ("EUR", "1e3", "INVALID_PARAMETER_SYNTAX"),
            ("KWD", "1.000", "INVALID_CURRENCY_CODE"),
        ] {
            assert_eq!(read(currency, value), Err(issue.to_owned()), "{value} {currency}");
        }
    }
}
