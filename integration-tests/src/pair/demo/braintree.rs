//! Braintree: a sale through db-server, one that the processor declines, settlement and a partial refund.

use actix_web::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use wire::{Currency, Money, payment::Provider};

use super::{
    super::{
        running::Pair,
        steps::{Call, Called, Route, StepError},
    },
    neutral::Neutral,
};
use crate::client::Client;

const OURS: Route = Route { from: "client", to: &["db-server"] };
const THROUGH: Route = Route { from: "client", to: &["db-server", "provider-proxy", "braintree"] };
const BATCH: Route = Route { from: "time", to: &["braintree"] };

const SALE: &str = "/braintree/sale/";
/// What Braintree's script on the payer's side gives for a test card.
const NONCE: &str = "fake-valid-nonce";
const PRICE: &str = "30.00";
/// Braintree's sandbox declines amounts from 2000 to 2999.99 with that code: 2001 is insufficient funds.
const DECLINED: &str = "2001.00";
const PART: &str = "12.00";

/// Makes the sales.
///
/// # Errors
/// [`StepError`] when a step does not do what it should.
pub(super) async fn buy(pair: &Pair, steps: &mut Neutral<'_>) -> Result<(), StepError> {
    let (key, secret) = pair.client();
    let client = Client::signed(pair.db_server(), key, secret);
    let product = set_up_product(&client, steps).await?;
    let sold = call(&client, steps, THROUGH, SALE, sale(&product, PRICE), 200).await?;
    let payment = sold.text("/mozilla/generic/uid_support")?;
    let currency = sold.text("/mozilla/generic/currency")?;
    steps.tell(&sold, &[("payment", &payment), ("outcome", "paid")]);
    let declined = call(&client, steps, THROUGH, SALE, sale(&product, DECLINED), 422).await?;
    let code = declined.text("/braintree/__all__/0/code")?;
    steps.tell(&declined, &[("outcome", "declined"), ("code", &code)]);
    let path = format!("/_sandbox/braintree/transactions/{payment}/settle");
    let settled = steps.play(BATCH, path, None, 204).await?;
    steps.tell(&settled, &[("payment", &payment), ("outcome", "settled")]);
    let part = Currency::parse(&currency).and_then(|currency| Money::parse(PART, currency));
    let part = part.map_err(|error| steps.failure(SALE, format!("currency {currency}: {error}")))?;
    steps.refund(Provider::Braintree, &payment, part).await
}

/// Gives the public id of a product.
async fn set_up_product(client: &Client, steps: &mut Neutral<'_>) -> Result<String, StepError> {
    let body = json!({"uuid": unique("seller")});
    let seller = call(client, steps, OURS, "/generic/seller/", body, 201).await?;
    let uri = seller.text("/resource_uri")?;
    steps.tell(&seller, &[("seller", &uri)]);
    let public = unique("public");
    let body = json!({"seller": uri, "external_id": unique("product"), "public_id": public, "access": 1});
    let product = call(client, steps, OURS, "/generic/product/", body, 201).await?;
    steps.tell(&product, &[("product", &public)]);
    Ok(public)
}

fn sale(product: &str, amount: &str) -> Value {
    json!({"product_id": product, "amount": amount, "nonce": NONCE})
}

async fn call(
    client: &Client,
    steps: &Neutral<'_>,
    route: Route,
    path: &str,
    body: Value,
    expected: u16,
) -> Result<Called, StepError> {
    let (method, path) = (Method::POST, path.to_owned());
    steps.send(Call { route, client, method, path, body: Some(body), header: None, expected }).await
}

fn unique(name: &str) -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("{name}-{}", &random[..8])
}
