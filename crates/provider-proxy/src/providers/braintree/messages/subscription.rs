//! Subscriptions.

use wire::payment::{Outcome, Payment, Subscription};

use super::{
    amount::{self, Accounts},
    transaction::{Parts, payment},
};
use crate::providers::{
    braintree::{table, xml::Element},
    exchange::Unintelligible,
};

/// A subscription with its newest charge.
///
/// A subscription has no currency of its own: its merchant account has, or the charge says it.
pub(in crate::providers::braintree) fn subscription(
    element: &Element,
    accounts: &Accounts,
) -> Result<(Subscription, Option<Outcome<Payment>>), Unintelligible> {
    if element.name() != "subscription" {
        return Err(Unintelligible::field(".", "not a subscription"));
    }
    let word = element.required("status")?;
    let status = table::find(&table::SUBSCRIPTIONS, word)
        .ok_or_else(|| Unintelligible::field("status", "not a known status"))?;
    let newest = element.child("transactions").and_then(|transactions| transactions.children().first());
    let charge = newest.map(|charge| payment(charge, Parts::default())).transpose()?;
    let charged = charge.as_ref().and_then(Outcome::result);
    let account = element.text("merchant-account-id").and_then(|account| accounts.currency(account));
    let currency = account.or_else(|| charged.map(|payment| payment.amount.currency));
    let price = element.text("next-billing-period-amount").or_else(|| element.text("price"));
    let text = |name: &str| element.text(name).map(str::to_owned);
    let subscription = Subscription {
        reference: element.required("id")?.to_owned(),
        status,
        provider_status: word.to_owned(),
        amount: currency.zip(price).and_then(|(currency, price)| amount::parse(price, currency)),
        period_start: text("billing-period-start-date"),
        period_end: text("billing-period-end-date"),
        next_billing: text("next-billing-date"),
        first_payment: charged.cloned(),
    };
    Ok((subscription, charge))
}
