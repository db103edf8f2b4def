//! db-server dies in the middle of a request that moves money: the same request, sent again, goes on with it.

use actix_web::http::Method;
use diesel::{RunQueryDsl, sql_query};
use integration_tests::{client::Answer, in_process::Dummies, in_process::db_server_settings};
use serde_json::{Value, json};
use wire::payment::Provider;

use super::{
    executables::{DATABASE, Executables, running, server},
    payers::VISA,
    shop::{created, text, unique},
    till::post,
};

/// The real servers, of which db-server dies and comes back.
struct Storm {
    running: Executables,
    folder: tempfile::TempDir,
    product: String,
    public_id: String,
}

impl Storm {
    async fn new() -> Self {
        let running = Executables::start("", "", Dummies::default()).await;
        let client = running.client();
        let seller = created(client.post("/generic/seller/", &json!({"uuid": unique("s")})).await);
        let public_id = unique("p");
        let body = json!({
            "seller": seller["resource_uri"], "external_id": unique("x"), "public_id": public_id,
        });
        let product = text(&created(client.post("/generic/product/", &body).await), "/resource_uri");
        Self { running, folder: tempfile::tempdir().unwrap(), product, public_id }
    }

    /// db-server ends and is started again, to die at a point if one is named.
    async fn restart(&mut self, point: Option<&str>) {
        self.running.db_server.process.kill();
        let dummies = &self.running.dummies;
        let folder = self.running.postgres.socket_folder();
        let table = db_server_settings(folder, DATABASE, &self.running.provider_proxy.url, dummies);
        let mut launch = server("db-server", self.folder.path(), &table);
        if let Some(point) = point {
            launch = launch.variable("SOLITUDE_CRASH_AT", point);
        }
        self.running.db_server = running(launch).await;
    }

    /// Sends a request during which db-server dies at this point, and sends it again once it is back: while the lease
    /// lasts, and when it is over.
    async fn crash(&mut self, point: &str, path: &str, body: &Value) -> Answer {
        let key = unique("key");
        self.restart(Some(point)).await;
        let client = self.running.client();
        let request = client.request(Method::POST, path).header("Idempotency-Key", &key).json(body);
        assert!(request.send().await.is_err(), "{point}");
        self.running.db_server.process.wait().await.unwrap();
        self.restart(None).await;
        if !point.ends_with("settled") {
            let early = post(&self.running.client(), path, &key, body).await;
            assert_eq!((early.status, early.header("retry-after")), (409, Some("1")), "{point}: {early:?}");
        }
        let mut connection = self.running.postgres.connect(DATABASE).unwrap();
        let over = "update idempotency_keys set leased_until = now() - interval '1 second' \
                    where leased_until is not null";
        sql_query(over).execute(&mut connection).unwrap();
        post(&self.running.client(), path, &key, body).await
    }

    async fn ledger(&self, provider: Provider) -> Vec<(String, String)> {
        let sandbox = integration_tests::client::Client::unsigned(&self.running.sandbox.url);
        super::till::lines_of(&sandbox, provider).await
    }
}

#[actix_web::test]
async fn a_request_goes_on_after_a_crash_wherever_it_came_and_charges_once() {
    let mut storm = Storm::new().await;
    let mut expected = Vec::new();
    for step in ["begun", "answered", "settled"] {
        let order = json!({
            "provider": "stripe", "amount": "10.00", "currency": "EUR", "nonce": VISA, "capture": false,
            "seller_product": storm.product,
        });
        let held = storm.crash(&format!("create.{step}"), "/payments/", &order).await;
        assert_eq!((held.status, &held.json()["status"]), (201, &json!("authorized")), "{step}: {held:?}");
        let uri = text(&held.json(), "/resource_uri");
        let body = json!({"amount": "8.00", "last": true});
        let captured = storm.crash(&format!("capture.{step}"), &format!("{uri}capture/"), &body).await;
        assert_eq!(captured.status, 200, "{step}: {captured:?}");
        assert_eq!(captured.json()["captured_amount"], "8.00", "{step}");
        let body = json!({"amount": "3.00"});
        let refund = storm.crash(&format!("refund.{step}"), &format!("{uri}refunds/"), &body).await;
        assert_eq!((refund.status, &refund.json()["status"]), (201, &json!("succeeded")), "{step}");
        expected.extend([super::till::line("charge", "8.00"), super::till::line("refund", "3.00")]);
        let now = storm.running.client().get(&uri).await.json();
        assert_eq!((&now["status"], &now["refunded_amount"]), (&json!("captured"), &json!("3.00")));
    }
    assert_eq!(storm.ledger(Provider::Stripe).await, expected);
}

#[actix_web::test]
async fn a_sale_goes_on_after_a_crash_wherever_it_came_and_charges_no_more_than_once() {
    let mut storm = Storm::new().await;
    for (step, amount) in [("begun", "5.00"), ("answered", "6.00"), ("settled", "7.00")] {
        let body = json!({"product_id": storm.public_id, "amount": amount, "nonce": "fake-valid-nonce"});
        let sold = storm.crash(&format!("create.{step}"), "/braintree/sale/", &body).await;
        if step == "begun" {
            // Braintree has no keys: what it may have heard of is looked up, and not asked again.
            let error = &sold.json()["proxy_error"];
            assert_eq!((sold.status, &error["outcome"]), (502, &json!("unknown")), "{sold:?}");
            let pending = storm.running.client().get(&text(error, "/transaction")).await.json();
            assert_eq!((&pending["status"], &pending["status_reason"]), (&json!(0), &json!("unknown")));
            continue;
        }
        let generic = &sold.json()["mozilla"]["generic"];
        assert_eq!((sold.status, &generic["status"]), (200, &json!(2)), "{step}: {sold:?}");
        assert_eq!(generic["amount"], amount);
    }
    let charges = [super::till::line("charge", "6.00"), super::till::line("charge", "7.00")];
    assert_eq!(storm.ledger(Provider::Braintree).await, charges);
    let mut connection = storm.running.postgres.connect(DATABASE).unwrap();
    assert_eq!(super::ledger::assert_sound(&mut connection), (3, 12));
}
