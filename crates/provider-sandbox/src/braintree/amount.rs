//! Amounts as Braintree writes them: decimal strings in the currency of a merchant account.

/// A merchant account: what decides the currency, for a transaction has no field for it.
#[derive(Debug)]
pub(super) struct MerchantAccount {
    /// Its id.
    pub(super) id: &'static str,
    /// ISO 4217.
    pub(super) currency: &'static str,
    /// Digits after the point.
    pub(super) digits: usize,
}

/// The merchant accounts of the one merchant; the first is the default.
pub(super) const MERCHANT_ACCOUNTS: [MerchantAccount; 5] = [
    MerchantAccount { id: "sandbox_usd", currency: "USD", digits: 2 },
    MerchantAccount { id: "sandbox_eur", currency: "EUR", digits: 2 },
    MerchantAccount { id: "sandbox_gbp", currency: "GBP", digits: 2 },
    MerchantAccount { id: "sandbox_cad", currency: "CAD", digits: 2 },
    MerchantAccount { id: "sandbox_jpy", currency: "JPY", digits: 0 },
];

/// The merchant account of an id, or the default.
pub(super) fn merchant_account(id: Option<&str>) -> Option<&'static MerchantAccount> {
    match id {
        None => MERCHANT_ACCOUNTS.first(),
        Some(id) => MERCHANT_ACCOUNTS.iter().find(|account| account.id == id),
    }
}

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AmountFault {
    Format,
    Negative,
    Zero,
    TooLarge,
}

/// More is too large for any card.
const LARGEST: i64 = 999_999_999_999;

impl MerchantAccount {
    /// Reads an amount in minor units.
    pub(super) fn read(&self, text: &str) -> Result<i64, AmountFault> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || text.ends_with('.') || !digits(whole) || !digits(fraction) {
            return Err(AmountFault::Format);
        }
        if fraction.len() > self.digits {
            return Err(AmountFault::Format);
        }
        let width = self.digits;
        let minor = format!("{whole}{fraction:0<width$}").parse().unwrap_or(i64::MAX);
        match minor {
            0 => Err(AmountFault::Zero),
            _ if negative => Err(AmountFault::Negative),
            LARGEST.. => Err(AmountFault::TooLarge),
            _ => Ok(minor),
        }
    }

    /// Writes minor units as a decimal string.
    pub(super) fn show(&self, minor: i64) -> String {
        let digits = format!("{minor:0>width$}", width = self.digits + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.digits);
        if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
    }

    /// Whole units, by which the sandbox decides what becomes of a transaction.
    pub(super) fn whole(&self, minor: i64) -> i64 {
        (0..self.digits).fold(minor, |amount, _| amount / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_in_the_currency_of_its_account() {
        let usd = merchant_account(None).unwrap();
        let jpy = merchant_account(Some("sandbox_jpy")).unwrap();
        for (account, text, minor) in [
            (usd, "10.50", Ok(1050)),
            (usd, "1000", Ok(100_000)),
            (usd, "0.5", Ok(50)),
            (jpy, "120", Ok(120)),
        ] {
            assert_eq!(account.read(text), minor, "{text}");
        }
        for (account, text, fault) in [
            (usd, "1.001", AmountFault::Format),
            (usd, "", AmountFault::Format),
            (usd, "1.", AmountFault::Format),
            (usd, ".5", AmountFault::Format),
            (usd, "1e3", AmountFault::Format),
            (usd, "-1", AmountFault::Negative),
            (usd, "0.00", AmountFault::Zero),
            (usd, "99999999999999999999", AmountFault::TooLarge),
            (jpy, "1.0", AmountFault::Format),
        ] {
            assert_eq!(account.read(text), Err(fault), "{text}");
        }
        assert!(merchant_account(Some("elsewhere")).is_none());
    }

    #[test]
    fn an_amount_is_written_with_the_currency_s_decimals() {
        let usd = merchant_account(None).unwrap();
        let jpy = merchant_account(Some("sandbox_jpy")).unwrap();
        assert_eq!(
            (usd.show(1050), usd.show(5), jpy.show(120)),
            ("10.50".into(), "0.05".into(), "120".into())
        );
        assert_eq!((usd.whole(200_099), jpy.whole(2000)), (2000, 2000));
    }
}
