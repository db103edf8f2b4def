//! An amount and its currency in a request.

use wire::{Currency, Money};

use crate::{
    field_errors::FieldError,
    form::{Form, Given},
};

/// Solitude holds amounts of at most nine digits.
const MAX_MINOR_UNITS: i64 = 999_999_999;
/// As many digits.
const MOST_DIGITS: usize = 9;
/// How many decimals a currency of ISO 4217 has at most.
const MOST_DECIMALS: usize = 3;

/// Reads an amount that may be absent; then so is its currency.
pub(super) fn read_optional(form: &mut Form, amount: &str, currency: &str) -> Option<Money> {
    let (given_amount, given_currency) = (form.decimal(amount), read_currency(form, currency));
    match (&given_amount, &given_currency) {
        (None | Some(None), None | Some(None)) => None,
        _ => together(form, (amount, given_amount), (currency, given_currency)),
    }
}

/// Reads an amount that must be there.
pub(super) fn read(form: &mut Form, amount: &str, currency: &str) -> Option<Money> {
    let (given_amount, given_currency) = (form.decimal(amount), read_currency(form, currency));
    together(form, (amount, given_amount), (currency, given_currency))
}

/// Reads an amount that may be absent, of a currency that is known only later: a decimal of as many digits as the
/// currency with the most of them has.
pub(super) fn read_decimal(form: &mut Form, name: &str) -> Option<String> {
    let text = form.decimal(name).flatten()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) && fraction.len() <= MOST_DECIMALS && whole.len() <= MOST_DIGITS {
        return Some(text);
    }
    form.error(
        name,
        FieldError::invalid("Enter an amount: at most 9 digits, and the decimals of its currency."),
    );
    None
}

fn together(
    form: &mut Form,
    (amount, given_amount): (&str, Given<String>),
    (currency, given_currency): (&str, Given<Currency>),
) -> Option<Money> {
    // Both are asked for before either is given up, so that both can be told to be missing.
    let (text, currency) = (form.required(amount, given_amount), form.required(currency, given_currency));
    match Money::parse(&text?, currency?) {
        Ok(money) if money.minor_units <= MAX_MINOR_UNITS => Some(money),
        Ok(_) | Err(wire::MoneyError::TooLarge) => {
            form.error(amount, FieldError::invalid("Ensure that there are no more than 9 digits in total."));
            None
        }
        Err(error) => {
            form.error(amount, FieldError::invalid(format!("Enter an amount: {error}.")));
            None
        }
    }
}

fn read_currency(form: &mut Form, name: &str) -> Given<Currency> {
    match form.text(name)? {
        None => Some(None),
        Some(code) => match Currency::parse(&code) {
            Ok(currency) => Some(Some(currency)),
            Err(error) => {
                form.error(name, FieldError::invalid(format!("This is {error}.")));
                None
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_without_its_currency_is_a_plain_decimal() {
        let read = |amount: &str| {
            let body = format!(r#"{{"amount": {amount}}}"#);
            let mut form = Form::parse(body.as_bytes()).unwrap();
            let read = read_decimal(&mut form, "amount");
            assert_eq!(read.is_none() && amount != "null", form.has_error("amount"), "{amount}");
            read
        };
        assert_eq!(read("\"9.99\"").as_deref(), Some("9.99"));
        assert_eq!(read("5").as_deref(), Some("5"));
        assert_eq!(read("null"), None);
        for wrong in [
            "-1",
            "\"1e3\"",
            "\"1,00\"",
            "\"+1\"",
            "\" 1\"",
            "\"1.\"",
            "\".5\"",
            "\"1.2345\"",
            "\"9999999999\"",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
