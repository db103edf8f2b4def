//! An amount and its currency in a request.

use wire::{Currency, Money};

use crate::{
    field_errors::FieldError,
    form::{Form, Given},
};

/// Solitude holds amounts of at most nine digits.
const MAX_MINOR_UNITS: i64 = 999_999_999;

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
