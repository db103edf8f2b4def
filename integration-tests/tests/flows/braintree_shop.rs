//! A shop that sells through Braintree: products, a buyer, and the sandbox's side of it.

use actix_web::{http::Method, web::Query};
use data_encoding::BASE64;
use integration_tests::{
    client::{Answer, Client},
    in_process::Pair,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::shop::{created, text, unique};

/// A seller with products, and a buyer.
pub struct BraintreeShop {
    /// A client of db-server with all roles.
    pub client: Client,
    /// The path of the seller.
    pub seller: String,
    /// The uuid of the buyer.
    pub buyer: String,
    /// The path of the buyer.
    pub buyer_path: String,
    sandbox: Client,
    merchant: String,
    authorization: String,
}

impl BraintreeShop {
    /// Sets seller and buyer up.
    pub async fn open(pair: &Pair) -> Self {
        let client = pair.client();
        let seller = created(client.post("/generic/seller/", &json!({"uuid": unique("seller")})).await);
        let buyer = json!({"uuid": unique("buyer"), "email": "jill@example.test"});
        let buyer = created(client.post("/generic/buyer/", &buyer).await);
        let account = &pair.dummies.braintree;
        let pair_of_keys = format!("{}:{}", account.public_key, account.private_key.expose_secret());
        Self {
            client,
            seller: text(&seller, "/resource_uri"),
            buyer: text(&buyer, "/uuid"),
            buyer_path: text(&buyer, "/resource_uri"),
            sandbox: pair.sandbox_client(),
            merchant: account.merchant_id.clone(),
            authorization: format!("Basic {}", BASE64.encode(pair_of_keys.as_bytes())),
        }
    }

    /// A product; gives its public id and its path.
    pub async fn product(&self) -> (String, String) {
        let public_id = unique("sword");
        let body = json!({"seller": self.seller, "external_id": unique("x"), "public_id": public_id});
        let product = created(self.client.post("/generic/product/", &body).await);
        (public_id, text(&product, "/resource_uri"))
    }

    /// A product with a plan of this price at Braintree; gives its public id and its path.
    pub async fn subscribable(&self, price: &str) -> (String, String) {
        let (public_id, path) = self.product().await;
        let plan = format!(
            "<plan><id>{public_id}</id><name>{public_id}</name><price>{price}</price>\
             <currency-iso-code>USD</currency-iso-code><billing-frequency>1</billing-frequency></plan>"
        );
        let answer = self
            .sandbox
            .request(Method::POST, &format!("/braintree/merchants/{}/plans", self.merchant))
            .header("Authorization", &self.authorization)
            .header("X-ApiVersion", "6")
            .raw(plan.as_bytes(), "application/xml")
            .answer()
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        (public_id, path)
    }

    /// Makes the buyer known at Braintree.
    pub async fn customer(&self) -> Value {
        created(self.client.post("/braintree/customer/", &json!({"uuid": self.buyer})).await)
    }

    /// Asks Braintree to keep what the nonce stands for.
    pub async fn store(&self, nonce: &str) -> Answer {
        let body = json!({"buyer_uuid": self.buyer, "nonce": nonce});
        self.client.post("/braintree/paymethod/", &body).await
    }

    /// A known buyer's card; gives its path.
    pub async fn card(&self) -> String {
        self.customer().await;
        text(&created(self.store("fake-valid-visa-nonce").await), "/mozilla/resource_uri")
    }

    /// Sells a product for a nonce.
    pub async fn sell(&self, product: &str, amount: &str, nonce: &str) -> Answer {
        let body = json!({"product_id": product, "amount": amount, "nonce": nonce});
        self.client.post("/braintree/sale/", &body).await
    }

    /// Subscribes a card to a product.
    pub async fn subscribe(&self, card: &str, product: &str) -> Answer {
        let body = json!({"paymethod": card, "plan": product});
        self.client.post("/braintree/subscription/", &body).await
    }

    /// What a payer makes of a card that is typed in: a nonce that is good once.
    pub async fn nonce(&self, number: &str, cvv: Option<&str>) -> String {
        let body = json!({"number": number, "cvv": cvv});
        text(&created(self.sandbox.post("/_sandbox/braintree/nonces", &body).await), "/nonce")
    }

    /// Lets a nonce end.
    pub async fn expire(&self, nonce: &str) {
        let answer = self.sandbox.delete(&format!("/_sandbox/braintree/nonces/{nonce}")).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// Has something happen at Braintree, such as `transactions/ID/settle`.
    pub async fn happen(&self, what: &str, body: &Value) {
        let answer = self.sandbox.post(&format!("/_sandbox/braintree/{what}"), body).await;
        assert_eq!(answer.status, 204, "{what}: {answer:?}");
    }

    /// Makes the next request below this path of Braintree's go wrong.
    pub async fn fault(&self, path: &str, fault: Value) {
        let path = format!("/braintree/merchants/{}/{path}", self.merchant);
        let answer = self.sandbox.post("/_sandbox/faults", &json!([{"path": path, "fault": fault}])).await;
        assert!(answer.status < 300, "{answer:?}");
    }

    /// What Braintree has moved, oldest first: `kind`, `id`, `amount`, `reference` and more.
    pub async fn ledger(&self) -> Vec<Value> {
        self.sandbox.get("/_sandbox/ledger").await.json().as_array().unwrap().clone()
    }

    /// Waits until every webhook that is on its way has been delivered.
    pub async fn webhooks_have_arrived(&self) {
        let answer = self.sandbox.get("/_sandbox/webhooks?wait=true").await.json();
        let deliveries = answer["deliveries"].as_array().unwrap();
        assert!(deliveries.iter().all(|delivery| delivery["status"] == 200), "{answer}");
    }

    /// Keeps webhooks back from now on.
    pub async fn hold_webhooks(&self) {
        let answer = self.sandbox.put("/_sandbox/webhooks/handling", &json!({"hold": true})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The webhooks of this kind that are kept back, oldest first, as forms.
    pub async fn held(&self, kind: &str) -> Vec<String> {
        let held = self.sandbox.get("/_sandbox/webhooks?wait=true").await.json();
        let mut forms = Vec::new();
        for event in held["held"].as_array().unwrap().iter().filter(|event| event["event"] == kind) {
            let path = format!("/_sandbox/webhooks/events/{}", text(event, "/event_id"));
            forms.push(text(&self.sandbox.get(&path).await.json(), "/body"));
        }
        forms
    }

    /// The last webhook of this kind that was delivered, as a form.
    pub async fn last_webhook(&self, kind: &str) -> String {
        let sent = self.sandbox.get("/_sandbox/webhooks").await.json();
        let sent = sent["deliveries"].as_array().unwrap();
        let event = sent.iter().rev().find(|delivery| delivery["event"] == kind).unwrap();
        let path = format!("/_sandbox/webhooks/events/{}", text(event, "/event_id"));
        text(&self.sandbox.get(&path).await.json(), "/body")
    }

    /// Hands a webhook on as JSON, as Mozilla's payments-service does.
    pub async fn hand_on(&self, form: &str) -> Answer {
        self.client.post("/braintree/webhook/", &fields(form)).await
    }

    /// The generic transaction as db-server shows it.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.client.get(path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

/// The two fields of what Braintree posts.
pub fn fields(form: &str) -> Value {
    let fields = Query::<Vec<(String, String)>>::from_query(form).unwrap().into_inner();
    Value::Object(fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}

/// The codes under a namespace and a field of a 422.
pub fn codes(answer: &Answer, namespace: &str, field: &str) -> Vec<String> {
    assert_eq!(answer.status, 422, "{answer:?}");
    let errors = answer.json()[namespace][field].as_array().cloned();
    let errors = errors.unwrap_or_else(|| panic!("no {namespace}.{field}: {answer:?}"));
    errors.iter().map(|error| text(error, "/code")).collect()
}
