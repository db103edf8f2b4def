//! What ties the log lines of one request together, across both servers.

use actix_web::http::Method;
use integration_tests::{client::Client, in_process::Dummies};
use serde_json::{Value, json};

use super::{
    executables::{Executables, Running},
    shop::Shop,
};

fn lines_of(server: &Running, request_id: &str) -> Vec<Value> {
    let lines = server.process.lines();
    lines
        .iter()
        .filter(|line| line.contains(request_id))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[actix_web::test]
async fn every_line_of_a_request_names_it_its_transaction_and_its_client_on_both_servers() {
    let json_lines = "[log]\nformat = 'json'\nlevel = 'debug'";
    let running = Executables::start(json_lines, json_lines, Dummies::default()).await;
    let client = running.client();
    let sandbox = Client::unsigned(&running.sandbox.url);
    let shop = Shop::open_at(client.clone(), &running.db_server.url, sandbox).await;
    shop.fault("/sellers", json!({"status": 503})).await;
    let answer = client
        .request(Method::GET, &shop.reference_seller)
        .header("X-Request-Id", "the-request")
        .header("Transaction-Id", "the-transaction")
        .answer()
        .await;
    assert_eq!((answer.status, answer.header("x-request-id")), (503, Some("the-request")));

    // The access line is a request's last one.
    let ours = format!("GET {} HTTP/1.1 503", shop.reference_seller);
    for (server, client, last) in [
        (&running.db_server, json!("dummy-client"), ours.as_str()),
        (&running.provider_proxy, Value::Null, "POST /v1/reference/get_seller HTTP/1.1 503"),
    ] {
        server.process.wait_for_line(last).await.unwrap();
        let lines = lines_of(server, "the-request");
        assert!(lines.len() >= 2, "an access line and an error: {lines:?}");
        for line in &lines {
            assert_eq!(line["request_id"], "the-request");
            assert_eq!(line["transaction_id"], "the-transaction");
            assert_eq!(line["client"], client, "{line}");
        }
    }
    let lines = lines_of(&running.provider_proxy, "the-request");
    assert!(lines.iter().any(|line| line["message"] == "Warning response status: 503"), "{lines:?}");
}

#[actix_web::test]
async fn a_request_line_has_its_status_and_milliseconds_and_no_value_of_its_query() {
    let running = Executables::start("", "", Dummies::default()).await;
    let listed = running.client().get("/generic/seller/?uuid=dummy-value&limit=5").await;
    assert_eq!(listed.status, 200);
    let line = running.db_server.process.wait_for_line("GET /generic/seller/").await.unwrap();
    assert!(line.contains("GET /generic/seller/?uuid=…&limit=… HTTP/1.1 200 "), "{line}");
    assert!(line.ends_with(" ms"), "{line}");
    assert!(!line.contains("dummy-value"), "{line}");
}
