//! The shell's own behaviour, over real sockets.

use std::{sync::Arc, time::Duration};

use actix_web::http::StatusCode;
use awc::Client;
use tokio::sync::Notify;

use super::*;

fn settings() -> ServerSettings {
    ServerSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        workers: 1,
        max_request_body: 8,
        drain: Duration::from_secs(30),
        address_file: None,
        tls: None,
    }
}

async fn answer(_: web::Bytes) -> &'static str {
    "answer"
}

fn start(settings: &ServerSettings) -> (String, ServerHandle) {
    let bound = bind(settings, |routes: &mut ServiceConfig| {
        routes.service(resource("/thing/").route(web::post().to(answer)));
    })
    .unwrap();
    let started = (bound.url(), bound.handle());
    actix_web::rt::spawn(bound.run());
    started
}

#[actix_web::test]
async fn a_path_answers_with_and_without_its_slash() {
    let (url, handle) = start(&settings());
    for path in ["/thing/", "/thing"] {
        let response = Client::new().post(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
    handle.stop(false).await;
}

#[actix_web::test]
async fn an_unknown_path_and_a_missing_method_say_so_in_json() {
    let (url, handle) = start(&settings());
    for (path, status, text) in [
        ("/other/", StatusCode::NOT_FOUND, "Not found."),
        ("/thing/", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed."),
    ] {
        let mut response = Client::new().get(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(response.status(), status);
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body, serde_json::json!({ "detail": text }));
    }
    handle.stop(false).await;
}

#[actix_web::test]
async fn a_body_past_the_limit_is_refused() {
    let (url, handle) = start(&settings());
    let response = Client::new().post(format!("{url}/thing/")).send_body("123456789").await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    handle.stop(false).await;
}

#[actix_web::test]
async fn a_sound_request_id_is_kept_and_any_other_is_replaced() {
    let (url, handle) = start(&settings());
    let sent = |id: String| {
        let request = Client::new().post(format!("{url}/thing/")).insert_header(("X-Request-Id", id));
        async move {
            let response = request.send().await.unwrap();
            response.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned()
        }
    };
    assert_eq!(sent("abc-1:2.3_4".into()).await, "abc-1:2.3_4");
    for id in ["", "a b", "a\"b", &"x".repeat(129)] {
        let made = sent(id.to_owned()).await;
        assert!(uuid::Uuid::parse_str(&made).is_ok(), "{id:?} became {made:?}");
    }
    handle.stop(false).await;
}

#[actix_web::test]
async fn the_address_is_written_for_whoever_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("address");
    let settings = ServerSettings { address_file: Some(path.clone()), ..settings() };
    let (url, handle) = start(&settings);
    // It answers only once it runs, and by then the file is there.
    Client::new().get(&url).send().await.unwrap();
    assert_eq!(format!("http://{}", fs::read_to_string(path).unwrap().trim()), url);
    handle.stop(false).await;
}

#[actix_web::test]
async fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = ServerSettings { listen: taken.local_addr().unwrap(), ..settings() };
    let Err(error) = bind(&settings, |_: &mut ServiceConfig| {}) else { panic!("the address was taken") };
    assert!(error.to_string().starts_with(&format!("cannot listen on {}", settings.listen)), "{error}");
}

#[actix_web::test]
async fn a_request_in_flight_is_answered_before_the_server_stops() {
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let shared = (Arc::clone(&arrived), Arc::clone(&go_on));
    let bound = bind(&settings(), move |routes: &mut ServiceConfig| {
        let (arrived, go_on) = shared.clone();
        let slow = move || {
            let (arrived, go_on) = (Arc::clone(&arrived), Arc::clone(&go_on));
            async move {
                arrived.notify_one();
                go_on.notified().await;
                "done"
            }
        };
        routes.service(resource("/slow/").route(web::get().to(slow)));
    })
    .unwrap();
    let (url, handle) = (bound.url(), bound.handle());
    let server = actix_web::rt::spawn(bound.run());
    let request = actix_web::rt::spawn(async move {
        let mut response = Client::new().get(format!("{url}/slow/")).send().await.unwrap();
        response.body().await.unwrap()
    });
    arrived.notified().await;
    let stopping = actix_web::rt::spawn(handle.stop(true));
    go_on.notify_one();
    assert_eq!(request.await.unwrap(), "done");
    stopping.await.unwrap();
    server.await.unwrap().unwrap();
}
