//! Who switches the door, to where, and where else that holds.

use super::*;
use crate::api_clients::bearer;

#[actix_web::test]
async fn the_door_is_disabled_until_somebody_switches_it() {
    for people in [People::new(""), people("")] {
        let running = people.serve();
        for (method, path) in [
            (Method::GET, "/proxy"),
            (Method::GET, "/proxy/"),
            (Method::DELETE, "/proxy/a/b?c=d"),
            (Method::POST, "/proxy/x"),
        ] {
            let client = Client::unsigned(running.url());
            let answer = client.request(method, path).answer().await;
            assert_eq!((answer.status, answer.text().as_str()), (501, "The proxy is disabled."), "{path}");
        }
        assert_eq!(come(&running, "/proxyx", &[]).await.status, 404);
        let shown = admin(&running).get("/services/proxy/").await;
        assert_eq!((shown.status, shown.json()), (200, json!({"url": null})));
    }
}

#[actix_web::test]
async fn an_administrator_switches_the_door_for_every_instance_and_over_a_restart() {
    let (people, running, target) = open("").await;
    assert_eq!(come(&running, "/proxy/x", &[]).await.status, 200);
    let other = people.serve();
    assert_eq!(come(&other, "/proxy/x", &[]).await.status, 200, "another instance, or this one restarted");
    assert_eq!(admin(&other).get("/services/proxy").await.json(), json!({"url": target.url}));
    assert_eq!(switch(&running, json!(null)).await.json(), json!({"url": null}));
    assert_eq!(come(&running, "/proxy/x", &[]).await.status, 501);
}

#[actix_web::test]
async fn only_an_administrator_switches_it_and_only_to_what_the_operator_allows() {
    let (people, running, target) = open("").await;
    people.add("Alice", &["read", "write"]);
    let token = token(&running, "Alice", PASSWORD).await;
    for method in [Method::GET, Method::PUT] {
        let answer = bearer(running.url(), method, "/services/proxy/", &token).await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    assert_eq!(come(&running, "/services/proxy/", &[]).await.status, 401);
    for wrong in [
        json!("https://evil.example.test"),
        json!("ftp://127.0.0.1"),
        json!("http://user:dummy@127.0.0.1"),
        json!("http://127.0.0.1.evil.example.test"),
        json!("not a url"),
        json!(5),
    ] {
        let answer = switch(&running, wrong.clone()).await;
        assert!(answer.status == 400 && answer.json()["url"].is_array(), "{wrong}: {answer:?}");
    }
    let missing = admin(&running).put("/services/proxy/", &json!({})).await;
    assert!(missing.status == 400 && missing.json()["url"].is_array(), "{missing:?}");
    assert_eq!(admin(&running).get("/services/proxy/").await.json(), json!({"url": target.url}));
}

#[actix_web::test]
async fn what_the_list_no_longer_has_is_not_led_to() {
    let (people, running, _) = open("").await;
    drop(running);
    let mut table = people.table.clone();
    table["door"]["allowed"] = vec!["https://shop.example.test"].into();
    let running = integration_tests::in_process::start_db_server(table);
    assert_eq!(come(&running, "/proxy/x", &[]).await.status, 501);
}
