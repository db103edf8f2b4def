//! PayPal: a checkout that its payer approves, one whose funding is refused, and a partial refund.

use serde_json::json;
use wire::payment::Provider;

use super::{
    super::steps::StepError,
    payments::{Payments, SHOP, payer},
};

const PAYPAL: Provider = Provider::Paypal;
const PRICE: (&str, &str) = ("20.00", "EUR");
const GIVEN_BACK: &str = "7.50";

/// Makes the payments.
///
/// # Errors
/// [`StepError`] when a step does not do what it should.
pub(super) async fn buy(shop: &mut Payments<'_>) -> Result<(), StepError> {
    let payment = check_out(shop, "order-5", "approve", "approves").await?;
    shop.complete(PAYPAL, &payment, "complete-5").await?;
    shop.refund(PAYPAL, &payment, "refund-5", GIVEN_BACK).await?;
    // The payer agrees, with a card behind the account whose bank will say no.
    let payment = check_out(shop, "order-6", "declined", "approves with a card that will be refused").await?;
    shop.complete_in_vain(PAYPAL, &payment, "complete-6").await
}

/// Begins a checkout and has the payer choose at PayPal's page; gives the payment.
async fn check_out(
    shop: &mut Payments<'_>,
    key: &str,
    choice: &str,
    told: &str,
) -> Result<String, StepError> {
    let pages = json!({"return_url": format!("{SHOP}/back"), "cancel_url": format!("{SHOP}/cancelled")});
    let order = shop.order(PAYPAL, PRICE, json!({"checkout": pages}));
    let begun = shop.pay(PAYPAL, key, &order, "requires_action").await?;
    let payment = begun.text("/resource_uri")?;
    let url = begun.text("/next_action/url")?;
    let page = url.find("/paypal/").map_or(url.as_str(), |at| &url[at..]);
    let path = format!("{page}&choice={choice}");
    shop.play(payer(PAYPAL), path, 303, &[("payment", &payment), ("payer", told)]).await?;
    Ok(payment)
}
