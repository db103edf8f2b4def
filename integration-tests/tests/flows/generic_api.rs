//! The generic resources as a client sees them: authentication, lists, filters, ETags, errors.

use actix_web::http::Method;
use futures_util::future::join_all;
use integration_tests::{
    client::Client,
    in_process::{PairOptions, spawn_pair},
};
use serde_json::{Value, json};

use super::shop::{Shop, created, text};

#[actix_web::test]
async fn a_seller_is_created_read_changed_and_listed() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let seller = created(client.post("/generic/seller/", &json!({"uuid": "one"})).await);
    assert_eq!((&seller["active"], &seller["counter"]), (&json!(true), &json!(0)));
    let uri = text(&seller, "/resource_uri");
    assert_eq!(uri, format!("/generic/seller/{}/", seller["resource_pk"]));

    let changed = client.patch(&uri, &json!({"active": false})).await;
    assert_eq!((changed.status, &changed.json()["active"]), (200, &json!(false)));
    let read = client.get(uri.trim_end_matches('/')).await.json();
    assert_eq!((&read["active"], &read["counter"], &read["bango"]), (&json!(false), &json!(1), &json!({})));
}

#[actix_web::test]
async fn an_unknown_filter_is_refused_and_never_ignored() {
    let pair = spawn_pair().await;
    for path in ["/generic/seller/", "/generic/product/", "/generic/transaction/"] {
        let answer = pair.client().get(&format!("{path}?uid=x")).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json()["detail"], "Incorrect query parameters: uid");
    }
}

#[actix_web::test]
async fn a_list_is_newest_first_and_comes_in_pages() {
    let pair = spawn_pair().await;
    let client = pair.client();
    for number in 0..25 {
        created(client.post("/generic/seller/", &json!({"uuid": format!("s{number}")})).await);
    }
    let first = client.get("/generic/seller/").await.json();
    assert_eq!(first["objects"].as_array().unwrap().len(), 20);
    assert_eq!(first["objects"][0]["uuid"], "s24");
    assert_eq!((&first["meta"]["page"], &first["meta"]["total_count"]), (&json!(1), &json!(25)));
    assert_eq!(first["meta"]["prev"], Value::Null);

    let second = client.get(&text(&first, "/meta/next")).await.json();
    assert_eq!(second["objects"].as_array().unwrap().len(), 5);
    assert_eq!(second["meta"]["next"], Value::Null);
    assert_eq!(client.get(&text(&second, "/meta/prev")).await.json(), first);

    let small = client.get("/generic/seller/?limit=2&page=3").await.json();
    assert_eq!(small["objects"][0]["uuid"], "s20");
}

#[actix_web::test]
async fn filters_give_what_they_name() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let other = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    let uuid = text(&shop.client.get(&shop.seller).await.json(), "/uuid");
    assert_eq!(shop.client.patch(&other.seller, &json!({"active": false})).await.status, 200);
    for (path, count) in [
        (format!("/generic/seller/?uuid={uuid}"), 1),
        ("/generic/seller/?active=true".to_owned(), 1),
        ("/generic/seller/?active=false".to_owned(), 1),
        (format!("/generic/product/?seller__uuid={uuid}"), 1),
        (format!("/generic/product/?seller={}", shop.seller), 1),
        ("/generic/product/?seller__active=false".to_owned(), 1),
        ("/generic/product/?external_id=none".to_owned(), 0),
        (format!("/generic/transaction/?uuid={}", text(&transaction, "/uuid")), 1),
        (format!("/generic/transaction/?seller={}", other.seller), 0),
        ("/generic/transaction/?provider=2".to_owned(), 0),
    ] {
        let answer = shop.client.get(&path).await;
        assert_eq!(answer.json()["meta"]["total_count"], count, "{path}: {answer:?}");
    }
}

#[actix_web::test]
async fn an_etag_saves_a_transfer_and_stops_a_lost_update() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let seller = client.post("/generic/seller/", &json!({"uuid": "one"})).await;
    let uri = text(&seller.json(), "/resource_uri");
    let etag = client.get(&uri).await.header("etag").unwrap().to_owned();
    let with = |method: Method, name: &'static str, value: String| {
        let request = client.request(method.clone(), &uri).header(name, &value);
        if method == Method::GET { request } else { request.json(&json!({"active": false})) }
    };
    assert_eq!(with(Method::GET, "If-None-Match", etag.clone()).answer().await.status, 304);
    assert_eq!(with(Method::PATCH, "If-Match", etag.clone()).answer().await.status, 200);
    assert_eq!(with(Method::PATCH, "If-Match", etag.clone()).answer().await.status, 412);
    let unchanged = with(Method::GET, "If-None-Match", etag).answer().await;
    assert_eq!((unchanged.status, &unchanged.json()["counter"]), (200, &json!(1)));
}

#[actix_web::test]
async fn concurrent_updates_never_lose_one_anothers_counter() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let seller = created(client.post("/generic/seller/", &json!({"uuid": "one"})).await);
    let uri = text(&seller, "/resource_uri");
    let change = json!({"active": true});
    let changes = join_all((0..40).map(|_| client.patch(&uri, &change))).await;
    assert!(changes.iter().all(|answer| answer.status == 200));
    assert_eq!(client.get(&uri).await.json()["counter"], 40);
}

#[actix_web::test]
async fn a_wrong_field_is_named_and_nothing_is_stored() {
    let pair = spawn_pair().await;
    let client = pair.client();
    created(client.post("/generic/seller/", &json!({"uuid": "taken"})).await);
    for (body, field) in [
        (json!({}), "uuid"),
        (json!({"uuid": "taken"}), "uuid"),
        (json!({"uuid": "x".repeat(256)}), "uuid"),
        (json!({"uuid": "nul\u{0}"}), "uuid"),
        (json!({"uuid": 5}), "uuid"),
        (json!({"uuid": "x", "active": "perhaps"}), "active"),
        (json!({"uuid": "x", "colour": "red"}), "colour"),
    ] {
        let answer = client.post("/generic/seller/", &body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert!(answer.json()[field].is_array(), "{body}: {answer:?}");
    }
    let dangling = json!({"seller": "/generic/seller/999/", "external_id": "x", "public_id": "p"});
    let answer = client.post("/generic/product/", &dangling).await;
    assert!(answer.status == 400 && answer.json()["seller"].is_array(), "{answer:?}");
    assert_eq!(client.get("/generic/seller/").await.json()["meta"]["total_count"], 1);
    assert_eq!(client.get("/generic/product/").await.json()["meta"]["total_count"], 0);
}

#[actix_web::test]
async fn a_body_that_is_no_json_object_is_a_client_error() {
    let pair = spawn_pair().await;
    let client = pair.client();
    for body in [json!([]), json!("text"), json!(null), json!(5)] {
        let answer = client.post("/generic/seller/", &body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.json()["detail"].is_string(), "{answer:?}");
    }
    let form = client.request(Method::POST, "/generic/seller/").form(&[("uuid", "x")]).answer().await;
    assert!((400..500).contains(&form.status), "{form:?}");
    let large = client.post("/generic/seller/", &json!({"uuid": "x".repeat(2 << 20)})).await;
    assert_eq!(large.status, 413, "{large:?}");
}

#[actix_web::test]
async fn a_transaction_changes_only_what_it_may() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    let uri = text(&transaction, "/resource_uri");
    assert_eq!((&transaction["status"], &transaction["type"]), (&json!(6), &json!(0)));
    assert!(text(&transaction, "/uuid").starts_with("solitude:"));
    let altered = shop.client.patch(&uri, &json!({"amount": "1.00", "currency": "USD"})).await;
    assert_eq!(altered.status, 400);
    assert!(altered.text().contains("Cannot alter fields: amount, currency"), "{altered:?}");
    assert_eq!(shop.client.put(&uri, &transaction).await.status, 405);
    assert_eq!(shop.client.delete(&uri).await.status, 405);
    assert_eq!(shop.client.patch(&uri, &json!({"status": 1})).await.status, 400, "no provider yet");
    let done = shop.client.patch(&uri, &json!({"provider": 2, "status": 5})).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(shop.client.patch(&uri, &json!({"status": 1})).await.status, 400, "cancelled is final");
}

#[actix_web::test]
async fn a_transaction_older_than_the_lockdown_changes_no_more() {
    let pair = PairOptions::default().db_settings("[transactions]\nlockdown = '1ms'").spawn().await;
    let shop = Shop::open(&pair).await;
    let transaction = shop.transaction().await;
    let answer = shop.client.patch(&text(&transaction, "/resource_uri"), &json!({"notes": "late"})).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.text().contains("locked down"), "{answer:?}");
}

#[actix_web::test]
async fn a_caller_that_cannot_prove_who_it_is_is_not_told_why() {
    let pair = spawn_pair().await;
    let url = pair.db_server.url();
    let refusals = [
        Client::unsigned(url).get("/generic/seller/").await,
        Client::signed(url, "nobody", "dummy-secret-of-nobody").get("/generic/seller/").await,
        Client::signed(url, &pair.dummies.client_key, "dummy-wrong-secret").get("/generic/seller/").await,
        Client::unsigned(url)
            .request(Method::GET, "/generic/seller/")
            .header("Authorization", "Bearer x")
            .answer()
            .await,
    ];
    for refusal in &refusals {
        assert_eq!(refusal.status, 401);
        assert_eq!(refusal.body, refusals[0].body);
    }
}

#[actix_web::test]
async fn a_request_that_is_replayed_is_refused() {
    let pair = spawn_pair().await;
    let url = format!("{}/services/request/", pair.db_server.url());
    let credentials = oauth1::Credentials {
        consumer_key: pair.dummies.client_key.clone(),
        consumer_secret: pair.dummies.client_secret.clone().into(),
        realm: None,
    };
    let now = u64::try_from(chrono::Utc::now().timestamp()).unwrap();
    let sign = |timestamp| {
        oauth1::sign(
            &credentials,
            "GET",
            &url,
            "one-nonce",
            timestamp,
            oauth1::SignatureMethod::HmacSha1,
            &[],
        )
        .unwrap()
    };
    let client = Client::unsigned(pair.db_server.url());
    let send = |header: String| {
        let request = client.request(Method::GET, "/services/request/").header("Authorization", &header);
        async move { request.answer().await }
    };
    let first = send(sign(now)).await;
    assert_eq!((first.status, &first.json()["authenticated"]), (200, &json!(pair.dummies.client_key)));
    assert_eq!(send(sign(now)).await.status, 401, "replayed");
    assert_eq!(send(sign(now - 400)).await.status, 401, "stale");
    assert_eq!(send(sign(now + 400)).await.status, 401, "from the future");
}

#[actix_web::test]
async fn a_client_without_the_role_is_forbidden() {
    let settings = "[auth.clients.reader]\nsecret = 'dummy-reader-secret'\nroles = ['read']";
    let pair = PairOptions::default().db_settings(settings).spawn().await;
    let reader = Client::signed(pair.db_server.url(), "reader", "dummy-reader-secret");
    assert_eq!(reader.get("/generic/seller/").await.status, 200);
    assert_eq!(reader.post("/generic/seller/", &json!({"uuid": "x"})).await.status, 403);
}

#[actix_web::test]
async fn the_status_page_is_open_and_says_what_is_down() {
    let mut pair = spawn_pair().await;
    let open = Client::unsigned(pair.db_server.url());
    let healthy = open.get("/services/status/").await;
    assert_eq!(healthy.status, 200);
    assert_eq!(healthy.json(), json!({"cache": true, "db": true, "proxies": true, "settings": true}));
    let proxy = Client::unsigned(pair.provider_proxy.url()).get("/services/status/").await;
    assert_eq!(proxy.status, 200);
    assert_eq!(proxy.json(), json!({"cache": false, "db": false, "proxies": false, "settings": true}));
    pair.provider_proxy.stop();
    let ill = open.get("/services/status/").await;
    assert_eq!((ill.status, &ill.json()["proxies"]), (500, &json!(false)));
}
