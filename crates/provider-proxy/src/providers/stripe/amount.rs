//! Amounts as Stripe writes them: whole numbers whose unit is, for a few currencies, not ISO 4217's.
//!
//! Source: Stripe's page "Supported currencies", special cases.

use wire::{Currency, Money, MoneyError};

use crate::{providers::exchange::Unintelligible, shape::ShapeError};

/// Two decimals in Stripe's words, none in ISO 4217's: the last two digits must be zeros.
const TWO_ZEROS: &[&str] = &["ISK", "UGX"];
/// No decimals in Stripe's words, two in ISO 4217's.
const NO_DECIMALS: &[&str] = &["MGA"];
/// Three decimals, of which the last must be a zero.
const LAST_IS_ZERO: &[&str] = &["BHD", "JOD", "KWD", "OMR", "TND"];

/// The amount for a request.
///
/// # Errors
/// [`ShapeError`] when Stripe cannot write this amount.
pub(super) fn to_stripe(money: Money) -> Result<i64, ShapeError> {
    let code = money.currency.code();
    let wrong = |message: &str| ShapeError::field("amount.minor_units", message);
    if TWO_ZEROS.contains(&code) {
        return money.minor_units.checked_mul(100).ok_or_else(|| wrong("too large"));
    }
    if NO_DECIMALS.contains(&code) {
        let (whole, rest) = (money.minor_units / 100, money.minor_units % 100);
        return if rest == 0 { Ok(whole) } else { Err(wrong("expected a multiple of 100 in this currency")) };
    }
    if LAST_IS_ZERO.contains(&code) && money.minor_units % 10 != 0 {
        return Err(wrong("expected a multiple of 10 in this currency"));
    }
    Ok(money.minor_units)
}

/// The currency for a request.
pub(super) fn currency_to_stripe(currency: Currency) -> String {
    currency.code().to_ascii_lowercase()
}

/// Reads an amount of an answer.
///
/// # Errors
/// [`Unintelligible`] for a currency that ISO 4217 does not know, or an amount that ours cannot write.
pub(super) fn from_stripe(amount: i64, currency: &str) -> Result<Money, Unintelligible> {
    let unknown = |error: MoneyError| Unintelligible::field("currency", error.to_string());
    let currency = Currency::parse(&currency.to_ascii_uppercase()).map_err(unknown)?;
    let wrong = || Unintelligible::field("amount", "not an amount of its currency");
    let minor_units = if TWO_ZEROS.contains(&currency.code()) {
        if amount % 100 != 0 {
            return Err(wrong());
        }
        amount / 100
    } else if NO_DECIMALS.contains(&currency.code()) {
        amount.checked_mul(100).ok_or_else(wrong)?
    } else {
        amount
    };
    Ok(Money { minor_units, currency })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(minor_units: i64, currency: &str) -> Money {
        Money { minor_units, currency: Currency::parse(currency).unwrap() }
    }

    #[test]
    fn an_amount_is_written_in_the_unit_that_stripe_means() {
        for (ours, theirs) in [
            (money(99, "EUR"), 99),
            (money(500, "JPY"), 500),
            (money(5, "ISK"), 500),
            (money(5, "UGX"), 500),
            (money(700, "MGA"), 7),
            (money(1230, "KWD"), 1230),
        ] {
            assert_eq!(to_stripe(ours), Ok(theirs), "{ours}");
            assert_eq!(from_stripe(theirs, &currency_to_stripe(ours.currency)).unwrap(), ours);
        }
        for impossible in [money(750, "MGA"), money(1234, "KWD"), money(i64::MAX, "ISK")] {
            assert!(to_stripe(impossible).is_err(), "{impossible}");
        }
        assert!(from_stripe(550, "isk").is_err());
        assert!(from_stripe(1, "xyz").is_err());
        assert!(from_stripe(1, "").is_err());
    }

    proptest! {
        #[test]
        fn what_is_asked_is_what_is_read_back(minor_units in 1_i64..100_000_000, index in 0_usize..200) {
            let all: Vec<Currency> = Currency::all().collect();
            let ours = Money { minor_units, currency: all[index % all.len()] };
            if let Ok(theirs) = to_stripe(ours) {
                prop_assert_eq!(from_stripe(theirs, &currency_to_stripe(ours.currency)).unwrap(), ours);
            }
        }
    }
}
