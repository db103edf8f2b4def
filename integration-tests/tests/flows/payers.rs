//! Buyers with payment methods and subscriptions, at the providers of the sandbox.

use actix_web::http::Method;
use integration_tests::{
    client::{Answer, Client},
    in_process::{Dummies, Pair, spawn_pair},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::shop::{created, text, unique};

/// A card of Stripe's that pays.
pub const VISA: &str = "pm_card_visa";

/// A pair and a buyer.
pub struct Payer {
    /// The servers.
    pub pair: Pair,
    /// A client of db-server.
    pub client: Client,
    /// The buyer's path.
    pub buyer: String,
}

impl Payer {
    /// Starts a pair and creates a buyer.
    pub async fn new() -> Self {
        Self::at(spawn_pair().await).await
    }

    /// Creates a buyer at these servers.
    pub async fn at(pair: Pair) -> Self {
        let client = pair.client();
        let buyer = new_buyer(&client).await;
        Self { pair, client, buyer }
    }

    /// Asks for a payment method of the buyer.
    pub async fn ask_to_store(&self, provider: &str, nonce: &str) -> Answer {
        let body = json!({"provider": provider, "buyer": self.buyer, "nonce": nonce});
        self.client.post("/paymethods/", &body).await
    }

    /// Stores a payment method of the buyer; gives it as it is shown.
    pub async fn store(&self, provider: &str, nonce: &str) -> Value {
        created(self.ask_to_store(provider, nonce).await)
    }

    /// Subscribes; gives the subscription as it is shown.
    pub async fn subscribe(&self, paymethod: &Value, plan: &str) -> Value {
        let body = json!({"paymethod": paymethod["resource_uri"], "plan": plan});
        created(self.client.post("/subscriptions/", &body).await)
    }

    /// What is at a path now.
    pub async fn read(&self, shown: &Value) -> Value {
        let answer = self.client.get(&text(shown, "/resource_uri")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// How many objects a list has.
    pub async fn count(&self, list: &str) -> i64 {
        let answer = self.client.get(list).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["meta"]["total_count"].as_i64().unwrap()
    }

    /// Makes the next request with this method and path at a provider go wrong.
    pub async fn fault(&self, method: &str, path: &str, fault: Value) {
        let body = json!([{"method": method, "path": path, "fault": fault}]);
        let answer = self.pair.sandbox_client().post("/_sandbox/faults", &body).await;
        assert!(answer.status < 300, "{answer:?}");
    }

    /// How many requests of this kind, such as `POST /stripe/v1/subscriptions`, have reached the providers.
    pub async fn arrived(&self, request: &str) -> u64 {
        let requests = self.pair.sandbox_client().get("/_sandbox/requests").await.json();
        let counts = requests["counts"].as_object().unwrap();
        let fits = counts.iter().filter(|(name, _)| name.starts_with(request));
        fits.filter_map(|(_, count)| count.as_u64()).sum()
    }

    /// Asks Stripe's API of the sandbox with the account's own key.
    pub async fn stripe(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Value {
        let answer = stripe(&self.pair.sandbox_client(), &self.pair.dummies, method, path, form).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// A price at Stripe of 5.00 EUR a month; gives its id, which is the plan's.
    pub async fn stripe_plan(&self) -> String {
        text(&self.stripe(Method::POST, "prices", &PRICE).await, "/id")
    }
}

const PRICE: [(&str, &str); 4] = [
    ("currency", "eur"),
    ("unit_amount", "500"),
    ("recurring[interval]", "month"),
    ("product_data[name]", "Gold"),
];

/// Stripe's API of a sandbox, without a pair around it.
pub struct Stripe<'a> {
    /// The sandbox.
    pub sandbox: Client,
    /// With the account's key.
    pub dummies: &'a Dummies,
}

impl Stripe<'_> {
    /// Asks it.
    pub async fn ask(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Value {
        let answer = stripe(&self.sandbox, self.dummies, method, path, form).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// A buyer with a card at a db-server, and a plan; gives what starts a subscription.
    pub async fn prepare(&self, client: &Client) -> Value {
        let buyer = new_buyer(client).await;
        let body = json!({"provider": "stripe", "buyer": buyer, "nonce": VISA});
        let card = created(client.post("/paymethods/", &body).await);
        let plan = text(&self.ask(Method::POST, "prices", &PRICE).await, "/id");
        json!({"paymethod": card["resource_uri"], "plan": plan})
    }
}

/// Asks Stripe's API of a sandbox with the account's own key.
pub async fn stripe(
    sandbox: &Client,
    dummies: &Dummies,
    method: Method,
    path: &str,
    form: &[(&str, &str)],
) -> Answer {
    let key = dummies.stripe.secret_key.expose_secret();
    let request = sandbox.request(method.clone(), &format!("/stripe/v1/{path}"));
    let request = request.header("Authorization", &format!("Bearer {key}"));
    if method == Method::POST { request.form(form) } else { request }.answer().await
}

/// Creates a buyer; gives its path.
pub async fn new_buyer(client: &Client) -> String {
    let buyer = created(client.post("/generic/buyer/", &json!({"uuid": unique("buyer")})).await);
    text(&buyer, "/resource_uri")
}

/// A path as it is shown, with something after it.
pub fn below(shown: &Value, rest: &str) -> String {
    format!("{}{rest}", text(shown, "/resource_uri"))
}
