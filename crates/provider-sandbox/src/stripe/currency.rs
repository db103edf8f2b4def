//! The currencies of Stripe and the amounts in them.
//!
//! Source: Stripe's page "Supported currencies". Amounts are whole numbers in the smallest unit as Stripe sees it,
//! which for a few currencies is not ISO 4217's.

use super::error::Failure;

/// Written without a decimal.
const NO_DECIMALS: &[&str] = &[
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
];
/// Written with three, of which the last must be zero.
const THREE_DECIMALS: &[&str] = &["bhd", "jod", "kwd", "omr", "tnd"];
/// Without decimals in the world, and written with two zeros that mean nothing.
const TWO_ZEROS: &[&str] = &["isk", "ugx"];
#[rustfmt::skip]
const TWO_DECIMALS: &[&str] = &[
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bmd", "bnd", "bob",
    "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "cny", "cop", "crc", "cve", "czk", "dkk", "dop", "dzd",
    "egp", "etb", "eur", "fjd", "fkp", "gbp", "gel", "gip", "gmd", "gtq", "gyd", "hkd", "hnl", "htg", "huf", "idr",
    "ils", "inr", "jmd", "kes", "kgs", "khr", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mkd",
    "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok", "npr", "nzd", "pab",
    "pen", "pgk", "php", "pkr", "pln", "qar", "ron", "rsd", "rub", "sar", "sbd", "scr", "sek", "sgd", "shp", "sle",
    "sos", "srd", "std", "szl", "thb", "tjs", "top", "try", "ttd", "twd", "tzs", "uah", "usd", "uyu", "uzs", "wst",
    "xcd", "yer", "zar", "zmw",
];

/// The least and the largest amount that is charged.
const LEAST: i64 = 50;
const LARGEST: i64 = 99_999_999;

/// Reads a currency, in either case.
pub(super) fn parse(text: &str) -> Result<String, Failure> {
    let code = text.to_ascii_lowercase();
    let known =
        [NO_DECIMALS, THREE_DECIMALS, TWO_ZEROS, TWO_DECIMALS].iter().any(|list| list.contains(&&*code));
    if known { Ok(code) } else { Err(Failure::invalid(format!("Invalid currency: {code}."), "currency")) }
}

/// Whether an amount may be charged.
pub(super) fn check_amount(amount: i64, currency: &str) -> Result<(), Failure> {
    if amount < LEAST {
        let message = format!("Amount must be at least {} {currency}.", decimal(LEAST, currency));
        return Err(Failure::invalid(message, "amount").code("amount_too_small"));
    }
    if amount > LARGEST {
        let message = format!("Amount must be no more than {} {currency}", decimal(LARGEST, currency));
        return Err(Failure::invalid(message, "amount").code("amount_too_large"));
    }
    check_unit(amount, currency)
}

/// Whether an amount has only the digits that its currency has.
pub(super) fn check_unit(amount: i64, currency: &str) -> Result<(), Failure> {
    let step = if THREE_DECIMALS.contains(&currency) {
        10
    } else if TWO_ZEROS.contains(&currency) {
        100
    } else {
        1
    };
    if amount % step == 0 {
        return Ok(());
    }
    Err(Failure::invalid(
        format!("Invalid amount: {currency} amounts must be divisible by {step}."),
        "amount",
    ))
}

/// The amount as a decimal string with ISO 4217's number of decimals.
pub(super) fn decimal(amount: i64, currency: &str) -> String {
    let (amount, decimals) = match currency {
        "mga" => (amount.saturating_mul(100), 2),
        code if TWO_ZEROS.contains(&code) => (amount / 100, 0),
        code if NO_DECIMALS.contains(&code) => (amount, 0),
        code if THREE_DECIMALS.contains(&code) => (amount, 3),
        _ => (amount, 2),
    };
    if decimals == 0 {
        return amount.to_string();
    }
    let digits = format!("{amount:0>least$}", least = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_as_people_write_it() {
        for (amount, currency, text) in [
            (99, "eur", "0.99"),
            (5, "usd", "0.05"),
            (500, "jpy", "500"),
            (500, "isk", "5"),
            (1230, "kwd", "1.230"),
            (7, "mga", "7.00"),
        ] {
            assert_eq!(decimal(amount, currency), text);
        }
    }

    #[test]
    fn an_amount_that_the_currency_does_not_have_is_refused() {
        assert!(check_amount(50, "eur").is_ok());
        for (amount, currency) in [(49, "eur"), (100_000_000, "eur"), (1001, "kwd"), (550, "isk")] {
            assert!(check_amount(amount, currency).is_err(), "{amount} {currency}");
        }
        assert_eq!(parse("EUR").unwrap(), "eur");
        assert!(parse("xyz").is_err());
    }
}
