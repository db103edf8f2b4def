//! Braintree: a payment, one that the processor declines, settlement and a partial refund.

use serde_json::json;
use wire::payment::Provider;

use super::{
    super::steps::StepError,
    payments::{Payments, time},
};

const BRAINTREE: Provider = Provider::Braintree;
/// What Braintree's script on the payer's side gives for a test card.
const NONCE: &str = "fake-valid-nonce";
/// The currency of the merchant account.
const CURRENCY: &str = "USD";
const PRICE: &str = "30.00";
/// Braintree's sandbox declines amounts from 2000 to 2999.99 with that code: 2001 is insufficient funds.
const DECLINED: &str = "2001.00";
const GIVEN_BACK: &str = "12.00";

/// Makes the payments.
///
/// # Errors
/// [`StepError`] when a step does not do what it should.
pub(super) async fn buy(shop: &mut Payments<'_>) -> Result<(), StepError> {
    let card = || json!({"nonce": NONCE});
    let order = shop.order(BRAINTREE, (PRICE, CURRENCY), card());
    let paid = shop.pay(BRAINTREE, "order-7", &order, "captured").await?;
    let payment = paid.text("/resource_uri")?;
    let order = shop.order(BRAINTREE, (DECLINED, CURRENCY), card());
    shop.decline(BRAINTREE, "order-8", &order).await?;
    // Until then it could only be voided as a whole.
    let path = format!("/_sandbox/braintree/transactions/{}/settle", paid.text("/provider_reference")?);
    shop.play(time(BRAINTREE), path, 204, &[("payment", &payment), ("settled", "yes")]).await?;
    shop.refund(BRAINTREE, &payment, "refund-7", GIVEN_BACK).await
}
