//! The API's sentences on versions: ETags, conditions, and the counter behind them.

use actix_web::http::Method;
use futures_util::future::join_all;
use integration_tests::in_process::spawn_pair;
use serde_json::json;

use super::specification::{LISTS, another, one_of_each};

#[actix_web::test]
async fn an_etag_is_on_every_single_resource_and_list_and_if_none_match_gives_304() {
    let pair = spawn_pair().await;
    let (shop, resources) = one_of_each(&pair).await;
    let client = &shop.client;
    for (uri, change) in &resources {
        let list = uri.strip_suffix("1/").unwrap();
        let mut known = Vec::new();
        for path in [uri.as_str(), list] {
            let first = client.get(path).await;
            let etag = first.header("etag").unwrap_or_else(|| panic!("{path}: {first:?}")).to_owned();
            let again = client.request(Method::GET, path).header("If-None-Match", &etag).answer().await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
            assert_eq!(again.header("etag"), Some(etag.as_str()), "{path}");
            known.push((path, etag));
        }
        assert!(known[0].1.starts_with("\"1-0"), "from pk and counter: {known:?}");
        assert_eq!(client.patch(uri, change).await.status, 200);
        for (path, etag) in known {
            let changed = client.request(Method::GET, path).header("If-None-Match", &etag).answer().await;
            assert_eq!(changed.status, 200, "{path}");
            assert_ne!(changed.header("etag"), Some(etag.as_str()), "{path}");
        }
        assert!(client.get(uri).await.header("etag").unwrap().starts_with("\"1-1"));
    }
    for list in LISTS {
        let etag = client.get(list).await.header("etag").unwrap().to_owned();
        let again = client.request(Method::GET, list).header("If-None-Match", &etag).answer().await;
        assert_eq!(again.status, 304, "{list}");
    }
}

#[actix_web::test]
async fn what_the_provider_shows_of_a_resource_has_an_etag_that_changes_with_it() {
    let pair = spawn_pair().await;
    let client = one_of_each(&pair).await.0.client;
    for (kind, change) in [
        ("sellers", json!({"name": "Another Name"})),
        ("products", json!({"name": "Another Sword"})),
        ("terms", json!({"agreement": "2026-01-02"})),
    ] {
        let path = format!("/provider/reference/{kind}/1/");
        let ask = |etag: &str| client.request(Method::GET, &path).header("If-None-Match", etag).answer();
        let first = client.get(&path).await;
        let etag = first.header("etag").unwrap_or_else(|| panic!("{path}: {first:?}")).to_owned();
        let again = ask(&etag).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(etag.as_str()), "{path}");
        let changed = client.put(&path, &change).await;
        assert_eq!(changed.status, 200, "{path}: {changed:?}");
        let after = ask(&etag).await;
        assert_eq!(after.status, 200, "{path}");
        assert_ne!(after.header("etag"), Some(etag.as_str()), "{path}");
        assert_eq!(changed.header("etag"), after.header("etag"), "{path}: the change gives the new version");
    }
}

#[actix_web::test]
async fn if_match_on_patch_and_put_gives_412_when_stale_and_nothing_is_changed() {
    let pair = spawn_pair().await;
    let (shop, resources) = one_of_each(&pair).await;
    for (uri, change) in &resources {
        let stale = shop.client.get(uri).await.header("etag").unwrap().to_owned();
        assert_eq!(shop.client.patch(uri, change).await.status, 200);
        let now = shop.client.get(uri).await;
        let mut whole = another(&shop, uri.strip_suffix("1/").unwrap());
        whole["uuid"] = now.json()["uuid"].clone();
        if uri == &shop.product {
            whole.as_object_mut().unwrap().remove("uuid");
        }
        let methods =
            if uri == &resources[3].0 { vec![Method::PATCH] } else { vec![Method::PATCH, Method::PUT] };
        for method in methods {
            let body = if method == Method::PUT { &whole } else { change };
            let send = |etag: &str| {
                shop.client.request(method.clone(), uri).header("If-Match", etag).json(body).answer()
            };
            let current = shop.client.get(uri).await;
            let refused = send(&stale).await;
            assert_eq!(refused.status, 412, "{method} {uri}: {refused:?}");
            assert_eq!(shop.client.get(uri).await.json(), current.json(), "{method} {uri}");
            let taken = send(current.header("etag").unwrap()).await;
            assert_eq!(taken.status, 200, "{method} {uri}: {taken:?}");
        }
    }
}

#[actix_web::test]
async fn concurrent_updates_of_any_resource_never_lose_one_anothers_counter() {
    let pair = spawn_pair().await;
    let (shop, resources) = one_of_each(&pair).await;
    for (uri, change) in &resources {
        let changes = join_all((0..20).map(|_| shop.client.patch(uri, change))).await;
        assert!(changes.iter().all(|answer| answer.status == 200), "{changes:?}");
        let mut counters: Vec<_> = changes.iter().map(|answer| answer.json()["counter"].as_i64()).collect();
        counters.sort();
        assert_eq!(counters, (1..=20).map(Some).collect::<Vec<_>>(), "{uri}");
    }
}
