//! Redis goes away, or hangs, and comes back.

use std::time::{Duration, Instant};

use actix_web::http::Method;
use integration_tests::{
    client::{Answer, Client},
    in_process::{Dummies, Pair, PairOptions},
    redis::PrivateRedis,
};
use serde_json::json;

use super::{
    api_clients::{Installation, bearer},
    shop::created,
};

/// How a Redis can fail, and be mended.
type Change = fn(&mut PrivateRedis);

/// A pair with a Redis, a product, and a client with a bearer key.
struct Outage {
    pair: Pair,
    redis: PrivateRedis,
    bearer_key: String,
}

impl Outage {
    async fn prepare() -> Self {
        let redis = PrivateRedis::start_new().unwrap();
        let limited = format!("{}[limits]\nper_client = '1000/s'", redis.db_settings());
        let pair = PairOptions::default().db_settings(&limited).spawn().await;
        let client = pair.client();
        let seller = created(client.post("/generic/seller/", &json!({"uuid": "s"})).await);
        let body = json!({"seller": seller["resource_uri"], "external_id": "x", "public_id": "p"});
        created(client.post("/generic/product/", &body).await);
        let installation = Installation::of(&pair, &redis);
        let (_, bearer_key) = installation.add(&["batch", "--role", "read", "--bearer"]).await;
        Self { pair, redis, bearer_key }
    }

    async fn read(&self) -> Answer {
        let path = "/generic/product/?public_id=p";
        bearer(self.pair.db_server.url(), Method::GET, path, &self.bearer_key).await
    }
}

#[actix_web::test]
async fn without_redis_reads_go_on_signatures_are_refused_and_all_is_well_when_it_is_back() {
    let failures: [(Change, Change); 3] = [
        (|redis| redis.stop().unwrap(), |redis| redis.start().unwrap()),
        (|redis| redis.kill().unwrap(), |redis| redis.start().unwrap()),
        (|redis| redis.freeze(), |redis| redis.thaw()),
    ];
    let mut outage = Outage::prepare().await;
    for (fail, mend) in failures {
        let client = outage.pair.client();
        assert_eq!(outage.read().await.json()["meta"]["total_count"], 1);
        assert_eq!(client.get("/generic/seller/").await.status, 200);

        fail(&mut outage.redis);
        let start = Instant::now();
        // What nobody can tell from a replay is refused, also when it only reads.
        for _ in 0..3 {
            let refused = client.get("/generic/seller/").await;
            assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{refused:?}");
            let said = &refused.json()["detail"];
            assert_eq!(said, "The request cannot be authenticated at the moment.");
        }
        for _ in 0..20 {
            let read = outage.read().await;
            assert_eq!((read.status, &read.json()["meta"]["total_count"]), (200, &json!(1)), "{read:?}");
        }
        // Not each of the requests has waited for Redis.
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
        let status = client.get("/services/status/").await;
        assert_eq!((status.status, &status.json()["cache"]), (500, &json!(false)), "{status:?}");
        assert_eq!(status.json()["db"], true);

        mend(&mut outage.redis);
        let status = client.get("/services/status/").await;
        assert_eq!((status.status, &status.json()["cache"]), (200, &json!(true)), "{status:?}");
        assert_eq!(client.get("/generic/seller/").await.status, 200);
        assert_eq!(outage.read().await.status, 200);
    }
}

#[actix_web::test]
async fn a_server_starts_without_its_redis_and_finds_it_later() {
    let mut redis = PrivateRedis::start_new().unwrap();
    redis.stop().unwrap();
    let pair = PairOptions::default().db_settings(&redis.db_settings()).spawn().await;
    let client = pair.client();
    assert_eq!(client.get("/generic/seller/").await.status, 503);
    assert_eq!(client.get("/services/status/").await.json()["cache"], false);
    // A wrong signature is told as such all the same.
    let wrong = Client::signed(pair.db_server.url(), &Dummies::default().client_key, "dummy-wrong-secret");
    assert_eq!(wrong.get("/generic/seller/").await.status, 401);
    redis.start().unwrap();
    assert_eq!(client.get("/services/status/").await.json()["cache"], true);
    assert_eq!(client.get("/generic/seller/").await.status, 200);
}

#[actix_web::test]
async fn redis_is_reached_over_tls_when_its_certificate_is_of_the_given_authority_and_not_otherwise() {
    let redis = PrivateRedis::start_new_with_tls().unwrap();
    let url = format!("[cache]\nurl = '{}'\n", redis.tls_url());
    let trusting = format!("{url}ca = '{}'\n", redis.certificate().display());
    for (settings, cache) in [(trusting, true), (url, false)] {
        let pair = PairOptions::default().db_settings(&settings).spawn().await;
        let status = pair.client().get("/services/status/").await;
        assert_eq!(status.json()["cache"], cache, "{status:?}");
        let signed = pair.client().get("/generic/seller/").await;
        assert_eq!(signed.status, if cache { 200 } else { 503 }, "{signed:?}");
    }
}
