//! Two db-servers that share a Redis: nonces, limits, clients and products are those of both.

use actix_web::http::Method;
use diesel::{RunQueryDsl, sql_query};
use integration_tests::{
    client::{Answer, Client},
    in_process::{Dummies, PairOptions, Server},
    redis::PrivateRedis,
};
use oauth1::{Credentials, SignatureMethod, sign};
use serde_json::{Value, json};

use super::{
    api_clients::{Installation, bearer},
    shop::{Shop, created, text, unique},
};

/// What clients sign, whichever server they reach.
const PUBLIC: &str = "http://pay.example.test";

/// Two servers on one database and one Redis.
struct Two {
    redis: PrivateRedis,
    installation: Installation,
    one: Server,
    other: Server,
}

impl Two {
    fn start(over: &str) -> Self {
        let redis = PrivateRedis::start_new().unwrap();
        let installation = Installation::new(&format!("{}{over}", redis.db_settings()));
        let (one, other) = (installation.serve(), installation.serve());
        Self { redis, installation, one, other }
    }

    fn clients(&self) -> [Client; 2] {
        let dummies = Dummies::default();
        [&self.one, &self.other]
            .map(|server| Client::signed(server.url(), &dummies.client_key, &dummies.client_secret))
    }
}

/// A signature of `GET PATH` that any server accepts once.
pub fn signature(path: &str) -> String {
    let dummies = Dummies::default();
    let credentials = Credentials {
        consumer_key: dummies.client_key,
        consumer_secret: dummies.client_secret.into(),
        realm: None,
    };
    let (now, nonce) = (u64::try_from(chrono::Utc::now().timestamp()).unwrap(), unique("nonce"));
    let url = format!("{PUBLIC}{path}");
    sign(&credentials, "GET", &url, &nonce, now, SignatureMethod::HmacSha1, &[]).unwrap()
}

async fn get_with(server: &Server, path: &str, authorization: &str) -> Answer {
    let client = Client::unsigned(server.url());
    client.request(Method::GET, path).header("Authorization", authorization).answer().await
}

#[actix_web::test]
async fn a_replay_is_refused_by_another_server_and_after_a_restart() {
    let two = Two::start(&format!("[auth]\npublic_url = '{PUBLIC}'"));
    let Two { installation, one, other, redis } = two;
    let signed = signature("/generic/seller/");
    assert_eq!(get_with(&one, "/generic/seller/", &signed).await.status, 200);
    assert_eq!(get_with(&one, "/generic/seller/", &signed).await.status, 401);
    assert_eq!(get_with(&other, "/generic/seller/", &signed).await.status, 401);
    drop((one, other));
    let again = installation.serve();
    assert_eq!(get_with(&again, "/generic/seller/", &signed).await.status, 401);
    assert_eq!(get_with(&again, "/generic/seller/", &signature("/generic/seller/")).await.status, 200);
    drop(redis);
}

#[actix_web::test]
async fn of_replays_at_once_at_two_servers_exactly_one_gets_through() {
    let two = Two::start(&format!("[auth]\npublic_url = '{PUBLIC}'"));
    let signed = signature("/generic/seller/");
    let servers = [&two.one, &two.other].into_iter().cycle().take(20);
    let sent = servers.map(|server| get_with(server, "/generic/seller/", &signed));
    let answers = futures_util::future::join_all(sent).await;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(accepted, 1, "{answers:?}");
}

#[actix_web::test]
async fn a_client_has_one_limit_at_all_servers_and_another_client_its_own() {
    let two = Two::start("[limits]\nper_client = '5/h'\n[auth.clients.other]\nsecret = 'dummy-other-secret'");
    let [one, other] = two.clients();
    for client in [&one, &other, &one, &other, &one] {
        assert_eq!(client.get("/generic/seller/").await.status, 200);
    }
    for client in [&one, &other] {
        let refused = client.get("/generic/seller/").await;
        assert_eq!((refused.status, refused.json()), (429, json!({"detail": "Too many requests."})));
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3600).contains(&wait), "{wait}");
    }
    let another = Client::signed(two.one.url(), "other", "dummy-other-secret");
    assert_eq!(another.get("/generic/seller/").await.status, 200);
    assert_eq!(Client::unsigned(two.one.url()).get("/generic/seller/").await.status, 401);
}

#[actix_web::test]
async fn a_server_with_a_cache_of_its_own_limits_by_itself() {
    let installation = Installation::new("[limits]\nper_client = '3/h'");
    let running = installation.serve();
    let dummies = Dummies::default();
    let client = Client::signed(running.url(), &dummies.client_key, &dummies.client_secret);
    for _ in 0..3 {
        assert_eq!(client.get("/generic/seller/").await.status, 200);
    }
    let refused = client.get("/generic/seller/").await;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 1200);
    assert_eq!(client.get("/services/status/").await.json()["db"], true);
}

#[actix_web::test]
async fn a_disabled_client_is_refused_at_once_by_all_servers_that_share_a_cache() {
    let two = Two::start("");
    let (key, secret) = two.installation.add(&["shop", "--role", "read"]).await;
    let (_, bearer_key) = two.installation.add(&["batch", "--role", "read", "--bearer"]).await;
    let clients = [&two.one, &two.other].map(|server| Client::signed(server.url(), &key, &secret));
    for client in &clients {
        assert_eq!(client.get("/services/request/").await.status, 200);
    }
    assert!(two.redis.dump().unwrap().iter().any(|(kept, _)| *kept == format!("solitude:client:{key}")));
    two.installation.client_command(&["disable", "shop"], 0).await;
    two.installation.client_command(&["disable", "batch"], 0).await;
    for client in &clients {
        assert_eq!(client.get("/services/request/").await.status, 401);
    }
    assert_eq!(bearer(two.one.url(), Method::GET, "/services/request/", &bearer_key).await.status, 401);
}

/// The one product with a public id, as a list shows it.
async fn by_public_id(client: &Client, public_id: &str) -> Value {
    let answer = client.get(&format!("/generic/product/?public_id={public_id}")).await;
    assert_eq!((answer.status, &answer.json()["meta"]["total_count"]), (200, &json!(1)), "{answer:?}");
    answer.json()["objects"][0].clone()
}

#[actix_web::test]
async fn a_product_by_its_public_id_comes_from_the_cache_until_it_is_changed_at_any_server() {
    let two = Two::start("");
    let [one, other] = two.clients();
    let none = one.get("/generic/product/?public_id=p").await.json();
    assert_eq!(none["meta"]["total_count"], 0, "{none}");
    let seller = created(one.post("/generic/seller/", &json!({"uuid": "s"})).await);
    let body =
        json!({"seller": seller["resource_uri"], "external_id": "x", "public_id": "p", "secret": "hush"});
    let product = created(one.post("/generic/product/", &body).await);
    assert_eq!(by_public_id(&one, "p").await, product);

    // Behind the servers' backs: what they show now comes from the cache.
    let behind = "UPDATE products SET external_id = 'behind'";
    sql_query(behind).execute(&mut two.installation.connect()).unwrap();
    for client in [&one, &other] {
        assert_eq!(by_public_id(client, "p").await, product);
    }
    let path = text(&product, "/resource_uri");
    assert_eq!(other.patch(&path, &json!({"external_id": "changed"})).await.status, 200);
    for client in [&one, &other] {
        let shown = by_public_id(client, "p").await;
        assert_eq!((&shown["external_id"], &shown["secret"]), (&json!("changed"), &json!("hush")));
    }
    assert_eq!(other.patch(&path, &json!({"public_id": "q"})).await.status, 200);
    for client in [&one, &other] {
        let gone = client.get("/generic/product/?public_id=p").await.json();
        assert_eq!(gone["meta"]["total_count"], 0, "{gone}");
        assert_eq!(by_public_id(client, "q").await["external_id"], "changed");
    }
}

#[actix_web::test]
async fn a_cached_product_shows_its_link_and_the_sellers_new_uuid_at_once() {
    let redis = PrivateRedis::start_new().unwrap();
    let pair = PairOptions::default().db_settings(&redis.db_settings()).spawn().await;
    let shop = Shop::open(&pair).await;
    let body = json!({"seller": shop.seller, "external_id": "y", "public_id": "y"});
    let product = created(shop.client.post("/generic/product/", &body).await);
    assert_eq!(by_public_id(&shop.client, "y").await["seller_uuids"]["reference"], Value::Null);
    let link = json!({
        "seller_product": product["resource_uri"], "seller_reference": shop.reference_seller,
        "uuid": unique("rp"), "name": "Another",
    });
    created(shop.client.post("/provider/reference/products/", &link).await);
    let seller = shop.client.get(&shop.seller).await.json();
    assert_eq!(by_public_id(&shop.client, "y").await["seller_uuids"]["reference"], seller["uuid"]);

    // So that what was changed may be kept again, and is.
    redis.forget_all();
    by_public_id(&shop.client, "y").await;
    assert_eq!(shop.client.patch(&shop.seller, &json!({"uuid": "renamed"})).await.status, 200);
    assert_eq!(by_public_id(&shop.client, "y").await["seller_uuids"]["reference"], "renamed");
}

#[actix_web::test]
async fn no_secret_is_in_redis() {
    let redis = PrivateRedis::start_new().unwrap();
    let pair = PairOptions::default()
        .db_settings(&format!("{}[limits]\nper_client = '1000/s'", redis.db_settings()))
        .spawn()
        .await;
    let shop = Shop::open(&pair).await;
    let hush = "dummy-sentinel-of-a-product";
    assert_eq!(shop.client.patch(&shop.product, &json!({"secret": hush})).await.status, 200);
    redis.forget_all();
    let public_id = text(&shop.client.get(&shop.product).await.json(), "/public_id");
    assert_eq!(by_public_id(&shop.client, &public_id).await["secret"], hush);
    let installation = Installation::of(&pair, &redis);
    let (key, secret) = installation.add(&["shop", "--role", "read"]).await;
    let (_, bearer_key) = installation.add(&["batch", "--role", "read", "--bearer"]).await;
    let client = Client::signed(pair.db_server.url(), &key, &secret);
    assert_eq!(client.get("/services/request/").await.status, 200);
    let answer = bearer(pair.db_server.url(), Method::GET, "/services/request/", &bearer_key).await;
    assert_eq!(answer.status, 200);

    let kept = redis.dump().unwrap();
    for kind in ["client:", "product:", "nonce:", "calls:"] {
        let full = format!("solitude:{kind}");
        assert!(kept.iter().any(|(key, _)| key.starts_with(&full)), "no {kind} in {kept:?}");
    }
    let bearer_secret = bearer_key.rsplit_once('.').unwrap().1;
    let dummies = &pair.dummies;
    for secret in [hush, &secret, bearer_secret, &dummies.client_secret, &dummies.encryption_key] {
        for (key, value) in &kept {
            assert!(!key.contains(secret) && !value.contains(secret), "{key} shows {secret}");
        }
    }
}
