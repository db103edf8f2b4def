//! A consumer of the reference provider: starts a sandbox and sends it signed requests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::SystemTime;

use actix_web::http::{Method, StatusCode};
use awc::Client;
use oauth1::{Credentials, SignatureMethod, sign};
use provider_sandbox::{
    BraintreeAccount, PaypalAccount, ReferenceAccount, Sandbox, SandboxSettings, StripeAccount,
};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const KEY: &str = "dummy-key";
pub(crate) const SECRET: &str = "dummy-secret";
pub(crate) const REALM: &str = "solitude";
pub(crate) const NOTICE_SECRET: &str = "dummy-notice-key";

pub(crate) struct Consumer {
    pub(crate) address: SocketAddr,
    client: Client,
}

pub(crate) fn settings() -> SandboxSettings {
    SandboxSettings {
        listen: "127.0.0.1:0".parse().unwrap(),
        reference: ReferenceAccount {
            consumer_key: KEY.into(),
            consumer_secret: SECRET.into(),
            realm: REALM.into(),
        },
        notice_keys: BTreeMap::from([(0, "dummy-old-notice-key".into()), (1, NOTICE_SECRET.into())]),
        stripe: StripeAccount { secret_key: "sk_test_dummy".into(), webhook_secret: "whsec_dummy".into() },
        paypal: PaypalAccount {
            client_id: "dummy-client".into(),
            client_secret: "dummy-client-secret".into(),
            webhook_id: "dummy-webhook".into(),
        },
        braintree: BraintreeAccount {
            merchant_id: "dummy-merchant".into(),
            public_key: "dummy-public-key".into(),
            private_key: "dummy-private-key".into(),
        },
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials { consumer_key: KEY.into(), consumer_secret: SECRET.into(), realm: Some(REALM.into()) }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn nonce() -> String {
    Uuid::new_v4().simple().to_string()
}

/// An Authorization header that is right in every way.
pub(crate) fn authorization(method: &str, url: &str) -> String {
    sign(&credentials(), method, url, &nonce(), now(), SignatureMethod::HmacSha1, &[]).unwrap()
}

impl Consumer {
    /// With a sandbox of its own, which ends with the test's system.
    pub(crate) fn start() -> Self {
        Self::of(Sandbox::start(settings()).unwrap().address())
    }

    /// Of the sandbox that listens there.
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self { address, client: Client::builder().disable_redirects().finish() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends with the given Authorization header, or with none.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, self.url(path));
        if let Some(value) = authorization {
            request = request.insert_header(("Authorization", value));
        }
        let mut answer = match body {
            Some(body) => request.send_json(&body).await.unwrap(),
            None => request.send().await.unwrap(),
        };
        let bytes = answer.body().await.unwrap();
        (answer.status(), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// Sends a signed request.
    pub(crate) async fn signed(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let authorization = authorization(method, &self.url(path));
        self.send(method, path, Some(&authorization), body).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.signed("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.signed("POST", path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.signed("PUT", path, Some(body)).await
    }

    /// Creates something that must succeed.
    pub(crate) async fn create(&self, path: &str, body: Value) -> Value {
        let (status, created) = self.post(path, body).await;
        assert_eq!(status, 201, "{path}: {created}");
        created
    }

    /// Speaks to the sandbox's own side.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.send(method, &format!("/_sandbox{path}"), None, body).await
    }

    /// Creates the seller `s1` with the product `p1`.
    pub(crate) async fn stock(&self) {
        self.create("/sellers", seller("s1")).await;
        self.create("/products", product("p1", "s1")).await;
    }

    /// Starts a purchase of `p1` whose notices go to the given base URL.
    pub(crate) async fn start_purchase(&self, callbacks: &str) -> Value {
        self.create("/transactions", purchase(callbacks)).await
    }

    /// The sandbox's count of one kind of request, as `POST /sellers`.
    pub(crate) async fn arrivals(&self, kind: &str) -> u64 {
        let (_, count) = self.control("GET", "/requests", None).await;
        count["counts"][kind].as_u64().unwrap_or_default()
    }

    pub(crate) async fn ask_for(&self, faults: Value) {
        let (status, answer) = self.control("POST", "/faults", Some(faults)).await;
        assert_eq!(status, 200, "{answer}");
    }
}

pub(crate) fn seller(uuid: &str) -> Value {
    json!({"uuid": uuid, "name": "A seller", "email": "seller@example.com", "status": "ACTIVE"})
}

pub(crate) fn product(uuid: &str, seller: &str) -> Value {
    json!({"uuid": uuid, "seller_id": seller, "external_id": format!("ext-{uuid}"), "name": "A product"})
}

pub(crate) fn purchase(callbacks: &str) -> Value {
    json!({
        "product_id": "p1",
        "region": "123",
        "carrier": "TMOBILE",
        "price": "0.99",
        "currency": "EUR",
        "pay_method": "OPERATOR",
        "callback_success_url": format!("{callbacks}/success"),
        "callback_error_url": format!("{callbacks}/error"),
        "success_url": "https://shop.example/success",
        "error_url": "https://shop.example/error",
        "ext_transaction_id": "solitude:1 &é",
    })
}

/// `value` with one field replaced, or taken away when it is replaced by nothing.
pub(crate) fn with(mut value: Value, name: &str, field: Option<Value>) -> Value {
    match field {
        Some(field) => value[name] = field,
        None => drop(value.as_object_mut().unwrap().remove(name)),
    }
    value
}
