//! The API's sections on sellers and products, a sentence a test.

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use integration_tests::{client::Answer, in_process::spawn_pair};
use serde_json::{Value, json};

use super::shop::{Shop, created, text};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

/// Asserts that an answer of an older resource is a 400 that names this field, and gives what it says.
#[track_caller]
pub fn named(answer: &Answer, field: &str) -> String {
    assert_eq!(answer.status, 400, "{answer:?}");
    let body = answer.json();
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{answer:?}");
    text(&body, &format!("/{field}/0"))
}

pub async fn found(shop: &Shop, path: &str) -> Vec<Value> {
    let answer = shop.client.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    let body = answer.json();
    let objects = body["objects"].as_array().unwrap().iter();
    objects.map(|object| object["resource_uri"].clone()).collect()
}

#[actix_web::test]
async fn a_uuid_of_a_buyer_or_seller_has_255_characters_at_most() {
    let pair = spawn_pair().await;
    let client = pair.client();
    for path in ["/generic/buyer/", "/generic/seller/"] {
        // Characters, not bytes.
        let longest = "ü".repeat(255);
        let made = created(client.post(path, &json!({"uuid": longest})).await);
        assert_eq!(client.get(&text(&made, "/resource_uri")).await.json()["uuid"], json!(longest));
        let longer = client.post(path, &json!({"uuid": "ü".repeat(256)})).await;
        assert!([400, 422].contains(&longer.status) && longer.text().contains("255"), "{longer:?}");
    }
}

#[actix_web::test]
async fn a_put_on_a_seller_sets_every_field_and_a_uuid_stays_unique() {
    let pair = spawn_pair().await;
    let client = pair.client();
    created(client.post("/generic/seller/", &json!({"uuid": "taken"})).await);
    let seller = created(client.post("/generic/seller/", &json!({"uuid": "one", "active": false})).await);
    let uri = text(&seller, "/resource_uri");
    let put = client.put(&uri, &json!({"uuid": "two"})).await;
    assert_eq!(put.status, 200, "{put:?}");
    let after = client.get(&uri).await.json();
    assert_eq!(
        (&after["uuid"], &after["active"], &after["counter"]),
        (&json!("two"), &json!(true), &json!(1))
    );
    assert_eq!(named(&client.put(&uri, &json!({"active": true})).await, "uuid"), "This field is required.");
    let exists = "Seller with this Uuid already exists.";
    assert_eq!(named(&client.put(&uri, &json!({"uuid": "taken"})).await, "uuid"), exists);
    assert_eq!(named(&client.patch(&uri, &json!({"uuid": "taken"})).await, "uuid"), exists);
    assert_eq!(client.get(&uri).await.json(), after);
}

#[actix_web::test]
async fn an_external_id_is_unique_per_seller_and_a_public_id_everywhere() {
    let pair = spawn_pair().await;
    let (one, other) = (Shop::open(&pair).await, Shop::open(&pair).await);
    let body = |shop: &Shop, external: &str, public: &str| json!({"seller": shop.seller, "external_id": external, "public_id": public});
    let post = async |body: Value| one.client.post("/generic/product/", &body).await;
    created(post(body(&one, "e", "p1")).await);
    named(&post(body(&one, "e", "p2")).await, "external_id");
    created(post(body(&other, "e", "p2")).await);
    named(&post(body(&other, "f", "p1")).await, "public_id");
    named(&one.client.patch(&one.product, &json!({"external_id": "e"})).await, "external_id");
    named(&one.client.patch(&one.product, &json!({"public_id": "p2"})).await, "public_id");
}

#[actix_web::test]
async fn the_access_of_a_product_is_1_for_purchases_or_2_for_simulation_only() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    assert_eq!(shop.client.get(&shop.product).await.json()["access"], 1);
    for access in [2, 1] {
        assert_eq!(
            shop.client.patch(&shop.product, &json!({"access": access})).await.json()["access"],
            access
        );
    }
    for access in [json!(0), json!(3), json!("x"), Value::Null] {
        named(&shop.client.patch(&shop.product, &json!({"access": access})).await, "access");
    }
}

#[actix_web::test]
async fn a_put_on_a_product_sets_every_field_and_its_secret_is_encrypted_at_rest() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let body = |secret: &str| json!({"seller": shop.seller, "external_id": "e", "public_id": "p", "secret": secret, "access": 2});
    let put = shop.client.put(&shop.product, &body("dummy-plain-secret")).await;
    assert_eq!(put.status, 200, "{put:?}");
    let after = shop.client.get(&shop.product).await.json();
    for (field, value) in body("dummy-plain-secret").as_object().unwrap() {
        assert_eq!(&after[field], value, "{field}");
    }
    let rows: Vec<Row> = sql_query("select p::text as row from products p")
        .load(&mut pair.database.as_ref().unwrap().connect())
        .unwrap();
    assert!(rows.iter().any(|row| row.row.contains("gAAAA")), "a token is there");
    assert!(rows.iter().all(|row| !row.row.contains("dummy-plain-secret")));
    let bare = json!({"seller": shop.seller, "external_id": "e", "public_id": "p"});
    assert_eq!(shop.client.put(&shop.product, &bare).await.status, 200);
    let after = shop.client.get(&shop.product).await.json();
    assert_eq!((&after["secret"], &after["access"]), (&Value::Null, &json!(1)));
    assert_eq!(shop.client.put(&shop.product, &json!({"external_id": "e"})).await.status, 400);
}

#[actix_web::test]
async fn seller_uuids_name_the_seller_at_each_provider_that_the_product_is_set_up_with() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let uuid = shop.client.get(&shop.seller).await.json()["uuid"].clone();
    let body = json!({"seller": shop.seller, "external_id": "e", "public_id": "p"});
    let bare = created(shop.client.post("/generic/product/", &body).await);
    assert_eq!(bare["seller_uuids"], json!({"bango": null, "reference": null}));
    let linked = shop.client.get(&shop.product).await.json();
    assert_eq!(linked["seller_uuids"], json!({"bango": null, "reference": uuid}));
    let product = shop.product.split('/').nth(3).unwrap();
    let mut connection = pair.database.as_ref().unwrap().connect();
    for statement in [
        "insert into bango_sellers (seller_id, package_id, admin_person_id, support_person_id, \
         finance_person_id) values (1, 1, 1, 1, 1)"
            .to_owned(),
        format!(
            "insert into bango_products (product_id, bango_seller_id, bango_id) values ({product}, 1, 'b')"
        ),
    ] {
        sql_query(statement).execute(&mut connection).unwrap();
    }
    let linked = shop.client.get(&shop.product).await.json();
    assert_eq!(linked["seller_uuids"], json!({"bango": uuid, "reference": uuid}));
    // It is read only.
    let change = json!({"seller_uuids": {"bango": "x", "reference": "y"}});
    assert_eq!(
        shop.client.patch(&shop.product, &change).await.json()["seller_uuids"],
        linked["seller_uuids"]
    );
}

#[actix_web::test]
async fn products_have_the_filters_external_id_public_id_seller_its_uuid_and_whether_it_is_active() {
    let pair = spawn_pair().await;
    let (one, other) = (Shop::open(&pair).await, Shop::open(&pair).await);
    one.client.patch(&other.seller, &json!({"active": false})).await;
    let product = one.client.get(&one.product).await.json();
    let uuid = text(&one.client.get(&one.seller).await.json(), "/uuid");
    let pk = one.seller.split('/').nth(3).unwrap();
    for query in [
        format!("external_id={}", text(&product, "/external_id")),
        format!("public_id={}", text(&product, "/public_id")),
        format!("seller={}", one.seller),
        format!("seller={pk}"),
        format!("seller__uuid={uuid}"),
        "seller__active=true".to_owned(),
        format!("seller__active=true&public_id={}", text(&product, "/public_id")),
    ] {
        assert_eq!(found(&one, &format!("/generic/product/?{query}")).await, [json!(one.product)], "{query}");
    }
    let none = format!("/generic/product/?seller__active=false&seller__uuid={uuid}");
    assert!(found(&one, &none).await.is_empty());
    assert_eq!(found(&one, "/generic/product/?seller__active=false").await, [json!(other.product)]);
}
