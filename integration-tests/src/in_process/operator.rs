//! provider-proxy and the sandbox alone, asked for neutral operations as db-server asks.

use actix_web::http::Method;
use jws::SigningKey;
use serde_json::{Value, json};
use toml::Table;
use uuid::Uuid;
use wire::{
    Reply,
    identity::{Claims, LONGEST_LIFE},
    payment::{PaymentOperation, Provider, payment_path},
};

use super::{Dummies, Server, provider_proxy_settings, start_provider_proxy, start_sandbox};
use crate::{
    client::{Answer, Client},
    settings::{identity_key, merge},
};

/// One provider at the sandbox, behind provider-proxy; stops when dropped.
pub struct Operator {
    /// The sandbox.
    pub sandbox: Server,
    /// provider-proxy.
    pub provider_proxy: Server,
    /// Their secrets.
    pub dummies: Dummies,
    provider: Provider,
    key: SigningKey,
}

impl Operator {
    /// Starts both, and asks this provider from now on.
    ///
    /// # Panics
    /// When something does not start.
    #[must_use]
    pub fn of(provider: Provider) -> Self {
        Self::with_settings(provider, "")
    }

    /// The same with TOML merged over provider-proxy's settings.
    ///
    /// # Panics
    /// When something does not start.
    #[must_use]
    pub fn with_settings(provider: Provider, text: &str) -> Self {
        let dummies = Dummies::default();
        let sandbox = start_sandbox(&dummies);
        let mut table = provider_proxy_settings(sandbox.url(), &dummies);
        merge(&mut table, text.parse::<Table>().unwrap());
        let provider_proxy = start_provider_proxy(table);
        let pem = std::fs::read_to_string(identity_key()).unwrap();
        let key = SigningKey::from_pem(&pem.into(), None).unwrap();
        Self { sandbox, provider_proxy, dummies, provider, key }
    }

    /// Asks for an operation.
    ///
    /// # Panics
    /// When the answer is not of the operation.
    pub async fn ask<O: PaymentOperation>(&self, request: &O::Request) -> Reply<O::Answer> {
        let answer =
            self.post(&payment_path::<O>(self.provider), &serde_json::to_value(request).unwrap()).await;
        serde_json::from_slice(&answer.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {answer:?}", O::NAME))
    }

    /// The answer to an operation that gives one.
    ///
    /// # Panics
    /// When there is only an error.
    pub async fn result<O: PaymentOperation>(&self, request: &O::Request) -> O::Answer {
        match self.ask::<O>(request).await {
            Reply::Result(answer) => answer,
            Reply::Refused(answer) => panic!("{}: refused with {answer:?}", O::NAME),
            Reply::Error(failure) => panic!("{}: {failure}", O::NAME),
        }
    }

    /// Posts JSON to provider-proxy as db-server does.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let client = Client::unsigned(self.provider_proxy.url());
        let request = client.request(Method::POST, path).json(body);
        request.header("Authorization", &format!("Bearer {}", self.token())).answer().await
    }

    fn token(&self) -> String {
        let now = u64::try_from(chrono::Utc::now().timestamp()).unwrap();
        let claims = Claims {
            sub: "operator".to_owned(),
            authorities: vec!["ROLE_WRITE".to_owned()],
            iss: "db-server".to_owned(),
            aud: "provider-proxy".to_owned(),
            iat: now,
            exp: now + LONGEST_LIFE,
            jti: Uuid::new_v4().to_string(),
        };
        jws::sign(&self.key, &claims, None).unwrap()
    }

    /// A client of the sandbox.
    #[must_use]
    pub fn sandbox_client(&self) -> Client {
        Client::unsigned(self.sandbox.url())
    }

    /// The ledger's lines with this reference: kind, amount and currency.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn ledger(&self, reference: impl ToString) -> Vec<(String, String)> {
        let path = format!("/_sandbox/ledger?reference={}", reference.to_string());
        let lines = self.sandbox_client().get(&path).await.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let line = |line: &Value| {
            (text(&line["kind"]), format!("{} {}", text(&line["amount"]), text(&line["currency"])))
        };
        lines.as_array().unwrap().iter().map(line).collect()
    }

    /// Has the next request to a path of the provider meet a fault.
    ///
    /// # Panics
    /// When the sandbox does not take it.
    pub async fn fault(&self, path: &str, fault: &Value) {
        let path = format!("/{}{path}", self.provider);
        let answer =
            self.sandbox_client().post("/_sandbox/faults", &json!([{"path": path, "fault": fault}])).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Has the payer, or whoever else is waited for, `approve` or `decline`.
    ///
    /// # Panics
    /// When nothing of this id waits.
    pub async fn decide(&self, id: &str, decision: &str) {
        let path = format!("/_sandbox/waiting/{}/{id}/{decision}", self.provider);
        let answer = self.sandbox_client().post(&path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// How many requests the sandbox has seen at this `METHOD PATH` of the provider.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn arrived(&self, method: &str, path: &str) -> u64 {
        let counts = self.sandbox_client().get("/_sandbox/requests").await.json();
        counts["counts"][format!("{method} /{}{path}", self.provider)].as_u64().unwrap_or(0)
    }
}
