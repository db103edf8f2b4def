//! The shop of a campaign: products, a buyer with stored methods, and the purchases that are made there.

use std::collections::BTreeSet;

use actix_web::http::Method;
use serde_json::{Value, json};
use wire::payment::Provider;

use super::{
    CrashError,
    asking::{Asked, Asking},
    plan::{Purchase, Then, With},
    rig::Rig,
};
use crate::client::{Answer, Client};

/// Where payments are created.
const PAYMENTS: &str = "/payments/";

/// How often a client asks anew, under another key, for what was not sent.
const NEW_KEYS: u32 = 20;

/// What can be sold to whom.
#[derive(Clone, Debug)]
pub struct Shop {
    /// The product's path; the reference provider knows it too.
    pub product: String,
    /// The buyer's path.
    pub buyer: String,
    /// The path of the buyer's card at Stripe.
    pub stripe: String,
    /// The path of the buyer's card at Braintree.
    pub braintree: String,
}

impl Shop {
    /// Sets it up through the API, while nothing is in its way.
    ///
    /// # Errors
    /// [`CrashError::Answer`] when something is refused.
    pub async fn open(rig: &Rig) -> Result<Self, CrashError> {
        let client = rig.client(0);
        let seller = uri(&create(&client, "/generic/seller/", &json!({"uuid": "seller"})).await?);
        let body = json!({"seller": seller, "external_id": "x", "public_id": "p"});
        let product = uri(&create(&client, "/generic/product/", &body).await?);
        let body = json!({
            "seller": seller, "uuid": "rs", "name": "A Seller", "email": "seller@example.test", "status": "ACTIVE",
        });
        let there = uri(&create(&client, "/provider/reference/sellers/", &body).await?);
        let body = json!({
            "seller_product": product, "seller_reference": there, "uuid": "rp", "name": "A Product",
        });
        create(&client, "/provider/reference/products/", &body).await?;
        let buyer = uri(&create(&client, "/generic/buyer/", &json!({"uuid": "buyer"})).await?);
        let mut stored = Vec::new();
        for (provider, nonce) in [("stripe", "pm_card_visa"), ("braintree", "fake-valid-visa-nonce")] {
            let body = json!({"provider": provider, "buyer": buyer, "nonce": nonce});
            stored.push(uri(&create(&client, "/paymethods/", &body).await?));
        }
        let braintree = stored.pop().unwrap_or_default();
        let stripe = stored.pop().unwrap_or_default();
        Ok(Self { product, buyer, stripe, braintree })
    }

    /// What creates a payment.
    async fn order(&self, rig: &Rig, purchase: &Purchase) -> Result<Value, CrashError> {
        let Purchase { provider, with, amount, capture, .. } = purchase;
        let mut order = json!({
            "provider": provider, "amount": decimal(*amount), "currency": "EUR", "seller_product": self.product,
            "capture": capture,
        });
        match (with, provider) {
            (With::Stored, Provider::Stripe) => order["payment_method"] = json!(self.stripe),
            (With::Stored, _) => order["payment_method"] = json!(self.braintree),
            (With::Nonce, Provider::Stripe) => order["nonce"] = json!("pm_card_visa"),
            (With::Declined, Provider::Stripe) => order["nonce"] = json!("pm_card_visa_chargeDeclined"),
            (With::Nonce, _) => order["nonce"] = nonce(rig).await?,
            (With::Declined, _) => {
                order["nonce"] = nonce(rig).await?;
                // Insufficient funds, says the bank that Braintree's sandbox plays.
                order["amount"] = json!("2001.00");
            }
            (With::Checkout, _) => {
                order["checkout"] = json!({
                    "return_url": "https://shop.example.test/back",
                    "cancel_url": "https://shop.example.test/cancelled",
                });
            }
        }
        if *with == With::Stored {
            order["buyer"] = json!(self.buyer);
        }
        Ok(order)
    }
}

/// One purchase from its first request to its last.
pub struct Buying<'a> {
    /// Where it is bought.
    pub shop: &'a Shop,
    /// The client.
    pub asking: &'a Asking<'a>,
    /// The servers.
    pub rig: &'a Rig,
    /// What is put before every key, so that no two campaigns have the same.
    pub name: &'a str,
}

impl Buying<'_> {
    /// Buys, and does with it what the plan says. A refusal on the way is the end.
    ///
    /// # Errors
    /// [`CrashError`] when there is no final answer, or two.
    pub async fn buy(&self, purchase: &Purchase) -> Result<(), CrashError> {
        let Some(mut payment) = self.create(purchase).await? else { return Ok(()) };
        let path = uri(&payment);
        if payment["status"] == "requires_action" {
            self.pays(purchase, &payment).await?;
            self.step(purchase, "complete", &format!("{path}complete/"), json!({})).await?;
            payment = self.known(&path).await?;
        }
        if payment["status"] == "authorized" {
            payment = match &purchase.then {
                Then::Cancel => {
                    self.step(purchase, "cancel", &format!("{path}cancel/"), json!({})).await?;
                    self.known(&path).await?
                }
                Then::Captures(parts) => self.capture(purchase, &path, parts).await?,
            };
        }
        if payment["status"] == "captured" {
            self.refund(purchase, payment).await?;
        }
        Ok(())
    }

    /// Creates the payment; gives how it stands once that is known.
    ///
    /// # Errors
    /// [`CrashError`].
    pub async fn create(&self, purchase: &Purchase) -> Result<Option<Value>, CrashError> {
        let order = self.shop.order(self.rig, purchase).await?;
        let created = self.step(purchase, "create", PAYMENTS, order).await?;
        let json = created.json();
        match json["resource_uri"].as_str() {
            Some(path) => Ok(Some(self.known(path).await?)),
            None => Ok(None),
        }
    }

    /// How a payment stands, once that is known.
    ///
    /// # Errors
    /// [`CrashError::NoAnswer`].
    pub async fn known(&self, path: &str) -> Result<Value, CrashError> {
        let open = ["created", "unknown", "pending"];
        let known =
            |payment: &Value| payment["status"].as_str().is_some_and(|status| !open.contains(&status));
        self.asking.read_until(path, known).await
    }

    /// The payer agrees, on the provider's page.
    ///
    /// # Errors
    /// [`CrashError`] when there is no such payment there.
    pub async fn pays(&self, purchase: &Purchase, payment: &Value) -> Result<(), CrashError> {
        let reference = ["checkout_reference", "provider_reference"];
        let id = reference.iter().find_map(|name| payment[name].as_str()).unwrap_or_default();
        let path = format!("/_sandbox/waiting/{}/{id}/approve", purchase.provider);
        let answer = self.rig.sandbox().request(Method::POST, &path).send().await?;
        if answer.status < 300 { Ok(()) } else { Err(CrashError::Answer { what: path, answer }) }
    }

    /// Takes what was authorized, in parts.
    ///
    /// # Errors
    /// [`CrashError`].
    pub async fn capture(&self, purchase: &Purchase, path: &str, parts: &[i64]) -> Result<Value, CrashError> {
        for (index, part) in parts.iter().enumerate() {
            let body = json!({"amount": decimal(*part), "last": index + 1 == parts.len()});
            let name = format!("capture{index}");
            let asked = self.step(purchase, &name, &format!("{path}capture/"), body).await?;
            self.known(path).await?;
            if asked.answer.0 >= 400 {
                break;
            }
        }
        self.known(path).await
    }

    /// Gives parts back; Braintree's batch is over before.
    ///
    /// # Errors
    /// [`CrashError`].
    pub async fn refund(&self, purchase: &Purchase, payment: Value) -> Result<(), CrashError> {
        let path = uri(&payment);
        if purchase.provider == Provider::Braintree {
            let parts = payment["captures"].as_array().into_iter().flatten();
            let taken: BTreeSet<&str> =
                parts.chain([&payment["provider_reference"]]).filter_map(Value::as_str).collect();
            for capture in taken {
                let path = format!("/_sandbox/braintree/transactions/{capture}/settle");
                // One that is settled already, or whose parts are settled instead, says so.
                self.rig.sandbox().request(Method::POST, &path).send().await?;
            }
        }
        for (index, part) in purchase.refunds.iter().enumerate() {
            let name = format!("refund{index}");
            let body = json!({"amount": decimal(*part)});
            self.step(purchase, &name, &format!("{path}refunds/"), body).await?;
            self.known(&path).await?;
        }
        Ok(())
    }

    /// One request of the purchase, under its own key.
    ///
    /// # Errors
    /// [`CrashError`].
    pub async fn step(
        &self,
        purchase: &Purchase,
        name: &str,
        path: &str,
        body: Value,
    ) -> Result<Asked, CrashError> {
        let key = format!("{}-{}-{name}", self.name, purchase.number);
        let mut asked = self.asking.ask(path, body.clone(), key.clone()).await?;
        // What was evidently not sent is asked for anew; a payment that was not is over.
        for again in 1..=NEW_KEYS {
            if asked.answer.0 < 500 || path == PAYMENTS {
                break;
            }
            asked = self.asking.ask(path, body.clone(), format!("{key}-{again}")).await?;
        }
        Ok(asked)
    }
}

/// A nonce of Braintree's that is good once.
async fn nonce(rig: &Rig) -> Result<Value, CrashError> {
    let body = json!({"number": "4111111111111111", "cvv": "123"});
    let made = create(&rig.sandbox(), "/_sandbox/braintree/nonces", &body).await?;
    Ok(made["nonce"].clone())
}

async fn create(client: &Client, path: &str, body: &Value) -> Result<Value, CrashError> {
    let answer: Answer = client.request(Method::POST, path).json(body).send().await?;
    if answer.status == 201 {
        Ok(answer.json())
    } else {
        Err(CrashError::Answer { what: path.to_owned(), answer })
    }
}

/// The path of what is shown.
fn uri(shown: &Value) -> String {
    shown["resource_uri"].as_str().unwrap_or_default().to_owned()
}

/// Cents as a decimal.
#[must_use]
pub fn decimal(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
