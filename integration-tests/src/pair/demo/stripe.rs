//! Stripe: a payment, a decline, a 3-D Secure approval and a partial refund.

use std::collections::BTreeMap;

use wire::{
    Money,
    payment::{AttemptId, Authorize, Provider, Source, Token, operations},
};

use super::{
    super::steps::{Called, StepError},
    neutral::{Neutral, SHOP, money},
};

/// Stripe's names of test cards.
const PAYS: &str = "pm_card_visa";
const HAS_NO_FUNDS: &str = "pm_card_chargeDeclinedInsufficientFunds";
const ASKS_FOR_3DS: &str = "pm_card_threeDSecure2Required";

/// Makes the payments.
///
/// # Errors
/// [`StepError`] when a step does not do what it should.
pub(super) async fn buy(steps: &mut Neutral<'_>) -> Result<(), StepError> {
    let price = money(steps, "10.00")?;
    let paid = pay(steps, PAYS, price, "succeeded").await?;
    let first = steps.tell_payment(&paid, "paid")?;
    let declined = pay(steps, HAS_NO_FUNDS, price, "declined").await?;
    steps.tell_decline(&declined)?;
    let asked = pay(steps, ASKS_FOR_3DS, price, "requires_action").await?;
    let second = steps.tell_payment(&asked, "needs 3-D Secure")?;
    steps.approve(Provider::Stripe, &second).await?;
    steps.look_up(Provider::Stripe, &second, price).await?;
    let part = money(steps, "4.00")?;
    steps.refund(Provider::Stripe, &first, part).await
}

async fn pay(steps: &mut Neutral<'_>, card: &str, amount: Money, outcome: &str) -> Result<Called, StepError> {
    let request = Authorize {
        attempt: AttemptId::new(),
        amount,
        source: Source::Nonce { nonce: Token::from(card) },
        capture: true,
        description: None,
        return_url: Some(format!("{SHOP}/back")),
        metadata: BTreeMap::new(),
    };
    steps.ask::<operations::Authorize>(Provider::Stripe, &request, outcome).await
}
