//! Stripe: a payment that is asked for twice, a decline, 3-D Secure, a part of an authorization and a partial refund.

use serde_json::{Value, json};
use wire::payment::Provider;

use super::{
    super::steps::StepError,
    events::Feed,
    payments::{Payments, SHOP, payer},
};

const STRIPE: Provider = Provider::Stripe;

/// Stripe's names of test cards.
const PAYS: &str = "pm_card_visa";
const HAS_NO_FUNDS: &str = "pm_card_chargeDeclinedInsufficientFunds";
const ASKS_FOR_3DS: &str = "pm_card_threeDSecure2Required";

const PRICE: (&str, &str) = ("10.00", "EUR");
const TAKEN: &str = "6.00";
const GIVEN_BACK: &str = "4.00";

/// Makes the payments.
///
/// # Errors
/// [`StepError`] when a step does not do what it should.
pub(super) async fn buy(shop: &mut Payments<'_>, feed: &mut Feed) -> Result<(), StepError> {
    let order = shop.order(STRIPE, PRICE, json!({"nonce": PAYS}));
    let paid = shop.pay(STRIPE, "order-1", &order, "captured").await?;
    shop.pay_again("order-1", &order, &paid).await?;
    let order = shop.order(STRIPE, PRICE, json!({"nonce": HAS_NO_FUNDS}));
    shop.decline(STRIPE, "order-2", &order).await?;
    pay_with_3ds(shop, feed).await?;
    let order = shop.order(STRIPE, PRICE, json!({"nonce": PAYS, "capture": false}));
    let held = shop.pay(STRIPE, "order-4", &order, "authorized").await?;
    shop.capture(STRIPE, &held.text("/resource_uri")?, "capture-4", TAKEN).await?;
    shop.refund(STRIPE, &paid.text("/resource_uri")?, "refund-1", GIVEN_BACK).await
}

/// The payer approves at the bank, and the client hears of it from the events.
async fn pay_with_3ds(shop: &mut Payments<'_>, feed: &mut Feed) -> Result<(), StepError> {
    let order = shop.order(STRIPE, PRICE, card_with_page());
    let asked = shop.pay(STRIPE, "order-3", &order, "requires_action").await?;
    let payment = asked.text("/resource_uri")?;
    asked.text("/next_action/url")?;
    feed.catch_up(shop).await?;
    let path = format!("/_sandbox/waiting/stripe/{}/approve", asked.text("/provider_reference")?);
    shop.play(payer(STRIPE), path, 200, &[("payment", &payment), ("payer", "approves")]).await?;
    feed.wait_for(shop, &payment, "payment.captured").await
}

fn card_with_page() -> Value {
    json!({"nonce": ASKS_FOR_3DS, "return_url": format!("{SHOP}/back")})
}
