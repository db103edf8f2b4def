//! The API's section on transactions, a sentence a test.

use diesel::{RunQueryDsl, sql_query};
use futures_util::future::join_all;
use integration_tests::{
    clock::ManualClock,
    in_process::{PairOptions, spawn_pair},
};
use serde_json::{Value, json};

use super::{
    schema::events,
    shop::{Shop, created, text, unique},
    specification_of_resources::{found, named},
};

const STATUSES: [i64; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

/// Creates a transaction of the shop's seller and product.
async fn transaction(shop: &Shop, fields: Value) -> Value {
    let mut body = json!({"seller": shop.seller, "seller_product": shop.product});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    created(shop.client.post("/generic/transaction/", &body).await)
}

#[actix_web::test]
async fn a_transaction_has_the_fields_and_defaults_of_the_original() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let bare = created(client.post("/generic/transaction/", &json!({})).await);
    let mut expected = json!({
        "resource_pk": 1, "resource_uri": "/generic/transaction/1/", "counter": 0, "type": 0, "status": 6,
        "relations": [],
    });
    for field in ["uuid", "created", "modified"] {
        expected[field] = bare[field].clone();
    }
    for field in [
        "amount",
        "currency",
        "buyer",
        "seller",
        "seller_product",
        "provider",
        "region",
        "carrier",
        "source",
        "status_reason",
        "uid_pay",
        "uid_support",
        "pay_url",
        "related",
        "notes",
    ] {
        expected[field] = Value::Null;
    }
    assert_eq!(bare, expected);
    let random = text(&bare, "/uuid").strip_prefix("solitude:").unwrap().to_owned();
    assert_eq!(uuid::Uuid::parse_str(&random).unwrap().get_version_num(), 4);
}

#[actix_web::test]
async fn a_transaction_keeps_every_field_and_knows_its_providers_and_types_by_number() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let mut given = json!({
        "uuid": "t", "amount": "9999999.99", "currency": "EUR", "seller": shop.seller,
        "seller_product": shop.product, "region": "r", "carrier": "c", "source": "s", "status_reason": "why",
        "uid_pay": "up", "uid_support": "us", "pay_url": "https://a.example.test/", "notes": "n", "status": 0,
    });
    for (number, provider) in [1, 2, 3, 4, 5].into_iter().enumerate() {
        given["uuid"] = json!(format!("t{provider}"));
        (given["provider"], given["type"]) = (json!(provider), json!(number));
        let made = created(shop.client.post("/generic/transaction/", &given).await);
        let read = shop.read(&made).await;
        for (field, value) in given.as_object().unwrap() {
            assert_eq!(&read[field], value, "{field}");
        }
    }
    for (field, value) in
        [("provider", 0), ("provider", 6), ("type", 5), ("type", -1), ("status", 8), ("status", -1)]
    {
        named(&shop.client.post("/generic/transaction/", &json!({field: value})).await, field);
    }
    // Nine digits, of which two are places.
    let long = json!({"amount": "10000000.00", "currency": "EUR"});
    named(&shop.client.post("/generic/transaction/", &long).await, "amount");
}

#[actix_web::test]
async fn uuid_is_unique_and_uid_pay_and_uid_support_are_with_their_provider() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let post = async |body: Value| shop.client.post("/generic/transaction/", &body).await;
    created(post(json!({"uuid": "t"})).await);
    assert_eq!(
        named(&post(json!({"uuid": "t"})).await, "uuid"),
        "Transaction with this Uuid already exists."
    );
    for field in ["uid_pay", "uid_support"] {
        created(post(json!({field: "same", "provider": 1})).await);
        created(post(json!({field: "same", "provider": 2})).await);
        let twice = named(&post(json!({field: "same", "provider": 2})).await, field);
        assert!(twice.ends_with("and Provider already exists."), "{twice}");
        // Without a provider nothing is known about it yet.
        created(post(json!({field: "same"})).await);
        created(post(json!({field: "same"})).await);
    }
    let uri = text(&created(post(json!({"uid_pay": "same"})).await), "/resource_uri");
    named(&shop.client.patch(&uri, &json!({"provider": 2})).await, "uid_pay");
    assert_eq!(shop.client.get(&uri).await.json()["provider"], Value::Null);
    assert_eq!(shop.client.patch(&uri, &json!({"provider": 2, "uid_pay": "other"})).await.status, 200);
    named(&shop.client.patch(&uri, &json!({"uid_pay": "same"})).await, "uid_pay");
}

#[actix_web::test]
async fn transactions_have_the_filters_uuid_seller_and_provider() {
    let pair = spawn_pair().await;
    let (one, other) = (Shop::open(&pair).await, Shop::open(&pair).await);
    let mine = transaction(&one, json!({"provider": 1, "uuid": "t1"})).await["resource_uri"].clone();
    let second = transaction(&one, json!({"provider": 2, "uuid": "t2"})).await["resource_uri"].clone();
    let others = transaction(&other, json!({"provider": 2, "uuid": "t3"})).await["resource_uri"].clone();
    let pk = one.seller.split('/').nth(3).unwrap();
    for (query, expected) in [
        ("uuid=t1".to_owned(), vec![&mine]),
        (format!("seller={}", one.seller), vec![&second, &mine]),
        (format!("seller={pk}"), vec![&second, &mine]),
        (format!("seller={}", other.seller), vec![&others]),
        ("provider=2".to_owned(), vec![&others, &second]),
        (format!("provider=2&seller={}", one.seller), vec![&second]),
        (format!("uuid=t1&seller={}", other.seller), vec![]),
        ("provider=5".to_owned(), vec![]),
    ] {
        let list = found(&one, &format!("/generic/transaction/?{query}")).await;
        assert_eq!(list.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    for (field, value) in [("provider", "9"), ("provider", "x"), ("seller", "x"), ("seller", &one.product)] {
        named(&one.client.get(&format!("/generic/transaction/?{field}={value}")).await, field);
    }
}

#[actix_web::test]
async fn relations_are_the_transactions_whose_related_is_this_one() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let payment = shop.transaction().await;
    let mut refunds = Vec::new();
    for _ in 0..2 {
        refunds.insert(0, transaction(&shop, json!({"type": 1, "related": payment["resource_uri"]})).await);
    }
    shop.transaction().await;
    let relations = shop.read(&payment).await["relations"].clone();
    let uris: Vec<_> = relations.as_array().unwrap().iter().map(|one| &one["resource_uri"]).collect();
    assert_eq!(uris, refunds.iter().map(|one| &one["resource_uri"]).collect::<Vec<_>>());
    let listed = shop.client.get(&format!("/generic/transaction/?uuid={}", text(&payment, "/uuid"))).await;
    assert_eq!(listed.json()["objects"][0]["relations"], relations);
    assert_eq!(shop.read(&refunds[0]).await["related"], payment["resource_uri"]);
    // They are read only.
    let change = json!({"relations": []});
    assert!(
        named(&shop.client.patch(&text(&payment, "/resource_uri"), &change).await, "__all__")
            .contains("relations")
    );
}

/// The server asks Postgres for those that come at once in one statement.
#[actix_web::test]
async fn reads_at_once_give_each_the_transaction_that_it_asks_for() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let mut uris = Vec::new();
    for _ in 0..5 {
        let payment = shop.transaction().await;
        uris.push(text(&payment, "/resource_uri"));
        for _ in 0..2 {
            let refund = transaction(&shop, json!({"type": 1, "related": payment["resource_uri"]})).await;
            uris.push(text(&refund, "/resource_uri"));
        }
    }
    uris.push("/generic/transaction/987654321/".to_owned());
    let mut alone = Vec::new();
    for uri in &uris {
        alone.push(shop.client.get(uri).await);
    }
    assert_eq!(alone[0].json()["relations"].as_array().map(Vec::len), Some(2));
    assert_eq!(alone.last().unwrap().status, 404);
    for _ in 0..4 {
        let together = join_all(uris.iter().map(|uri| shop.client.get(uri))).await;
        for (one, other) in alone.iter().zip(&together) {
            assert_eq!((one.status, one.json()), (other.status, other.json()));
        }
    }
}

#[actix_web::test]
async fn patch_may_change_only_some_fields_and_provider_while_it_is_unset() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let uri = text(&shop.transaction().await, "/resource_uri");
    let allowed = json!({
        "notes": "n", "pay_url": "https://a.example.test/", "status": 0, "status_reason": "why",
        "uid_pay": unique("pay"), "provider": 2,
    });
    let changed = shop.client.patch(&uri, &allowed).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    for (field, value) in allowed.as_object().unwrap() {
        assert_eq!(&changed.json()[field], value, "{field}");
    }
    let before = shop.client.get(&uri).await.json();
    for (field, value) in before.as_object().unwrap() {
        if allowed.get(field).is_none() {
            let refused =
                named(&shop.client.patch(&uri, &json!({field: value, "notes": "x"})).await, "__all__");
            assert_eq!(refused, format!("Cannot alter fields: {field}"));
        }
    }
    let refused = named(&shop.client.patch(&uri, &json!({"provider": 1})).await, "__all__");
    assert_eq!(refused, "Cannot alter fields: provider");
    assert_eq!(shop.client.get(&uri).await.json(), before);
}

#[actix_web::test]
async fn failed_cancelled_and_errored_are_final_and_checked_and_received_end_completed_or_failed() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    for from in STATUSES {
        for to in STATUSES.into_iter().filter(|to| *to != from) {
            let made = transaction(&shop, json!({"provider": 2, "status": from})).await;
            let answer = shop.client.patch(&text(&made, "/resource_uri"), &json!({"status": to})).await;
            let allowed = match from {
                4 | 5 | 7 => false,
                2 | 3 => [1, 4].contains(&to),
                _ => true,
            };
            assert_eq!(answer.status, if allowed { 200 } else { 400 }, "{from} to {to}: {answer:?}");
            assert_eq!(shop.read(&made).await["status"], if allowed { to } else { from }, "{from} to {to}");
        }
    }
}

#[actix_web::test]
async fn moving_to_anything_but_started_or_errored_needs_provider_and_seller_product() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    for (fields, lacking) in
        [(json!({"seller_product": shop.product}), "provider"), (json!({"provider": 2}), "seller_product")]
    {
        for to in STATUSES {
            let made = created(shop.client.post("/generic/transaction/", &fields).await);
            let answer = shop.client.patch(&text(&made, "/resource_uri"), &json!({"status": to})).await;
            if [6, 7].contains(&to) {
                assert_eq!((answer.status, &answer.json()["status"]), (200, &json!(to)));
            } else {
                named(&answer, lacking);
                assert_eq!(shop.read(&made).await["status"], 6);
            }
        }
    }
}

#[actix_web::test]
async fn nothing_changes_once_a_transaction_is_older_than_24_hours() {
    let clock = ManualClock::new();
    let pair = PairOptions::default().clock(clock.clock()).spawn().await;
    let shop = Shop::open(&pair).await;
    let uri = text(&transaction(&shop, json!({"provider": 2})).await, "/resource_uri");
    // The database has the time of its own clock, which may be a little further.
    clock.advance(24 * 3600 - 60);
    assert_eq!(shop.client.patch(&uri, &json!({"notes": "in time"})).await.status, 200);
    clock.advance(120);
    let before = shop.client.get(&uri).await.json();
    for change in
        [json!({"notes": "late"}), json!({"status": 1}), json!({"uid_pay": "x"}), json!({"pay_url": null})]
    {
        let refused = shop.client.patch(&uri, &change).await;
        assert_eq!(named(&refused, "__all__"), "Transaction locked down", "{change}");
    }
    assert_eq!(shop.client.get(&uri).await.json(), before);
}

#[actix_web::test]
async fn a_status_change_is_an_audit_event_of_who_when_old_and_new() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let uri = text(&transaction(&shop, json!({"provider": 2})).await, "/resource_uri");
    for change in [json!({"status": 0}), json!({"notes": "no change of status"}), json!({"status": 1})] {
        assert_eq!(shop.client.patch(&uri, &change).await.status, 200);
    }
    let modified = text(&shop.client.get(&uri).await.json(), "/modified");
    let mut connection = pair.database.as_ref().unwrap().connect();
    let seen: Vec<_> =
        events(&mut connection).into_iter().map(|event| (event.actor, event.old, event.new)).collect();
    let client = pair.dummies.client_key.clone();
    assert_eq!(seen, [(client.clone(), None, 6), (client.clone(), Some(6), 0), (client, Some(0), 1)]);
    // The last one was at the time of the last change.
    let last = format!("select id from transaction_events where new_status = 1 and created = '{modified}'");
    assert_eq!(sql_query(last).execute(&mut connection).unwrap(), 1, "{modified}");
}
