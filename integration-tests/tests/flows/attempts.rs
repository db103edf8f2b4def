//! db-server killed while a provider is being asked: nothing is done twice, and nothing is lost.

use actix_web::{http::Method, rt};
use diesel::connection::SimpleConnection;
use integration_tests::{
    client::Client,
    database::TestDatabase,
    in_process::{Dummies, db_server_settings, provider_proxy_settings, start_provider_proxy, start_sandbox},
};
use serde_json::json;

use super::{
    executables::{running, server},
    payers::Stripe,
    shop::created,
    webhooks::count,
};

#[actix_web::test]
async fn a_kill_in_the_middle_of_a_call_is_seen_and_the_same_request_is_done_once() {
    let (database, dummies, folder) = (TestDatabase::new(), Dummies::default(), tempfile::tempdir().unwrap());
    let sandbox = start_sandbox(&dummies);
    let provider_proxy = start_provider_proxy(provider_proxy_settings(sandbox.url(), &dummies));
    let settings =
        db_server_settings(&database.socket_folder(), database.name(), provider_proxy.url(), &dummies);
    let of = |url: &str| Client::signed(url, &dummies.client_key, &dummies.client_secret);
    let stripe = Stripe { sandbox: Client::unsigned(sandbox.url()), dummies: &dummies };

    let first = running(server("db-server", folder.path(), &settings)).await;
    let client = of(&first.url);
    let body = stripe.prepare(&client).await;
    // Stripe does it at once and answers when nobody listens any more.
    let late = json!([{"method": "POST", "path": "/stripe/v1/subscriptions",
                       "fault": {"delay_ms": 2_000, "after": true}}]);
    assert!(stripe.sandbox.post("/_sandbox/faults", &late).await.status < 300);
    let sent = body.clone();
    let asking =
        rt::spawn(async move { client.request(Method::POST, "/subscriptions/").json(&sent).send().await });
    while stripe.ask(Method::GET, "subscriptions", &[]).await["data"] == json!([]) {
        rt::task::yield_now().await;
    }
    first.process.kill();
    first.process.wait().await.unwrap();
    assert!(asking.await.unwrap().is_err(), "nobody has answered");

    let second = running(server("db-server", folder.path(), &settings)).await;
    let client = of(&second.url);
    let mut connection = database.connect();
    let open = "select count(*) from payment_attempts where operation = 'subscribe' and outcome is null";
    assert_eq!(
        (count(&mut connection, open), count(&mut connection, "select count(*) from subscriptions")),
        (1, 0)
    );
    let at_once = client.post("/subscriptions/", &body).await;
    assert_eq!(at_once.status, 409, "the first call may still be under way: {at_once:?}");
    connection
        .batch_execute(
            "update payment_attempts set modified = modified - interval '1 minute' where outcome is null",
        )
        .unwrap();
    let made = created(client.post("/subscriptions/", &body).await);
    let there = stripe.ask(Method::GET, "subscriptions", &[]).await;
    assert_eq!(there["data"].as_array().unwrap().len(), 1, "{there}");
    assert_eq!(there["data"][0]["id"], made["provider_id"]);
    let ledger = stripe.sandbox.get("/_sandbox/ledger?provider=stripe").await.json();
    assert_eq!(ledger.as_array().unwrap().len(), 1, "charged once: {ledger}");
    assert_eq!(count(&mut connection, open), 0);
}
