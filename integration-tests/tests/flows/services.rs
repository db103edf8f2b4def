//! `/services/`: what has failed, and the settings without their secrets.

use std::fs;

use actix_web::http::Method;
use diesel::{RunQueryDsl, sql_query};
use integration_tests::{
    client::Client,
    in_process::{PairOptions, spawn_pair},
};
use serde_json::{Value, json};

use super::{
    secrets::{forms, sentinels},
    shop::{Shop, created, text},
};

const WITHHELD: &str = "********************";

#[actix_web::test]
async fn the_latest_failed_transaction_of_each_product_is_listed() {
    let pair = spawn_pair().await;
    let (one, other) = (Shop::open(&pair).await, Shop::open(&pair).await);
    let client = pair.client();
    let mut failed = Vec::new();
    for shop in [&one, &one, &other] {
        let transaction = shop.transaction().await;
        let uri = text(&transaction, "/resource_uri");
        let change = json!({"provider": 2, "status": 4, "uid_pay": format!("pay-{uri}")});
        assert_eq!(client.patch(&uri, &change).await.status, 200);
        failed.push(client.get(&uri).await.json());
    }
    one.transaction().await;

    let answer = client.get("/services/failures/transactions/").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let expected = |transaction: &Value, product: &str| {
        json!({
            "id": transaction["resource_pk"],
            "uuid": transaction["uuid"],
            "uid_pay": transaction["uid_pay"],
            "uid_support": null,
            "uri": transaction["resource_uri"],
            "product_id": product.split('/').nth(3).unwrap().parse::<i64>().unwrap(),
        })
    };
    let (latest, first) = (expected(&failed[2], &other.product), expected(&failed[1], &one.product));
    assert_eq!(answer.json()["objects"], json!([latest, first]));
    assert_eq!(answer.json()["meta"]["total_count"], 2);
    let page = client.get("/services/failures/transactions/?limit=1&page=2").await.json();
    assert_eq!(page["objects"], json!([first]));
    let typo = client.get("/services/failures/transactions/?produkt=1").await;
    assert_eq!(typo.status, 400, "{typo:?}");
}

#[actix_web::test]
async fn the_failed_checks_of_products_are_listed_and_there_are_none_at_first() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let path = "/services/failures/statuses/";
    assert_eq!(client.get(path).await.json()["objects"], json!([]));
    let shop = Shop::open(&pair).await;
    let product: i64 = shop.product.split('/').nth(3).unwrap().parse().unwrap();
    let seller: i64 = shop.seller.split('/').nth(3).unwrap().parse().unwrap();
    let mut connection = pair.database.as_ref().unwrap().connect();
    for statement in [
        format!(
            "insert into bango_sellers (seller_id, package_id, admin_person_id, support_person_id, \
             finance_person_id) values ({seller}, 1, 1, 1, 1)"
        ),
        format!("insert into bango_products (product_id, bango_seller_id, bango_id) select {product}, id, 'b' from bango_sellers"),
        "insert into bango_statuses (bango_product_id, status, errors) select id, 2, 'no price' from bango_products".to_owned(),
        "insert into bango_statuses (bango_product_id, status) select id, 1 from bango_products".to_owned(),
    ] {
        sql_query(statement).execute(&mut connection).unwrap();
    }
    let listed = client.get(path).await.json();
    assert_eq!(listed["meta"]["total_count"], 1, "{listed}");
    let found = &listed["objects"][0];
    assert_eq!(
        (&found["status"], &found["errors"], &found["product_id"]),
        (&json!(2), &json!("no price"), &json!(product))
    );
}

#[actix_web::test]
async fn the_settings_are_only_shown_where_the_operator_allows_it_and_to_an_administrator() {
    let pair = spawn_pair().await;
    for path in ["/services/settings/", "/services/settings/log.level/"] {
        assert_eq!(pair.client().get(path).await.status, 403, "{path}");
    }
    let options = "[services]\ncleansed_settings_access = true\n\
                   [auth.clients.reader]\nsecret = 'dummy-reader-secret'\nroles = ['read', 'write', 'refund']";
    let pair = PairOptions::default().db_settings(options).spawn().await;
    let reader = Client::signed(pair.db_server.url(), "reader", "dummy-reader-secret");
    for path in ["/services/settings/", "/services/settings/log.level/"] {
        assert_eq!(pair.client().get(path).await.status, 200, "{path}");
        assert_eq!(reader.get(path).await.status, 403, "{path}");
        assert_eq!(Client::unsigned(pair.db_server.url()).get(path).await.status, 401, "{path}");
    }
    let one = pair.client().get("/services/settings/transactions.lockdown/").await.json();
    assert_eq!((&one["key"], &one["value"]), (&json!("transactions.lockdown"), &json!("86400s")));
    assert_eq!(pair.client().get("/services/settings/nothing/").await.status, 404);
    let put = pair.client().request(Method::PUT, "/services/settings/log.level/").answer().await;
    assert_eq!(put.status, 405);
}

/// The secret keys of db-server, by the page that documents them: another source than the code under test.
fn secret_keys() -> Vec<String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md")).unwrap();
    let part = page.split("\n## ").find(|part| part.starts_with("db-server\n")).unwrap();
    let keys = part.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let secret = cells.get(2)?.contains("secret");
        secret.then(|| cells[1].trim_matches('`').to_owned())
    });
    keys.collect()
}

#[actix_web::test]
async fn no_secret_appears_in_the_settings_that_are_shown() {
    let secrets = sentinels();
    let odd = "[services]\ncleansed_settings_access = true\n\
               [database.postgres]\npassword = 'dummy-sentinel+password/5'\n\
               [auth.clients.'odd/name.#1']\nsecret = 'dummy-sentinel+other/secret=6'";
    let pair = PairOptions::default().db_settings(odd).dummies(secrets.clone()).spawn().await;
    let list = pair.client().get("/services/settings/").await;
    assert_eq!(list.status, 200, "{list:?}");
    let shown = list.json();
    let objects = shown["objects"].as_array().unwrap();
    assert_eq!(shown["meta"]["total_count"], objects.len());

    let all = [
        secrets.client_secret.as_str(),
        &secrets.encryption_key,
        &secrets.lookup_key,
        &secrets.pepper,
        "dummy-sentinel+password/5",
        "dummy-sentinel+other/secret=6",
    ];
    let mut bodies = vec![list.text()];
    for object in objects {
        let one = pair.client().get(&text(object, "/resource_uri")).await;
        assert_eq!((one.status, one.json()), (200, object.clone()));
        bodies.push(one.text());
    }
    for form in all.into_iter().flat_map(forms) {
        assert!(bodies.iter().all(|body| !body.contains(&form)), "{form} is shown");
    }

    // Every secret key is there, so each of them had its chance to be shown.
    let value = |key: &str| objects.iter().find(|object| object["key"] == key).map(|object| &object["value"]);
    let keys = secret_keys();
    assert!(keys.len() >= 3, "{keys:?}");
    for key in &keys {
        let key = key.replace("NAME", &secrets.client_key);
        assert_eq!(value(&key), Some(&json!(WITHHELD)), "{key}");
    }
    // The check sees what it is meant to see.
    assert_eq!(value("database.postgres.sslmode"), Some(&json!("disable")));
    assert_eq!(value("services.cleansed_settings_access"), Some(&json!(true)));
    created(pair.client().post("/generic/seller/", &json!({"uuid": "still-works"})).await);
}
