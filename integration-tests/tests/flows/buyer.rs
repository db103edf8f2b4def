//! Buyers as a client sees them, and as the database holds them.

use actix_web::http::Method;
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Nullable, Text},
};
use futures_util::future::join_all;
use integration_tests::{
    client::{Answer, Client},
    in_process::{Pair, PairOptions, spawn_pair, start_db_server},
};
use serde_json::{Value, json};

use super::shop::{created, text};

/// Creates a buyer; gives its path.
pub async fn buyer(client: &Client, uuid: &str) -> String {
    text(&created(client.post("/generic/buyer/", &json!({"uuid": uuid})).await), "/resource_uri")
}

/// Asserts that an answer is a 422 that names this field with this code.
#[track_caller]
pub fn assert_code(answer: &Answer, field: &str, code: &str) {
    assert_eq!(answer.status, 422, "{answer:?}");
    let error = &answer.json()["mozilla"][field][0];
    assert_eq!(error["code"], code, "{answer:?}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer:?}");
}

async fn total(client: &Client, query: &str) -> i64 {
    let answer = client.get(&format!("/generic/buyer/{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["meta"]["total_count"].as_i64().unwrap()
}

#[derive(Debug, QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    whole: String,
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pin: Option<String>,
}

fn stored(pair: &Pair) -> Vec<Stored> {
    let query = "select b::text as whole, email, pin from buyers b order by id";
    sql_query(query).load(&mut pair.database.as_ref().unwrap().connect()).unwrap()
}

#[actix_web::test]
async fn a_buyer_has_the_fields_and_defaults_of_the_original() {
    let pair = spawn_pair().await;
    let body = created(pair.client().post("/generic/buyer/", &json!({"uuid": "b1"})).await);
    let mut expected = json!({
        "resource_pk": 1, "resource_uri": "/generic/buyer/1/", "uuid": "b1", "email": null, "locale": null,
        "active": true, "authenticated": true, "pin": false, "new_pin": false, "needs_pin_reset": false,
        "pin_confirmed": false, "pin_failures": 0, "pin_is_locked_out": false, "pin_was_locked_out": false,
        "counter": 0,
    });
    expected["created"] = body["created"].clone();
    expected["modified"] = body["modified"].clone();
    assert_eq!(body, expected);
    assert!(chrono::DateTime::parse_from_rfc3339(&text(&body, "/created")).is_ok());
}

#[actix_web::test]
async fn a_buyer_is_read_changed_replaced_and_listed() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = buyer(&client, "b1").await;
    let patch = json!({"locale": "de", "email": "Jo@Example.test", "active": false, "authenticated": false,
                       "pin": "1234"});
    let changed = client.patch(&uri, &patch).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let read = client.get(uri.trim_end_matches('/')).await.json();
    assert_eq!(
        (&read["locale"], &read["email"], &read["active"]),
        (&json!("de"), &json!("Jo@Example.test"), &json!(false))
    );
    assert_eq!(
        (&read["authenticated"], &read["pin"], &read["counter"]),
        (&json!(false), &json!(true), &json!(1))
    );

    let replaced = client.put(&uri, &json!({"uuid": "b2"})).await;
    assert_eq!(replaced.status, 200, "{replaced:?}");
    let body = replaced.json();
    assert_eq!((&body["uuid"], &body["locale"], &body["email"]), (&json!("b2"), &Value::Null, &Value::Null));
    assert_eq!((&body["active"], &body["authenticated"]), (&json!(true), &json!(true)));
    assert_eq!(body["pin"], true, "a PIN that nobody can read back is not lost");
    assert_code(&client.put(&uri, &json!({"locale": "fr"})).await, "uuid", "required");

    let list = client.get("/generic/buyer/").await.json();
    assert_eq!(list["objects"], json!([body]));
    assert_eq!(client.delete(&uri).await.status, 405);
    assert_eq!(client.get("/generic/buyer/999/").await.json(), json!({"detail": "Not found."}));
}

#[actix_web::test]
async fn the_list_has_the_filters_uuid_active_and_email_and_no_other() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let emails = ["one@example.test", "two@example.test"];
    for (uuid, email) in [("b1", emails[0]), ("b2", emails[1]), ("b3", emails[0])] {
        created(
            client
                .post("/generic/buyer/", &json!({"uuid": uuid, "email": email, "active": uuid != "b2"}))
                .await,
        );
    }
    for (query, count) in [
        ("?uuid=b1", 1),
        ("?uuid=B1", 0),
        ("?active=true", 2),
        ("?active=0", 1),
        ("?email=one@example.test", 2),
        ("?email=%20ONE@Example.TEST%20", 2),
        ("?email=one%40example.test&active=true&uuid=b3", 1),
        ("?email=three@example.test", 0),
    ] {
        assert_eq!(total(&client, query).await, count, "{query}");
    }
    let unknown = client.get("/generic/buyer/?emial=one@example.test").await;
    assert_eq!(
        (unknown.status, unknown.json()),
        (400, json!({"detail": "Incorrect query parameters: emial"}))
    );
    assert_code(&client.get("/generic/buyer/?email=nobody").await, "email", "invalid");
    assert_code(&client.get("/generic/buyer/?active=maybe").await, "active", "invalid");
}

#[actix_web::test]
async fn errors_of_the_form_have_a_namespace_and_a_code() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = buyer(&client, "taken").await;
    for (body, field, code) in [
        (json!({}), "uuid", "required"),
        (json!({"uuid": null}), "uuid", "required"),
        (json!({"uuid": "taken"}), "uuid", "not_unique"),
        (json!({"uuid": "x".repeat(256)}), "uuid", "max_length"),
        (json!({"uuid": "a\u{0}"}), "uuid", "invalid"),
        (json!({"uuid": 5}), "uuid", "invalid"),
        (json!({"uuid": "x", "email": "nobody"}), "email", "invalid"),
        (json!({"uuid": "x", "locale": "x".repeat(256)}), "locale", "max_length"),
        (json!({"uuid": "x", "pin": "12a4"}), "pin", "invalid"),
        (json!({"uuid": "x", "pin": 1234}), "pin", "invalid"),
        (json!({"uuid": "x", "new_pin": "123"}), "new_pin", "invalid"),
        (json!({"uuid": "x", "colour": "red"}), "colour", "unknown_field"),
    ] {
        assert_code(&client.post("/generic/buyer/", &body).await, field, code);
    }
    let twice = client.request(Method::POST, "/generic/buyer/");
    let twice = twice.raw(br#"{"uuid": "a", "uuid": "b"}"#, "application/json").answer().await;
    assert_code(&twice, "uuid", "invalid");
    created(client.post("/generic/buyer/", &json!({"uuid": "other"})).await);
    assert_code(&client.patch(&uri, &json!({"uuid": "other"})).await, "uuid", "not_unique");
    assert_eq!(total(&client, "").await, 2);
    // The older resources keep their shape.
    let older = client.post("/generic/seller/", &json!({})).await;
    assert_eq!((older.status, older.json()), (400, json!({"uuid": ["This field is required."]})));
}

#[actix_web::test]
async fn an_etag_saves_a_transfer_and_stops_a_lost_update_of_a_buyer() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = buyer(&client, "b1").await;
    let etag = client.get(&uri).await.header("etag").unwrap().to_owned();
    let send = |method: Method, header: &'static str, etag: &str| {
        let request = client.request(method.clone(), &uri).header(header, etag);
        let change = json!({"uuid": "b1", "locale": "fr"});
        if method == Method::GET { request.answer() } else { request.json(&change).answer() }
    };
    assert_eq!(send(Method::GET, "If-None-Match", &etag).await.status, 304);
    assert_eq!(send(Method::PATCH, "If-Match", &etag).await.status, 200);
    assert_eq!(send(Method::PATCH, "If-Match", &etag).await.status, 412);
    assert_eq!(send(Method::PUT, "If-Match", &etag).await.status, 412);
    assert_eq!(send(Method::GET, "If-None-Match", &etag).await.status, 200);
    let list = client.get("/generic/buyer/").await;
    let list_etag = list.header("etag").unwrap();
    let again =
        client.request(Method::GET, "/generic/buyer/").header("If-None-Match", list_etag).answer().await;
    assert_eq!(again.status, 304);
}

#[actix_web::test]
async fn concurrent_changes_of_a_buyer_never_lose_one_anothers_counter() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = buyer(&client, "b1").await;
    let change = json!({"locale": "de"});
    let changes = join_all((0..20).map(|_| client.patch(&uri, &change))).await;
    assert!(changes.iter().all(|answer| answer.status == 200));
    assert_eq!(client.get(&uri).await.json()["counter"], 20);
}

#[actix_web::test]
async fn address_and_pin_are_never_in_the_database_as_they_were_given() {
    let pair = spawn_pair().await;
    let body = json!({"uuid": "b1", "email": "Jo.Doe@example.test", "pin": "8731", "new_pin": "9182"});
    let shown = created(pair.client().post("/generic/buyer/", &body).await);
    assert_eq!(
        (&shown["email"], &shown["pin"], &shown["new_pin"]),
        (&json!("Jo.Doe@example.test"), &json!(true), &json!(true))
    );
    let row = stored(&pair).remove(0);
    assert!(!row.whole.to_lowercase().contains("jo.doe"), "{row:?}");
    assert!(row.email.unwrap().starts_with("gAAAA"));
    assert!(row.pin.unwrap().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
    assert!(!shown.to_string().contains("8731") && !shown.to_string().contains("argon2"));
}

#[actix_web::test]
async fn an_address_is_found_under_every_look_up_key_and_read_under_every_encryption_key() {
    let pair = spawn_pair().await;
    created(pair.client().post("/generic/buyer/", &json!({"uuid": "old", "email": "jo@example.test"})).await);
    let database = pair.database.as_ref().unwrap();
    let mut table = integration_tests::in_process::db_server_settings(
        &database.socket_folder(),
        database.name(),
        pair.provider_proxy.url(),
        &pair.dummies,
    );
    let over = format!(
        "[database]\nlookup_key = ['dummy-another-lookup-key', '{}']\nencryption_key = ['{}', '{}']",
        pair.dummies.lookup_key,
        format_args!("{}=", "B".repeat(42) + "A"),
        pair.dummies.encryption_key,
    );
    integration_tests::settings::merge(&mut table, over.parse().unwrap());
    let rotated = start_db_server(table);
    let client = Client::signed(rotated.url(), &pair.dummies.client_key, &pair.dummies.client_secret);
    created(client.post("/generic/buyer/", &json!({"uuid": "new", "email": "jo@example.test"})).await);
    let found = client.get("/generic/buyer/?email=jo@example.test").await.json();
    assert_eq!(found["meta"]["total_count"], 2);
    assert_eq!(found["objects"][1]["email"], "jo@example.test");
    assert_eq!(total(&pair.client(), "?uuid=old&email=jo@example.test").await, 1);
}

#[actix_web::test]
async fn a_closed_buyer_is_inactive_without_address_and_anonymous() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let body = json!({"uuid": "jo-1", "email": "jo@example.test"});
    let uri = text(&created(client.post("/generic/buyer/", &body).await), "/resource_uri");
    let closed = client.request(Method::POST, &format!("{uri}close/")).answer().await;
    assert_eq!((closed.status, closed.body.len()), (204, 0));
    let after = client.get(&uri).await.json();
    assert_eq!(
        (&after["active"], &after["email"], &after["counter"]),
        (&json!(false), &Value::Null, &json!(1))
    );
    let uuid = text(&after, "/uuid");
    let random = uuid.strip_prefix("anonymised-uuid:").unwrap();
    assert_eq!(uuid::Uuid::parse_str(random).unwrap().get_version_num(), 4);
    assert_eq!(total(&client, "?email=jo@example.test").await, 0);
    assert_eq!(total(&client, "?uuid=jo-1").await, 0);
    let row = stored(&pair).remove(0);
    assert!(row.email.is_none() && !row.whole.contains("jo-1"), "{row:?}");
    // The uuid may be used again.
    buyer(&client, "jo-1").await;
}

#[actix_web::test]
async fn a_buyer_is_closed_once() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = buyer(&client, "b1").await;
    let path = format!("{uri}close/");
    let closing = join_all((0..8).map(|_| client.request(Method::POST, &path).answer())).await;
    let count = |status| closing.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(204), count(404)), (1, 7), "{closing:?}");
    assert_eq!(client.post(&path, &json!({})).await.json(), json!({"detail": "Not found."}));
    assert_eq!(client.post("/generic/buyer/999/close/", &json!({})).await.status, 404);
    assert_code(&client.post(&path, &json!({"why": "x"})).await, "why", "unknown_field");
}

#[actix_web::test]
async fn a_buyer_may_be_referred_to_by_a_transaction() {
    let pair = spawn_pair().await;
    let client = pair.client();
    let uri = buyer(&client, "b1").await;
    let transaction = created(client.post("/generic/transaction/", &json!({"buyer": uri})).await);
    assert_eq!(transaction["buyer"], uri);
    let dangling = client.post("/generic/transaction/", &json!({"buyer": "/generic/buyer/99/"})).await;
    assert_eq!(dangling.status, 400, "{dangling:?}");
}

#[actix_web::test]
async fn a_reader_may_not_touch_buyers_or_pins() {
    let settings = "[auth.clients.reader]\nsecret = 'dummy-reader-secret'\nroles = ['read']";
    let pair = PairOptions::default().db_settings(settings).spawn().await;
    let uri = buyer(&pair.client(), "b1").await;
    let reader = Client::signed(pair.db_server.url(), "reader", "dummy-reader-secret");
    assert_eq!(reader.get(&uri).await.status, 200);
    let guess = json!({"uuid": "b1", "pin": "1234"});
    for path in ["confirm_pin", "verify_pin", "reset_confirm_pin", "buyer/1/close", "buyer"] {
        assert_eq!(reader.post(&format!("/generic/{path}/"), &guess).await.status, 403, "{path}");
    }
    assert_eq!(reader.patch(&uri, &guess).await.status, 403);
}
