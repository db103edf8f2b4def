//! Money as minor units and a currency; never a float.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An ISO 4217 currency that is in use, such as `EUR`.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads a code of three capital letters.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] when ISO 4217 lists no such currency.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let code: [u8; 3] = code.as_bytes().try_into().map_err(|_| MoneyError::UnknownCurrency)?;
        MINOR_DIGITS
            .binary_search_by_key(&code, |&(known, _)| known)
            .map(|_| Self(code))
            .map_err(|_| MoneyError::UnknownCurrency)
    }

    /// Every currency, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        MINOR_DIGITS.iter().map(|&(code, _)| Self(code))
    }

    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only ASCII letters get past `parse`.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many digits the currency has after the decimal point: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217).
    #[must_use]
    pub fn minor_digits(&self) -> u32 {
        MINOR_DIGITS
            .binary_search_by_key(&self.0, |&(known, _)| known)
            .map_or(2, |index| MINOR_DIGITS[index].1)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount of one currency, in its minor units: 99 EUR minor units are 0.99 EUR, 99 JPY are 99 JPY.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// How many minor units.
    pub minor_units: i64,
    /// Of which currency.
    pub currency: Currency,
}

impl Money {
    /// Reads a plain decimal such as `0.99`: digits, at most one point, no sign, no exponent.
    ///
    /// Fewer decimals than the currency has are filled with zeros; more are refused, even when they are zeros past
    /// the currency's own.
    ///
    /// # Errors
    /// [`MoneyError::NotADecimal`], [`MoneyError::TooManyDecimals`] or [`MoneyError::TooLarge`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(MoneyError::NotADecimal),
            None => (text, ""),
        };
        let only_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !only_digits(whole) || !only_digits(fraction) {
            return Err(MoneyError::NotADecimal);
        }
        let digits = currency.minor_digits();
        let width = usize::try_from(digits).unwrap_or(usize::MAX);
        if fraction.len() > width {
            return Err(MoneyError::TooManyDecimals { currency, digits });
        }
        let minor_units = format!("{whole}{fraction:0<width$}").parse().map_err(|_| MoneyError::TooLarge)?;
        Ok(Self { minor_units, currency })
    }

    /// The amount as a decimal string with the currency's own number of decimals, such as `0.99`.
    #[must_use]
    pub fn decimal(&self) -> String {
        let width = usize::try_from(self.currency.minor_digits()).unwrap_or(0);
        let sign = if self.minor_units < 0 { "-" } else { "" };
        let digits = format!("{:0>least$}", self.minor_units.unsigned_abs(), least = width + 1);
        let (whole, fraction) = digits.split_at(digits.len() - width);
        if width == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.decimal(), self.currency)
    }
}

/// Why a text is no amount of money.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum MoneyError {
    /// Not a code of ISO 4217.
    #[error("not a currency of ISO 4217")]
    UnknownCurrency,
    /// Not digits with at most one point.
    #[error("not a decimal number without sign or exponent")]
    NotADecimal,
    /// More decimals than the currency has.
    #[error("{currency} has {digits} decimals")]
    TooManyDecimals {
        /// The currency.
        currency: Currency,
        /// How many decimals it has.
        digits: u32,
    },
    /// Does not fit into 64 bits of minor units.
    #[error("too large")]
    TooLarge,
}

/// ISO 4217 (amendment 179): each currency in use and its minor digits, sorted by code. Funds, metals and test codes
/// are left out: nobody pays with them.
#[rustfmt::skip]
const MINOR_DIGITS: [([u8; 3], u32); 156] = [
    (*b"AED", 2), (*b"AFN", 2), (*b"ALL", 2), (*b"AMD", 2), (*b"AOA", 2), (*b"ARS", 2), (*b"AUD", 2),
    (*b"AWG", 2), (*b"AZN", 2), (*b"BAM", 2), (*b"BBD", 2), (*b"BDT", 2), (*b"BGN", 2), (*b"BHD", 3),
    (*b"BIF", 0), (*b"BMD", 2), (*b"BND", 2), (*b"BOB", 2), (*b"BRL", 2), (*b"BSD", 2), (*b"BTN", 2),
    (*b"BWP", 2), (*b"BYN", 2), (*b"BZD", 2), (*b"CAD", 2), (*b"CDF", 2), (*b"CHF", 2), (*b"CLP", 0),
    (*b"CNY", 2), (*b"COP", 2), (*b"CRC", 2), (*b"CUP", 2), (*b"CVE", 2), (*b"CZK", 2), (*b"DJF", 0),
    (*b"DKK", 2), (*b"DOP", 2), (*b"DZD", 2), (*b"EGP", 2), (*b"ERN", 2), (*b"ETB", 2), (*b"EUR", 2),
    (*b"FJD", 2), (*b"FKP", 2), (*b"GBP", 2), (*b"GEL", 2), (*b"GHS", 2), (*b"GIP", 2), (*b"GMD", 2),
    (*b"GNF", 0), (*b"GTQ", 2), (*b"GYD", 2), (*b"HKD", 2), (*b"HNL", 2), (*b"HTG", 2), (*b"HUF", 2),
    (*b"IDR", 2), (*b"ILS", 2), (*b"INR", 2), (*b"IQD", 3), (*b"IRR", 2), (*b"ISK", 0), (*b"JMD", 2),
    (*b"JOD", 3), (*b"JPY", 0), (*b"KES", 2), (*b"KGS", 2), (*b"KHR", 2), (*b"KMF", 0), (*b"KPW", 2),
    (*b"KRW", 0), (*b"KWD", 3), (*b"KYD", 2), (*b"KZT", 2), (*b"LAK", 2), (*b"LBP", 2), (*b"LKR", 2),
    (*b"LRD", 2), (*b"LSL", 2), (*b"LYD", 3), (*b"MAD", 2), (*b"MDL", 2), (*b"MGA", 2), (*b"MKD", 2),
    (*b"MMK", 2), (*b"MNT", 2), (*b"MOP", 2), (*b"MRU", 2), (*b"MUR", 2), (*b"MVR", 2), (*b"MWK", 2),
    (*b"MXN", 2), (*b"MYR", 2), (*b"MZN", 2), (*b"NAD", 2), (*b"NGN", 2), (*b"NIO", 2), (*b"NOK", 2),
    (*b"NPR", 2), (*b"NZD", 2), (*b"OMR", 3), (*b"PAB", 2), (*b"PEN", 2), (*b"PGK", 2), (*b"PHP", 2),
    (*b"PKR", 2), (*b"PLN", 2), (*b"PYG", 0), (*b"QAR", 2), (*b"RON", 2), (*b"RSD", 2), (*b"RUB", 2),
    (*b"RWF", 0), (*b"SAR", 2), (*b"SBD", 2), (*b"SCR", 2), (*b"SDG", 2), (*b"SEK", 2), (*b"SGD", 2),
    (*b"SHP", 2), (*b"SLE", 2), (*b"SOS", 2), (*b"SRD", 2), (*b"SSP", 2), (*b"STN", 2), (*b"SVC", 2),
    (*b"SYP", 2), (*b"SZL", 2), (*b"THB", 2), (*b"TJS", 2), (*b"TMT", 2), (*b"TND", 3), (*b"TOP", 2),
    (*b"TRY", 2), (*b"TTD", 2), (*b"TWD", 2), (*b"TZS", 2), (*b"UAH", 2), (*b"UGX", 0), (*b"USD", 2),
    (*b"UYU", 2), (*b"UZS", 2), (*b"VED", 2), (*b"VES", 2), (*b"VND", 0), (*b"VUV", 0), (*b"WST", 2),
    (*b"XAF", 0), (*b"XCD", 2), (*b"XCG", 2), (*b"XOF", 0), (*b"XPF", 0), (*b"YER", 2), (*b"ZAR", 2),
    (*b"ZMW", 2), (*b"ZWG", 2),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn the_table_is_sorted_so_that_every_currency_is_found() {
        assert!(MINOR_DIGITS.is_sorted_by_key(|&(code, _)| code));
        for (code, digits) in MINOR_DIGITS {
            assert_eq!(currency(std::str::from_utf8(&code).unwrap()).minor_digits(), digits);
        }
    }

    #[test]
    fn a_currency_has_its_own_number_of_decimals() {
        assert_eq!(Money::parse("0.99", currency("EUR")).unwrap().minor_units, 99);
        assert_eq!(Money::parse("5", currency("EUR")).unwrap().minor_units, 500);
        assert_eq!(Money::parse("5.5", currency("KWD")).unwrap().minor_units, 5500);
        assert_eq!(Money::parse("120", currency("JPY")).unwrap().minor_units, 120);
        assert_eq!(
            Money::parse("1.0", currency("JPY")),
            Err(MoneyError::TooManyDecimals { currency: currency("JPY"), digits: 0 })
        );
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,0", " 1", "1 ", "0x1", "1.2.3", "١", "NaN"] {
            assert_eq!(Money::parse(text, currency("EUR")), Err(MoneyError::NotADecimal), "{text:?}");
        }
        assert_eq!(Money::parse("99999999999999999999", currency("EUR")), Err(MoneyError::TooLarge));
    }

    #[test]
    fn an_unknown_currency_is_refused() {
        for code in ["", "EU", "EURO", "eur", "XXX", "€uro"] {
            assert_eq!(Currency::parse(code), Err(MoneyError::UnknownCurrency), "{code:?}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_reads_back_as_it_was_written(
            minor_units in 0..=i64::MAX,
            index in 0..MINOR_DIGITS.len(),
        ) {
            let money = Money { minor_units, currency: Currency(MINOR_DIGITS[index].0) };
            prop_assert_eq!(Money::parse(&money.decimal(), money.currency), Ok(money));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,40}") {
            let _ = Money::parse(&text, currency("EUR"));
            let _ = Currency::parse(&text);
        }
    }
}
