//! `/webhooks/PROVIDER/`: what providers post by themselves is verified, kept once, answered, and applied.

use actix_web::http::Method;
use diesel::connection::SimpleConnection;
use integration_tests::{
    client::{Answer, Client},
    database::TestDatabase,
    in_process::{
        Dummies, Pair, db_server_settings, provider_proxy_settings, start_provider_proxy, start_sandbox,
    },
    sandbox::send_webhooks,
};
use serde_json::{Value, json};

use super::{
    executables::{merged, running, server},
    payers::{Payer, Stripe, VISA, below},
    paymethods::rows,
    shop::{created, text},
};

/// A subscription at Stripe, all of whose webhooks so far have arrived.
async fn subscribed() -> (Payer, Value) {
    let payer = Payer::new().await;
    let (card, plan) = (payer.store("stripe", VISA).await, payer.stripe_plan().await);
    let shown = payer.subscribe(&card, &plan).await;
    arrived(&payer.pair.sandbox_client()).await;
    (payer, shown)
}

/// Every delivery, once none is on its way.
async fn arrived(sandbox: &Client) -> Vec<Value> {
    let shown = sandbox.get("/_sandbox/webhooks?wait=true").await;
    shown.json()["deliveries"].as_array().unwrap().clone()
}

/// How events are handled from now on.
async fn handling(payer: &Payer, how: Value) {
    let answer = payer.pair.sandbox_client().put("/_sandbox/webhooks/handling", &how).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// The subscription ends at Stripe, and nobody has told us.
async fn ended_there(payer: &Payer, shown: &Value) {
    let path = format!("subscriptions/{}", text(shown, "/provider_id"));
    let ended = payer.stripe(Method::DELETE, &path, &[]).await;
    assert_eq!(ended["status"], "canceled");
}

/// The ids of the events in the inbox that are not applied.
fn open(pair: &Pair) -> usize {
    rows(pair, "webhook_events where applied is null and kind like 'subscription%'").len()
}

async fn post(url: &str, message: &Value, body: &str) -> Answer {
    let client = Client::unsigned(url);
    let mut request =
        client.request(Method::POST, "/webhooks/stripe/").raw(body.as_bytes(), "application/json");
    for header in message["headers"].as_array().unwrap() {
        let name = header[0].as_str().unwrap();
        if !name.eq_ignore_ascii_case("content-type") {
            request = request.header(name, header[1].as_str().unwrap());
        }
    }
    request.answer().await
}

#[actix_web::test]
async fn what_a_provider_says_about_a_subscription_is_kept_and_applied() {
    let (payer, shown) = subscribed().await;
    assert!(
        rows(&payer.pair, "webhook_events").iter().all(|row| row.contains("gAAAA") && !row.contains("cus_"))
    );
    let before = payer.read(&shown).await;
    assert_eq!((&before["status"], open(&payer.pair)), (&json!("active"), 0));
    ended_there(&payer, &shown).await;
    let deliveries = arrived(&payer.pair.sandbox_client()).await;
    assert!(deliveries.iter().all(|delivery| delivery["status"] == 200), "{deliveries:?}");
    let after = payer.read(&shown).await;
    assert_eq!((&after["status"], &after["active"]), (&json!("cancelled"), &json!(false)));
    assert!(after["counter"].as_i64() > before["counter"].as_i64());
    assert_eq!((open(&payer.pair), &after["next_billing"]), (0, &Value::Null));
}

#[actix_web::test]
async fn an_event_that_is_delivered_again_is_answered_200_and_changes_nothing() {
    let (payer, shown) = subscribed().await;
    handling(&payer, json!({"copies": 3})).await;
    ended_there(&payer, &shown).await;
    let deliveries = arrived(&payer.pair.sandbox_client()).await;
    assert!(deliveries.iter().all(|delivery| delivery["status"] == 200), "{deliveries:?}");
    let ids: std::collections::BTreeSet<_> =
        deliveries.iter().map(|delivery| text(delivery, "/event_id")).collect();
    assert!(deliveries.len() > ids.len(), "some came more than once");
    let inbox = rows(&payer.pair, "webhook_events");
    assert_eq!(inbox.len(), ids.len());
    let after = payer.read(&shown).await;
    let again = text(deliveries.last().unwrap(), "/event_id");
    let sent = payer
        .pair
        .sandbox_client()
        .post(&format!("/_sandbox/webhooks/events/{again}/send"), &json!({}))
        .await;
    assert_eq!(sent.json()["deliveries"][0]["status"], 200, "{sent:?}");
    assert_eq!((payer.read(&shown).await, rows(&payer.pair, "webhook_events")), (after, inbox));
}

#[actix_web::test]
async fn events_in_the_wrong_order_end_where_the_right_order_does() {
    let (payer, shown) = subscribed().await;
    handling(&payer, json!({"hold": true})).await;
    let path = format!("/_sandbox/stripe/subscriptions/{}/renew", text(&shown, "/provider_id"));
    let renewed = payer.pair.sandbox_client().post(&path, &json!({})).await;
    assert_eq!(renewed.status, 200, "{renewed:?}");
    ended_there(&payer, &shown).await;
    let held = payer.pair.sandbox_client().get("/_sandbox/webhooks").await.json()["held"].clone();
    let mut order: Vec<_> = held.as_array().unwrap().iter().map(|event| text(event, "/event_id")).collect();
    assert!(order.len() > 2, "{held}");
    order.reverse();
    let released =
        payer.pair.sandbox_client().post("/_sandbox/webhooks/release", &json!({"order": order})).await;
    assert_eq!(released.status, 200, "{released:?}");
    let after = payer.read(&shown).await;
    assert_eq!((&after["status"], &after["active"]), (&json!("cancelled"), &json!(false)));
    assert_eq!(open(&payer.pair), 0);
}

#[actix_web::test]
async fn what_is_not_genuine_is_403_and_kept_nowhere() {
    let (payer, shown) = subscribed().await;
    handling(&payer, json!({"hold": true})).await;
    ended_there(&payer, &shown).await;
    let sandbox = payer.pair.sandbox_client();
    let held = sandbox.get("/_sandbox/webhooks").await.json()["held"].clone();
    let id = text(&held, "/0/event_id");
    let genuine = sandbox.get(&format!("/_sandbox/webhooks/events/{id}")).await.json();
    let (before, url) = (rows(&payer.pair, "webhook_events"), payer.pair.db_server.url());
    let body = text(&genuine, "/body");
    let mut unsigned = genuine.clone();
    unsigned["headers"] = json!([]);
    let mut forged = genuine.clone();
    forged["headers"] = json!([["Stripe-Signature", "t=1700000000,v1=00"]]);
    for (message, body) in
        [(&genuine, body.replace("canceled", "active")), (&unsigned, body.clone()), (&forged, body.clone())]
    {
        let answer = post(url, message, &body).await;
        assert_eq!((answer.status, answer.json()["detail"].is_string()), (403, true), "{answer:?}");
    }
    assert_eq!(rows(&payer.pair, "webhook_events"), before);
    assert_eq!(payer.read(&shown).await["status"], "active");
    assert_eq!(post(url, &genuine, &body).await.status, 200);
}

#[actix_web::test]
async fn what_can_be_no_webhook_is_refused() {
    let payer = Payer::new().await;
    let client = Client::unsigned(payer.pair.db_server.url());
    let send = |path: &'static str, body: Vec<u8>| {
        let request = client.request(Method::POST, path).raw(&body, "application/json");
        async move { request.answer().await.status }
    };
    assert_eq!(send("/webhooks/bango/", b"{}".to_vec()).await, 404);
    assert_eq!(send("/webhooks/Stripe/", b"{}".to_vec()).await, 404);
    assert_eq!(send("/webhooks/stripe/", b"{}".to_vec()).await, 403);
    assert_eq!(send("/webhooks/stripe", Vec::new()).await, 403);
    assert_eq!(send("/webhooks/stripe/", vec![b' '; 1024 * 1024 + 1]).await, 413);
    assert_eq!(client.request(Method::PUT, "/webhooks/stripe/").answer().await.status, 405);
    assert_eq!(rows(&payer.pair, "webhook_events"), Vec::<String>::new());
}

#[actix_web::test]
async fn a_challenge_is_for_the_provider_that_asks_one() {
    let payer = Payer::new().await;
    let address = format!("{}/webhooks/braintree/", payer.pair.db_server.url());
    let asked = format!("/_sandbox/braintree/challenge?url={}", address.replace("://", "%3A%2F%2F"));
    let asked = payer.pair.sandbox_client().get(&asked).await.json();
    assert_eq!((&asked["status"], &asked["verified"]), (&json!(200), &json!(true)), "{asked}");
    let client = Client::unsigned(payer.pair.db_server.url());
    for (path, status) in [
        ("/webhooks/stripe/?bt_challenge=20f38e0ea9f1ac4ba5e8", 400),
        ("/webhooks/braintree/", 400),
        ("/webhooks/braintree/?bt_challenge=a&x=1", 400),
        ("/webhooks/bango/?bt_challenge=a", 404),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
}

#[actix_web::test]
async fn what_cannot_be_verified_now_is_not_answered_as_taken_and_is_delivered_again() {
    let (mut payer, shown) = subscribed().await;
    payer.pair.provider_proxy.stop();
    ended_there(&payer, &shown).await;
    let deliveries = arrived(&payer.pair.sandbox_client()).await;
    let last = deliveries.last().unwrap();
    assert_eq!(last["status"], 502, "{last}");
    assert_eq!(payer.read(&shown).await["status"], "active");
    let url = payer.pair.provider_proxy.url().to_owned();
    let mut table = provider_proxy_settings(payer.pair.sandbox.url(), &payer.pair.dummies);
    let listen = format!("[server]\nlisten = '{}'", url.trim_start_matches("http://"));
    integration_tests::settings::merge(&mut table, listen.parse().unwrap());
    payer.pair.provider_proxy = start_provider_proxy(table);
    let path = format!("/_sandbox/webhooks/events/{}/send", text(last, "/event_id"));
    let sent = payer.pair.sandbox_client().post(&path, &json!({})).await;
    assert_eq!(sent.json()["deliveries"][0]["status"], 200, "{sent:?}");
    assert_eq!(payer.read(&shown).await["status"], "cancelled");
}

#[actix_web::test]
async fn an_event_about_a_subscription_that_is_not_here_waits_for_it() {
    let (payer, shown) = subscribed().await;
    let there =
        payer.stripe(Method::GET, &format!("subscriptions/{}", text(&shown, "/provider_id")), &[]).await;
    let price = text(&there, "/items/data/0/price/id");
    let form = [
        ("customer", there["customer"].as_str().unwrap()),
        ("default_payment_method", there["default_payment_method"].as_str().unwrap()),
        ("items[0][price]", price.as_str()),
    ];
    payer.stripe(Method::POST, "subscriptions", &form).await;
    let deliveries = arrived(&payer.pair.sandbox_client()).await;
    assert!(deliveries.iter().all(|delivery| delivery["status"] == 200), "{deliveries:?}");
    assert!(open(&payer.pair) > 0);
    assert_eq!(payer.count("/subscriptions/").await, 1);
}

/// db-server as a process of its own, over a database and providers that outlive it.
#[actix_web::test]
async fn a_kill_after_the_answer_loses_nothing() {
    let (database, dummies, folder) = (TestDatabase::new(), Dummies::default(), tempfile::tempdir().unwrap());
    let sandbox = start_sandbox(&dummies);
    let provider_proxy = start_provider_proxy(provider_proxy_settings(sandbox.url(), &dummies));
    let settings =
        db_server_settings(&database.socket_folder(), database.name(), provider_proxy.url(), &dummies);
    let settings = merged(settings, "[database]\nstatement_timeout = '500ms'");
    let first = running(server("db-server", folder.path(), &settings)).await;
    send_webhooks(sandbox.url(), &first.url).await.unwrap();
    let of = |url: &str| Client::signed(url, &dummies.client_key, &dummies.client_secret);
    let stripe = Stripe { sandbox: Client::unsigned(sandbox.url()), dummies: &dummies };
    let shown = created(of(&first.url).post("/subscriptions/", &stripe.prepare(&of(&first.url)).await).await);
    arrived(&stripe.sandbox).await;

    // What it says cannot be applied, so that it is in the inbox alone when db-server is killed.
    let mut holder = database.connect();
    holder.batch_execute("begin; lock table subscriptions in exclusive mode").unwrap();
    let path = format!("subscriptions/{}", text(&shown, "/provider_id"));
    stripe.ask(Method::DELETE, &path, &[]).await;
    let deliveries = arrived(&stripe.sandbox).await;
    assert_eq!(deliveries.last().unwrap()["status"], 200, "{deliveries:?}");
    first.process.kill();
    first.process.wait().await.unwrap();
    holder.batch_execute("rollback").unwrap();
    let now = "select count(*) from webhook_events where applied is null and kind = 'subscription_cancelled'";
    assert_eq!(count(&mut holder, now), 1);

    let second = running(server("db-server", folder.path(), &settings)).await;
    second.process.wait_for_line("was still in the inbox and is applied now").await.unwrap();
    let after = of(&second.url).get(&text(&shown, "/resource_uri")).await.json();
    assert_eq!((&after["status"], &after["active"]), (&json!("cancelled"), &json!(false)));
}

/// What a query counts.
pub fn count(connection: &mut diesel::PgConnection, query: &str) -> i64 {
    use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    sql_query(query).get_result::<Count>(connection).unwrap().count
}

#[actix_web::test]
async fn a_subscription_that_a_client_has_cancelled_stays_so_whatever_comes_late() {
    let (payer, shown) = subscribed().await;
    handling(&payer, json!({"hold": true})).await;
    let path = format!("/_sandbox/stripe/subscriptions/{}/renew", text(&shown, "/provider_id"));
    assert_eq!(payer.pair.sandbox_client().post(&path, &json!({})).await.status, 200);
    let ended = payer.client.post(&below(&shown, "cancel/"), &json!({})).await.json();
    payer.pair.sandbox_client().post("/_sandbox/webhooks/release", &json!({})).await;
    assert_eq!(payer.read(&shown).await, ended);
}
