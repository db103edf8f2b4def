//! The resources of the reference provider and the validation of every field.

use serde_json::{Value, json};

use crate::consumer::{Consumer, product, purchase, seller, with};

const NOWHERE: &str = "http://127.0.0.1:1";

/// Posts what must be refused for exactly one field.
async fn assert_refused(consumer: &Consumer, path: &str, body: Value, field: &str, message: &str) {
    let (status, answer) = consumer.post(path, body).await;
    assert_eq!(status, 409, "{field}: {answer}");
    assert_eq!(answer, json!({"code": "InvalidArgument", "message": {field: message}}));
}

#[actix_web::test]
async fn a_seller_is_created_read_changed_and_listed() {
    let consumer = Consumer::start();
    let created = consumer.create("/sellers", seller("s:1")).await;
    let expected = json!({
        "uuid": "s:1", "name": "A seller", "email": "seller@example.com", "status": "ACTIVE", "agreement": null,
        "resource_pk": "s:1", "resource_name": "sellers", "resource_uri": "/sellers/s%3A1",
    });
    assert_eq!(created, expected);
    assert_eq!(consumer.get("/sellers/s%3A1").await, (200u16.try_into().unwrap(), expected));
    let change = json!({"name": "Other", "status": "INACTIVE", "agreement": "2013-09-30", "uuid": "s:1"});
    let (status, changed) = consumer.put("/sellers/s:1", change).await;
    assert_eq!(status, 200);
    assert_eq!((&changed["name"], &changed["status"]), (&json!("Other"), &json!("INACTIVE")));
    assert_eq!(
        (&changed["agreement"], &changed["email"]),
        (&json!("2013-09-30"), &json!("seller@example.com"))
    );
    assert_eq!(consumer.get("/sellers").await.1, json!([changed]));
}

#[actix_web::test]
async fn each_field_of_a_seller_is_checked() {
    let consumer = Consumer::start();
    consumer.create("/sellers", seller("s1")).await;
    let one_of = "value must be one of ACTIVE, INACTIVE, DISABLED";
    for (field, value, message) in [
        ("uuid", None, "This field is required."),
        ("uuid", Some(json!("s1")), "UUID must be unique"),
        ("uuid", Some(json!("a/b")), "must be printable ASCII without / ? # % and \\"),
        ("name", Some(json!(" ")), "This field is required."),
        ("name", Some(json!(null)), "must be a string"),
        ("email", Some(json!("nobody")), "Please enter a valid email address."),
        ("status", None, "This field is required."),
        ("status", Some(json!("active")), one_of),
        ("agreement", Some(json!("yesterday")), "must be a date as YYYY-MM-DD"),
        ("colour", Some(json!("red")), "This field is not recognised."),
    ] {
        let body = with(seller(if field == "uuid" { "x" } else { "s2" }), field, value);
        assert_refused(&consumer, "/sellers", body, field, message).await;
    }
    assert_eq!(consumer.get("/sellers").await.1.as_array().unwrap().len(), 1);
    let (status, answer) = consumer.put("/sellers/s1", json!({"uuid": "s2"})).await;
    assert_eq!((status.as_u16(), &answer["message"]), (409, &json!({"uuid": "cannot be changed"})));
}

#[actix_web::test]
async fn a_product_belongs_to_an_active_seller() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let (status, read) = consumer.get("/products/p1").await;
    assert_eq!(status, 200);
    assert_eq!(
        read,
        json!({
            "uuid": "p1", "seller_id": "s1", "external_id": "ext-p1", "name": "A product", "status": "ACTIVE",
            "resource_pk": "p1", "resource_name": "products", "resource_uri": "/products/p1",
        })
    );
    for (field, value, message) in [
        ("seller_id", Some(json!("s9")), "zero results for seller_id s9"),
        ("seller_id", None, "This field is required."),
        ("uuid", Some(json!("p1")), "UUID must be unique"),
        ("external_id", Some(json!("ext-p1")), "external_id must be unique per seller"),
        ("external_id", None, "This field is required."),
        ("price", Some(json!("1.00")), "This field is not recognised."),
    ] {
        assert_refused(&consumer, "/products", with(product("p2", "s1"), field, value), field, message).await;
    }
    consumer.create("/sellers", with(seller("s2"), "status", Some(json!("DISABLED")))).await;
    let message = "zero results for seller_id s2";
    assert_refused(&consumer, "/products", product("p2", "s2"), "seller_id", message).await;
}

#[actix_web::test]
async fn products_are_listed_by_seller_and_external_id_and_by_nothing_else() {
    let consumer = Consumer::start();
    consumer.stock().await;
    consumer.create("/products", product("p2", "s1")).await;
    let keys = async |path: &str| {
        let (status, list) = consumer.get(path).await;
        assert_eq!(status, 200, "{path}: {list}");
        list.as_array().unwrap().iter().map(|product| product["uuid"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(keys("/products").await, ["p1", "p2"]);
    assert_eq!(keys("/products?external_id=ext-p2").await, ["p2"]);
    assert_eq!(keys("/products?seller_id=s1&external_id=ext-p1").await, ["p1"]);
    assert_eq!(consumer.get("/products?seller_id=s9").await.0, 404);
    assert_eq!(consumer.get("/products?seller=s1").await.0, 409);
    assert_eq!(consumer.get("/sellers?uuid=s1").await.0, 409);
}

#[actix_web::test]
async fn a_product_can_be_changed_but_not_into_its_twin() {
    let consumer = Consumer::start();
    consumer.stock().await;
    consumer.create("/products", product("p2", "s1")).await;
    let (status, changed) =
        consumer.put("/products/p2", json!({"name": "New", "external_id": "ext-p2"})).await;
    assert_eq!((status.as_u16(), &changed["name"]), (200, &json!("New")));
    let (status, answer) = consumer.put("/products/p2", json!({"external_id": "ext-p1"})).await;
    assert_eq!(status, 409);
    assert_eq!(answer["message"], json!({"external_id": "external_id must be unique per seller"}));
}

#[actix_web::test]
async fn a_seller_agrees_to_the_terms() {
    let consumer = Consumer::start();
    consumer.create("/sellers", seller("s1")).await;
    let (status, terms) = consumer.get("/terms/s1").await;
    assert_eq!(status, 200);
    let mut expected = json!({
        "text": "Terms for seller: A seller", "agreement": null,
        "resource_pk": "s1", "resource_name": "terms", "resource_uri": "/terms/s1",
    });
    assert_eq!(terms, expected);
    expected["agreement"] = json!("2013-09-30");
    let (status, agreed) = consumer.put("/terms/s1", json!({"agreement": "2013-09-30"})).await;
    assert_eq!((status.as_u16(), &agreed), (200, &expected));
    assert_eq!(consumer.get("/sellers/s1").await.1["agreement"], "2013-09-30");
    for wrong in
        [json!({}), json!({"agreement": "2013-13-01"}), json!({"agreement": "2013-09-30", "text": "x"})]
    {
        assert_eq!(consumer.put("/terms/s1", wrong).await.0, 409);
    }
    assert_eq!(consumer.put("/terms/s9", json!({"agreement": null})).await.0, 404);
}

#[actix_web::test]
async fn a_transaction_is_started_with_a_token_and_read_again() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let started = consumer.start_purchase(NOWHERE).await;
    assert_eq!(started["status"], "STARTED");
    let token = started["token"].as_str().unwrap();
    assert!(token.len() == 128 && token.bytes().all(|byte| b"0123456789abcdef".contains(&byte)), "{token}");
    let key = started["resource_pk"].as_str().unwrap();
    assert_eq!(started["uuid"], key);
    assert_eq!(started["resource_uri"], format!("/transactions/{key}"));
    let asked = purchase(NOWHERE);
    for (name, value) in asked.as_object().unwrap() {
        assert_eq!(&started[name], value, "{name}");
    }
    assert_eq!(consumer.get(&format!("/transactions/{key}")).await.1, started);
    assert_eq!(consumer.get("/transactions").await.1, json!([started]));
    let second = consumer.start_purchase(NOWHERE).await;
    assert_ne!(second["token"], started["token"]);
}

#[actix_web::test]
async fn each_field_of_a_transaction_is_checked() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let required: Vec<String> = purchase(NOWHERE).as_object().unwrap().keys().cloned().collect();
    assert_eq!(required.len(), 11);
    for name in &required {
        let body = with(purchase(NOWHERE), name, None);
        assert_refused(&consumer, "/transactions", body, name, "This field is required.").await;
    }
    let url = "Please enter a valid URL.";
    for (field, value, message) in [
        ("product_id", json!("p9"), "zero results for product_id p9"),
        ("price", json!("0.9"), "This field must be in the format of 0.00."),
        ("price", json!(0.99), "must be a string"),
        ("pay_method", json!("CASH"), "value must be one of OPERATOR, CARD, INTERNET, PSMS"),
        ("callback_success_url", json!("/relative"), url),
        ("callback_error_url", json!("ftp://example.com/"), url),
        ("success_url", json!("shop"), url),
        ("error_url", json!("http://"), url),
        ("ext_transaction_id", json!(7), "must be a string"),
        ("status", json!("COMPLETED"), "This field is not recognised."),
    ] {
        let body = with(purchase(NOWHERE), field, Some(value));
        assert_refused(&consumer, "/transactions", body, field, message).await;
    }
    let (_, answer) =
        consumer.post("/transactions", with(purchase(NOWHERE), "currency", Some(json!("JPY")))).await;
    assert!(
        answer["message"]["currency"].as_str().unwrap().starts_with("value must be one of AUD"),
        "{answer}"
    );
    assert_eq!(consumer.get("/transactions").await.1, json!([]));
}

#[actix_web::test]
async fn a_product_or_seller_that_is_not_active_is_not_for_sale() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let message = "zero results for product_id p1";
    consumer.put("/products/p1", json!({"status": "INACTIVE"})).await;
    assert_refused(&consumer, "/transactions", purchase(NOWHERE), "product_id", message).await;
    consumer.put("/products/p1", json!({"status": "ACTIVE"})).await;
    consumer.put("/sellers/s1", json!({"status": "DISABLED"})).await;
    assert_refused(&consumer, "/transactions", purchase(NOWHERE), "product_id", message).await;
    consumer.put("/sellers/s1", json!({"status": "ACTIVE"})).await;
    consumer.start_purchase(NOWHERE).await;
}

#[actix_web::test]
async fn what_is_not_there_is_a_404_that_names_it() {
    let consumer = Consumer::start();
    for path in ["/sellers/x", "/products/x", "/terms/x", "/transactions/x"] {
        let (status, answer) = consumer.get(path).await;
        assert_eq!(status, 404, "{path}");
        let expected =
            json!({"code": "ResourceNotFound", "message": "Resource with UUID \"x\" cannot be found."});
        assert_eq!(answer, expected);
    }
}

#[actix_web::test]
async fn a_body_that_is_not_json_is_refused() {
    let consumer = Consumer::start();
    let url = consumer.url("/sellers");
    for (content_type, body, status, code) in [
        ("application/json", "{".to_owned(), 400, "InvalidContent"),
        ("application/json", "[]".to_owned(), 400, "InvalidContent"),
        ("application/x-www-form-urlencoded", "uuid=s1".to_owned(), 415, "UnsupportedMediaTypeError"),
        ("application/json", " ".repeat(1024 * 1024 + 1), 413, "RequestEntityTooLargeError"),
    ] {
        let mut answer = awc::Client::new()
            .post(&url)
            .insert_header(("Authorization", crate::consumer::authorization("POST", &url)))
            .insert_header(("Content-Type", content_type))
            .send_body(body)
            .await
            .unwrap();
        let refusal: Value = answer.json().await.unwrap();
        assert_eq!((answer.status().as_u16(), refusal["code"].as_str()), (status, Some(code)));
    }
}
