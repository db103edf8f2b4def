//! A shop's till: a pair, a product that is for sale, and requests that move money, each under a key of its own.

use actix_web::http::Method;
use integration_tests::{
    client::{Answer, Client},
    in_process::{Pair, spawn_pair},
};
use serde_json::{Value, json};
use wire::payment::Provider;

use super::{
    payers::VISA,
    shop::{Shop, created, text, unique},
};

/// Where payers come back to.
pub const BACK: &str = "https://shop.example.test/back";

/// A till.
pub struct Till {
    /// The servers.
    pub pair: Pair,
    /// The product and its seller.
    pub shop: Shop,
    /// A client of db-server with all roles.
    pub client: Client,
}

impl Till {
    /// Opens a till.
    pub async fn open() -> Self {
        Self::at(spawn_pair().await).await
    }

    /// Opens a till at these servers.
    pub async fn at(pair: Pair) -> Self {
        let shop = Shop::open(&pair).await;
        Self { client: pair.client(), shop, pair }
    }

    /// What buys for 10.00 EUR at a provider, with these fields besides.
    pub fn order(&self, provider: Provider, fields: &Value) -> Value {
        let mut body = json!({
            "provider": provider, "amount": "10.00", "currency": "EUR", "seller_product": self.shop.product,
        });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    /// What buys for 10.00 EUR at Stripe with a good card, with these fields besides.
    pub fn stripe_order(&self, fields: &Value) -> Value {
        let mut body = self.order(Provider::Stripe, &json!({"nonce": VISA}));
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    /// Posts under a key.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        post(&self.client, path, key, body).await
    }

    /// Asks for a payment under a fresh key.
    pub async fn ask(&self, body: &Value) -> Answer {
        self.post("/payments/", &unique("key"), body).await
    }

    /// Makes a payment that must succeed.
    pub async fn pay(&self, body: &Value) -> Value {
        created(self.ask(body).await)
    }

    /// Makes a payment of 10.00 EUR at Stripe.
    pub async fn stripe(&self, fields: &Value) -> Value {
        self.pay(&self.stripe_order(fields)).await
    }

    /// Asks for something about a payment under a fresh key.
    pub async fn change(&self, payment: &Value, what: &str, body: &Value) -> Answer {
        let path = format!("{}{what}/", text(payment, "/resource_uri"));
        self.post(&path, &unique("key"), body).await
    }

    /// A payment as it is now.
    pub async fn read(&self, payment: &Value) -> Value {
        let answer = self.client.get(&text(payment, "/resource_uri")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The transaction of a payment or refund.
    pub async fn transaction(&self, of: &Value) -> Value {
        let answer = self.client.get(&text(of, "/transaction")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The refunds of a payment.
    pub async fn refunds(&self, payment: &Value) -> Vec<Value> {
        let answer = self.client.get(&format!("{}refunds/", text(payment, "/resource_uri"))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["objects"].as_array().unwrap().clone()
    }

    /// Kind and amount of what a provider's ledger has, in its order.
    pub async fn ledger(&self, provider: Provider) -> Vec<(String, String)> {
        lines_of(&self.pair.sandbox_client(), provider).await
    }

    /// Makes the next request with this path at a provider go wrong.
    pub async fn fault(&self, path: &str, fault: Value) {
        self.faults("POST", path, 1, fault).await;
    }

    /// Makes the next requests with a path that begins so go wrong, so many of them.
    pub async fn faults(&self, method: &str, path: &str, times: u32, fault: Value) {
        let body = json!([{"method": method, "path": path, "times": times, "fault": fault}]);
        let answer = self.pair.sandbox_client().post("/_sandbox/faults", &body).await;
        assert!(answer.status < 300, "{answer:?}");
    }

    /// How many requests of this kind, such as `POST /stripe/v1/payment_intents`, have reached the providers.
    pub async fn arrived(&self, request: &str) -> u64 {
        arrived(&self.pair.sandbox_client(), request).await
    }

    /// The payer of a checkout at PayPal decides: `approve` or `cancel`.
    pub async fn choose(&self, payment: &Value, choice: &str) {
        let order = text(payment, "/checkout_reference");
        let path = format!("/paypal/checkoutnow?token={order}&choice={choice}");
        let answer = self.pair.sandbox_client().request(Method::POST, &path).answer().await;
        assert_eq!(answer.status, 303, "{answer:?}");
    }

    /// The payer of a payment at Stripe decides at the bank: `approve` or `decline`.
    pub async fn decide(&self, payment: &Value, decision: &str) {
        let reference = text(payment, "/provider_reference");
        let path = format!("/_sandbox/waiting/stripe/{reference}/{decision}");
        let answer = self.pair.sandbox_client().post(&path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// A checkout at PayPal, begun.
    pub async fn paypal(&self, fields: &Value) -> Value {
        let mut body = self.order(Provider::Paypal, &json!({"checkout": checkout()}));
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.pay(&body).await
    }
}

/// Where a payer comes back to from a checkout.
pub fn checkout() -> Value {
    json!({"return_url": BACK, "cancel_url": "https://shop.example.test/cancelled"})
}

/// Posts under a key.
pub async fn post(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    client.request(Method::POST, path).header("Idempotency-Key", key).json(body).answer().await
}

/// How many requests of this kind have reached the providers of a sandbox.
pub async fn arrived(sandbox: &Client, request: &str) -> u64 {
    let requests = sandbox.get("/_sandbox/requests").await.json();
    let counts = requests["counts"].as_object().unwrap();
    let fits = counts.iter().filter(|(name, _)| name.starts_with(request));
    fits.filter_map(|(_, count)| count.as_u64()).sum()
}

/// A charge or refund in a provider's ledger.
pub fn line(kind: &str, amount: &str) -> (String, String) {
    (kind.to_owned(), amount.to_owned())
}

/// Kind and amount of what a provider's ledger has in this sandbox, in its order.
pub async fn lines_of(sandbox: &Client, provider: Provider) -> Vec<(String, String)> {
    let lines = sandbox.get(&format!("/_sandbox/ledger?provider={provider}")).await.json();
    let line = |line: &Value| (text(line, "/kind"), text(line, "/amount"));
    lines.as_array().unwrap().iter().map(line).collect()
}
