//! `payment_method_data`, and the body of `POST /v1/payment_methods`.

use chrono::Datelike;
use serde_json::json;

use super::PaymentMethod;
use crate::stripe::books::Origin;
use crate::stripe::cards;
use crate::stripe::error::Failure;
use crate::stripe::form::Params;

/// Reads `payment_method_data`, or the body of `POST /v1/payment_methods`, without keeping it yet.
pub(in crate::stripe) fn read(origin: &Origin, params: &mut Params) -> Result<PaymentMethod, Failure> {
    let kind = params.required("type")?;
    let mut method = match kind.as_str() {
        "card" => read_card(origin, params)?,
        "us_bank_account" => {
            let account = params.table("us_bank_account")?;
            let mut account = account.ok_or_else(|| Failure::missing("us_bank_account"))?;
            for name in ["account_holder_type", "account_number", "account_type", "routing_number"] {
                drop(account.text(name)?);
            }
            account.finish()?;
            PaymentMethod::of_bank(origin)
        }
        _ => return Err(Failure::invalid(format!("Invalid type: {kind}"), "type")),
    };
    if let Some(mut details) = params.table("billing_details")? {
        for name in ["email", "name", "phone"] {
            if let Some(value) = details.unsettable(name)? {
                method.billing_details[name] = json!(value);
            }
        }
        drop(details.table("address")?);
        details.finish()?;
    }
    params.metadata(&mut method.metadata)?;
    Ok(method)
}

fn read_card(origin: &Origin, params: &mut Params) -> Result<PaymentMethod, Failure> {
    let mut fields = params.table("card")?.ok_or_else(|| Failure::missing("card"))?;
    if let Some(token) = fields.text("token")? {
        fields.finish()?;
        // Stripe's older tokens: tok_visa stands for the card of pm_card_visa.
        let token = token.strip_prefix("tok_").map(|name| format!("pm_card_{name}")).unwrap_or_default();
        let card = cards::by_token(&token).ok_or_else(|| Failure::no_such("token", &token, "card[token]"))?;
        return Ok(PaymentMethod::of_card(origin, card, (12, i64::from(origin.now.year()) + 1)));
    }
    let number = fields.required("number")?.replace(' ', "");
    let month = fields.integer("exp_month")?.ok_or_else(|| Failure::missing("card[exp_month]"))?;
    let year = fields.integer("exp_year")?.ok_or_else(|| Failure::missing("card[exp_year]"))?;
    drop(fields.text("cvc")?);
    fields.finish()?;
    let card = cards::by_number(&number).ok_or_else(|| no_test_card(&number))?;
    if !(1..=12).contains(&month) {
        let message = "Your card's expiration month is invalid.";
        return Err(Failure::card("invalid_expiry_month", message).about("exp_month"));
    }
    let year = if year < 100 { year + 2000 } else { year };
    let now = (i64::from(origin.now.year()), i64::from(origin.now.month()));
    if (year, month) < now {
        let message = "Your card's expiration year is invalid.";
        return Err(Failure::card("invalid_expiry_year", message).about("exp_year"));
    }
    Ok(PaymentMethod::of_card(origin, card, (month, year)))
}

/// Nothing of the number is repeated: it may be a real one.
fn no_test_card(number: &str) -> Failure {
    let digits = number.len() >= 12 && number.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        let message = "Your card was declined. Your request was in test mode, but used a non test (live) card. For \
                       a list of valid test cards, visit: https://stripe.com/docs/testing.";
        Failure::card("card_declined", message).decline("test_mode_live_card", None)
    } else {
        Failure::card("incorrect_number", "Your card number is incorrect.").about("number")
    }
}
