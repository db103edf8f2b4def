//! A shop with one product, set up here and at the reference provider.

use actix_web::http::Method;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use integration_tests::{
    client::{Answer, Client},
    in_process::Pair,
    settings::NOTICE_KEY_ID,
};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

/// A product that is for sale.
pub struct Shop {
    /// A client of db-server with all roles.
    pub client: Client,
    /// The seller's path.
    pub seller: String,
    /// The product's path.
    pub product: String,
    /// The provider's key of the product.
    pub product_id: String,
    /// The seller's link to the provider.
    pub reference_seller: String,
    db_server: String,
    sandbox: Client,
}

impl Shop {
    /// Sets it up through the API.
    pub async fn open(pair: &Pair) -> Self {
        Self::open_at(pair.client(), pair.db_server.url(), pair.sandbox_client()).await
    }

    /// Sets it up at these servers.
    pub async fn open_at(client: Client, db_server: &str, sandbox: Client) -> Self {
        let seller = created(client.post("/generic/seller/", &json!({"uuid": unique("seller")})).await);
        let seller = text(&seller, "/resource_uri");
        let body = json!({"seller": seller, "external_id": unique("x"), "public_id": unique("p")});
        let product = text(&created(client.post("/generic/product/", &body).await), "/resource_uri");
        let body = json!({
            "seller": seller, "uuid": unique("rs"), "name": "A Seller", "email": "seller@example.test",
            "status": "ACTIVE",
        });
        let link = created(client.post("/provider/reference/sellers/", &body).await);
        let reference_seller = text(&link, "/resource_uri");
        let body = json!({
            "seller_product": product, "seller_reference": reference_seller, "uuid": unique("rp"),
            "name": "A Product",
        });
        let link = created(client.post("/provider/reference/products/", &body).await);
        let product_id = text(&link, "/reference/resource_pk");
        Self {
            client,
            seller,
            product,
            product_id,
            reference_seller,
            db_server: db_server.to_owned(),
            sandbox,
        }
    }

    /// Creates a transaction of 0.99 EUR; gives it as db-server shows it.
    pub async fn transaction(&self) -> Value {
        let body = json!({
            "seller": self.seller, "seller_product": self.product, "amount": "0.99", "currency": "EUR",
        });
        created(self.client.post("/generic/transaction/", &body).await)
    }

    /// What starts a transaction at the provider.
    pub fn start_body(&self, uuid: &str) -> Value {
        let webhook = format!("{}/webhooks/reference/", self.db_server);
        json!({
            "product_id": self.product_id, "region": "123", "carrier": "USA_TMOBILE", "price": "0.99",
            "currency": "EUR", "pay_method": "OPERATOR", "callback_success_url": webhook,
            "callback_error_url": webhook, "success_url": "https://shop.example.test/paid",
            "error_url": "https://shop.example.test/failed", "ext_transaction_id": uuid,
        })
    }

    /// Starts a transaction at the provider.
    pub async fn start(&self, uuid: &str) -> Answer {
        self.client.post("/provider/reference/transactions/", &self.start_body(uuid)).await
    }

    /// The payer confirms: `{"outcome": "success"}` or `{"outcome": "CC_ERROR"}`.
    pub async fn pay(&self, token: &str, payment: &Value) -> Value {
        let answer =
            self.sandbox.post(&format!("/_sandbox/reference/transactions/{token}/pay"), payment).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The provider posts its notice once more.
    pub async fn notify_again(&self, token: &str) -> Value {
        let path = format!("/_sandbox/reference/transactions/{token}/notify");
        let answer = self.sandbox.post(&path, &json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Makes the next request with this path at the provider go wrong.
    pub async fn fault(&self, path: &str, fault: Value) {
        let answer = self.sandbox.post("/_sandbox/faults", &json!([{"path": path, "fault": fault}])).await;
        assert!(answer.status < 300, "{answer:?}");
    }

    /// How many requests of this kind, such as `POST /transactions`, have reached the provider.
    pub async fn arrived(&self, request: &str) -> u64 {
        let requests = self.sandbox.get("/_sandbox/requests").await.json();
        requests["counts"][request].as_u64().unwrap_or(0)
    }

    /// The transaction as db-server shows it.
    pub async fn read(&self, transaction: &Value) -> Value {
        let answer = self.client.get(&text(transaction, "/resource_uri")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

/// A notice that is signed as the provider signs it.
pub fn signed_notice(pair: &Pair, payload: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(pair.dummies.notice_key.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    format!("{payload}&sig={NOTICE_KEY_ID}:{}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

/// Posts a notice as the provider does: nobody signs the request, the notice itself is signed.
pub async fn post_notice(pair: &Pair, signed_notice: &str) -> Answer {
    Client::unsigned(pair.db_server.url())
        .request(Method::POST, "/webhooks/reference/")
        .form(&[("signed_notice", signed_notice)])
        .answer()
        .await
}

/// The body of a 201.
pub fn created(answer: Answer) -> Value {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

/// A text in a body.
pub fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer} in {body}"))
        .to_owned()
}

/// A name that no other test uses.
pub fn unique(name: &str) -> String {
    format!("{name}-{}", Uuid::new_v4().simple())
}
