//! The API's section on all requests and responses, a sentence a test, for every resource at once.

use std::collections::BTreeSet;

use actix_web::http::Method;
use chrono::DateTime;
use db_server::routes;
use integration_tests::{
    client::{Answer, Client},
    in_process::{Pair, PairOptions, spawn_pair},
};
use serde_json::{Value, json};

use super::{
    braintree_shop::BraintreeShop,
    buyer::buyer,
    payers::VISA,
    shop::{Shop, created, text, unique},
    till::post,
};

/// The lists that keep their resources here.
pub const LISTS: [&str; 8] = [
    "/generic/buyer/",
    "/generic/seller/",
    "/generic/product/",
    "/generic/transaction/",
    "/provider/reference/sellers/",
    "/provider/reference/products/",
    "/services/failures/transactions/",
    "/services/failures/statuses/",
];

/// A buyer, a seller, a product and a transaction, each the first of its kind, with a change that each accepts.
pub async fn one_of_each(pair: &Pair) -> (Shop, [(String, Value); 4]) {
    let shop = Shop::open(pair).await;
    let buyer = buyer(&shop.client, "b1").await;
    let transaction = text(&shop.transaction().await, "/resource_uri");
    let (seller, product) = (shop.seller.clone(), shop.product.clone());
    let changes = [
        (buyer, json!({"locale": "de"})),
        (seller, json!({"active": false})),
        (product, json!({"access": 2})),
        (transaction, json!({"notes": "changed"})),
    ];
    (shop, changes)
}

/// What creates one more resource of a list.
pub fn another(shop: &Shop, list: &str) -> Value {
    match list {
        "/generic/product/" => {
            json!({"seller": shop.seller, "external_id": unique("x"), "public_id": unique("p")})
        }
        _ => json!({"uuid": unique("u")}),
    }
}

fn filled(path: &str) -> String {
    path.replace("{id}", "1").replace("{name}", "log.level").replace("{provider}", "braintree")
}

#[track_caller]
fn assert_detail(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = answer.json();
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{answer:?}");
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[actix_web::test]
async fn every_path_ends_in_a_slash_and_is_answered_without_it_too() {
    let settings = "[services]\ncleansed_settings_access = true";
    let pair = PairOptions::default().db_settings(settings).spawn().await;
    let (shop, _) = one_of_each(&pair).await;
    one_of_each_at_braintree(&pair).await;
    created(shop.client.post("/webhook-endpoints/", &json!({"name": "shop"})).await);
    let payment = json!({
        "provider": "stripe", "amount": "0.99", "currency": "EUR", "seller_product": shop.product,
        "nonce": VISA,
    });
    created(post(&shop.client, "/payments/", "k", &payment).await);
    // An implementation has the answers of its own; `implementations` looks at those.
    let own = |path: &str| path != "/openapi.json" && !path.starts_with("/provider/{name}/");
    // Nothing is there the second time.
    let stays = |method: &Method, path: &str| method != Method::DELETE || path != "/webhook-endpoints/{id}/";
    for (method, path) in routes::all().filter(|(method, path)| own(path) && stays(method, path)) {
        let path = filled(path);
        let send = async |path: &str| {
            let request = shop.client.request(method.clone(), path);
            let wrong = json!({"no_such_field": 1});
            if method == Method::GET { request.answer().await } else { request.json(&wrong).answer().await }
        };
        let with = send(&path).await;
        let without = send(path.strip_suffix('/').unwrap()).await;
        assert_eq!((with.status, with.json()), (without.status, without.json()), "{method} {path}");
        assert!(![404, 405].contains(&with.status), "{method} {path}: {with:?}");
        // Braintree's question is missing.
        let answers = method == Method::GET && !BRAINTREE_ASKS.contains(&path.as_str());
        assert_eq!(with.status == 200, answers, "{method} {path}: {with:?}");
    }
}

/// Where Braintree asks whether an address is ours.
const BRAINTREE_ASKS: [&str; 2] = ["/braintree/webhook/", "/webhooks/braintree/"];

/// A card, a subscription and a transaction at Braintree, each the first of its kind.
async fn one_of_each_at_braintree(pair: &Pair) {
    let shop = BraintreeShop::open(pair).await;
    let (card, (product, _)) = (shop.card().await, shop.subscribable("10.00").await);
    assert_eq!(shop.subscribe(&card, &product).await.status, 201);
    assert_eq!(shop.sell(&product, "5.00", "fake-valid-nonce").await.status, 200);
}

#[actix_web::test]
async fn put_and_delete_on_resources_that_do_not_offer_them_are_405() {
    let pair = spawn_pair().await;
    let (shop, resources) = one_of_each(&pair).await;
    for (uri, _) in &resources {
        assert_detail(&shop.client.delete(uri).await, 405);
    }
    assert_detail(&shop.client.put(&resources[3].0, &json!({"notes": "x"})).await, 405);
    for list in LISTS {
        assert_detail(&shop.client.put(list, &json!({})).await, 405);
        assert_detail(&shop.client.delete(list).await, 405);
    }
    // And on every path, every method that it does not have.
    let paths: BTreeSet<_> = routes::all().map(|(_, path)| path).collect();
    for path in paths {
        let has = |method: &Method| routes::all().any(|(its, of)| of == path && its == method);
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if !has(&method) {
                let answer = shop.client.request(method.clone(), &filled(path)).answer().await;
                assert_detail(&answer, 405);
                let allowed = answer.header("allow").unwrap();
                assert!(!allowed.contains(method.as_str()), "{method} {path}: {allowed}");
            }
        }
    }
}

#[actix_web::test]
async fn a_resource_carries_its_key_its_path_its_times_and_a_counter_that_grows_by_one_at_each_save() {
    let pair = spawn_pair().await;
    let (shop, resources) = one_of_each(&pair).await;
    for (uri, change) in &resources {
        let before = shop.client.get(uri).await.json();
        assert!(before["resource_pk"].is_i64(), "{before}");
        assert_eq!(&text(&before, "/resource_uri"), uri);
        assert!(uri.ends_with(&format!("/{}/", before["resource_pk"])), "{uri}");
        let time = |body: &Value, name: &str| DateTime::parse_from_rfc3339(&text(body, name)).unwrap();
        assert_eq!(before["counter"], 0, "{before}");
        for counter in 1..=2 {
            let answer = shop.client.patch(uri, change).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let after = shop.client.get(uri).await.json();
            assert_eq!(after["counter"], counter, "{after}");
            assert_eq!(after["created"], before["created"]);
            assert!(time(&after, "/modified") > time(&before, "/modified"), "{after}");
        }
    }
}

#[actix_web::test]
async fn a_reference_to_another_resource_is_its_resource_uri_in_requests_and_responses() {
    let pair = spawn_pair().await;
    let (shop, [(buyer, _), (seller, _), (product, _), (related, _)]) = one_of_each(&pair).await;
    let references = json!({"buyer": buyer, "seller": seller, "seller_product": product, "related": related});
    let shown = created(shop.client.post("/generic/transaction/", &references).await);
    let read = shop.client.get(&text(&shown, "/resource_uri")).await.json();
    for (field, uri) in references.as_object().unwrap() {
        assert_eq!((&shown[field], &read[field]), (uri, uri), "{field}");
        let bare = shop.client.post("/generic/transaction/", &json!({field: 1})).await;
        assert_eq!(bare.status, 400, "{field}: {bare:?}");
        assert!(bare.json()[field].is_array(), "{bare:?}");
    }
    assert_eq!(shop.client.get(&product).await.json()["seller"], json!(seller));
}

#[actix_web::test]
async fn every_list_has_meta_and_objects_newest_first_twenty_a_page() {
    let pair = spawn_pair().await;
    let (shop, _) = one_of_each(&pair).await;
    for list in &LISTS[..4] {
        let mut uris = vec![shop.client.get(list).await.json()["objects"][0]["resource_uri"].clone()];
        for _ in 0..21 {
            let one = created(shop.client.post(list, &another(&shop, list)).await);
            uris.insert(0, one["resource_uri"].clone());
        }
        let page = async |path: &str| {
            let body = shop.client.get(path).await.json();
            let objects = body["objects"].as_array().unwrap().iter();
            (objects.map(|object| object["resource_uri"].clone()).collect::<Vec<_>>(), body["meta"].clone())
        };
        let (first, meta) = page(list).await;
        assert_eq!(first, uris[..20], "{list}");
        let next = text(&meta, "/next");
        assert_eq!(meta, json!({"next": next, "prev": null, "page": 1, "total_count": 22}), "{list}");
        let (second, meta) = page(&next).await;
        assert_eq!(second, uris[20..], "{list}");
        let prev = text(&meta, "/prev");
        assert_eq!(meta, json!({"next": null, "prev": prev, "page": 2, "total_count": 22}), "{list}");
        assert_eq!(page(&prev).await.0, uris[..20], "{list}");
        let (third, meta) = page(&format!("{list}?limit=5&page=3")).await;
        assert_eq!(third, uris[10..15], "{list}");
        assert_eq!(page(&text(&meta, "/next")).await.0, uris[15..20], "the limit stays: {meta}");
    }
}

#[actix_web::test]
async fn a_limit_or_page_that_is_none_is_refused_by_name_and_a_page_behind_the_last_is_404() {
    let pair = spawn_pair().await;
    let client = pair.client();
    for list in LISTS {
        for (name, value) in [
            ("limit", "0"),
            ("limit", "-1"),
            ("limit", "x"),
            ("limit", ""),
            ("limit", "501"),
            ("page", "0"),
            ("page", "1.5"),
            ("page", "99999999999999999999"),
        ] {
            let answer = client.get(&format!("{list}?{name}={value}")).await;
            let (status, body) = (answer.status, answer.json());
            // The newer resource has its errors under a namespace.
            let fields = if list == "/generic/buyer/" { &body["mozilla"] } else { &body };
            assert_eq!(status, if list == "/generic/buyer/" { 422 } else { 400 }, "{list}: {answer:?}");
            assert!(fields[name].is_array(), "{list} {name}={value}: {answer:?}");
        }
        assert_eq!(client.get(&format!("{list}?limit=500&page=1")).await.status, 200, "{list}");
        assert_detail(&client.get(&format!("{list}?page=2")).await, 404);
    }
}

#[actix_web::test]
async fn an_unknown_query_parameter_of_any_list_is_400_by_name_and_never_ignored() {
    let settings = "[services]\ncleansed_settings_access = true";
    let pair = PairOptions::default().db_settings(settings).spawn().await;
    for list in LISTS.iter().chain(&["/services/settings/"]) {
        for query in ["uiud=x", "uiud=", "uiud", "limit=1&uiud=x", "uiud=x&uiud=y"] {
            let answer = pair.client().get(&format!("{list}?{query}")).await;
            assert_detail(&answer, 400);
            let named = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(named.starts_with("Incorrect query parameters: "), "{named}");
            assert!(named.contains("uiud"), "{list} {query}: {named}");
        }
    }
}

#[actix_web::test]
async fn an_error_of_no_single_field_is_under_all_in_both_shapes() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let newer = shop.client.post("/generic/buyer/", &json!({"uuid": "b", "4111 1111 1111 1111": "x"})).await;
    assert_eq!(newer.status, 422, "{newer:?}");
    let error = &newer.json()["mozilla"]["__all__"][0];
    assert!(error["code"] == "card_number" && error["message"].is_string(), "{newer:?}");
    let uri = text(&shop.transaction().await, "/resource_uri");
    let older = shop.client.patch(&uri, &json!({"amount": "1.00"})).await;
    assert_eq!((older.status, older.json()), (400, json!({"__all__": ["Cannot alter fields: amount"]})));
}

#[actix_web::test]
async fn bodies_are_json_and_401_403_404_and_405_carry_a_detail() {
    let settings = "[auth.clients.reader]\nsecret = 'dummy-reader-secret'\nroles = ['read']";
    let pair = PairOptions::default().db_settings(settings).spawn().await;
    let reader = Client::signed(pair.db_server.url(), "reader", "dummy-reader-secret");
    for list in &LISTS[..6] {
        assert_detail(&Client::unsigned(pair.db_server.url()).get(list).await, 401);
        assert_detail(&reader.post(list, &json!({"uuid": "x"})).await, 403);
        assert_detail(&reader.get(&format!("{list}999/")).await, 404);
        assert_detail(&reader.get(&format!("{list}x/")).await, 404);
        assert_detail(&reader.delete(list).await, 405);
        assert_eq!(reader.get(list).await.header("content-type"), Some("application/json"));
        let wrong = pair.client().post(list, &json!({"uuid": 5})).await;
        assert!([400, 422].contains(&wrong.status), "{wrong:?}");
        assert_eq!(wrong.header("content-type"), Some("application/json"));
    }
    assert_detail(&reader.get("/no/such/path/").await, 404);
}
