//! What goes wrong on our own side is tried again and shown, and is not held against an endpoint.

use super::*;

const DAY: i64 = 24 * HOUR;

impl Shop {
    /// Starts provider-proxy again where it was.
    fn proxy_comes_back(&mut self) {
        let listen = self.provider_proxy.url().trim_start_matches("http://").to_owned();
        let settings = format!("[server]\nlisten = '{listen}'\n");
        self.provider_proxy = proxy(&self.endpoint, &self.dummies, &settings);
    }
}

fn is_ours(shown: &Value) -> bool {
    shown["last_error"].as_str().is_some_and(|error| error.starts_with("On our side: "))
}

fn time(shown: &Value, name: &str) -> DateTime<Utc> {
    serde_json::from_value(shown[name].clone()).unwrap()
}

/// The endpoint fails for the first time.
async fn fails_once(shop: &mut Shop, client: &Client) {
    shop.endpoint.answers(&[Answer::Status(500)]);
    shop.happens(1);
    assert_eq!(shop.endpoint.next().await.event(), 1);
    once(client, |shown| shown["failures"] == 1).await;
}

#[actix_web::test]
async fn an_outage_of_provider_proxy_is_not_held_against_an_endpoint() {
    let mut shop = Shop::open();
    let server = shop.db_server();
    let client = shop.client(&server);
    register(&client).await;
    shop.provider_proxy.stop();
    shop.happens(1);
    let shown = once(&client, is_ours).await;
    assert_eq!((&shown["failures"], &shown["failing_since"]), (&json!(0), &Value::Null));
    assert!(is_in(&shop, time(&shown, "next_attempt"), 30), "{shown}");
    assert!(shop.endpoint.has_nothing_more());
    shop.proxy_comes_back();
    // Whoever has put it right need not wait.
    assert_eq!(client.patch("/webhook-endpoints/1/", &json!({"enabled": true})).await.status, 200);
    assert_eq!(shop.endpoint.events(1).await, [1]);
    let shown = once(&client, |shown| shown["position"] == 1).await;
    assert_eq!(shown["last_error"], Value::Null);
}

#[actix_web::test]
async fn what_provider_proxy_does_not_do_is_not_held_against_an_endpoint() {
    let mut shop = Shop::open_with("[policy]\noperations = [\"reference/*\"]\n");
    let server = shop.db_server();
    let client = shop.client(&server);
    register(&client).await;
    shop.happens(1);
    for reason in 1..=3 {
        let shown =
            once(&client, |shown| is_ours(shown) && is_in(&shop, time(shown, "next_attempt"), 300)).await;
        assert_eq!((&shown["failures"], &shown["failing_since"]), (&json!(0), &Value::Null), "{reason}");
        assert_eq!(shown["enabled"], true, "{reason}");
        shop.clock.advance(4 * DAY);
    }
    assert!(shop.endpoint.has_nothing_more());
}

#[actix_web::test]
async fn an_endpoint_that_provider_proxy_does_not_know_waits_for_the_operator() {
    let shop = Shop::open();
    let server = shop.db_server();
    let client = shop.client(&server);
    shop.happens(1);
    let nobody = created(client.post("/webhook-endpoints/", &json!({"name": "nobody", "after": 0})).await);
    let shown = once_at(&client, &text(&nobody, "/resource_uri"), is_ours).await;
    let reason = "On our side: There is no such endpoint in the proxy's settings.";
    assert_eq!((&shown["last_error"], &shown["failures"]), (&json!(reason), &json!(0)));
    assert!(is_in(&shop, time(&shown, "next_attempt"), 300), "{shown}");
}

#[actix_web::test]
async fn the_days_in_which_provider_proxy_was_down_are_not_those_of_an_endpoint() {
    let mut shop = Shop::open();
    let server = shop.db_server();
    let client = shop.client(&server);
    register(&client).await;
    fails_once(&mut shop, &client).await;
    shop.provider_proxy.stop();
    shop.clock.advance(5);
    once(&client, is_ours).await;
    for _ in 0..2 {
        shop.clock.advance(2 * DAY);
        once(&client, |shown| is_in(&shop, time(shown, "next_attempt"), 30)).await;
    }
    shop.proxy_comes_back();
    shop.endpoint.answers(&[Answer::Status(500)]);
    shop.clock.advance(30);
    assert_eq!(shop.endpoint.next().await.event(), 1);
    let shown = once(&client, |shown| shown["failures"] == 2).await;
    assert_eq!((&shown["enabled"], &shown["disabled_reason"]), (&json!(true), &Value::Null), "{shown}");
    let failing = shop.clock.clock().now() - time(&shown, "failing_since");
    assert!(failing < TimeDelta::minutes(2), "{shown}");
}

#[actix_web::test]
async fn the_days_in_which_no_db_server_ran_are_not_those_of_an_endpoint() {
    let mut shop = Shop::open();
    let mut first = shop.db_server();
    let client = shop.client(&first);
    register(&client).await;
    fails_once(&mut shop, &client).await;
    first.stop();
    shop.clock.advance(4 * DAY);
    shop.endpoint.answers(&[Answer::Status(500)]);
    let second = shop.db_server();
    assert_eq!(shop.endpoint.next().await.event(), 1);
    let client = shop.client(&second);
    let shown = once(&client, |shown| shown["failures"] == 2).await;
    assert_eq!((&shown["enabled"], &shown["disabled_reason"]), (&json!(true), &Value::Null), "{shown}");
    // What it has failed for: until it was due again.
    assert!(is_in(&shop, time(&shown, "failing_since"), -5), "{shown}");
    shop.clock.advance(30);
    assert_eq!(shop.endpoint.events(1).await, [1]);
}
