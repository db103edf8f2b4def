//! provider-proxy's limits hold against whoever asks, over a restart, and without a request at the provider.

use std::path::Path;

use integration_tests::{
    client::{Answer, Client},
    in_process::{Dummies, Server, provider_proxy_settings, start_provider_proxy, start_sandbox},
    settings::merge,
};
use serde_json::{Value, json};
use wire::payment::AttemptId;

fn start_proxy(sandbox: &Server, dummies: &Dummies, state: &Path) -> (Server, Client) {
    let mut settings = provider_proxy_settings(sandbox.url(), dummies);
    // On a loopback address requests need no token then.
    settings.remove("identity");
    let policy = format!(
        "[policy]\nstate_file = {state:?}\nrefunds_per_hour = 2\noperations = [\"stripe/*\"]\n\
         largest_payment = {{ EUR = \"20.00\" }}\nlargest_refund = {{ EUR = \"5.00\" }}\n\
         refunded_per_day = {{ EUR = \"6.00\" }}\n"
    );
    merge(&mut settings, policy.parse().unwrap());
    let proxy = start_provider_proxy(settings);
    let client = Client::unsigned(proxy.url());
    (proxy, client)
}

fn euro(minor_units: i64) -> Value {
    json!({"minor_units": minor_units, "currency": "EUR"})
}

async fn authorize(client: &Client, amount: Value) -> Answer {
    let request = json!({
        "attempt": AttemptId::new(), "amount": amount, "source": {"nonce": {"nonce": "pm_card_visa"}}, "capture": true,
    });
    client.post("/v1/stripe/authorize", &request).await
}

fn refund(payment: &str, minor_units: i64) -> Value {
    json!({"attempt": AttemptId::new(), "payment": payment, "amount": euro(minor_units)})
}

async fn count(sandbox: &Client) -> u64 {
    sandbox.get("/_sandbox/requests").await.json()["total"].as_u64().unwrap()
}

/// Asks for what must be refused by the limit with these words, before the provider hears of it.
async fn refused(client: &Client, sandbox: &Client, operation: &str, request: &Value, words: &str) {
    let before = count(sandbox).await;
    let answer = client.post(&format!("/v1/{operation}"), request).await;
    assert_eq!((answer.status, &answer.json()["error"]["kind"]), (403, &json!("policy")), "{answer:?}");
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains(words), "{answer:?}");
    assert_eq!(count(sandbox).await, before, "{operation} was sent");
}

#[actix_web::test]
async fn the_limits_hold_over_a_restart_and_the_provider_hears_nothing_of_what_is_above_them() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("refunds.jsonl");
    let dummies = Dummies::default();
    let server = start_sandbox(&dummies);
    let sandbox = Client::unsigned(server.url());
    let (proxy, client) = start_proxy(&server, &dummies, &state);

    let paid = authorize(&client, euro(2000)).await.json();
    assert_eq!(paid["result"]["outcome"], "succeeded", "{paid}");
    let payment = paid["result"]["result"]["reference"].as_str().unwrap();
    let above = json!({
        "attempt": AttemptId::new(), "amount": euro(2001), "source": {"nonce": {"nonce": "pm_card_visa"}},
        "capture": true,
    });
    refused(&client, &sandbox, "stripe/authorize", &above, "a payment may be about 20.00 EUR at most").await;
    refused(&client, &sandbox, "paypal/health", &json!({"attempt": AttemptId::new()}), "paypal/health").await;
    refused(&client, &sandbox, "stripe/refund", &refund(payment, 501), "a refund may be about 5.00 EUR")
        .await;

    let first = refund(payment, 400);
    let made = client.post("/v1/stripe/refund", &first).await.json();
    assert_eq!(made["result"]["outcome"], "succeeded", "{made}");
    refused(&client, &sandbox, "stripe/refund", &refund(payment, 201), "in a day may come to 6.00 EUR").await;
    // The provider refuses this one evidently, so it does not count.
    let rejected = client.post("/v1/stripe/refund", &refund("pi_none", 100)).await.json();
    assert_eq!(rejected["result"]["outcome"], "rejected", "{rejected}");

    drop(proxy);
    let (_proxy, client) = start_proxy(&server, &dummies, &state);
    refused(&client, &sandbox, "stripe/refund", &refund(payment, 201), "in a day may come to 6.00 EUR").await;
    let again = client.post("/v1/stripe/refund", &first).await.json();
    assert_eq!(
        again["result"]["result"]["reference"], made["result"]["result"]["reference"],
        "the same refund"
    );
    let second = client.post("/v1/stripe/refund", &refund(payment, 200)).await.json();
    assert_eq!(second["result"]["outcome"], "succeeded", "the same refund again counts once: {second}");
    refused(&client, &sandbox, "stripe/refund", &refund(payment, 1), "there may be 2 refunds in an hour")
        .await;

    let ledger = sandbox.get("/_sandbox/ledger?kind=refund").await.json();
    let amounts: Vec<_> =
        ledger.as_array().unwrap().iter().map(|entry| entry["amount"].as_str().unwrap()).collect();
    assert_eq!(amounts, ["4.00", "2.00"]);
}
