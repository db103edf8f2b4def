//! One complete purchase through client, db-server, provider-proxy and the reference provider.

use actix_web::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    running::Pair,
    steps::{Call, Called, Route, StepError, Steps},
};
use crate::client::Client;

const OURS: Route = Route { from: "client", to: &["db-server"] };
const THROUGH: Route = Route { from: "client", to: &["db-server", "provider-proxy", "reference"] };
const PAYER: Route = Route { from: "payer", to: &["reference"] };
const NOTICE: Route = Route { from: "reference", to: &["db-server", "provider-proxy"] };

/// Where the provider posts its signed notice.
const WEBHOOK: &str = "/webhooks/reference/";

const PRICE: &str = "0.99";
const CURRENCY: &str = "EUR";

/// `completed` and `reference`, as numbers of the API.
const COMPLETED: u64 = 1;
const REFERENCE: u64 = 2;

/// A purchase that goes through a pair.
pub(super) struct Purchase<'a> {
    pair: &'a Pair,
    steps: &'a mut Steps,
    client: Client,
}

/// What is for sale, by its keys on both sides.
struct Product {
    seller: String,
    uri: String,
    reference: String,
}

impl<'a> Purchase<'a> {
    /// Of the pair's own client.
    pub(super) fn new(pair: &'a Pair, steps: &'a mut Steps) -> Self {
        let (key, secret) = pair.client();
        Self { pair, steps, client: Client::signed(pair.db_server(), key, secret) }
    }

    /// Makes the purchase and gives the transaction as db-server shows it at the end.
    pub(super) async fn make(mut self) -> Result<Value, StepError> {
        let product = self.set_up_product().await?;
        let transaction = self.create_transaction(&product).await?;
        let (token, uid_pay) = self.start(&product, &transaction.1).await?;
        self.pay(&token, &transaction.1).await?;
        self.read_back(&transaction.0, &uid_pay).await
    }

    async fn set_up_product(&mut self) -> Result<Product, StepError> {
        let seller = self.post(OURS, "/generic/seller/", json!({"uuid": unique("seller")})).await?;
        let seller_uri = self.told(&seller, "seller")?;
        let body = json!({
            "seller": seller_uri, "external_id": unique("product"), "public_id": unique("public"), "access": 1,
        });
        let product = self.post(OURS, "/generic/product/", body).await?;
        let product_uri = self.told(&product, "product")?;
        let body = json!({
            "seller": seller_uri, "uuid": unique("reference-seller"), "name": "A Seller",
            "email": "seller@example.test", "status": "ACTIVE",
        });
        let reference_seller = self.post(THROUGH, "/provider/reference/sellers/", body).await?;
        let reference_seller_uri = self.told_remote(&reference_seller, "reference_seller")?;
        self.agree_to_terms(&reference_seller.text("/id")?).await?;
        let body = json!({
            "seller_product": product_uri, "seller_reference": reference_seller_uri,
            "uuid": unique("reference-product"), "name": "A Product",
        });
        let reference_product = self.post(THROUGH, "/provider/reference/products/", body).await?;
        self.told_remote(&reference_product, "reference_product")?;
        let reference = reference_product.text("/reference/resource_pk")?;
        Ok(Product { seller: seller_uri, uri: product_uri, reference })
    }

    async fn agree_to_terms(&mut self, id: &str) -> Result<(), StepError> {
        let path = format!("/provider/reference/terms/{id}/");
        let terms = self.send(THROUGH, Method::GET, &path, None, 200).await?;
        terms.text("/reference/text")?;
        terms.check("/reference/agreement", &Value::Null)?;
        self.steps.tell(&terms, &[("agreement", "none yet")]);
        let today = chrono::Utc::now().date_naive().to_string();
        let agreed = self.send(THROUGH, Method::PUT, &path, Some(json!({"agreement": today})), 200).await?;
        let agreement = agreed.text("/reference/agreement")?;
        self.steps.tell(&agreed, &[("agreement", &agreement)]);
        Ok(())
    }

    /// Gives the URI and the uuid.
    async fn create_transaction(&mut self, product: &Product) -> Result<(String, String), StepError> {
        let body = json!({
            "seller": product.seller, "seller_product": product.uri, "amount": PRICE, "currency": CURRENCY,
            "type": 0,
        });
        let created = self.post(OURS, "/generic/transaction/", body).await?;
        let (uri, uuid) = (created.text("/resource_uri")?, created.text("/uuid")?);
        self.steps.tell(&created, &[("transaction", &uri), ("uuid", &uuid)]);
        Ok((uri, uuid))
    }

    /// Gives the payer's token and the provider's key of the transaction.
    async fn start(&mut self, product: &Product, uuid: &str) -> Result<(String, String), StepError> {
        let webhook = format!("{}{WEBHOOK}", self.pair.db_server());
        let body = json!({
            "product_id": product.reference, "region": "123", "carrier": "USA_TMOBILE", "price": PRICE,
            "currency": CURRENCY, "pay_method": "OPERATOR",
            "callback_success_url": webhook, "callback_error_url": webhook,
            "success_url": "https://shop.example.test/paid", "error_url": "https://shop.example.test/failed",
            "ext_transaction_id": uuid,
        });
        let started = self.post(THROUGH, "/provider/reference/transactions/", body).await?;
        started.check("/status", &json!("STARTED"))?;
        let token = started.text("/token")?;
        let uid_pay = started.text("/resource_pk")?;
        self.steps.tell(&started, &[("reference_transaction", &uid_pay), ("reference_status", "STARTED")]);
        Ok((token, uid_pay))
    }

    /// The payer confirms, and the provider posts its signed notice to db-server.
    async fn pay(&mut self, token: &str, uuid: &str) -> Result<(), StepError> {
        let sandbox = Client::unsigned(self.pair.sandbox());
        let paid = self
            .steps
            .call(Call {
                route: PAYER,
                client: &sandbox,
                method: Method::POST,
                path: format!("/_sandbox/reference/transactions/{token}/pay"),
                body: Some(json!({"outcome": "success"})),
                header: None,
                expected: 200,
            })
            .await?;
        paid.check("/transaction/status", &json!("COMPLETED"))?;
        paid.check("/notice/status", &json!(200))?;
        self.steps.tell(&paid, &[("reference_transaction", "COMPLETED")]);
        let request = format!("POST {WEBHOOK}");
        let line = self.pair.db_server_line(&request).await.map_err(|error| {
            self.steps.error(&request, format!("db-server did not log the provider's notice: {error}"))
        })?;
        let (status, milliseconds) = status_and_time(&line)
            .ok_or_else(|| self.steps.error(&request, format!("cannot read db-server's log line: {line}")))?;
        if status != 200 {
            return Err(self.steps.error(&request, format!("db-server answered {status} to the notice")));
        }
        self.steps.add(NOTICE, request, status, milliseconds, &[("uuid", uuid)]);
        Ok(())
    }

    async fn read_back(&mut self, uri: &str, uid_pay: &str) -> Result<Value, StepError> {
        let read = self.send(OURS, Method::GET, uri, None, 200).await?;
        read.check("/status", &json!(COMPLETED))?;
        read.check("/provider", &json!(REFERENCE))?;
        read.check("/uid_pay", &json!(uid_pay))?;
        read.check("/amount", &json!(PRICE))?;
        read.check("/currency", &json!(CURRENCY))?;
        let etag = read.header("etag")?;
        self.steps.tell(&read, &[("transaction", "completed"), ("etag", &etag)]);
        let again = self
            .steps
            .call(Call {
                route: OURS,
                client: &self.client,
                method: Method::GET,
                path: uri.to_owned(),
                body: None,
                header: Some(("If-None-Match", etag)),
                expected: 304,
            })
            .await?;
        self.steps.tell(&again, &[("transaction", "unchanged")]);
        Ok(read.answer.json())
    }

    async fn post(&self, route: Route, path: &str, body: Value) -> Result<Called, StepError> {
        self.send(route, Method::POST, path, Some(body), 201).await
    }

    async fn send(
        &self,
        route: Route,
        method: Method,
        path: &str,
        body: Option<Value>,
        expected: u16,
    ) -> Result<Called, StepError> {
        let path = path.to_owned();
        self.steps
            .call(Call { route, client: &self.client, method, path, body, header: None, expected })
            .await
    }

    fn told(&mut self, called: &Called, name: &str) -> Result<String, StepError> {
        let uri = called.text("/resource_uri")?;
        self.steps.tell(called, &[(name, &uri)]);
        Ok(uri)
    }

    fn told_remote(&mut self, called: &Called, name: &str) -> Result<String, StepError> {
        let uri = called.text("/resource_uri")?;
        let remote = called.text("/reference/resource_pk")?;
        self.steps.tell(called, &[(name, &uri), ("there", &remote)]);
        Ok(uri)
    }
}

fn unique(name: &str) -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("{name}-{}", &random[..8])
}

/// Reads `… POST /path HTTP/1.1 200 7 ms`.
fn status_and_time(line: &str) -> Option<(u16, u64)> {
    let mut words = line.split_whitespace().rev();
    (words.next()? == "ms").then_some(())?;
    let milliseconds = words.next()?.parse().ok()?;
    Some((words.next()?.parse().ok()?, milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_time_are_read_from_an_access_log_line() {
        let line =
            "2026-01-02T03:04:05.678Z INFO chassis::server [request=1] POST /webhooks/x/ HTTP/1.1 200 7 ms";
        assert_eq!(status_and_time(line), Some((200, 7)));
        assert_eq!(status_and_time("listening on http://127.0.0.1:1"), None);
    }
}
