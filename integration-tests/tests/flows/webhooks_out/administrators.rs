//! Endpoints are registered by administrators, by their names.

use super::*;

#[actix_web::test]
async fn endpoints_are_for_administrators_and_have_names_and_no_urls() {
    let shop = Shop::open();
    let server = shop.db_server();
    let client = shop.client(&server);
    for (body, field, code) in [
        (json!({}), "name", "required"),
        (json!({"name": "http://127.0.0.1/"}), "name", "invalid"),
        (json!({"name": "shop", "url": "http://127.0.0.1/"}), "url", "unknown_field"),
        (json!({"name": "shop", "types": "payment.captured"}), "types", "invalid"),
        (json!({"name": "shop", "types": ["Captured"]}), "types", "invalid"),
        (json!({"name": "shop", "after": 1}), "after", "does_not_exist"),
    ] {
        let refused = client.post("/webhook-endpoints/", &body).await;
        assert_eq!(refused.status, 422, "{body}");
        assert_eq!(refused.json()["mozilla"][field][0]["code"], code, "{body}: {}", refused.text());
    }
    let shown = register(&client).await;
    let twice = client.post("/webhook-endpoints/", &json!({"name": "shop"})).await;
    assert_eq!(twice.json()["mozilla"]["name"][0]["code"], "not_unique", "{twice:?}");
    let list = client.get("/webhook-endpoints/").await.json();
    assert_eq!((&list["objects"][0], &list["meta"]["total_count"]), (&shown, &json!(1)));
    let path = shown["resource_uri"].as_str().unwrap();
    assert_eq!(client.delete(path).await.status, 204);
    for answer in [client.get(path).await, client.delete(path).await] {
        assert_eq!(answer.status, 404);
    }
    assert_eq!(client.post(&format!("{path}replay/"), &json!({"after": 0})).await.status, 404);
}

#[actix_web::test]
async fn only_an_administrator_has_to_do_with_endpoints() {
    let settings = "[auth.clients.writer]\nsecret = \"dummy-writer-secret\"\nroles = [\"read\", \"write\"]\n";
    let pair = PairOptions::default().db_settings(settings).spawn().await;
    let writer = Client::signed(pair.db_server.url(), "writer", "dummy-writer-secret");
    let (list, one) = ("/webhook-endpoints/", "/webhook-endpoints/1/");
    let (name, replay) = (json!({"name": "shop"}), json!({"after": 0}));
    for answer in [
        writer.get(list).await,
        writer.post(list, &name).await,
        writer.get(one).await,
        writer.patch(one, &json!({"enabled": true})).await,
        writer.delete(one).await,
        writer.post("/webhook-endpoints/1/replay/", &replay).await,
    ] {
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    assert_eq!(writer.get("/events/").await.status, 200);
}
