//! `/webhook-endpoints/`: endpoints are told of events through provider-proxy, in order, each at least once.

mod administrators;
mod our_side;

use chrono::{DateTime, TimeDelta, Utc};
use db_server::{domain::Clock, store::id::PaymentId};
use diesel::{PgConnection, RunQueryDsl, sql_query};
use integration_tests::{
    client::Client,
    clock::ManualClock,
    database::TestDatabase,
    in_process::{
        Dummies, PairOptions, Server, db_server_settings, provider_proxy_settings, start_db_server_by,
        start_provider_proxy,
    },
};
use serde_json::{Value, json};

use super::{
    endpoint::{Answer, Endpoint, SECRETS},
    executables::merged,
    payment_events::{happens, payment},
    shop::{created, text},
};

const HOUR: i64 = 3600;

/// db-servers by one clock, a provider-proxy, an endpoint, and a payment. Nobody asks anybody for tokens, which would
/// not be good by another clock.
struct Shop {
    endpoint: Endpoint,
    clock: ManualClock,
    database: TestDatabase,
    provider_proxy: Server,
    dummies: Dummies,
    payment: PaymentId,
}

impl Shop {
    fn open() -> Self {
        Self::open_with("")
    }

    /// With more settings of provider-proxy.
    fn open_with(settings: &str) -> Self {
        let (endpoint, dummies, database) = (Endpoint::start(), Dummies::default(), TestDatabase::new());
        let provider_proxy = proxy(&endpoint, &dummies, settings);
        let payment = payment(&mut database.connect());
        Self { endpoint, clock: ManualClock::new(), database, provider_proxy, dummies, payment }
    }

    fn db_server(&self) -> Server {
        self.db_server_by(self.clock.clock())
    }

    fn db_server_by(&self, clock: Clock) -> Server {
        let (folder, url) = (self.database.socket_folder(), self.provider_proxy.url());
        let mut table = db_server_settings(&folder, self.database.name(), url, &self.dummies);
        table["proxy"].as_table_mut().unwrap().remove("identity").unwrap();
        start_db_server_by(table, clock)
    }

    fn client(&self, server: &Server) -> Client {
        Client::signed(server.url(), &self.dummies.client_key, &self.dummies.client_secret)
    }

    fn connection(&self) -> PgConnection {
        self.database.connect()
    }

    /// So many things happen.
    fn happens(&self, count: usize) {
        let mut connection = self.connection();
        for _ in 0..count {
            happens(&mut connection, self.payment, "payment.captured");
        }
    }
}

fn proxy(endpoint: &Endpoint, dummies: &Dummies, settings: &str) -> Server {
    let table = merged(provider_proxy_settings("http://127.0.0.1:1", dummies), &endpoint.settings());
    let mut table = merged(table, settings);
    table.remove("identity").unwrap();
    start_provider_proxy(table)
}

async fn register(client: &Client) -> Value {
    created(client.post("/webhook-endpoints/", &json!({"name": "shop"})).await)
}

/// The endpoint, once that is so; it asks again for as long as a test may take.
pub async fn once(client: &Client, is_so: impl Fn(&Value) -> bool) -> Value {
    once_at(client, "/webhook-endpoints/1/", is_so).await
}

async fn once_at(client: &Client, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let shown = client.get(path).await.json();
        if is_so(&shown) {
            return shown;
        }
        assert!(std::time::Instant::now() < end, "{shown}");
    }
}

/// Whether a time is so many seconds from now; the database keeps microseconds.
fn is_in(shop: &Shop, time: DateTime<Utc>, seconds: i64) -> bool {
    let short_of = TimeDelta::seconds(seconds) - (time - shop.clock.clock().now());
    (TimeDelta::zero()..TimeDelta::milliseconds(1)).contains(&short_of)
}

#[actix_web::test]
async fn an_endpoint_is_told_of_each_event_in_order_and_both_secrets_sign() {
    let mut endpoint = Endpoint::start();
    let pair = PairOptions::default().proxy_settings(&endpoint.settings()).spawn().await;
    let client = pair.client();
    let mut connection = pair.database.as_ref().unwrap().connect();
    let of = payment(&mut connection);
    happens(&mut connection, of, "payment.created");
    let shown = register(&client).await;
    assert_eq!((&shown["position"], &shown["enabled"]), (&json!(1), &json!(true)), "only what is new");
    for kind in ["payment.authorized", "payment.captured", "refund.succeeded"] {
        happens(&mut connection, of, kind);
    }
    for id in 2..=4 {
        let message = endpoint.next().await;
        assert_eq!((message.event(), message.id.as_str()), (id, format!("msg_1_{id}").as_str()));
        assert!((Utc::now().timestamp() - message.timestamp).abs() < 60);
        assert!(SECRETS.into_iter().all(|secret| message.is_signed_with(secret)), "{message:?}");
        assert!(!message.is_signed_with("AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD"));
        let event =
            client.get(&format!("/events/?after={}&limit=1", id - 1)).await.json()["objects"][0].clone();
        assert_eq!(message.json(), event, "one shape of one event");
        // What the specification asks of a body.
        let fields: Vec<_> =
            ["type", "timestamp", "data"].iter().filter(|name| event[name].is_null()).collect();
        assert!(fields.is_empty(), "{fields:?}");
        let history = client.get(&format!("/payments/{of}/events/?after={}&limit=1", id - 1)).await.json();
        assert_eq!(history["objects"], json!([event]));
    }
    once(&client, |shown| shown["position"] == 4).await;
    assert!(endpoint.has_nothing_more());
}

#[actix_web::test]
async fn nothing_overtakes_an_event_that_is_not_taken() {
    let mut shop = Shop::open();
    let server = shop.db_server();
    let client = shop.client(&server);
    register(&client).await;
    let statuses = [500, 302, 404];
    shop.endpoint.answers(&statuses.map(Answer::Status));
    shop.happens(3);
    for (failures, wait) in [(1, 5), (2, 30), (3, 120)] {
        assert_eq!(shop.endpoint.next().await.event(), 1);
        let shown = once(&client, |shown| shown["failures"] == failures).await;
        assert_eq!(shown["last_error"], format!("The endpoint answered {}.", statuses[failures - 1]));
        let next: DateTime<Utc> = serde_json::from_value(shown["next_attempt"].clone()).unwrap();
        assert!(is_in(&shop, next, wait), "{shown}");
        shop.clock.advance(wait);
    }
    assert_eq!(shop.endpoint.events(3).await, [1, 2, 3]);
    let shown = once(&client, |shown| shown["position"] == 3).await;
    assert_eq!((&shown["failures"], &shown["last_error"]), (&json!(0), &Value::Null));
}

#[actix_web::test]
async fn an_endpoint_that_fails_for_three_days_is_disabled_and_misses_nothing() {
    let mut shop = Shop::open();
    let server = shop.db_server();
    let client = shop.client(&server);
    register(&client).await;
    shop.endpoint.answers(&[Answer::Status(503); 3]);
    shop.happens(2);
    for (failures, hours, wait) in [(1, 71, 5), (2, 1, 30)] {
        assert_eq!(shop.endpoint.next().await.event(), 1);
        let shown = once(&client, |shown| shown["failures"] == failures).await;
        assert_eq!((&shown["enabled"], &shown["disabled_reason"]), (&json!(true), &Value::Null));
        // It has failed in all these hours, whenever it was due.
        let longer =
            format!("update webhook_endpoints set failing_since = failing_since - interval '{hours} hours'");
        assert_eq!(sql_query(longer).execute(&mut shop.connection()).unwrap(), 1);
        shop.clock.advance(wait);
    }
    assert_eq!(shop.endpoint.next().await.event(), 1);
    let disabled = once(&client, |shown| shown["enabled"] == false).await;
    assert_eq!(disabled["disabled_reason"], "An event could not be delivered for 3 days.");
    assert_eq!((&disabled["failures"], &disabled["position"]), (&json!(3), &json!(0)));
    shop.clock.advance(48 * HOUR);
    shop.happens(1);
    let enabled = client.patch("/webhook-endpoints/1/", &json!({"enabled": true})).await;
    assert_eq!((enabled.status, &enabled.json()["disabled_reason"]), (200, &Value::Null));
    assert_eq!(shop.endpoint.events(3).await, [1, 2, 3]);
}

#[actix_web::test]
async fn an_endpoint_that_is_gone_or_disabled_is_told_no_more() {
    let mut shop = Shop::open();
    let server = shop.db_server();
    let client = shop.client(&server);
    register(&client).await;
    shop.endpoint.answers(&[Answer::Status(410)]);
    shop.happens(1);
    shop.endpoint.next().await;
    let shown = once(&client, |shown| shown["enabled"] == false).await;
    assert_eq!(shown["disabled_reason"], "The endpoint is gone: it answered 410.");
    client.patch("/webhook-endpoints/1/", &json!({"enabled": true})).await;
    assert_eq!(shop.endpoint.events(1).await, [1]);
    once(&client, |shown| shown["position"] == 1).await;
    client.patch("/webhook-endpoints/1/", &json!({"enabled": false})).await;
    shop.happens(1);
    shop.clock.advance(HOUR);
    // What another endpoint is told comes after what this one would have been.
    let other = created(client.post("/webhook-endpoints/", &json!({"name": "nobody", "after": 0})).await);
    once_at(&client, &text(&other, "/resource_uri"), |shown| !shown["last_error"].is_null()).await;
    assert!(shop.endpoint.has_nothing_more());
}

#[actix_web::test]
async fn two_db_servers_tell_each_event_once_and_in_order() {
    let mut shop = Shop::open();
    let (one, other) = (shop.db_server(), shop.db_server());
    register(&shop.client(&one)).await;
    shop.happens(40);
    assert_eq!(shop.endpoint.events(40).await, (1..=40).collect::<Vec<_>>());
    once(&shop.client(&other), |shown| shown["position"] == 40).await;
    assert!(shop.endpoint.has_nothing_more());
}

#[actix_web::test]
async fn what_a_db_server_leaves_behind_another_does_under_the_same_id() {
    let mut shop = Shop::open();
    let mut first = shop.db_server();
    register(&shop.client(&first)).await;
    shop.endpoint.answers(&[Answer::Silence]);
    shop.happens(2);
    let before = shop.endpoint.next().await;
    first.stop();
    let second = shop.db_server();
    let client = shop.client(&second);
    let shown = client.get("/webhook-endpoints/1/").await.json();
    assert_eq!((&shown["position"], &shown["failures"]), (&json!(0), &json!(0)), "nobody knows");
    // The lease of an attempt: proxy.timeout, 12 s, and 30 s more.
    shop.clock.advance(43);
    let after = shop.endpoint.next().await;
    assert_eq!((&after.id, after.event(), &after.body), (&before.id, before.event(), &before.body));
    assert!(after.timestamp >= before.timestamp + 43 && after.is_signed_with(SECRETS[0]));
    assert_eq!(shop.endpoint.events(1).await, [2]);
}

#[actix_web::test]
async fn an_endpoint_is_told_again_what_an_administrator_says() {
    let mut shop = Shop::open();
    let server = shop.db_server();
    let client = shop.client(&server);
    register(&client).await;
    shop.happens(4);
    let mut first = Vec::new();
    for _ in 0..4 {
        first.push(shop.endpoint.next().await.id);
    }
    once(&client, |shown| shown["position"] == 4).await;
    let again = client.post("/webhook-endpoints/1/replay/", &json!({"after": 2})).await;
    assert_eq!((again.status, &again.json()["position"]), (200, &json!(2)));
    let mut second = Vec::new();
    for _ in 0..2 {
        second.push(shop.endpoint.next().await.id);
    }
    assert_eq!(second, first[2..]);
    once(&client, |shown| shown["position"] == 4).await;
    let one = client.post("/webhook-endpoints/1/replay/", &json!({"event": 2})).await;
    assert_eq!((one.status, &one.json()["position"]), (200, &json!(4)));
    assert_eq!(shop.endpoint.next().await.id, first[1]);
    shop.happens(1);
    assert_eq!(shop.endpoint.events(1).await, [5]);
    for (body, field, code) in [
        (json!({"after": 9}), "after", "invalid"),
        (json!({"event": 9}), "event", "does_not_exist"),
        (json!({"event": 1, "after": 1}), "__all__", "invalid"),
        (json!({}), "__all__", "invalid"),
        (json!({"after": -1}), "after", "invalid"),
    ] {
        let refused = client.post("/webhook-endpoints/1/replay/", &body).await;
        assert_eq!(refused.status, 422, "{body}");
        assert_eq!(refused.json()["mozilla"][field][0]["code"], code, "{body}: {}", refused.text());
    }
}

#[actix_web::test]
async fn an_endpoint_is_told_of_the_types_that_it_names_alone() {
    let mut shop = Shop::open();
    let server = shop.db_server();
    let client = shop.client(&server);
    let new = json!({"name": "shop", "types": ["refund.succeeded"]});
    created(client.post("/webhook-endpoints/", &new).await);
    let mut connection = shop.connection();
    for kind in ["payment.captured", "refund.succeeded", "payment.captured", "refund.failed"] {
        happens(&mut connection, shop.payment, kind);
    }
    assert_eq!(shop.endpoint.events(1).await, [2]);
    // It is up to date all the same.
    once(&client, |shown| shown["position"] == 4).await;
    assert!(shop.endpoint.has_nothing_more());
}
