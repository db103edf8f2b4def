//! PayPal: a checkout that its payer approves, one whose funding is refused, and a partial refund.

use wire::{
    Money,
    payment::{AttemptId, CompleteCheckout, Provider, StartCheckout, operations},
};

use super::{
    super::steps::{Called, StepError},
    neutral::{Neutral, SHOP, money, payer},
};

/// Makes the payments.
///
/// # Errors
/// [`StepError`] when a step does not do what it should.
pub(super) async fn buy(steps: &mut Neutral<'_>) -> Result<(), StepError> {
    let price = money(steps, "20.00")?;
    let checkout = start(steps, price).await?;
    steps.approve(Provider::Paypal, &checkout).await?;
    let paid = complete(steps, &checkout, price, "succeeded").await?;
    let payment = steps.tell_payment(&paid, "paid")?;
    let part = money(steps, "7.50")?;
    steps.refund(Provider::Paypal, &payment, part).await?;
    let checkout = start(steps, price).await?;
    // The payer agrees, with a card behind the account whose bank will say no.
    let path = format!("/paypal/checkoutnow?token={checkout}&choice=declined");
    let chosen = steps.play(payer(Provider::Paypal), path, None, 303).await?;
    steps.tell(&chosen, &[("payment", &checkout), ("payer", "approves with a card that will be refused")]);
    let declined = complete(steps, &checkout, price, "declined").await?;
    steps.tell_decline(&declined)
}

/// Gives the provider's id of the checkout.
async fn start(steps: &mut Neutral<'_>, amount: Money) -> Result<String, StepError> {
    let request = StartCheckout {
        attempt: AttemptId::new(),
        amount,
        capture: true,
        return_url: format!("{SHOP}/back"),
        cancel_url: format!("{SHOP}/cancelled"),
        description: None,
        product: None,
    };
    let started = steps.ask::<operations::StartCheckout>(Provider::Paypal, &request, "succeeded").await?;
    let checkout = started.text("/result/result/reference")?;
    started.text("/result/result/url")?;
    steps.tell(&started, &[("payment", &checkout), ("outcome", "waits for its payer")]);
    Ok(checkout)
}

async fn complete(
    steps: &mut Neutral<'_>,
    checkout: &str,
    amount: Money,
    outcome: &str,
) -> Result<Called, StepError> {
    let (attempt, checkout) = (AttemptId::new(), checkout.to_owned());
    let request = CompleteCheckout { attempt, checkout, amount, capture: true };
    steps.ask::<operations::CompleteCheckout>(Provider::Paypal, &request, outcome).await
}
