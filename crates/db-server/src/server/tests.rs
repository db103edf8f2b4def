use std::net::TcpListener;

use actix_web::{
    App,
    http::Method,
    test::{self, TestRequest},
};
use chassis::environment::Environment;
use serde_json::Value;

use super::*;
use crate::{crypt::EncryptionKeys, settings};

/// An address at which nobody listens.
fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Settings under which neither Postgres nor the proxy can be reached.
fn settings(require_oauth: bool) -> Settings {
    let text = format!(
        "[server]\nlisten = '127.0.0.1:0'\n\
         [database]\nencryption_key = 'ZHVtbXlkdW1teWR1bW15ZHVtbXlkdW1teWR1bW15ZHU='\npool_wait = '200ms'\n\
         lookup_key = 'dummy-lookup-key-0'\n[pin]\npepper = 'dummy-pepper-of-pins'\n\
         [database.postgres]\nhost = '127.0.0.1'\nport = {}\n\
         [auth]\nrequire_oauth = {require_oauth}\n[auth.clients.webpay]\nsecret = 'dummy-secret-dummy'\n\
         [proxy]\nurl = 'http://{}'\n",
        nowhere().port(),
        nowhere(),
    );
    settings::read(text.parse().unwrap(), Environment::default()).unwrap()
}

/// The answers of one server to these requests: status and body.
async fn answers(require_oauth: bool, requests: Vec<TestRequest>) -> Vec<(u16, Value)> {
    answers_with(settings(require_oauth), requests).await
}

/// The same of a server with these settings.
async fn answers_with(settings: Settings, requests: Vec<TestRequest>) -> Vec<(u16, Value)> {
    let database = Database::new(settings.database.connect.clone());
    let Parts { domain, authenticator, proxy, signer, .. } = Parts::new(database, settings, Clock::system());
    let app = App::new()
        .app_data(domain)
        .app_data(authenticator)
        .app_data(Data::new(ProxyClient::new(&proxy, signer)))
        .configure(routes::configure);
    let service = test::init_service(app).await;
    let mut answers = Vec::new();
    for request in requests {
        let response = test::call_service(&service, request.to_request()).await;
        let status = response.status().as_u16();
        let body = test::read_body(response).await;
        answers.push((status, serde_json::from_slice(&body).unwrap_or_default()));
    }
    answers
}

async fn answer(require_oauth: bool, request: TestRequest) -> (u16, Value) {
    answers(require_oauth, vec![request]).await.remove(0)
}

/// What the OpenAPI document says anyone may ask.
fn is_open(method: &str, path: &str) -> bool {
    let document: Value = serde_json::from_str(crate::openapi::json()).unwrap();
    document["paths"][path][method.to_lowercase()]["security"] == serde_json::json!([])
}

fn request(method: &str, path: &str) -> TestRequest {
    TestRequest::default().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path)
}

fn post(path: &str, body: &str) -> TestRequest {
    TestRequest::post()
        .uri(path)
        .insert_header(("content-type", "application/json"))
        .set_payload(body.to_owned())
}

#[actix_web::test]
async fn every_route_but_those_described_as_open_asks_who_is_calling() {
    let (open, guarded): (Vec<_>, Vec<_>) = routes::all()
        .map(|(method, path)| (method.as_str(), path))
        .partition(|(method, path)| is_open(method, path));
    assert_eq!(
        open,
        [
            ("GET", "/services/status/"),
            ("GET", "/openapi.json"),
            ("POST", "/webhooks/reference/"),
            ("GET", "/webhooks/{provider}/"),
            ("POST", "/webhooks/{provider}/"),
            ("POST", "/login/"),
        ]
    );
    let asked = guarded.iter().flat_map(|(method, path)| {
        let path = path.replace("{id}", "1").replace("{name}", "log.level");
        // The slashless form is the same route.
        let slashless = path.trim_end_matches('/').to_owned();
        [(*method, path), (*method, slashless)]
    });
    let asked: Vec<_> = asked.collect();
    let requests = asked.iter().map(|(method, path)| request(method, path)).collect();
    for ((method, path), (status, body)) in asked.iter().zip(answers(true, requests).await) {
        assert_eq!((status, body["detail"].is_string()), (401, true), "{method} {path}");
    }
}

#[actix_web::test]
async fn a_server_whose_keys_fail_their_round_trip_says_so_and_is_not_sound() {
    let settings_are_sound = async |keys: Option<EncryptionKeys>| {
        let mut settings = settings(true);
        settings.database.keys = keys.unwrap_or(settings.database.keys);
        let (status, body) =
            answers_with(settings, vec![request("GET", "/services/status/")]).await.remove(0);
        // Postgres and provider-proxy are out of reach in either case.
        assert_eq!((status, &body["db"]), (500, &Value::Bool(false)), "{body}");
        body["settings"].clone()
    };
    assert_eq!(settings_are_sound(None).await, true);
    assert_eq!(settings_are_sound(Some(EncryptionKeys::mismatched())).await, false);
}

#[actix_web::test]
async fn the_document_is_open_and_the_committed_one() {
    let committed: Value = serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap();
    assert_eq!(answer(true, request("GET", "/openapi.json")).await, (200, committed));
}

#[actix_web::test]
async fn a_method_that_a_resource_lacks_is_405() {
    let lacking = [
        ("PUT", "/generic/transaction/1/"),
        ("DELETE", "/generic/transaction/1/"),
        ("DELETE", "/generic/seller/1/"),
        ("DELETE", "/generic/buyer/1/"),
        ("GET", "/generic/buyer/1/close/"),
        ("GET", "/generic/verify_pin/"),
        ("DELETE", "/generic/product/1"),
        ("PATCH", "/generic/seller/"),
        ("POST", "/services/status/"),
        ("GET", "/webhooks/reference/"),
        ("GET", "/provider/reference/transactions/"),
    ];
    let requests = lacking.iter().map(|(method, path)| request(method, path)).collect();
    for ((method, path), (status, body)) in lacking.iter().zip(answers(true, requests).await) {
        assert_eq!((status, body["detail"].is_string()), (405, true), "{method} {path}");
    }
}

#[actix_web::test]
async fn deleting_at_the_provider_is_never_offered() {
    for kind in ["sellers", "products", "terms"] {
        let (status, _) = answer(false, request("DELETE", &format!("/provider/reference/{kind}/1/"))).await;
        assert_eq!(status, 403);
    }
}

#[actix_web::test]
async fn the_caller_is_told_its_key() {
    let (status, body) = answer(false, request("GET", "/services/request/")).await;
    assert_eq!((status, body), (200, serde_json::json!({"authenticated": null})));
}

#[actix_web::test]
async fn bad_input_is_refused_before_the_database_is_asked() {
    for (body, status) in [
        ("{", 400),
        ("[]", 400),
        ("{}", 400),
        (r#"{"uuid": 5}"#, 400),
        (r#"{"uuid": "a", "uuid": "b"}"#, 400),
        (r#"{"uuid": "a", "active": "yes"}"#, 400),
    ] {
        assert_eq!(answer(false, post("/generic/seller/", body)).await.0, status, "{body}");
    }
    let form = TestRequest::post().uri("/generic/seller/").set_form([("uuid", "a")]);
    assert_eq!(answer(false, form).await.0, 415);
    let (status, body) = answer(false, request("GET", "/generic/seller/?uiud=a")).await;
    assert_eq!((status, body["detail"].as_str()), (400, Some("Incorrect query parameters: uiud")));
    for id in ["x", "0", "-1", "99999999999999999999", "1%00", "%2e%2e"] {
        let (status, _) = answer(false, request("GET", &format!("/generic/seller/{id}/"))).await;
        assert_eq!(status, 404, "{id}");
    }
}

#[actix_web::test]
async fn without_postgres_the_answer_is_500_and_says_so() {
    let requests = vec![request("GET", "/generic/seller/1/"), post("/generic/seller/", r#"{"uuid": "a"}"#)];
    for (status, body) in answers(false, requests).await {
        assert_eq!((status, body["detail"].as_str()), (500, Some("The database is out of reach.")));
    }
}

#[actix_web::test]
async fn without_the_proxy_a_notice_is_not_believed_and_the_error_names_it() {
    let webhook =
        TestRequest::post().uri("/webhooks/reference/").set_form([("signed_notice", "a=b&sig=0:ab")]);
    let requests = vec![webhook, post("/provider/reference/notices/", r#"{"qs": "a=b"}"#)];
    for (status, body) in answers(false, requests).await {
        assert_eq!(status, 502);
        assert_eq!(body["proxy_error"]["target"], "provider-proxy");
        assert_eq!(body["proxy_error"]["outcome"], "not_sent");
    }
}

#[actix_web::test]
async fn the_status_is_open_and_500_while_something_is_missing() {
    let (status, body) = answer(true, request("GET", "/services/status/")).await;
    let expected = serde_json::json!({"cache": true, "db": false, "proxies": false, "settings": true});
    assert_eq!((status, body), (500, expected));
}

#[actix_web::test]
async fn without_postgres_the_server_does_not_start() {
    let error = Application::build(settings(true)).await.err().unwrap();
    assert_eq!(error.exit(), Exit::DependencyDown);
    assert!(error.to_string().contains("out of reach"), "{error}");
}

#[actix_web::test]
async fn each_reason_not_to_start_has_its_exit_code() {
    assert_eq!(StartError::Pending(vec!["0001_sellers".into()]).exit(), Exit::Settings);
    let bind = ServerError::Bind { address: nowhere(), source: io::Error::other("taken") };
    assert_eq!(StartError::Server(bind).exit(), Exit::Unavailable);
    let broken = MigrationError::Migration("broken".into());
    assert_eq!(StartError::Migration(broken).exit(), Exit::Software);
    let gone = MigrationError::Store(StoreError::Interrupted);
    assert_eq!(StartError::Migration(gone).exit(), Exit::DependencyDown);
}
